"""A stretch of wire between two programs, which can be made slow or lead to another interface."""

import socket
import threading
import time

LOOPBACK = "127.0.0.1"
DRIP_S = 0.1
"""Between two bytes of a slow answer: no read times out, and no answer ends."""


class Link:
    """Relays connections on `port` to `target`. While `slow`, answers come through a byte at a time."""

    def __init__(self, target_port: int, host: str = LOOPBACK) -> None:
        self.slow = False
        self._target = (LOOPBACK, target_port)
        self._listener = socket.create_server((host, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="link", daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that stand end with their programs."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                asking = self._listener.accept()[0]
            except OSError:
                return
            answering = socket.create_connection(self._target)
            for end in (asking, answering):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._carry, args=(asking, answering, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(answering, asking, True), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        try:
            while chunk := source.recv(65_536):
                self._send(sink, chunk, is_answer)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            sink.close()

    def _send(self, sink: socket.socket, chunk: bytes, is_answer: bool) -> None:
        sent = 0
        while is_answer and self.slow and sent < len(chunk):
            sink.sendall(chunk[sent : sent + 1])
            sent += 1
            time.sleep(DRIP_S)
        sink.sendall(chunk[sent:])
