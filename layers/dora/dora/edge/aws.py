"""AWS clients within the invocation's deadline: every try has a total timeout, and none is begun too late.

botocore's read timeout is per receive, like that of any socket, and its tries know nothing of a deadline.
"""

from functools import partial
from typing import Any, TypeVar, cast

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from dora.edge.net.connections import BoundedConnection
from dora.edge.net.request import Network

Client = TypeVar("Client")

LEAST_TIME_S = 0.05
"""With less time left than this no try is begun."""
WAIT_AFTER_ANSWER_S, WAIT_AFTER_FAILURE_S = 7.0, 0.2
"""With less time left than this there is no further try: the longest that botocore waits before one. After
an answer that is 2 s (throttled twice) and 5 s that the service may ask for."""


class DeadlineExceeded(BotoCoreError):
    """The invocation's time was up before the request began: it never left, and no further try helps."""

    fmt = "{operation}: not sent, {left_s:.2f} s of the invocation were left"


class AwsConnection(BoundedConnection, AWSHTTPConnection):  # type: ignore[misc]  # its stubs differ
    """botocore's own connection, bounded."""


class AwsHttpsConnection(BoundedConnection, AWSHTTPSConnection):  # type: ignore[misc]  # as above
    """The same over TLS."""


class AwsHttpPool(AWSHTTPConnectionPool):
    """Connections to one endpoint."""

    ConnectionCls = AwsConnection


class AwsHttpsPool(AWSHTTPSConnectionPool):
    """Connections to one endpoint over TLS."""

    ConnectionCls = AwsHttpsConnection


class BoundedSession:
    """Stands before botocore's HTTP session, and hands it connections that keep to a request's time."""

    def __init__(self, inner: Any, network: Network, timeout_s: float) -> None:
        # The one dict that the session and its pool manager share.
        inner._pool_classes_by_scheme.update({"http": AwsHttpPool, "https": AwsHttpsPool})
        self._inner, self._network, self._timeout_s = inner, network, timeout_s

    def send(self, request: Any) -> Any:
        """One try. Raises a BotoCoreError."""
        left_s = self._network.invocation.left_s
        if left_s < LEAST_TIME_S:
            raise DeadlineExceeded(operation=request.url, left_s=left_s)
        try:
            with self._network.request(min(self._timeout_s, left_s)):
                return self._inner.send(request)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()


def client_config(*, read_timeout_s: int, tries: int) -> Config:
    """Connect and read timeout, and how often a request is tried; one try takes no longer than both together.

    The retry mode is named, because its default differs between botocore versions.
    """
    return Config(
        connect_timeout=1,
        read_timeout=read_timeout_s,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": tries},
    )


def bounded(client: Client, network: Network | None) -> Client:
    """The client, held to its timeouts in total and to the invocation's deadline.

    It replaces the session of the client's endpoint, for which botocore has no setting.
    """
    network, inner = network or Network(), cast("Any", client)
    timeout_s = inner.meta.config.connect_timeout + inner.meta.config.read_timeout
    inner._endpoint.http_session = BoundedSession(inner._endpoint.http_session, network, timeout_s)
    service = inner.meta.service_model.service_id.hyphenize()
    inner.meta.events.register_first(f"needs-retry.{service}", partial(_no_late_retry, network))
    return client


def _no_late_retry(network: Network, *, response: object, **_: object) -> bool | None:
    """False ends botocore's tries; None leaves it to the other handlers."""
    wait_s = WAIT_AFTER_FAILURE_S if response is None else WAIT_AFTER_ANSWER_S
    return False if network.invocation.left_s < wait_s + LEAST_TIME_S else None
