"""Who is told of a day: the alarms' topic, once for each day."""

from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from dora.core.errors import StateUnavailable
from dora.core.ports import Clock, Lease
from dora.core.state import LeaseRefused
from dora.core.units import TimeMs
from dora.edge.aws import open_client
from dora.edge.net.request import Network

SUBJECT_MOST = 100
"""Characters that SNS takes, visible ASCII."""
HELD_MS = 60_000
OWNER = "digest"


class Topics(Protocol):
    """What is used of an SNS client."""

    def publish(self, **request: Any) -> Any: ...


class TopicNotices:
    """`ports.Notices` by one topic. The lease is one of its own: its ticks are the days that were told.

    Its client is opened when it is first used, for a cold start of any other action must not wait for it.
    """

    def __init__(
        self,
        endpoint_url: str | None,
        network: Network,
        topic_arn: str,
        title: str,
        lease: Lease,
        clock: Clock,
    ) -> None:
        self._endpoint_url, self._network = endpoint_url, network
        self._topic_arn, self._title, self._lease, self._clock = topic_arn, title, lease, clock

    def tell_once(self, day_ms: TimeMs, subject: str, text: str) -> bool:
        """Publish, unless this day or a later one was told. False: it was. Raises StateUnavailable.

        Safe to repeat: yes. A day is taken before it is told, so that it is never told twice; where the topic
        does not take it, it stays untold, and the caller's ERROR says so.
        """
        now_ms = self._clock.now_ms()
        grant = self._lease.acquire(
            owner=f"{OWNER} {now_ms}", tick_ms=day_ms, now_ms=now_ms, expires_ms=TimeMs(now_ms + HELD_MS)
        )
        if isinstance(grant, LeaseRefused):
            return False
        topics: Topics = open_client("sns", self._endpoint_url, self._network, read_timeout_s=3, tries=2)
        whole = f"{self._title}: {subject}"[:SUBJECT_MOST]
        try:
            topics.publish(TopicArn=self._topic_arn, Subject=whole, Message=text)
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise StateUnavailable(f"the day was not told to {self._topic_arn}: {error}") from error
        self._lease.release(grant)
        return True
