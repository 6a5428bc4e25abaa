"""A server on loopback that misbehaves as networks do: it trickles, says nothing, resets, or swallows."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread

STEP_S = 0.02
"""Between two bytes: shorter than every timeout that a test sets, so that no single receive runs into one."""
PATIENCE_S = 3.0
"""A trickling answer ends by itself after this long, so that a client without a deadline fails and does not
hang."""

Answer = Callable[["SlowServer", socket.socket], None]
"""What is done with one request. A connection that it leaves open takes the next one."""


class SlowServer:
    """Answers its n-th request with the n-th step of a script, the last step for ever."""

    def __init__(self, *script: Answer) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[Thread] = []
        self._open: list[socket.socket] = []
        self._lock = Lock()
        self.closing = Event()
        self.seen: list[str] = []
        """Method and path of each request, in order."""
        self.connections: list[int] = []
        """For each request, which connection it came on."""
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._start(self._accept)

    def close(self) -> None:
        """Hang up on everybody, and wait for every thread."""
        self.closing.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)
        self._listener.close()

    def sleep(self, span_s: float) -> bool:
        """Whether the server goes on after this long."""
        return not self.closing.wait(span_s)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self.closing.is_set():
                connection.close()
                return
            self._open.append(connection)
            self._start(self._serve, connection, len(self._open))

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            while first := _request(connection):
                with self._lock:
                    step = self._script[min(len(self.seen), len(self._script) - 1)]
                    self.seen.append(first)
                    self.connections.append(number)
                step(self, connection)


def _request(connection: socket.socket) -> str:
    """Method and path of one request, its body read and dropped; "" at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65_536)
        if not part:
            return ""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = int(lengths[0].split(b":")[1]) - len(body) if lengths else 0
    while left > 0:
        left -= len(connection.recv(65_536)) or left
    return head.split(b"\r\n")[0].decode().rsplit(" ", 1)[0]


@contextmanager
def slow_server(*script: Answer) -> Iterator[SlowServer]:
    """A server for the time of the block."""
    server = SlowServer(*script)
    try:
        yield server
    finally:
        server.close()


def reply(body: bytes, headers: bytes = b"") -> bytes:
    """A whole answer."""
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (headers, len(body), body)


def answers(content: bytes) -> Answer:
    """At once, and the connection stays."""
    return lambda _, connection: connection.sendall(content)


def trickles(content: bytes, at_once: bytes = b"", patience_s: float = PATIENCE_S) -> Answer:
    """`at_once`, and then byte by byte."""

    def trickle(server: SlowServer, connection: socket.socket) -> None:
        connection.sendall(at_once)
        for number in range(min(len(content), int(patience_s / STEP_S))):
            if not server.sleep(STEP_S):
                return
            connection.sendall(content[number : number + 1])
        connection.shutdown(socket.SHUT_RDWR)

    return trickle


def says_nothing(server: SlowServer, _: socket.socket) -> None:
    """The request is swallowed."""
    server.sleep(PATIENCE_S)


def resets(_: SlowServer, connection: socket.socket) -> None:
    """The connection ends with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
