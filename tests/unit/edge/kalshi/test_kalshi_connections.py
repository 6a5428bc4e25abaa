"""Real sockets: connections are kept, a stale one never carries a write twice, a cut answer is noticed."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from threading import Thread

import pytest

from dora.core.errors import ExchangeUnavailable
from dora.core.orders.requests import Outcome
from dora.edge.kalshi.client import KalshiExchange
from tests.support.kalshi_fakes import (
    FakeClock,
    FakeFacts,
    cancel_request,
    cancelled_entry,
    order_request,
    placed_entry,
    signer,
)

AS_OF = json.dumps({"as_of_time": "2026-11-20T14:00:00Z"}).encode()
CANCELLED = json.dumps({"orders": [cancelled_entry()]}).encode()
PLACED = json.dumps({"orders": [placed_entry()]}).encode()


def http(body: bytes, length: int | None = None, *, cookie: bool = False) -> bytes:
    size = len(body) if length is None else length
    more = b"Set-Cookie: a=b; Path=/\r\n" * cookie
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (more, size, body)


class Server:
    """Answers requests from a script, over all its connections; b"" closes the connection instead."""

    def __init__(self, *script: bytes) -> None:
        self._script = list(script)
        self.seen: list[str] = []
        self.headers: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: socket.socket | None = None
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/trade-api/v2"
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Hangs up, and ends the thread with a last connection that asks for nothing."""
        with suppress(OSError):
            if self._open is not None:
                self._open.shutdown(socket.SHUT_RDWR)
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        while self._serve_connection():
            """One connection after the other."""

    def _serve_connection(self) -> bool:
        connection, _ = self._listener.accept()
        self._open = connection
        with connection, connection.makefile("rb") as lines:
            request = first = self._request(lines)
            self.connections += bool(first)
            while request:
                self.seen.append(request)
                answer = self._script.pop(0) if self._script else b""
                connection.sendall(answer)
                request = self._request(lines) if answer and not answer.endswith(b"CUT") else ""
        return bool(first)

    def _request(self, lines: BufferedReader) -> str:
        """Method and path; "" at the end of the connection."""
        first, length = lines.readline().decode().strip(), 0
        while line := lines.readline().strip():
            self.headers.append(line)
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        lines.read(length)
        return first.rsplit(" ", 1)[0]


@contextmanager
def served(*script: bytes) -> Iterator[tuple[Server, KalshiExchange]]:
    server = Server(*script)
    exchange = KalshiExchange(server.base_url, signer(), FakeClock(), FakeFacts())
    try:
        yield server, exchange
    finally:
        exchange.close()
        server.close()


def test_one_connection_serves_call_after_call() -> None:
    with served(http(AS_OF), http(PLACED), http(AS_OF)) as (server, exchange):
        exchange.user_data_time_ms()
        assert len(exchange.place([order_request()]).placed) == 1
        exchange.user_data_time_ms()
        assert server.connections == 1


@pytest.mark.parametrize("warm", [True, False])
def test_a_create_on_a_connection_that_dies_under_it_is_sent_once_and_unknown(warm: bool) -> None:
    with served(*[http(AS_OF)] * warm, b"", http(PLACED)) as (server, exchange):
        if warm:
            exchange.user_data_time_ms()
        (order,) = exchange.place([order_request()]).unknown
        assert (order.outcome, order.code) == (Outcome.UNKNOWN, "unanswered")
        assert [line.partition(" ")[0] for line in server.seen] == ["GET"] * warm + ["POST"]


@pytest.mark.parametrize("warm", [True, False])
def test_a_cancel_too_though_libraries_take_a_delete_to_be_repeatable(warm: bool) -> None:
    with served(*[http(AS_OF)] * warm, b"", http(CANCELLED)) as (server, exchange):
        if warm:
            exchange.user_data_time_ms()
        assert len(exchange.cancel([cancel_request()]).unknown) == 1
        assert [line.partition(" ")[0] for line in server.seen] == ["GET"] * warm + ["DELETE"]


def test_no_proxy_of_the_environment_and_no_cookie_of_the_exchange_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with served(http(AS_OF, cookie=True), http(AS_OF)) as (server, exchange):
        exchange.user_data_time_ms()
        exchange.user_data_time_ms()
        assert len(server.seen) == 2
        assert not any(b"cookie" in line.lower() for line in server.headers)


def test_a_read_on_a_connection_that_dies_under_it_is_read_again() -> None:
    with served(http(AS_OF), b"", http(AS_OF)) as (server, exchange):
        exchange.user_data_time_ms()
        exchange.user_data_time_ms()
        assert (len(server.seen), server.connections) == (3, 2)


def test_an_answer_shorter_than_it_says_is_no_answer() -> None:
    whole_json_but_cut = http(PLACED + b" CUT", length=len(PLACED) + 500)
    with served(whole_json_but_cut) as (server, exchange):
        assert len(exchange.place([order_request()]).unknown) == 1
        assert len(server.seen) == 1


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    exchange = KalshiExchange(f"http://127.0.0.1:{port}/trade-api/v2", signer(), FakeClock(), FakeFacts())
    with pytest.raises(ExchangeUnavailable, match="ConnectionError"):
        exchange.user_data_time_ms()
    assert exchange.calls["GET /exchange/user_data_timestamp"] == 3
    exchange.close()
