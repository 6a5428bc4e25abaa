"""Connections that keep to their request's time, and are not used again after they stood idle.

A function is frozen between two invocations: what happened to its connections meanwhile it does not hear.
Peers and the gateways between hang up on idle ones, some without a word.
"""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from dora.edge.net.deadline import Deadline
from dora.edge.net.request import Address, BoundedRequest, current_request

MAX_IDLE_S = 20
LEAST_SHARE_S = 0.25
"""Every address gets an equal share of what is left of the connect timeout, but not less than this: the first
ones may be silent, and a reachable one needs a round trip."""

T = TypeVar("T")


class BoundedConnection(HTTPConnection):
    """A connection of one `Network` at a time. Mixed into another class of connection it bounds that one."""

    _idle_since: tuple[float, float] = (0.0, 0.0)
    """By the wall clock, and by the monotonic one."""

    def _new_conn(self) -> socket.socket:
        request, deadline = current_request(), Deadline(current_request().network.monotonic_s)
        deadline.set_in(min(_seconds(self.timeout), request.deadline.left_s))
        try:
            return _connected(request, self._dns_host, self.port, deadline, self.socket_options or ())
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"{self.host}: {error}") from error
        except OSError as error:
            raise NewConnectionError(self, f"{self.host}: {error}") from error

    def connect(self) -> None:
        """Lookup, all addresses and TLS within one connect timeout."""
        super().connect()
        current_request().uses(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send one request."""
        if self.sock is not None:
            current_request().uses(self.sock)
        super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        """Status and headers. From here on the connection counts as idle, if nothing else is sent on it."""
        response = super().getresponse()
        self._idle_since = _times(current_request())
        return response

    @property
    def is_connected(self) -> bool:
        """False for one that stood idle: the pool then closes it and opens another."""
        idle_s = (now - since for now, since in zip(_times(current_request()), self._idle_since, strict=True))
        return super().is_connected and max(idle_s) <= MAX_IDLE_S


def bounded_pool(pool: type[HTTPConnectionPool], connection: type) -> Any:
    """The class of pool with `BoundedConnection` mixed into its connections."""
    bounded = type(connection.__name__, (BoundedConnection, connection), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": bounded})


HttpPool = bounded_pool(HTTPConnectionPool, HTTPConnection)
HttpsPool = bounded_pool(HTTPSConnectionPool, HTTPSConnection)
POOLS = {"http": HttpPool, "https": HttpsPool}
"""For `PoolManager.pool_classes_by_scheme`."""


def _seconds(timeout: object) -> float:
    """urllib3 has other values for "none" and "the default"; a request's own time bounds those."""
    return float(timeout) if isinstance(timeout, int | float) else float("inf")


def _times(request: BoundedRequest) -> tuple[float, float]:
    return request.network.wall_s(), request.network.monotonic_s()


def _connected(
    request: BoundedRequest, host: str, port: int, deadline: Deadline, options: Sequence[Any]
) -> socket.socket:
    """A socket to the first of the host's addresses that answers; its timeout is what TLS has left.

    Raises OSError: the last address's.
    """
    addresses = _waited_for(lambda: request.network.resolve(host, port), deadline.left_s)
    failure = OSError("the name has no address")
    for tried, address in enumerate(addresses):
        share_s = max(deadline.left_s / (len(addresses) - tried), LEAST_SHARE_S)
        try:
            connected = _open(address, min(share_s, deadline.left_s), options)
        except OSError as error:
            failure = error
            continue
        connected.settimeout(max(deadline.left_s, 0.001))
        return connected
    raise failure


def _open(address: Address, timeout_s: float, options: Sequence[Any]) -> socket.socket:
    """Raises OSError."""
    if timeout_s <= 0:
        raise TimeoutError("the connect timeout is over")
    family, kind, protocol, _, where = address
    opened = socket.socket(family, kind, protocol)
    try:
        for option in options:
            opened.setsockopt(*option)
        opened.settimeout(timeout_s)
        opened.connect(where)
    except OSError:
        opened.close()
        raise
    return opened


def _waited_for(work: Callable[[], T], timeout_s: float) -> T:
    """A lookup cannot be told to hurry: it gets a thread, which is left behind when it takes too long. The
    resolver options of the template end that thread within seconds.

    Raises TimeoutError, or what the work raised.
    """
    found: Future[T] = Future()

    def run() -> None:
        try:
            found.set_result(work())
        except Exception as error:
            found.set_exception(error)

    Thread(target=run, name="lookup", daemon=True).start()
    return found.result(timeout_s)
