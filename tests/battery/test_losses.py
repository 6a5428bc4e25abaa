"""Hours of one trouble at a time: what is lost on the way, and reads that are always late."""

import pytest

from tests.simulator.fault_plan import Fault, FaultPlan
from tests.soak.day import Day, play

LATE_MS = (1_000, 3_000, 10_000, 30_000)


def unheard(_: int) -> None:
    """Nobody watches the progress."""


@pytest.mark.long
def test_scenario_54_with_two_in_a_hundred_answers_and_requests_lost_nothing_doubles_or_stays_open() -> None:
    losses = FaultPlan((Fault(kind="lose-answer", share=2), Fault(kind="lose-request", share=2)), seed=1)
    day = Day(seed=21, minutes=240, markets=20)

    outcome = play(day, losses, unheard)

    assert outcome.broken == ()
    assert outcome.closed
    assert min(outcome.struck["lose-answer"], outcome.struck["lose-request"]) > 50
    assert outcome.placed > 500


@pytest.mark.long
@pytest.mark.parametrize("late_ms", LATE_MS)
def test_scenario_13_and_14_on_a_clean_exchange_no_cancel_is_a_404_however_late_the_reads(
    late_ms: int,
) -> None:
    late = FaultPlan(
        tuple(Fault(kind="lag", where=w, amount=late_ms) for w in ("orders", "fills", "positions"))
    )

    outcome = play(Day(seed=22, minutes=120, markets=20), late, unheard)

    assert outcome.broken == ()
    assert outcome.cancel_404 == 0
    assert outcome.fills > 0
    assert outcome.placed > 200
