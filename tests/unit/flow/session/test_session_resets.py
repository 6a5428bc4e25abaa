"""A session latched at a limit is re-armed by itself only where GLOBAL says so, and only so often."""

import pytest

from tests.battery.scene import fill
from tests.support.small_world import Scripted, broken, resting, setup, small_world
from tests.support.tripping import SMALL, pass_minutes, trip

MINUTE_MS = 60_000
RESET = "PUT /reset"
ARMED = {**SMALL, "auto_reset_on_limit": True}


def test_a_tripped_session_is_never_re_armed_without_being_asked_to() -> None:
    with small_world(setup(globals=SMALL)) as seen:
        seen.world.start()
        seen.world.cycle()
        trip(seen)
        answers = pass_minutes(seen, 12)

        assert {answer["status"] for answer in answers} == {"halted"}


def test_a_tripped_session_is_re_armed_once_its_cool_down_is_over_and_not_before() -> None:
    with small_world(setup(globals=ARMED)) as seen:
        world = seen.world
        world.start()
        world.cycle()
        trip(seen)
        world.cycle()
        waiting = pass_minutes(seen, 4)
        assert {answer["status"] for answer in waiting} == {"halted"}
        assert not resting(world)
        pass_minutes(seen, 2)

        assert world.status()["status"] == "active"
        assert world.status()["resets"] == 1
        assert len(seen.facts("GROUP_RESET")) == 3
        assert len(resting(world)) == 6
        assert not broken(world)


def test_a_session_is_re_armed_no_more_often_than_configured() -> None:
    often = {**ARMED, "auto_reset_max": 2, "auto_reset_cooldown_s": 90}
    with small_world(setup(globals=often)) as seen:
        world = seen.world
        world.start()
        for _ in range(5):
            pass_minutes(seen, 3)
            trip(seen)
        pass_minutes(seen, 5)

        status = world.status()
        assert (status["status"], status["resets"]) == ("limit_reached", 2)
        assert len(seen.facts("GROUP_RESET")) == 2 * 3
        assert world.session("session_reset")["status"] == "active"
        assert world.status()["resets"] == 2


def test_what_the_watch_latched_is_left_for_a_person() -> None:
    with small_world(setup(globals=ARMED)) as seen:
        world = seen.world
        world.start()
        world.cycle()
        world.clock.advance_ms(3 * MINUTE_MS)
        world.session("session_watch")
        answers = pass_minutes(seen, 8)

        assert {answer["status"] for answer in answers} == {"halted"}
        assert world.status()["reason"] == "silent"
        assert not seen.facts("GROUP_RESET")


def test_a_used_up_contract_limit_is_left_for_a_person() -> None:
    with small_world(setup(globals={**ARMED, "session_contract_limit": 5})) as seen:
        world = seen.world
        world.start()
        world.cycle()
        ((ticker, side),) = resting(world)
        fill(world, ticker, side)
        pass_minutes(seen, 8)

        assert world.status()["reason"] == "session_cap"
        assert not seen.facts("GROUP_RESET")


def test_a_halted_bot_re_arms_nothing() -> None:
    with small_world(setup(globals=ARMED)) as seen:
        world = seen.world
        world.start()
        world.cycle()
        trip(seen)
        world.cycle()
        world.session("session_halt")
        pass_minutes(seen, 8)

        assert world.status()["status"] == "limit_reached"


def test_a_torn_down_session_is_never_re_armed() -> None:
    with small_world(setup(globals=ARMED)) as seen:
        world = seen.world
        world.start()
        world.cycle()
        trip(seen)
        world.cycle()
        world.teardown()
        pass_minutes(seen, 8)

        assert world.status()["status"] == "closed"
        assert all(group.tripped for group in world.member.groups.values())


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_reset_that_was_not_answered_is_tried_again_and_counts_once(lost: str) -> None:
    with small_world(setup(globals=ARMED)) as seen:
        world = seen.world
        world.start()
        world.cycle()
        trip(seen)
        world.cycle()
        world.exchange.faults = Scripted({RESET: lost})
        pass_minutes(seen, 7)
        latched = world.status()
        world.exchange.faults = Scripted({})
        pass_minutes(seen, 2)

        assert (latched["status"], latched["resets"]) == ("limit_reached", 0)
        assert (world.status()["status"], world.status()["resets"]) == ("active", 1)
        assert len(resting(world)) == 6
