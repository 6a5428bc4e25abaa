"""AWS without AWS: DynamoDB and Secrets Manager embedded, in this process or behind a loopback port."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Literal

import boto3
import botocore.session
import requests
from botocore.loaders import Loader
from moto import mock_aws
from moto.server import ThreadedMotoServer

from tests.world.environment import environment

CloudKind = Literal["process", "server"]
LOOPBACK = "127.0.0.1"

# Clients must never find a person's own credentials or profile.
_NOBODY: dict[str, str | None] = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nobody",
    "AWS_SESSION_TOKEN": None,
    "AWS_PROFILE": None,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def open_cloud(kind: CloudKind) -> AbstractContextManager[str]:
    """An empty cloud, gone with everything in it at the end. Yields AWS_ENDPOINT_URL ("" when in process)."""
    return _served() if kind == "server" else _in_process()


@contextmanager
def _in_process() -> Iterator[str]:
    """Intercepts botocore only: loopback connections and other transport adapters pass."""
    with environment(_NOBODY | {"AWS_ENDPOINT_URL": None}), mock_aws():
        _fresh_default_session()
        yield ""


def _fresh_default_session() -> None:
    """moto drops boto3's session with each cloud; the models of the services, which cost most of it, stay."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _models())
    boto3.setup_default_session(botocore_session=session)


@cache
def _models() -> Loader:
    loader: Loader = botocore.session.get_session().get_component("data_loader")
    return loader


@contextmanager
def _served() -> Iterator[str]:
    """As `sam local` would see it: real HTTP to an address in AWS_ENDPOINT_URL."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        with environment(_NOBODY | {"AWS_ENDPOINT_URL": url}):
            yield url
    finally:
        # Whatever became of the block: moto keeps its tables for the next server of this process.
        requests.post(f"{url}/moto-api/reset", timeout=5).raise_for_status()
        server.stop()
