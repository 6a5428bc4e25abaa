"""What a world needs of a cloud, and the embedded AWS that has it."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import boto3

from tests.world.cloud import CloudKind, open_cloud
from tests.world.keys import ApiKey
from tests.world.setup import CONFIG_TABLE, SECRET_ID, STATE_TABLE
from tests.world.tables import create_tables


class Cloud(Protocol):
    """Where a bot's configs, state and secret lie."""

    def opened(self) -> AbstractContextManager[str]:
        """There for the time of a block; yields AWS_ENDPOINT_URL ("" when there is none)."""

    def furnish(self, key: ApiKey) -> None:
        """Tables and secret: what deploying leaves behind."""

    def put_config(self, item: Mapping[str, Any]) -> None:
        """Write an item of the config table, in DynamoDB's notation, as a person would."""


class EmbeddedAws:
    """DynamoDB and Secrets Manager by moto."""

    def __init__(self, kind: CloudKind) -> None:
        self._kind = kind

    def opened(self) -> AbstractContextManager[str]:
        """In this process, or behind a loopback port."""
        return open_cloud(self._kind)

    def furnish(self, key: ApiKey) -> None:
        """Two empty tables and the secret."""
        create_tables(boto3.client("dynamodb"), CONFIG_TABLE, STATE_TABLE)
        secret = json.dumps({"key_id": key.key_id, "private_key_pem": key.private_pem})
        boto3.client("secretsmanager").create_secret(Name=SECRET_ID, SecretString=secret)

    def put_config(self, item: Mapping[str, Any]) -> None:
        """One put."""
        boto3.client("dynamodb").put_item(TableName=CONFIG_TABLE, Item=item)
