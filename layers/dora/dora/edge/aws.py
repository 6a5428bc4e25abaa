"""AWS clients within the invocation's deadline: every try has a total timeout, and none is begun too late.

botocore's read timeout is per receive, like that of any socket, and its tries know nothing of a deadline.
"""

from functools import partial
from typing import Any, cast

import boto3
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from dora.edge.net.connections import bounded_pool
from dora.edge.net.request import Network

CONNECT_TIMEOUT_S = 1
LEAST_TIME_S = 0.05
"""With less time left than this no try is begun."""
WAIT_AFTER_ANSWER_S, WAIT_AFTER_FAILURE_S = 7.0, 0.2
"""With less time left than this there is no further try: the longest that botocore waits before one. After
an answer that is 2 s (throttled twice) and 5 s that the service may ask for."""


class DeadlineExceeded(BotoCoreError):
    """The invocation's time was up before the request began: it never left, and no further try helps."""

    fmt = "{operation}: not sent, {left_s:.2f} s of the invocation were left"


POOLS = {
    "http": bounded_pool(AWSHTTPConnectionPool, AWSHTTPConnection),
    "https": bounded_pool(AWSHTTPSConnectionPool, AWSHTTPSConnection),
}
"""botocore's own, bounded."""


class BoundedSession:
    """Stands before botocore's HTTP session, and hands it connections that keep to a request's time."""

    def __init__(self, inner: Any, network: Network, timeout_s: float) -> None:
        # The one dict that the session and its pool manager share.
        inner._pool_classes_by_scheme.update(POOLS)
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


def open_client(
    service: str, endpoint_url: str | None, network: Network | None, *, read_timeout_s: int, tries: int
) -> Any:
    """A client, each of whose tries ends within `read_timeout_s` and a second more, and before the deadline.

    It replaces the session of the client's endpoint, for which botocore has no setting. The retry mode is
    named, because its default differs between botocore versions.
    """
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": tries},
    )
    client: Any = cast(Any, boto3).client(service, endpoint_url=endpoint_url or None, config=config)
    network, inner = network or Network(), client._endpoint.http_session
    client._endpoint.http_session = BoundedSession(inner, network, CONNECT_TIMEOUT_S + read_timeout_s)
    name = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"needs-retry.{name}", partial(_no_late_retry, network))
    return client


def _no_late_retry(network: Network, *, response: object, **_: object) -> bool | None:
    """False ends botocore's tries; None leaves it to the other handlers."""
    wait_s = WAIT_AFTER_FAILURE_S if response is None else WAIT_AFTER_ANSWER_S
    return False if network.invocation.left_s < wait_s + LEAST_TIME_S else None
