"""Scenario 84 at the size that the smallest account bears: two hundred order groups."""

import pytest

from tests.battery.event_scene import BY_EVENT
from tests.battery.scarce_tokens import many
from tests.support.event_group_stage import store
from tests.support.small_world import broken, resting
from tests.support.teardown_stage import Stage, armed, refused, stage

EVENTS, TRIPPED = 197, 20
"""Beside the session's own three groups: as many as can be triggered in 20 s."""
CREATING_CYCLES = 60
REFILLED_MS = 10_000
"""A teardown takes the write bucket for full and asks nobody: what a cycle spent has come back by then."""
LARGE = {
    **BY_EVENT,
    "max_burst_loss_dollars": 10_000,
    "max_total_loss_dollars": 100_000,
    "event_trips_together": 1000,
}


def quoted(scene: Stage) -> set[str]:
    return {order.market.spec.event_ticker for order in scene.world.member.resting.values()}


@pytest.mark.long
def test_scenario_84_two_hundred_groups_are_made_trip_and_are_torn_down_in_time_on_the_smallest_account() -> (
    None
):
    with stage(tier="basic", globals=LARGE, **many(EVENTS)) as scene:
        for _ in range(CREATING_CYCLES):
            scene.world.cycle()
        made = {group.event: group for group in store(scene).event_groups()}
        assert len(made) == EVENTS
        assert quoted(scene) == set(made)

        tripped = sorted(made)[:TRIPPED]
        for event in tripped:
            group = scene.world.member.groups[made[event].group_id]
            scene.world.exchange.groups.trip(scene.world.member, group)
        scene.world.cycle()
        rests = {group.event for group in store(scene).event_groups() if group.triggered}
        assert rests == set(tripped)
        assert quoted(scene) == set(made) - rests
        assert scene.world.status()["status"] == "active"

        scene.world.clock.advance_ms(REFILLED_MS)
        answer, took_ms = scene.torn_down()

        assert answer["status"] == "closed"
        assert took_ms <= 60_000
        assert (armed(scene), refused(scene)) == (0, 0)
        assert not resting(scene.world)
        assert not broken(scene.world)
