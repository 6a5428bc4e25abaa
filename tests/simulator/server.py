"""The exchange over HTTP/1.1 on the loopback interface: keep-alive, a thread per connection."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from .wire import PREFIX, ConnectionDroppedError, Reply, Request, json_reply

if TYPE_CHECKING:
    from .exchange import Exchange

HOST = "127.0.0.1"
ADVANCE_PATH = "/simulator/advance"
POLL_S = 0.02


class RunningServer:
    """A server in a thread; `url` is the base a client is given."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.port = int(server.server_address[1])
        self.url = f"http://{HOST}:{self.port}{PREFIX}"
        # Stopping waits until it looks up.
        self._thread = threading.Thread(
            target=server.serve_forever, args=(POLL_S,), name="exchange-server", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port and wait for the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(exchange: Exchange, port: int = 0) -> RunningServer:
    """Serve on 127.0.0.1; port 0 takes a free one. OSError: the port is in use."""
    return RunningServer(_Server((HOST, port), _handler_for(exchange)))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A second server on the same port must fail aloud, not share it; a closed one's port is free at once.
    allow_reuse_address = True
    request_queue_size = 64


def _advance(exchange: Exchange, request: Request) -> Reply | None:
    """Outside the exchange's own paths: a person moves virtual time by hand."""
    if (request.method, request.path) != ("POST", ADVANCE_PATH):
        return None
    with exchange.lock:
        exchange.venue.clock.advance_ms(int(dict(request.query).get("ms", "0")))
        return json_reply(200, {"now_ms": exchange.venue.now_ms()})


def _handler_for(exchange: Exchange) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body leave in one piece
        timeout = 120

        def _serve(self) -> None:
            try:
                request = self._request()
                self._send(_advance(exchange, request) or exchange.handle(request))
            except ConnectionDroppedError:
                self._hang_up()

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def _request(self) -> Request:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            return Request(
                method=self.command,
                path=parts.path,
                query=parse_qsl(parts.query, keep_blank_values=True),
                headers=dict(self.headers.items()),
                body=self.rfile.read(length) if length else b"",
            )

        def _send(self, reply: Reply) -> None:
            self.send_response_only(reply.status)  # the reply brings its own Date
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:
            """Silence: the exchange counts its calls itself."""

    return Handler
