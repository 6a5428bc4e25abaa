"""A stretch of wire between two programs, which can be made slow or lead to another interface."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

LOOPBACK = "127.0.0.1"
DRIP_S = 0.1
"""Between two bytes of a slow answer: no read times out, and no answer ends."""
CHUNK_BYTES = 65_536

Send = Callable[[bytes], None]


class Link:
    """Relays connections on `port` to `target_port`. While `slow`, answers come through a byte at a time."""

    def __init__(self, target_port: int, host: str = LOOPBACK) -> None:
        self.slow = False
        self._server = _Server((host, 0), _handler_for(self, target_port))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="link", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more connections; those that stand end with their programs."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True


def _handler_for(link: Link, target_port: int) -> type[BaseRequestHandler]:
    class Handler(BaseRequestHandler):
        request: socket.socket

        def handle(self) -> None:
            with socket.create_connection((LOOPBACK, target_port)) as target:
                for end in (self.request, target):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                asking = threading.Thread(target=_carry, args=(self.request, target, target.sendall))
                asking.start()
                _carry(target, self.request, self._answer)
                asking.join()

        def _answer(self, chunk: bytes) -> None:
            sent = 0
            while link.slow and sent < len(chunk):
                self.request.sendall(chunk[sent : sent + 1])
                sent += 1
                time.sleep(DRIP_S)
            self.request.sendall(chunk[sent:])

    return Handler


def _carry(source: socket.socket, sink: socket.socket, send: Send) -> None:
    """Until either end is gone; then neither has anything more to say."""
    with suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            send(chunk)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
