"""Scenario 90: another version of the state layout, with orders of unknown fate in flight, and back."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from tests.battery.beside import cold
from tests.battery.ending_markets import A, B
from tests.battery.scene import CREATE, HOLD_CYCLES, Scene, fill, scene
from tests.simulator.fault_plan import Fault
from tests.support.first_schema import FirstSchemaState
from tests.support.small_world import broken, resting, set_book
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
        return app._replace(ports=app.ports._replace(state=state))

    bot._build = older
    stage.world.books.keeps_books = False
    try:
        yield
    finally:
        bot._build = build
        stage.world.books.keeps_books = True
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


def test_scenario_90_what_the_older_version_booked_is_taken_into_the_books() -> None:
    """Before there were any, and again after a way back: the books then stand behind the positions."""
    with scene() as stage:

        def carried_in(cycles: int) -> set[str]:
            before = len(stage.seen.facts("BOOKS_CARRIED_OVER"))
            stage.run(cycles)
            return {fact["market"] for fact in stage.seen.facts("BOOKS_CARRIED_OVER")[before:]}

        with older_version(stage):
            _filled(stage, A, "bid", 300)
        assert carried_in(1) == {A}
        _filled(stage, B, "ask", 300)
        drained(stage)
        with older_version(stage):
            stage.world.start()
            _filled(stage, B, "ask", 200)

        assert carried_in(1) == {B}
        books = stage.world.bot.books()
        assert books is not None
        assert [books.ledgers[ticker].net for ticker in (A, B)] == [300, -500]
        assert books.ledgers[B].cost == stage.world.member.accounts[0].positions[B].cost_e6
        assert not broken(stage.world)


def _filled(stage: Scene, ticker: str, side: str, count_e2: int) -> None:
    """Quote, have a quote taken, and book it."""
    stage.run(1)
    fill(stage.world, ticker, side, count_e2)
    set_book(stage.world, ticker)
    stage.run(1)
