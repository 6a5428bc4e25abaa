"""Scenario 90: another version of the state layout, with orders of unknown fate in flight, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import boto3
import pytest

from tests.battery.beside import cold
from tests.battery.scene import CREATE, HOLD_CYCLES, Scene, scene
from tests.simulator.fault_plan import Fault
from tests.support.first_schema import FirstSchemaState
from tests.support.small_world import broken, resting
from tests.world.setup import STATE_TABLE


@contextmanager
def older_version(stage: Scene) -> Iterator[None]:
    """The invocations of this block run the store of the first schema; what follows starts anew."""
    cold(stage)
    bot = stage.world.bot
    build = bot._build

    def older() -> object:
        app = build()
        state = FirstSchemaState(
            boto3.client("dynamodb"), STATE_TABLE, app.settings.state_key, app.ports.clock
        )
        return replace(app, ports=replace(app.ports, state=state))

    bot._build = older
    try:
        yield
    finally:
        bot._build = build
        cold(stage)


def drained(stage: Scene) -> None:
    """The documented way back: teardown until closed, then cycles until nothing is open or unfinished."""
    for _ in range(5):
        if stage.world.teardown()["status"] == "closed":
            break
    else:
        raise AssertionError("the teardown did not close")
    for _ in range(HOLD_CYCLES):
        stage.world.cycle()
        status = stage.world.status()
        if (status["open_orders"], status["unfinished_plans"]) == (0, 0):
            return
    raise AssertionError(status)


def test_scenario_90_orders_of_the_older_version_are_taken_over() -> None:
    with scene() as stage:
        with older_version(stage):
            stage.run(2)
            before = resting(stage.world)

        stage.run(2)

        assert resting(stage.world) == before
        stage.sound()


def test_scenario_90_a_create_that_the_older_version_never_saw_answered_is_not_doubled() -> None:
    with scene() as stage:
        with older_version(stage):
            stage.struck(Fault(kind="lose-answer", where=CREATE, for_ms=60_000))

        stage.run(HOLD_CYCLES)

        stage.sound()


@pytest.mark.long
def test_scenario_90_an_older_cycle_may_have_died_after_any_call() -> None:
    died, after = True, 0
    while died:
        with scene() as stage:
            with older_version(stage):
                stage.run(1)
                stage.move(4400)
                died = stage.dies(after)
            stage.run(HOLD_CYCLES)
            assert not broken(stage.world), f"killed after call {after}"
            stage.sound()
        after += 3
    assert after > 20


def test_scenario_90_the_older_version_touches_nothing_once_the_newer_one_has_written() -> None:
    """A deploy replaces one function before the other; the older one may be a cycle or a watch."""
    with scene() as stage:
        stage.run(2)
        before = resting(stage.world)
        stage.move(4400)

        with older_version(stage):
            answer = stage.world.cycle()
            watched = stage.world.session("session_watch")

        assert (answer["status"], resting(stage.world)) == ("failed", before)
        assert watched["status"] != "closed"
        stage.run(2)
        stage.sound()


def test_scenario_90_a_newer_watch_acts_beside_an_older_cycle_that_fell_silent() -> None:
    with scene() as stage:
        with older_version(stage):
            stage.run(2)
        stage.world.clock.advance_ms(4 * 60_000)

        stage.world.session("session_watch")

        assert not resting(stage.world)
        assert not broken(stage.world)


@pytest.mark.parametrize("lost", [False, True])
def test_scenario_90_after_a_teardown_the_older_version_goes_on(lost: bool) -> None:
    with scene() as stage:
        stage.run(1)
        if lost:
            stage.move(4400)
            stage.struck(Fault(kind="lose-answer", where=CREATE, for_ms=60_000))
        drained(stage)

        with older_version(stage):
            assert stage.world.start()["status"] == "active"
            stage.run(2)
            stage.sound()
        stage.run(2)
        stage.sound()
