"""A deadline is wall-clock time over everything: lookup, connecting, TLS, request, headers and body."""

import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, Thread

import pytest

from dora.core.errors import ExchangeUnavailable
from dora.core.orders.requests import Outcome
from dora.core.units import TimeMs
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.connections import MAX_BODY_BYTES
from dora.edge.net.request import Address, Network
from tests.support.kalshi_fakes import (
    FakeClock,
    FakeFacts,
    cancel_request,
    order_request,
    placed_entry,
    signer,
)
from tests.support.slow_server import (
    PATIENCE_S,
    STEP_S,
    Answer,
    answers,
    reply,
    says_nothing,
    slow_server,
    trickles,
)

LIMIT_MS = 300
AS_OF = json.dumps({"as_of_time": "2026-11-20T14:00:00Z"}).encode()
PLACED = json.dumps({"orders": [placed_entry()]}).encode()
HEAD = b"HTTP/1.1 200 OK\r\n"


def slow_ways(body: bytes) -> dict[str, Answer]:
    """Every place where an answer can be slow, no single receive of it longer than a timeout."""
    padding = b" " * 10_000
    return {
        "silence": says_nothing,
        "headers": trickles(b"X-Padding: " + b"a" * 10_000, HEAD),
        "body": trickles(body + padding, HEAD + b"Content-Length: 20000\r\n\r\n"),
        "chunks": trickles(b"1\r\n \r\n" * 2_000, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        "to the end": trickles(padding, HEAD + b"Connection: close\r\n\r\n" + body),
    }


WHERE = sorted(slow_ways(b""))


@contextmanager
def bounded(
    url: str, network: Network | None = None, clock: FakeClock | None = None
) -> Iterator[KalshiExchange]:
    """A client whose deadline is near; it must be over with everything well before a slow server is."""
    clock, began = clock or FakeClock(), time.monotonic()
    exchange = KalshiExchange(f"{url}/trade-api/v2", signer(), clock, FakeFacts(), network=network)
    exchange.until(TimeMs(clock.now_ms() + LIMIT_MS))
    yield exchange
    exchange.close()
    assert time.monotonic() - began < PATIENCE_S / 2


def assert_unread(exchange: KalshiExchange, why: str = "GET ") -> None:
    with pytest.raises(ExchangeUnavailable, match=why):
        exchange.user_data_time_ms()


@pytest.mark.parametrize("where", WHERE)
def test_a_read_that_trickles_ends_at_the_deadline(where: str) -> None:
    with slow_server(slow_ways(AS_OF)[where]) as server, bounded(server.url) as exchange:
        assert_unread(exchange)


@pytest.mark.parametrize("where", WHERE)
def test_a_write_that_is_cut_off_is_sent_once_and_unknown(where: str) -> None:
    with slow_server(slow_ways(PLACED)[where]) as server, bounded(server.url) as exchange:
        (order,) = exchange.place([order_request()]).unknown
        assert (order.outcome, order.code) == (Outcome.UNKNOWN, "unanswered")
        assert [line.partition(" ")[0] for line in server.seen] == ["POST"]


def test_a_clock_that_steps_back_does_not_move_the_deadline() -> None:
    clock = FakeClock()
    with slow_server(slow_ways(AS_OF)["body"]) as server, bounded(server.url, clock=clock) as exchange:
        clock.at_ms -= 3_600_000
        assert_unread(exchange)
        assert len(exchange.cancel([cancel_request()]).failed) == 1
        assert len(server.seen) == 1, "nothing is sent any more"


def test_the_end_of_the_invocation_comes_first_whatever_the_flow_grants() -> None:
    network = Network()
    with slow_server(slow_ways(AS_OF)["body"]) as server, bounded(server.url, network) as exchange:
        exchange.until(TimeMs(FakeClock().now_ms() + 60_000))
        with network.invocation.within(LIMIT_MS / 1000):
            assert_unread(exchange)


# --- before anything is sent ---------------------------------------------------------------------------


def silent_addresses(stack: ExitStack, count: int) -> list[Address]:
    """Ports that let a connect wait: one connection waits to be accepted, and there is room for no other."""
    found = []
    for _ in range(count):
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        stack.enter_context(socket.create_connection(listener.getsockname()))
        found.append(address_of(listener.getsockname()[1]))
    return found


def address_of(port: int) -> Address:
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port)


def test_all_addresses_of_a_host_share_one_connect_timeout() -> None:
    with ExitStack() as stack:
        silent = silent_addresses(stack, 20)
        network = Network(resolve=lambda _host, _port: silent)
        with bounded("http://exchange.test", network) as exchange:
            assert len(exchange.place([order_request()]).unknown) == 1


def test_a_silent_address_leaves_time_for_the_next_one() -> None:
    with ExitStack() as stack, slow_server(answers(reply(PLACED))) as server:
        found = [*silent_addresses(stack, 1), address_of(server.port)]
        exchange = KalshiExchange(
            "http://exchange.test/trade-api/v2",
            signer(),
            FakeClock(),
            FakeFacts(),
            network=Network(resolve=lambda _host, _port: found),
        )
        assert len(exchange.place([order_request()]).placed) == 1
        exchange.close()


def test_a_name_lookup_that_stalls_ends_with_the_connect_timeout() -> None:
    found = Event()

    def stalls(_host: str, _port: int) -> Sequence[Address]:
        found.wait(PATIENCE_S)
        return []

    with bounded("http://exchange.test", Network(resolve=stalls)) as exchange:
        assert_unread(exchange)
        found.set()


def no_such_name(_host: str, _port: int) -> Sequence[Address]:
    raise socket.gaierror(socket.EAI_NONAME, "unknown")


@pytest.mark.parametrize("resolve", [no_such_name, lambda _host, _port: []])
def test_a_name_without_an_address_is_unavailable(resolve: Callable[[str, int], Sequence[Address]]) -> None:
    with bounded("http://exchange.test", Network(resolve=resolve)) as exchange:
        assert_unread(exchange, "ConnectionError")


@contextmanager
def shaking_hands(says: bytes) -> Iterator[str]:
    """A server that answers a TLS hello with this, byte by byte; yields its URL."""
    over = Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            for number in range(len(says)):
                connection.sendall(says[number : number + 1])
                if over.wait(STEP_S):
                    return
            over.wait(PATIENCE_S)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, args=[listener])
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("says", [b"", b"\x16\x03\x03\x01\x00" + b"\x02" * 150], ids=["silence", "trickle"])
def test_a_tls_handshake_that_does_not_end_is_cut_off(says: bytes) -> None:
    with shaking_hands(says) as url, bounded(url) as exchange:
        assert len(exchange.place([order_request()]).unknown) == 1


# --- too much ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [True, False])
def test_a_body_that_is_too_large_is_no_answer(packed: bool) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    content = reply(gzip.compress(body), b"Content-Encoding: gzip\r\n") if packed else reply(body)
    with slow_server(answers(content)) as server:
        exchange = KalshiExchange(f"{server.url}/trade-api/v2", signer(), FakeClock(), FakeFacts())
        assert_unread(exchange, "a body of more than 16777216 bytes")
        exchange.close()
