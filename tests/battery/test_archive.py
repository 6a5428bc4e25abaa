"""Scenario 86, an archive in trouble; and what no archive object may hold."""

import base64
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from dora.edge.archive.packing import unpack
from tests.battery.eventful import eventful_cycles
from tests.battery.scene import Scene, scene
from tests.simulator.fault_plan import Fault
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request
from tests.world.archive_bucket import ARCHIVE_BUCKET, archive_objects
from tests.world.setup import SECRET_ID

PUT = "PutObject"
MINUTE_MS, LONGEST_MS = 60_000, 10_000


@contextmanager
def archived() -> Iterator[Scene]:
    with scene(archive_bucket=ARCHIVE_BUCKET) as stage:
        yield stage


def complaints(stage: Scene) -> list[dict[str, Any]]:
    return [fact for fact in stage.seen.facts("ERROR") if fact["what"] == "archive of the cycle"]


@pytest.mark.parametrize(
    "trouble",
    [
        Fault(kind="aws-stall", where=PUT, amount=60_000, code="before"),
        Fault(kind="aws-stall", where=PUT, amount=60_000),
        Fault(kind="aws-throttle", where=PUT),
        Fault(kind="aws-lose-request", where=PUT),
        Fault(kind="aws-bare-answer", where=PUT),
    ],
    ids=lambda fault: f"{fault.kind} {fault.code}",
)
def test_scenario_86_an_archive_that_is_slow_or_full_costs_no_cycle_its_time(trouble: Fault) -> None:
    with archived() as stage:
        stage.run(1)
        stage.move()
        stage.faults.now(trouble)
        began_ms = stage.world.next_tick_ms()
        answers = stage.run(2)
        took_ms = stage.world.clock.now_ms() - began_ms - MINUTE_MS
        stage.faults.clear()
        stage.run(1)

        assert [answer["status"] for answer in answers] == ["completed"] * 2
        assert took_ms < LONGEST_MS
        assert len(complaints(stage)) == 2
        stage.sound()


def test_scenario_86_without_its_bucket_the_bot_goes_on() -> None:
    with archived() as stage:
        boto3.client("s3").delete_bucket(Bucket=ARCHIVE_BUCKET)
        stage.run(2)

        assert len(complaints(stage)) == 2
        stage.sound()


def test_scenario_86_while_the_archive_is_written_the_lease_is_free() -> None:
    with archived() as stage:
        stage.run(1)
        beside: list[dict[str, Any]] = []
        early_ms = stage.world.next_tick_ms() + 3_000

        stage.meanwhile(PUT, lambda: beside.append(stage.invoke(early_ms)))
        stage.run(1)

        assert [answer["status"] for answer in beside] == ["completed"]
        stage.sound()


@pytest.mark.parametrize(
    ("archive", "objects", "with_inputs"), [("full", 2, True), ("decisions", 2, False), ("off", 0, None)]
)
def test_the_setting_says_how_much_of_a_cycle_is_kept(
    archive: str, objects: int, with_inputs: bool | None
) -> None:
    with scene(archive_bucket=ARCHIVE_BUCKET, archive=archive) as stage:
        stage.run(2)
        kept = [unpack(body) for body in archive_objects().values()]

        assert len(kept) == objects
        assert all((record.seen is not None) is with_inputs for record in kept)
        assert all(record.decided.decisions for record in kept)
        assert complaints(stage) == []


class _Signatures(Faults):
    """Keeps every signature that arrives."""

    def __init__(self, inner: Faults) -> None:
        self._inner, self.seen = inner, set[str]()

    def before(self, request: Request) -> Reply | None:
        self.seen.add(request.header("KALSHI-ACCESS-SIGNATURE"))
        return self._inner.before(request)

    def after(self, request: Request, reply: Reply) -> Reply:
        return self._inner.after(request, reply)


def leaks(text: str, secrets: set[str]) -> set[str]:
    """Which secrets a text holds, as they are or in base64."""
    coded = {secret: base64.b64encode(secret.encode()).decode().rstrip("=") for secret in secrets}
    return {secret for secret in secrets if secret in text or coded[secret] in text}


def secrets_of(stage: Scene) -> set[str]:
    """The key as it is stored, line by line, the ids of key and account, and AWS's own credentials."""
    stored = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET_ID)["SecretString"]
    lines = json.loads(stored)["private_key_pem"].splitlines()
    aws = boto3.Session().get_credentials()
    assert aws is not None
    member = stage.world.member
    return {member.key_id, member.user_id, aws.secret_key, *(line for line in lines if "-----" not in line)}


def test_no_key_signature_or_account_id_is_in_an_archive_object() -> None:
    with archived() as stage:
        signatures = stage.world.exchange.faults = _Signatures(stage.faults.script)
        eventful_cycles(stage)
        secrets = secrets_of(stage) | signatures.seen
        objects = archive_objects()

    assert len(objects) > 10
    assert len(signatures.seen) > 100
    for body in objects.values():
        assert leaks(gzip.decompress(body).decode(), secrets) == set()
        assert unpack(body).seen is not None


def test_a_planted_leak_is_found() -> None:
    assert leaks('{"why":"key 5ab-1 refused"}', {"5ab-1", "other"}) == {"5ab-1"}
    assert leaks(f'{{"x":"{base64.b64encode(b"5ab-1").decode()}"}}', {"5ab-1"}) == {"5ab-1"}
