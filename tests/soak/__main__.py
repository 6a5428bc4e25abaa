"""`python -m tests.soak`: virtual days with every kind of fault, each beside its fault-free twin."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.simulator.fault_plan import FaultPlan
from tests.soak.day import Day
from tests.soak.report import passed, show, summarize, write
from tests.soak.seeds import SeedResult, run_seeds
from tests.soak.shorten import until_broken
from tests.support.arguments import file, hours_up_to, up_to

FOLDER = Path("build")
MOST_MARKETS, MOST_SEEDS, MOST_HOURS = 1_000, 1_000, 168
"""What a machine of a few gigabytes holds; a week."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0: no rule was broken, and at least 95 percent of what could be quoted was."""
    options = _options(arguments)
    minutes, paid = round(options.hours * 60), options.paid
    seeds = range(options.seed, options.seed + options.seeds)
    days = [
        Day(seed=seed, minutes=minutes, markets=options.markets, paid=paid, group_by=options.group_by)
        for seed in seeds
    ]
    if options.plan is not None:
        return _replay(days[0], FaultPlan.parse(options.plan.read_text()))
    began, results = time.monotonic(), list[SeedResult]()
    with _shown(2 * sum(day.all_minutes for day in days)) as progress:
        runs = run_seeds(days, processes=options.processes, shorten_s=options.shorten_s, progress=progress)
        results = sorted(runs, key=lambda result: result.day.seed)
    summary = summarize(results, time.monotonic() - began)
    write(summary, results, options.folder)
    show(summary, results, options.folder)
    return 0 if passed(summary) else 1


def _replay(day: Day, plan: FaultPlan) -> int:
    """A plan once more, up to its first breach."""
    outcome = until_broken(day, plan)
    for breach in outcome.broken:
        print(f"{breach.invariant} at {breach.at_ms}: {breach.text}")
    print(f"events: {outcome.seen.digest}")
    return 1 if outcome.broken else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=up_to(MOST_SEEDS), default=2, help="how many days")
    parser.add_argument("--hours", type=hours_up_to(MOST_HOURS), default=2, help="virtual hours of each")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--markets", type=up_to(MOST_MARKETS), default=20)
    parser.add_argument("--paid", action="store_true", help="markets of every strategy, rewards too")
    parser.add_argument(
        "--group-by", choices=("shard", "event"), default="shard", help="what orders are grouped by"
    )
    parser.add_argument("--processes", type=up_to(64), default=2)
    parser.add_argument("--plan", type=file, help="replay this event list instead, up to its first breach")
    parser.add_argument("--shorten-s", type=float, default=120, help="seconds to spend on shortening a plan")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where soak.json goes")
    return parser.parse_args(arguments)


@contextmanager
def _shown(cycles: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error."""
    columns = TextColumn("cycles"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("cycles", total=cycles)
        yield lambda done: progress.update(task, completed=done)


if __name__ == "__main__":
    sys.exit(main())
