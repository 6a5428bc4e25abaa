"""Fixtures that several rooms of the tests use."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Time limits for one example measure how busy the machine is.
settings.register_profile("quick", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture
def dynamo() -> "Iterator[DynamoDBClient]":
    """A client of an embedded DynamoDB that holds the tables `config` and `state`, both empty."""
    from dora.edge.dynamo.table import dynamo_client
    from tests.world.cloud import open_cloud
    from tests.world.tables import create_tables

    with open_cloud("process"):
        client = dynamo_client(None)
        create_tables(client, "config", "state")
        yield client
