"""The measuring room: `python -m tests.bench`, all or some of it, as a table and as JSON.

How it is measured: the bot runs in a fresh process that holds nothing else, so its CPU (`process_time` around
the deployed handler) and its peak memory are its own. The exchange and the cloud stand in another process,
behind loopback HTTP, with keep-alive and RSA-2048 signatures, and count there what the bot asks of them.
Milliseconds are medians over cycles; they are this machine's, and a machine shared with others varies by a
half and more from minute to minute, so believe ratios taken in one process and compare medians of runs side
by side. Counts are the same everywhere and every time, but for a few bytes that chance makes (ids do not
compress alike).
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench import cost
from tests.bench.archive import archive_cpu
from tests.bench.book_units import book_units
from tests.bench.books import books_cpu
from tests.bench.cold_start import first_invocation_cpu_ms, import_cpu_ms
from tests.bench.driver import TIERS, hot_spots, measure
from tests.bench.pacing import DELAYS, HOUR_CYCLES, Demand, pacing
from tests.bench.report import table
from tests.bench.runs import Plan
from tests.bench.storm import Storm, storm
from tests.support.arguments import up_to

MARKETS = (10, 100, 1000, 3000)
QUICK_MARKETS = (10, 100)
MOST_MARKETS = 10_000
"""What a machine of a few gigabytes holds."""
PARTS = ("markets", "cold_start", "pacing", "books", "archive", "storm")
STORM_TIERS = ("advanced", "premier")
LARGE = 1000
"""From here on fewer cycles do: each holds more markets to average over."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    options = _options(arguments)
    results: dict[str, Any] = {"machine": f"{platform.python_version()} {platform.machine()}"}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for part in options.only or PARTS:
        for _ in WORK[part](options, results):
            options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(results))
    print(f"\nwritten: {options.out}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--markets", type=_numbers, help="sizes of account, with commas: 10,100,1000,3000")
    parser.add_argument("--only", choices=WORK, nargs="*", help="these alone; hot_spots is a profile")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="10 and 100 markets and one kind of pacing")
    options = parser.parse_args(arguments)
    options.markets = options.markets or (QUICK_MARKETS if options.quick else MARKETS)
    return options


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(up_to(MOST_MARKETS)(part) for part in text.split(","))


def _markets(options: argparse.Namespace, results: dict[str, Any]) -> Iterator[None]:
    """Each part puts its figures into the results, and yields whenever they are worth keeping."""
    figures, costs = results.setdefault("markets", {}), results.setdefault("cost_month", {})
    results["prices"] = {"of": cost.PRICES_OF, **cost.PRICES}
    for markets in options.markets:
        _say(f"{markets} markets")
        tiers = TIERS[:1] if options.quick else TIERS
        figures[str(markets)] = own = measure(_plan(markets, quick=options.quick), tiers)
        costs[str(markets)] = cost.month(own)
        yield


def _plan(markets: int, *, quick: bool) -> Plan:
    if quick:
        return Plan(markets, ordinary=5, pairs=3, delayed=2, others=2)
    ordinary = 7 if markets >= LARGE else 15
    return Plan(markets, ordinary=ordinary, pairs=5, delayed=5, others=3)


def _cold_start(options: argparse.Namespace, results: dict[str, Any]) -> Iterator[None]:
    _say("cold start")
    times = 3 if options.quick else 9
    results["cold_start"] = import_cpu_ms(times) | first_invocation_cpu_ms(times)
    yield


def _pacing(options: argparse.Namespace, results: dict[str, Any]) -> Iterator[None]:
    found = results.setdefault("pacing", {})
    for tier in TIERS[:1] if options.quick else TIERS:
        for delay in ("50",) if options.quick else DELAYS:
            _say(f"pacing on {tier}, {delay} ms a write")
            found.setdefault(tier, {})[delay] = pacing(Demand(tier, delay, cycles=5))
            yield
    if not options.quick:
        _say("pacing on basic, an hour")
        found["basic"]["50, an hour"] = pacing(Demand("basic", "50", HOUR_CYCLES))
        yield


def _books(options: argparse.Namespace, results: dict[str, Any]) -> Iterator[None]:
    _say("the ledger alone")
    results["books"] = books_cpu(10_000 if options.quick else 100_000)
    results["write_units_per_fill"] = book_units()
    yield


def _storm(options: argparse.Namespace, results: dict[str, Any]) -> Iterator[None]:
    found = results.setdefault("storm", {})
    for tier in STORM_TIERS[:1] if options.quick else STORM_TIERS:
        given = Storm(tier, 60, 6) if options.quick else Storm(tier, 3_000, 120)
        _say(f"storm on {tier}, {given.markets} markets")
        found[tier] = storm(given)
        yield


def _archive(options: argparse.Namespace, results: dict[str, Any]) -> Iterator[None]:
    found = results.setdefault("archive", {})
    for markets in options.markets:
        _say(f"archive objects of {markets} markets")
        found[str(markets)] = archive_cpu(markets, times=3 if options.quick else 9)
        yield


def _hot_spots(options: argparse.Namespace, results: dict[str, Any]) -> Iterator[None]:
    found = results.setdefault("hot_spots", {})
    for markets in options.markets:
        _say(f"hot spots at {markets} markets")
        found[str(markets)] = hot_spots(markets)
        yield


WORK: dict[str, Callable[[argparse.Namespace, dict[str, Any]], Iterator[None]]] = {
    "markets": _markets,
    "cold_start": _cold_start,
    "pacing": _pacing,
    "books": _books,
    "archive": _archive,
    "storm": _storm,
    "hot_spots": _hot_spots,
}


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
