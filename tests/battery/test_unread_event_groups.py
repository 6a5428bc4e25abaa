"""Scenario 84, further: the item of one event's order group cannot be read, by hand or by accident."""

from typing import Any

import pytest

from dora.core.event_group import EventGroup
from tests.battery.event_scene import (
    COOLED_MINUTES,
    FOREIGN,
    A,
    damage,
    event_of,
    event_scene,
    quoted,
    recorded,
    sound,
)
from tests.battery.scene import CANCEL, Scene
from tests.simulator.fault_plan import Fault
from tests.simulator.groups import Group
from tests.support.small_world import TICKERS, broken

WITHOUT_ID = {"group_id": {"N": "7"}}
NEWER = {"v": {"N": "9"}}


def group_at_exchange(stage: Scene, own: EventGroup) -> Group:
    group: Group = stage.world.member.groups[own.group_id]
    return group


@pytest.mark.parametrize("by", [FOREIGN, WITHOUT_ID], ids=["known-group", "unknown-group"])
def test_scenario_84_an_event_whose_group_cannot_be_read_is_taken_off_alone(by: dict[str, Any]) -> None:
    with event_scene() as stage:
        own = recorded(stage)[event_of(A)]
        before = damage(stage, own, by)
        stage.run(5)

        assert [quoted(stage, ticker) for ticker in TICKERS] == [False, True, True]
        status = stage.world.status()
        assert (status["status"], status["markets_not_quoted"]) == ("active", {"event_group_unread": 1})
        assert group_at_exchange(stage, own).tripped is (by is FOREIGN)
        (said,) = {
            fact["why"] for fact in stage.seen.facts("ERROR") if fact["what"].startswith("order group")
        }
        assert event_of(A) in said

        damage(stage, own, before)
        stage.run(2 * COOLED_MINUTES)
        sound(stage)


@pytest.mark.parametrize("by", [FOREIGN, WITHOUT_ID], ids=["known-group", "unknown-group"])
def test_scenario_84_a_teardown_beside_a_group_that_cannot_be_read_leaves_nothing(by: dict[str, Any]) -> None:
    with event_scene() as stage:
        damage(stage, recorded(stage)[event_of(A)], by)
        stage.run(1)

        assert stage.world.teardown()["status"] == "closed"
        assert stage.world.open_orders() == 0
        assert not broken(stage.world), broken(stage.world)


def test_scenario_84_what_rests_in_a_group_that_cannot_be_read_counts_toward_a_burst() -> None:
    three_events = 3 * (9 + 10)
    with event_scene(globals={"max_burst_loss_dollars": three_events}) as stage:
        stage.faults.now(Fault(kind="refuse", where=CANCEL, code="service_unavailable"))
        damage(stage, recorded(stage)[event_of(A)], WITHOUT_ID)
        stage.run(1)
        resting_still = {"event_group_unread": 1, "event_not_admitted": 1}
        assert stage.world.status()["markets_not_quoted"] == resting_still
        stage.faults.clear()
        stage.run(2)

        assert [quoted(stage, ticker) for ticker in TICKERS] == [False, True, True]


def test_scenario_84_a_group_of_a_newer_version_stops_every_cycle_and_then_the_session() -> None:
    with event_scene() as stage:
        damage(stage, recorded(stage)[event_of(A)], NEWER)
        placed = stage.world.exchange.stats.orders
        for _ in range(5):
            (answer,) = stage.run(1)
            assert "up to" in str(answer), answer
            stage.world.session("session_watch")

        assert stage.world.exchange.stats.orders == placed
        assert stage.world.status()["reason"] == "silent"
        assert stage.world.open_orders() == 0
