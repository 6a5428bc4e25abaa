"""Where every cycle goes that is over, one object each: what it saw, what it decided, what came of it.

A cycle never fails for its archive: what cannot be written raises StateUnavailable, which the caller reports
and otherwise ignores.
"""

from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from dora.core.cycle_record import CycleRecord
from dora.core.errors import StateUnavailable
from dora.edge.archive.packing import pack
from dora.edge.aws import open_client
from dora.edge.net.request import Network


class ObjectStore(Protocol):
    """What is used of an S3 client."""

    def put_object(self, **request: Any) -> Any: ...


def s3_client(endpoint_url: str | None, network: Network | None = None) -> ObjectStore:
    """A client that gives up after 2 tries of 3 s, and before the deadline."""
    client: ObjectStore = open_client("s3", endpoint_url, network, read_timeout_s=2, tries=2)
    return client


class S3Archive:
    """`ports.Archive` in a bucket. Without `inputs` it keeps decisions and outcomes alone."""

    def __init__(self, client: ObjectStore, bucket: str, bot: str, *, inputs: bool) -> None:
        self._client, self._bucket, self._bot, self.inputs = client, bucket, bot, inputs

    def save(self, cycle_id: str, record: Callable[[], CycleRecord]) -> None:
        """Store one cycle under `archive_key`. Raises StateUnavailable: report it and go on.

        Safe to repeat: yes, an equal cycle makes equal bytes under the same key.
        """
        whole = record()
        kept = whole if self.inputs else whole._replace(loaded=None, seen=None)
        key = archive_key(self._bot, cycle_id, dry_run=whole.dry_run)
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=pack(kept), ContentType="application/gzip"
            )
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise StateUnavailable(f"cycle {cycle_id} was not archived: {error}") from error
        # S3 names what it stored; a 200 of something in between does not.
        if not answer.get("ETag"):
            raise StateUnavailable(f"cycle {cycle_id} may not be archived: the answer is not one of S3's")


class NoArchive:
    """`ports.Archive` when nothing is to be kept."""

    inputs = False

    def save(self, cycle_id: str, record: Callable[[], CycleRecord]) -> None:
        """Keep nothing."""


def archive_key(bot: str, cycle_id: str, *, dry_run: bool) -> str:
    """`<bot>/<YYYY>/<MM>/<DD>/<cycle_id>.json.gz` by the cycle's UTC day; a dry run's under `<bot>/dry/`."""
    year, month, day = cycle_id[:10].split("-")
    folder = f"{bot}/dry" if dry_run else bot
    return f"{folder}/{year}/{month}/{day}/{cycle_id}.json.gz"
