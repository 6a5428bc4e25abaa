"""AWS that hangs or trickles: no call outlasts its tries, nor the invocation, and none is begun too late."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest

from dora.core.errors import SecretInvalid, StateUnavailable
from dora.edge.archive.bucket import S3Archive, s3_client
from dora.edge.dynamo.codec import key
from dora.edge.dynamo.table import Table, dynamo_client
from dora.edge.net.connections import MAX_IDLE_S
from dora.edge.net.request import Network
from dora.edge.secrets import read_key, secrets_client
from tests.support.cycle_records import CYCLE_ID, cycle_record
from tests.support.slow_server import (
    PATIENCE_S,
    Answer,
    SlowServer,
    answers,
    reply,
    resets,
    says_nothing,
    slow_server,
    trickles,
)
from tests.world.environment import environment

LIMIT_S = 1.0
"""Long enough for the first request of a new client, which takes its time to be made."""
HEAD = b"HTTP/1.1 200 OK\r\n"
NOBODY = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nobody",
    "AWS_SESSION_TOKEN": None,
    "AWS_PROFILE": None,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
FOUND = reply(b'{"Responses": {"state": []}}')
SLOW_WAYS: Mapping[str, Answer] = {
    "silence": says_nothing,
    "headers": trickles(b"X-Padding: " + b"a" * 1_000, HEAD),
    "body": trickles(b" " * 1_000, HEAD + b"Content-Length: 2000\r\n\r\n"),
    "to the end": trickles(
        b" " * 1_000, HEAD + b"Connection: close\r\n\r\n" + FOUND.partition(b"\r\n\r\n")[2]
    ),
}


def state_reader(url: str, network: Network) -> Callable[[], object]:
    table = Table(dynamo_client(url, network), "state")
    return lambda: table.get([key("dora", "SESSION")])


def secret_reader(url: str, network: Network) -> Callable[[], object]:
    client = secrets_client(url, network)
    return lambda: read_key(client, "dora/key")


def archiver(url: str, network: Network) -> Callable[[], object]:
    archive = S3Archive(s3_client(url, network), "records", "dora", inputs=True)
    return lambda: archive.save(CYCLE_ID, cycle_record)


CALLS: Mapping[str, tuple[Callable[[str, Network], Callable[[], object]], type[Exception]]] = {
    "DynamoDB": (state_reader, StateUnavailable),
    "Secrets Manager": (secret_reader, SecretInvalid),
    "S3": (archiver, StateUnavailable),
}


def _pairs() -> Iterator[Any]:
    """Every way with one service and one way with every service; the others, over the same code, are long."""
    for service, where in product(CALLS, SLOW_WAYS):
        quick = service == "DynamoDB" or where == "body"
        yield pytest.param(service, where, marks=() if quick else pytest.mark.long)


@pytest.mark.parametrize(("service", "where"), list(_pairs()))
def test_a_call_ends_with_the_invocation(service: str, where: str) -> None:
    network, (client_of, error) = Network(), CALLS[service]
    with environment(NOBODY), slow_server(SLOW_WAYS[where]) as server:
        call, began = client_of(server.url, network), time.monotonic()
        with network.invocation.within(LIMIT_S), pytest.raises(error):
            call()
        assert time.monotonic() - began < PATIENCE_S
        assert len(server.seen) <= 1, "no second try is begun that has no time"


@contextmanager
def table_at(*script: Answer, network: Network) -> Iterator[tuple[SlowServer, Table]]:
    with environment(NOBODY), slow_server(*script) as server:
        yield server, Table(dynamo_client(server.url, network), "state")


def read(table: Table) -> Any:
    return table.get([key("dora", "SESSION")])


def test_a_try_that_trickles_is_cut_off_after_its_total_timeout_and_the_next_one_is_answered() -> None:
    network = Network()
    slow = trickles(b" " * 1_000, HEAD + b"Content-Length: 2000\r\n\r\n", patience_s=20)
    with table_at(slow, answers(FOUND), network=network) as (server, table), network.invocation.within(30):
        assert read(table) == []
        assert server.connections == [1, 2]


def test_nothing_is_sent_when_the_invocation_is_over() -> None:
    network = Network()
    with table_at(answers(FOUND), network=network) as (server, table):
        with network.invocation.within(0), pytest.raises(StateUnavailable, match="not sent"):
            read(table)
        assert server.seen == []
        assert read(table) == [], "the next invocation has time again"


THROTTLED = b'{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}'


def test_there_is_no_further_try_where_the_wait_before_it_would_outlast_the_invocation() -> None:
    network = Network()
    refusal = b"HTTP/1.1 400 Bad Request\r\nx-amz-retry-after: 5000\r\nContent-Length: %d\r\n\r\n%s"
    throttled = answers(refusal % (len(THROTTLED), THROTTLED))
    with table_at(throttled, network=network) as (server, table):
        began = time.monotonic()
        with network.invocation.within(2), pytest.raises(StateUnavailable, match="ProvisionedThroughput"):
            read(table)
        assert len(server.seen) == 1
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("dead", [resets, says_nothing], ids=["reset", "silence"])
def test_a_connection_that_stood_idle_is_not_used_again(dead: Answer) -> None:
    now_s = [0.0]
    network = Network(wall_s=lambda: now_s[0])

    def died(server: SlowServer, connection: Any) -> None:
        (dead if server.connections[-1] == 1 else answers(FOUND))(server, connection)

    with table_at(answers(FOUND), died, network=network) as (server, table):
        read(table)
        now_s[0] += MAX_IDLE_S + 1
        read(table)
        assert server.connections == [1, 2]
