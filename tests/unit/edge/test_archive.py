"""Cycle records in a bucket: where, how, and never at a cycle's cost."""

import gzip
import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from dora.core.errors import StateUnavailable
from dora.edge.archive import NoArchive, S3Archive
from tests.house.checkout import ROOT
from tests.support.dynamo_values import StandingClock

PROMISE = re.compile(r"(can|could|may) be replayed|inputs of (every|each|a) cycle", re.IGNORECASE)


class FakeBucket:
    """Remembers what was put, or fails."""

    def __init__(self, error: Exception | None = None, *, own: bool = True) -> None:
        self.error, self.own, self.puts = error, own, []

    def put_object(self, **request: Any) -> Any:
        if self.error:
            raise self.error
        self.puts.append(request)
        return {"ETag": '"1"'} if self.own else {"ResponseMetadata": {"HTTPStatusCode": 200}}


# 2025-10-09T23:59:59.999Z
LATE_MS = 1_760_054_399_999


def test_a_record_is_stored_under_its_bot_its_day_and_its_cycle() -> None:
    bucket, clock = FakeBucket(), StandingClock(LATE_MS)
    archive = S3Archive(bucket, "records", "alpha", clock)

    archive.save("cycle-1", {"b": [1], "a": None})
    clock.sleep_ms(1)
    archive.save("cycle-2", {})

    assert [put["Bucket"] for put in bucket.puts] == ["records", "records"]
    assert [put["Key"] for put in bucket.puts] == [
        "alpha/2025/10/09/cycle-1.json.gz",
        "alpha/2025/10/10/cycle-2.json.gz",
    ]
    assert json.loads(gzip.decompress(bucket.puts[0]["Body"])) == {"a": None, "b": [1]}


def test_equal_records_are_equal_bytes() -> None:
    bucket = FakeBucket()
    archive = S3Archive(bucket, "records", "alpha", StandingClock())

    archive.save("cycle-1", {"a": 1, "b": 2})
    archive.save("cycle-1", {"b": 2, "a": 1})

    assert bucket.puts[0] == bucket.puts[1]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject"),
        ClientError({}, "PutObject"),
        EndpointConnectionError(endpoint_url="https://bucket"),
        ResponseParserError("no XML"),
    ],
)
def test_a_record_that_cannot_be_stored_is_an_error_of_its_own(error: Exception) -> None:
    archive = S3Archive(FakeBucket(error), "records", "alpha", StandingClock())

    with pytest.raises(StateUnavailable, match="cycle-1 was not archived"):
        archive.save("cycle-1", {})


def test_a_record_that_s3_did_not_say_to_have_stored_is_an_error_too() -> None:
    with pytest.raises(StateUnavailable, match="may not be archived"):
        S3Archive(FakeBucket(own=False), "records", "alpha", StandingClock()).save("cycle-1", {})


def test_without_a_bucket_nothing_is_kept() -> None:
    NoArchive().save("cycle-1", {})


def test_no_text_promises_more_of_the_archive_than_the_record_of_each_cycle() -> None:
    """It holds what a cycle came to. Who wants to work a decision out again needs what it was made from."""
    texts = [ROOT / "README.md", ROOT / "template.yaml", *(ROOT / "layers" / "dora").rglob("*.py")]
    promising = [path for path in texts if PROMISE.search(path.read_text(encoding="utf-8"))]

    assert promising == []
