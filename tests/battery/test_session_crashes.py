"""A reset dies at any of its calls: no group is left armed in a session whose record says it is triggered."""

import pytest

from tests.battery.machine_stage import MachineStage, machine_stage
from tests.battery.scene import fill
from tests.simulator.knobs import Knobs
from tests.support.small_world import TICKERS, broken, resting

A, *_ = TICKERS
RESET = "PUT /portfolio/order_groups"
MOST_CALLS = 30


def latched(stage: MachineStage) -> None:
    """A burst trips a group, and the next cycles latch the session and trigger the others."""
    stage.cycle()
    for side in ("bid", "ask"):
        fill(stage.world, A, side)
    tripped, *_ = stage.world.member.groups.values()
    stage.world.exchange.groups.trip(stage.world.member, tripped)
    stage.show(A)
    stage.world.clock.advance_ms(30_000)
    stage.run(2)
    assert stage.session and stage.status == "limit_reached"
    assert all(group.tripped for group in stage.session.order_groups)


def armed(stage: MachineStage) -> set[str]:
    """Groups that would take an order."""
    return {group.id for group in stage.world.member.groups.values() if not group.tripped}


def recorded_as_armed(stage: MachineStage) -> set[str]:
    assert stage.session is not None
    return {group.group_id for group in stage.session.order_groups if not group.tripped}


@pytest.mark.parametrize("next_one", ["cycle", "watch"])
def test_a_reset_that_dies_at_any_call_leaves_no_group_armed_that_the_record_calls_triggered(
    next_one: str,
) -> None:
    died_with_armed_groups = 0
    for after in range(MOST_CALLS):
        with machine_stage(Knobs(), None) as stage:
            latched(stage)
            killed = stage.killed(after, lambda: stage.world.session("session_reset"))
            assert armed(stage) <= recorded_as_armed(stage), after
            if not killed:
                assert stage.status == "active"
                break
            died_with_armed_groups += bool(armed(stage))
            if next_one == "watch":
                stage.world.session("session_watch")
            else:
                stage.cycle()
            assert stage.status == "active" or not armed(stage), after
            assert stage.status == "active" or not resting(stage.world)
            assert not broken(stage.world)
    else:
        pytest.fail("the reset never came to its end")
    assert died_with_armed_groups >= len(TICKERS)
