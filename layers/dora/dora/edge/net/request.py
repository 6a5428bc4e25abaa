"""One request under way: its total timeout, and the watchdog that shuts its socket down when that is over.

Timeouts of sockets are per receive: an answer that trickles outlasts any of them. The total timeout spans
name lookup, connecting, TLS, request, headers and body.
"""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Condition, Thread, local
from typing import Any

from urllib3.util.connection import allowed_gai_family

from dora.edge.net.deadline import Deadline

REPEAT_S = 0.05
"""Between two shutdowns of the same overdue request: it may have opened another socket in the meantime."""

Address = tuple[Any, Any, int, str, Any]
"""As `socket.getaddrinfo` lists it."""
Resolve = Callable[[str, int], Sequence[Address]]

_current = local()


def resolve(host: str, port: int) -> Sequence[Address]:
    """All addresses of a host, by the system's resolver. Raises OSError; has no timeout of its own."""
    return socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)


class BoundedRequest:
    """What one thread is asking somebody, and when that must be over."""

    def __init__(self, network: "Network", timeout_s: float) -> None:
        self.network, self.timeout_s = network, timeout_s
        self.deadline = Deadline(network.monotonic_s)
        self.deadline.set_in(timeout_s)
        self.timed_out = False
        self._socket: socket.socket | None = None

    def uses(self, connected: socket.socket) -> None:
        """This socket is shut down when the time is up."""
        self._socket = connected
        self.network.watchdog.watch(self)

    def shut_down(self) -> None:
        """End whatever waits for the socket, in whichever thread."""
        self.timed_out = True
        if self._socket is not None:
            with suppress(OSError):
                # Not the TLS socket's own method: it would take the TLS state away under the reading thread.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Watchdog:
    """One thread for all requests under way. It begins with the first of them and ends with the last."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._watched: set[BoundedRequest] = set()
        self._thread: Thread | None = None

    def watch(self, request: BoundedRequest) -> None:
        """From now on. Safe to repeat: yes, a request is watched once."""
        with self._changed:
            self._watched.add(request)
            self._changed.notify()
            if self._thread is None:
                self._thread = Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()

    def forget(self, request: BoundedRequest) -> None:
        """It is over: its socket is left alone from now on. Safe to repeat: yes."""
        with self._changed:
            self._watched.discard(request)

    def _run(self) -> None:
        with self._changed:
            while self._watched:
                self._changed.wait(self._shut_down_overdue())
            self._thread = None

    def _shut_down_overdue(self) -> float:
        """Seconds until there is more to do."""
        for request in self._watched:
            if request.deadline.left_s <= 0:
                request.shut_down()
        return max(min(request.deadline.left_s for request in self._watched), REPEAT_S)


class Network:
    """How this process reaches others: its resolver, its clocks, its watchdog and the invocation's deadline.

    `wall_s` and `monotonic_s` both measure how long a connection was idle, because either may stand still
    while a function is frozen.
    """

    def __init__(
        self,
        *,
        resolve: Resolve = resolve,
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.resolve, self.wall_s, self.monotonic_s = resolve, wall_s, monotonic_s
        self.watchdog = Watchdog()
        self.invocation = Deadline(monotonic_s)

    @contextmanager
    def request(self, timeout_s: float) -> Iterator[BoundedRequest]:
        """One request of this thread. Raises TimeoutError when its time ran out, also where what came until
        then looks complete: an answer that ends with its connection is no longer than what was let through.
        """
        request, outer = BoundedRequest(self, timeout_s), getattr(_current, "request", None)
        _current.request = request
        try:
            yield request
        except Exception as error:
            if request.timed_out:
                raise TimeoutError(f"no complete answer within {timeout_s:.1f} s") from error
            raise
        finally:
            _current.request = outer
            self.watchdog.forget(request)
        if request.timed_out:
            raise TimeoutError(f"no complete answer within {timeout_s:.1f} s")


def current_request() -> BoundedRequest:
    """What this thread is asking. Raises LookupError outside of `Network.request`: nothing would end it."""
    request: BoundedRequest | None = getattr(_current, "request", None)
    if request is None:
        raise LookupError("no request of a Network is under way in this thread")
    return request
