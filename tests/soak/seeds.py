"""One seed: the day under faults and its twin; the same for many, side by side in processes."""

import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from tests.simulator.fault_plan import FaultPlan
from tests.soak.day import Day, Outcome, Progress, play
from tests.soak.quoting import Quoting, compare
from tests.soak.shorten import shorten

POLL_S = 0.5
COLLECT_AFTER = 100_000
"""New objects between two looks for garbage."""


@dataclass
class SeedResult:
    """What became of one seed. `shortest` and `replayed` are those of its first breach, if there is one."""

    day: Day
    outcome: Outcome
    quoting: Quoting
    seconds: float
    shortest: FaultPlan | None = None
    replayed: Outcome | None = None


def run_seed(day: Day, progress: Progress, *, plan: FaultPlan | None = None, shorten_s: float) -> SeedResult:
    """The day under its plan, or under the one given, beside its twin."""
    began, plan = time.monotonic(), plan or day.plan()
    outcome, twin = play(day, plan, progress), play(day, FaultPlan(), progress)
    shards = {spec.ticker: spec.shard for spec in day.setup().markets}
    result = SeedResult(day, outcome, compare(twin, outcome, plan, shards), time.monotonic() - began)
    if outcome.broken and shorten_s:
        result.shortest, result.replayed = shorten(day, plan, outcome, shorten_s)
    return result


class _Worker:
    """What one process knows: where to count the cycles it has played."""

    cycles: Any = None


def _begin(cycles: Any) -> None:
    """Little of what a day leaves behind is garbage: it is looked through rarely, and the imports never."""
    _Worker.cycles = cycles
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def _count(_: int) -> None:
    with _Worker.cycles.get_lock():
        _Worker.cycles.value += 1


def _work(day: Day, shorten_s: float) -> SeedResult:
    return run_seed(day, _count, shorten_s=shorten_s)


def run_seeds(
    days: list[Day], *, processes: int, shorten_s: float, progress: Callable[[int], None]
) -> Iterator[SeedResult]:
    """Every day, as they are done. `progress` hears how many cycles were played in all."""
    context = get_context("spawn")
    cycles = context.Value("q", 0)
    with ProcessPoolExecutor(processes, context, _begin, (cycles,)) as pool:
        waiting: set[Future[SeedResult]] = {pool.submit(_work, day, shorten_s) for day in days}
        while waiting:
            done, waiting = wait(waiting, POLL_S, FIRST_COMPLETED)
            progress(cycles.value)
            yield from (future.result() for future in done)
