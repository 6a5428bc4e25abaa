"""Where the record of every cycle goes, gzip'd: its status, counts and reasons, as its `CYCLE` line has them.

It holds no books, orders, positions or configs, so what a cycle decided cannot be worked out again from it.
A cycle never fails for its archive: what cannot be written raises StateUnavailable, which the caller reports
and otherwise ignores.
"""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from dora.core.errors import StateUnavailable
from dora.core.ports import Clock
from dora.edge.aws import open_client
from dora.edge.net.request import Network


class ObjectStore(Protocol):
    """What is used of an S3 client."""

    def put_object(self, **request: Any) -> Any: ...


def s3_client(endpoint_url: str | None, network: Network | None = None) -> ObjectStore:
    """A client that gives up after 2 tries of 5 s, and before the deadline: a cycle waits for it before its
    lease ends."""
    client: ObjectStore = open_client("s3", endpoint_url, network, read_timeout_s=4, tries=2)
    return client


class S3Archive:
    """`ports.Archive` in a bucket, one object a cycle."""

    def __init__(self, client: ObjectStore, bucket: str, bot: str, clock: Clock) -> None:
        self._client, self._bucket, self._bot, self._clock = client, bucket, bot, clock

    def save(self, cycle_id: str, record: Mapping[str, object]) -> None:
        """Store one cycle's record under `archive_key`. Raises StateUnavailable: report it and go on.

        Safe to repeat: yes, equal content makes equal bytes under the same key (on the same UTC day).
        """
        key = archive_key(self._bot, cycle_id, self._clock.now_ms())
        text = json.dumps(record, separators=(",", ":"), sort_keys=True)
        body = gzip.compress(text.encode(), compresslevel=6, mtime=0)
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType="application/gzip"
            )
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise StateUnavailable(f"cycle {cycle_id} was not archived: {error}") from error
        # S3 names what it stored; a 200 of something in between does not.
        if not answer.get("ETag"):
            raise StateUnavailable(f"cycle {cycle_id} may not be archived: the answer is not one of S3's")


class NoArchive:
    """`ports.Archive` when no bucket is configured: nothing is kept."""

    def save(self, cycle_id: str, record: Mapping[str, object]) -> None:
        """Keep nothing."""


def archive_key(bot: str, cycle_id: str, now_ms: int) -> str:
    """`<bot>/<YYYY>/<MM>/<DD>/<cycle_id>.json.gz`, by the UTC day of writing."""
    day = datetime.fromtimestamp(now_ms // 1000, UTC)
    return f"{bot}/{day:%Y/%m/%d}/{cycle_id}.json.gz"
