"""A bot that dies after its n-th outside call: nothing of it reaches anybody afterwards. And runs repeat."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.simulator.fault_draw import Rates, draw
from tests.simulator.fault_plan import Fault, FaultPlan
from tests.simulator.model import Event
from tests.support.small_world import TICKERS, Seen, resting, set_book, small_aws_world
from tests.world.disruption import Disruption
from tests.world.outside_calls import Killed

BATCH = "/portfolio/events/orders/batched"


@contextmanager
def faulty() -> Iterator[tuple[Disruption, Seen]]:
    disruption = Disruption()
    with small_aws_world(deploy=disruption.deploy) as seen:
        disruption.join(seen.world)
        yield disruption, seen


def test_calls_to_the_exchange_and_to_aws_are_counted_together() -> None:
    with faulty() as (disruption, seen):
        seen.world.start()
        started = list(disruption.calls.made)
        seen.world.cycle()
        made = disruption.calls.made

        assert started[0] == "GetSecretValue"
        assert "GetSecretValue" not in made
        assert made[0] == made[-1] == "UpdateItem LEASE"
        assert f"POST {BATCH}" in made


def moved(seen: Seen) -> None:
    """One cycle of quotes, and a reason to replace them all."""
    seen.world.start()
    seen.world.cycle()
    for ticker in TICKERS:
        set_book(seen.world, ticker, 4600, 4900)


@pytest.mark.parametrize("effect", [True, False])
def test_the_call_it_dies_after_has_its_effect_and_the_next_one_has_none(effect: bool) -> None:
    with faulty() as (disruption, seen):
        moved(seen)
        seen.world.cycle()
        number = disruption.calls.made.index(f"DELETE {BATCH}") + 1
    with faulty() as (disruption, seen):
        moved(seen)
        disruption.calls.kill_after(number if effect else number - 1)
        with pytest.raises(Killed):
            seen.world.cycle()

        assert (resting(seen.world) == {}) is effect
        assert (seen.world.exchange.stats.calls[f"DELETE {BATCH}"] == 1) is effect


def test_a_dead_bot_does_not_release_its_lease() -> None:
    with faulty() as (disruption, seen):
        seen.world.start()
        disruption.calls.kill_after(1)
        with pytest.raises(Killed):
            seen.world.cycle()

        assert disruption.calls.made == ["UpdateItem LEASE"]
        assert seen.world.cycle()["status"] == "completed"


def test_killed_before_its_first_call_it_has_done_nothing() -> None:
    with faulty() as (disruption, seen):
        disruption.now(Fault(kind="kill", where="session"))
        with pytest.raises(Killed):
            seen.world.start()

        assert disruption.calls.made == []
        assert disruption.struck == {"kill": 1}


def test_what_follows_a_kill_is_a_cold_start() -> None:
    with faulty() as (disruption, seen):
        seen.world.start()
        disruption.now(Fault(kind="kill", where="cycle", amount=5))
        with pytest.raises(Killed):
            seen.world.cycle()
        seen.world.cycle()

        assert disruption.calls.made[0] == "GetSecretValue"


# --- repeatable ----------------------------------------------------------------------------------------


def story(plan: FaultPlan, minutes: int) -> tuple[list[Event], dict[str, int], list[object]]:
    """Everything that happened on the exchange, what struck, and what the bot answered."""
    events, answers = list[Event](), list[object]()
    with faulty() as (disruption, seen):
        seen.world.exchange.observers.append(events.append)
        seen.world.start()
        disruption.load(plan)
        for minute in range(minutes):
            moved_e4 = 100 * (minute % 5)
            for ticker in TICKERS:
                set_book(seen.world, ticker, 4400 + moved_e4, 4700 + moved_e4)
            seen.world.exchange.background_take(TICKERS[minute % 3], "ask", 4300, 300)
            try:
                answers.append(seen.world.cycle())
            except Killed:
                answers.append("killed")
        return events, dict(disruption.struck), answers


@pytest.mark.long
def test_the_same_plan_makes_the_same_run_bit_for_bit() -> None:
    plan = draw(11, 25, Rates(percent=8), tickers=TICKERS, shards=(0, 1, 2))
    first, again = story(plan, 25), story(FaultPlan.parse(plan.text()), 25)

    assert first == again
    assert len(first[1]) > 8
