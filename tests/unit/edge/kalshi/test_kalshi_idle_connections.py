"""Connections that died while the function was frozen: none that stood idle is used again."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dora.edge.kalshi.client import KalshiExchange
from dora.edge.net.connections import MAX_IDLE_S
from dora.edge.net.request import Network
from tests.support.kalshi_fakes import (
    FakeClock,
    FakeFacts,
    cancel_request,
    cancelled_entry,
    order_request,
    placed_entry,
    signer,
)
from tests.support.slow_server import Answer, SlowServer, answers, reply, resets, says_nothing, slow_server

AS_OF = answers(reply(json.dumps({"as_of_time": "2026-11-20T14:00:00Z"}).encode()))
PLACED = answers(reply(json.dumps({"orders": [placed_entry()]}).encode()))
CANCELLED = answers(reply(json.dumps({"orders": [cancelled_entry()]}).encode()))
DEAD = pytest.mark.parametrize("dead", [resets, says_nothing], ids=["reset", "silence"])


class Frozen:
    """Both clocks by which a connection may be idle; either may stand still while a function is frozen."""

    def __init__(self) -> None:
        self.wall_s, self.monotonic_s = 1_795_183_200.0, 100.0

    def network(self) -> Network:
        return Network(wall_s=lambda: self.wall_s, monotonic_s=lambda: self.monotonic_s)


def dead_when_warm(dead: Answer, alive: Answer) -> Answer:
    """What the first connection does with its second request; every other one answers."""

    def answer(server: SlowServer, connection: socket.socket) -> None:
        (dead if server.connections[-1] == 1 else alive)(server, connection)

    return answer


@contextmanager
def warmed(dead: Answer, alive: Answer, frozen: Frozen) -> Iterator[tuple[SlowServer, KalshiExchange]]:
    """A client that has made one call, on a connection that nothing comes back from any more."""
    with slow_server(AS_OF, dead_when_warm(dead, alive)) as server:
        url = f"{server.url}/trade-api/v2"
        exchange = KalshiExchange(url, signer(), FakeClock(), FakeFacts(), network=frozen.network())
        exchange.user_data_time_ms()
        yield server, exchange
        exchange.close()


@DEAD
@pytest.mark.parametrize("clock", ["wall_s", "monotonic_s"])
def test_a_write_does_not_go_out_on_a_connection_that_stood_idle(dead: Answer, clock: str) -> None:
    frozen = Frozen()
    with warmed(dead, PLACED, frozen) as (server, exchange):
        setattr(frozen, clock, getattr(frozen, clock) + MAX_IDLE_S + 1)
        assert len(exchange.place([order_request()]).placed) == 1
        assert server.connections == [1, 2]


@DEAD
def test_nor_does_a_cancel(dead: Answer) -> None:
    frozen = Frozen()
    with warmed(dead, CANCELLED, frozen) as (server, exchange):
        frozen.wall_s += MAX_IDLE_S + 1
        assert len(exchange.cancel([cancel_request()]).succeeded) == 1
        assert server.connections == [1, 2]


@DEAD
def test_a_read_after_idling_is_answered_at_once(dead: Answer) -> None:
    frozen = Frozen()
    with warmed(dead, AS_OF, frozen) as (server, exchange):
        frozen.wall_s += MAX_IDLE_S + 1
        exchange.retry_reads(1, 0)
        exchange.user_data_time_ms()
        assert server.connections == [1, 2]


def test_a_connection_in_use_is_kept_and_a_clock_that_steps_back_is_no_idling() -> None:
    frozen = Frozen()
    with warmed(AS_OF, AS_OF, frozen) as (server, exchange):
        for step_s in (MAX_IDLE_S - 1, MAX_IDLE_S - 1, -3_600):
            frozen.wall_s += step_s
            exchange.user_data_time_ms()
        assert server.connections == [1] * 4


def test_a_write_that_meets_a_reset_all_the_same_is_sent_once_and_unknown() -> None:
    with warmed(resets, PLACED, Frozen()) as (server, exchange):
        assert len(exchange.place([order_request()]).unknown) == 1
        assert [line.partition(" ")[0] for line in server.seen] == ["GET", "POST"]


def test_a_read_that_meets_a_reset_all_the_same_is_read_again_on_another_connection() -> None:
    with warmed(resets, AS_OF, Frozen()) as (server, exchange):
        exchange.user_data_time_ms()
        assert server.connections == [1, 1, 2]
