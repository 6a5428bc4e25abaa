"""From a breach to the shortest event list that still brings it about."""

import time
from collections.abc import Callable, Iterator

from tests.simulator.fault_plan import FaultPlan, shortest
from tests.simulator.invariants import Breach
from tests.soak.day import Day, Outcome, play
from tests.world.world import MINUTE_MS

WINDOWS_MINUTES = (3, 10, 30, 120)
"""What brought a breach about mostly lies shortly before it: these stretches are tried first."""

Player = Callable[[Day, FaultPlan], Outcome]


def until_broken(day: Day, plan: FaultPlan) -> Outcome:
    """The day under this plan, up to its first breach."""
    return play(day, plan, lambda _: None, until_broken=True)


def shorten(
    day: Day, plan: FaultPlan, first: Outcome, budget_s: float, player: Player = until_broken
) -> tuple[FaultPlan, Outcome]:
    """A plan that breaks the same rule, as short as could be found in this time, and what it leads to."""
    breach, ends_s = first.broken[0], time.monotonic() + budget_s
    found = {plan.text(): first}

    def fails(shorter: FaultPlan) -> bool:
        if time.monotonic() > ends_s:
            return False
        outcome = player(day, shorter)
        if outcome.broken and outcome.broken[0].invariant == breach.invariant:
            found[shorter.text()] = outcome
            return True
        return False

    start = next((part for part in _parts(plan, breach, first.loaded_ms) if fails(part)), plan)
    best = shortest(start, fails)
    return best, found[best.text()]


def _parts(plan: FaultPlan, breach: Breach, loaded_ms: int) -> Iterator[FaultPlan]:
    before = [fault for fault in plan.faults if loaded_ms + fault.at_ms <= breach.at_ms]
    for minutes in WINDOWS_MINUTES:
        since_ms = breach.at_ms - loaded_ms - minutes * MINUTE_MS
        yield FaultPlan(tuple(fault for fault in before if fault.at_ms >= since_ms), plan.seed)
    yield FaultPlan(tuple(before), plan.seed)
