"""Cycles in a bucket: under which key, how much of them, and never at a cycle's cost."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from dora.core.errors import StateUnavailable
from dora.edge.archive.bucket import NoArchive, S3Archive, archive_key
from dora.edge.archive.packing import unpack
from tests.support.cycle_records import CYCLE_ID, cycle_record


class FakeBucket:
    """Remembers what was put, or fails."""

    def __init__(self, error: Exception | None = None, *, own: bool = True) -> None:
        self.error, self.own, self.puts = error, own, []

    def put_object(self, **request: Any) -> Any:
        if self.error:
            raise self.error
        self.puts.append(request)
        return {"ETag": '"1"'} if self.own else {"ResponseMetadata": {"HTTPStatusCode": 200}}


def test_a_cycle_is_stored_under_its_bot_its_day_and_its_id() -> None:
    bucket = FakeBucket()

    S3Archive(bucket, "records", "alpha", inputs=True).save(CYCLE_ID, cycle_record)

    (put,) = bucket.puts
    assert (put["Bucket"], put["Key"]) == ("records", f"alpha/2026/11/21/{CYCLE_ID}.json.gz")
    assert unpack(put["Body"]) == cycle_record()


def test_a_dry_run_lies_apart() -> None:
    assert archive_key("alpha", CYCLE_ID, dry_run=True) == f"alpha/dry/2026/11/21/{CYCLE_ID}.json.gz"


def test_decisions_alone_leave_out_what_they_were_made_from() -> None:
    bucket = FakeBucket()

    S3Archive(bucket, "records", "alpha", inputs=False).save(CYCLE_ID, cycle_record)

    kept, whole = unpack(bucket.puts[0]["Body"]), cycle_record()
    assert (kept.loaded, kept.seen) == (None, None)
    assert (kept.decided, kept.done) == (whole.decided, whole.done)


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject"),
        ClientError({}, "PutObject"),
        EndpointConnectionError(endpoint_url="https://bucket"),
        ResponseParserError("no XML"),
    ],
)
def test_a_cycle_that_cannot_be_stored_is_an_error_of_its_own(error: Exception) -> None:
    archive = S3Archive(FakeBucket(error), "records", "alpha", inputs=True)

    with pytest.raises(StateUnavailable, match=f"{CYCLE_ID} was not archived"):
        archive.save(CYCLE_ID, cycle_record)


def test_a_cycle_that_s3_did_not_say_to_have_stored_is_an_error_too() -> None:
    archive = S3Archive(FakeBucket(own=False), "records", "alpha", inputs=True)

    with pytest.raises(StateUnavailable, match="may not be archived"):
        archive.save(CYCLE_ID, cycle_record)


def test_where_nothing_is_kept_the_record_is_not_even_made() -> None:
    made = list[bool]()
    NoArchive().save(CYCLE_ID, lambda: made.append(True) or cycle_record())

    assert made == []
