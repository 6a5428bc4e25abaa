"""Scenario 79: answers without their usual fields. What was not said to be done or refused is unknown."""

import boto3
import pytest

from tests.battery.answers import Heard, label_of
from tests.battery.scene import CREATE, HOLD_CYCLES, SLOTS, Scene, scene
from tests.simulator.fault_plan import Fault
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request
from tests.support.small_world import resting
from tests.world.cloud_faults import BARE
from tests.world.setup import STATE_TABLE

LIMITER = "UpdateItem LIMITER"
"""A bucket that cannot be spent from is no outage: it only pays for no placement."""
CALLS = (
    "Query",
    "BatchGetItem CONTROL",
    "UpdateItem LEASE",
    LIMITER,
    "TransactWriteItems Put PLAN",
    "TransactWriteItems Put FILL",
    "TransactWriteItems Put PROGRESS",
)
SESSION_CALLS = ("Query", "PutItem SESSION", "PutItem LIMITS", "PutItem CONTROL")


GATEWAYS = (
    Reply(400, b""),
    Reply(403, b"<html>blocked</html>"),
    Reply(404, b'{"message": "Not Found"}'),
    Reply(413, b'{"error": "Payload Too Large"}'),
    Reply(429, b"<html>slow down</html>"),
)
UNSURE = (
    Reply(409, b'{"error": {"code": "service_timeout"}}'),
    Reply(409, b'{"error": null, "code": "order_already_exists"}'),
    Reply(409, b'{"msg": "order already exists"}'),
    Reply(499, b'{"code": "client_closed"}'),
)


def plans() -> int:
    items = boto3.client("dynamodb").scan(TableName=STATE_TABLE, ConsistentRead=True)["Items"]
    return sum(item["sk"]["S"].startswith("PLAN") for item in items)


def fill_and_move(stage: Scene) -> None:
    """A cycle with a fill to book, quotes to cancel and others to place."""
    (order,) = stage.world.resting("KXA-26NOV21-T1", "bid")
    stage.world.exchange.set_background_book("KXA-26NOV21-T1", [], [])
    stage.world.exchange.background_take("KXA-26NOV21-T1", "ask", order.price_e4, order.remaining_e2)
    stage.move()


@pytest.mark.parametrize("kind", BARE)
@pytest.mark.parametrize("where", CALLS)
def test_scenario_79_a_call_of_a_cycle_that_aws_answers_without_its_fields_is_unknown_and_doubles_nothing(
    where: str, kind: str
) -> None:
    with scene() as stage:
        stage.run(1)
        fill_and_move(stage)
        struck = stage.struck(Fault(kind=kind, where=where))
        met = stage.faults.struck[kind]
        stage.run(HOLD_CYCLES)

        assert met, where
        if where == LIMITER:
            assert (struck["status"], struck["placed"]) == ("completed", 0)
        else:
            assert (struck["status"], struck["reason"]) == ("failed", "StateUnavailable")
        assert len(stage.seen.facts("ORDER_FILLED")) == 1
        stage.sound()


@pytest.mark.parametrize("kind", BARE)
def test_scenario_79_no_order_goes_out_on_a_plan_that_was_not_said_to_be_written(kind: str) -> None:
    with scene() as stage:
        heard = Heard(stage)
        stage.faults.now(Fault(kind=kind, where="TransactWriteItems Put PLAN"))
        stage.run(1)

        assert (plans(), resting(stage.world)) == (0, {})
        assert heard.writes() == []


@pytest.mark.parametrize("kind", BARE)
def test_scenario_79_a_kill_flag_that_was_not_read_lets_no_batch_out(kind: str) -> None:
    with scene() as stage:
        answer = stage.struck(Fault(kind=kind, where="BatchGetItem CONTROL"))

        assert (answer["status"], stage.world.exchange.stats.calls[CREATE]) == ("failed", 0)
        stage.run(1)
        assert len(resting(stage.world)) == SLOTS


class Gateway(Faults):
    """Something between us and the exchange takes the place of its answers to one kind of call."""

    def __init__(self, label: str, reply: Reply) -> None:
        self._label, self._reply = label, reply

    def after(self, request: Request, reply: Reply) -> Reply:
        return self._reply if label_of(request) == self._label else reply


@pytest.mark.parametrize("reply", GATEWAYS, ids=lambda reply: str(reply.status))
def test_scenario_79_a_4xx_that_is_not_the_exchanges_own_says_nothing_of_an_order(reply: Reply) -> None:
    """The create was carried out; a second order would be a doubled one."""
    with scene() as stage:
        stage.world.exchange.faults = Gateway(CREATE, reply)
        answer = stage.world.cycle()
        stage.world.exchange.faults = stage.faults.script
        (after,) = stage.run(1)

        assert (answer["placed"], answer["failed"], answer["unknown"]) == (0, 0, SLOTS)
        assert (after["placed"], stage.world.exchange.stats.orders) == (0, SLOTS)
        stage.run(HOLD_CYCLES)
        stage.sound()


@pytest.mark.parametrize("reply", UNSURE, ids=lambda reply: reply.body.decode())
def test_scenario_79_a_conflict_whose_code_is_not_known_as_a_refusal_says_nothing_of_an_order(
    reply: Reply,
) -> None:
    """The create was carried out; a second order would be a doubled one."""
    with scene() as stage:
        stage.world.exchange.faults = Gateway(CREATE, reply)
        answer = stage.world.cycle()
        stage.world.exchange.faults = stage.faults.script
        (after,) = stage.run(1)

        assert (answer["placed"], answer["failed"], answer["unknown"]) == (0, 0, SLOTS)
        assert (after["placed"], stage.world.exchange.stats.orders) == (0, SLOTS)
        stage.sound()


@pytest.mark.parametrize("kind", BARE)
@pytest.mark.parametrize("where", SESSION_CALLS)
def test_scenario_79_an_action_that_aws_answers_without_its_fields_is_said_to_have_failed(
    where: str, kind: str
) -> None:
    action = "session_halt" if "CONTROL" in where else "session_start"
    with scene(started=False) as stage:
        stage.faults.now(Fault(kind=kind, where=where))
        answer = stage.world.session(action)
        met = stage.faults.struck[kind]
        stage.faults.clear()

        assert met, where
        assert answer["status"] in ("failed", "refused"), answer
        assert stage.world.start()["status"] == "active"
        stage.world.clock.advance_ms(10_000)
        stage.run(1)
        stage.sound()
