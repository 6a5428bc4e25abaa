"""Each fault of AWS strikes as it says: what the table holds, and what the bot makes of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from tests.simulator.fault_plan import Fault
from tests.support.small_world import Seen, resting, small_aws_world
from tests.world.disruption import Disruption
from tests.world.setup import STATE_TABLE

PLAN = "TransactWriteItems Put PLAN"
CREATE = "POST /portfolio/events/orders/batched"


@contextmanager
def started() -> Iterator[tuple[Disruption, Seen]]:
    disruption = Disruption()
    with small_aws_world(deploy=disruption.deploy) as seen:
        disruption.join(seen.world)
        seen.world.start()
        seen.world.clock.advance_ms(10_000)
        yield disruption, seen


def stored(kind: str) -> int:
    items = boto3.client("dynamodb").scan(TableName=STATE_TABLE, ConsistentRead=True)["Items"]
    return sum(item["sk"]["S"].startswith(kind) for item in items)


def tries(disruption: Disruption, label: str) -> int:
    return sum(label in call for call in disruption.calls.made)


@pytest.mark.parametrize("kind", ["aws-throttle", "aws-conflict", "aws-refuse"])
def test_a_refused_write_of_the_plan_leaves_no_plan_and_no_order(kind: str) -> None:
    with started() as (disruption, seen):
        disruption.now(Fault(kind=kind, where=PLAN))
        answer = seen.world.cycle()

        assert answer["status"] == "failed"
        assert (stored("PLAN"), resting(seen.world)) == (0, {})
        assert seen.world.exchange.stats.calls[CREATE] == 0
        assert disruption.struck[kind] >= 1


def test_a_conflict_that_passes_is_tried_again_at_once() -> None:
    with started() as (disruption, seen):
        disruption.now(Fault(kind="aws-conflict", where=PLAN, times=1))

        assert seen.world.cycle()["placed"] == 6
        assert disruption.struck == {"aws-conflict": 1}


def test_a_single_item_can_be_throttled_by_its_operation_and_kind() -> None:
    with started() as (disruption, seen):
        disruption.now(Fault(kind="aws-throttle", where="UpdateItem LEASE"))
        answer = seen.world.cycle()

        assert (answer["status"], tries(disruption, "GET")) == ("failed", 0)


def test_a_lost_request_never_arrives_and_the_sdk_tries_three_times() -> None:
    with started() as (disruption, seen):
        disruption.now(Fault(kind="aws-lose-request", where=PLAN))
        seen.world.cycle()

        assert tries(disruption, PLAN) == 3
        assert stored("PLAN") == 0
        assert disruption.struck == {"aws-lose-request": 3}


def test_a_request_lost_once_arrives_at_the_second_try() -> None:
    with started() as (disruption, seen):
        disruption.now(Fault(kind="aws-lose-request", where=PLAN, times=1))

        assert seen.world.cycle()["placed"] == 6
        assert tries(disruption, PLAN) == 2


def test_a_lost_reply_leaves_the_write_behind_that_the_bot_never_heard_of() -> None:
    with started() as (disruption, seen):
        disruption.now(Fault(kind="aws-lose-reply", where=PLAN))
        answer = seen.world.cycle()

        assert answer["status"] == "failed"
        assert stored("PLAN") > 0
        assert resting(seen.world) == {}


def test_a_reply_lost_once_is_written_again_by_the_sdk() -> None:
    with started() as (disruption, seen):
        disruption.now(Fault(kind="aws-lose-reply", where="TransactWriteItems *", times=1))
        answer = seen.world.cycle()

        assert answer["status"] == "completed"
        assert disruption.struck["aws-lose-reply"] >= 2
        assert seen.world.status()["unfinished_plans"] == 0


@pytest.mark.parametrize("code, left", [("", True), ("before", False)])
def test_a_stall_past_the_read_timeout_loses_the_reply_or_the_request(code: str, left: bool) -> None:
    with started() as (disruption, seen):
        disruption.now(Fault(kind="aws-stall", where=PLAN, amount=9_000, code=code))
        tick_ms = seen.world.next_tick_ms()
        seen.world.cycle()

        assert (stored("PLAN") > 0) is left
        assert seen.world.clock.now_ms() - tick_ms == 3 * 2_000


def test_a_short_stall_only_takes_its_time() -> None:
    with started() as (disruption, seen):
        disruption.now(Fault(kind="aws-stall", where=PLAN, amount=500))
        tick_ms = seen.world.next_tick_ms()

        assert seen.world.cycle()["placed"] == 6
        assert seen.world.clock.now_ms() - tick_ms == 500


def test_clients_that_are_not_the_bots_are_left_alone() -> None:
    with started() as (disruption, _):
        disruption.now(Fault(kind="aws-throttle"), Fault(kind="aws-lose-request"))
        stored("SESSION")

        assert not disruption.struck
