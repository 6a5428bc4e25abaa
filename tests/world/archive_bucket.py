"""A bucket beside a bot's tables, and what lies in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from tests.world.bot import Bot, Deployment

ARCHIVE_BUCKET = "dora-archive"


def beside_a_bucket(deploy: Deployment) -> Deployment:
    """The same deployment, in a cloud that has the bucket."""

    @contextmanager
    def deployed(*given: Any) -> Iterator[Bot]:
        boto3.client("s3").create_bucket(Bucket=ARCHIVE_BUCKET)
        with deploy(*given) as bot:
            yield bot

    return deployed


def archive_objects() -> dict[str, bytes]:
    """Every object of the bucket by its key, in the order of keys."""
    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=ARCHIVE_BUCKET)
    keys = [own["Key"] for page in pages for own in page.get("Contents", ())]
    return {key: client.get_object(Bucket=ARCHIVE_BUCKET, Key=key)["Body"].read() for key in sorted(keys)}
