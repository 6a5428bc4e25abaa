"""The cycles that are run in one bot's process, in what order, and the figures made of them.

First the account is brought to where it stands in daily use: quotes in every market and half an hour's worth
of closed orders in the journal. A storm makes those in ten cycles three minutes apart, with 30 % of the
markets moving in each, as many as thirty minutes at 10 % would leave; then every measured minute adds as many
as expire.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from tests.bench.bot import BenchBot, Control, PrintedTo, Took, peak_memory_mb
from tests.bench.hot_spots import hot_spots
from tests.bench.older_cycle import OlderPlan
from tests.bench.phases import COMPUTE_DIFF
from tests.world.lambda_context import CYCLE_TIMEOUT_MS

SHARE = 0.1
"""Of the markets that move in an ordinary cycle."""
STORM_CYCLES, STORM_MINUTES, STORM_SHARE = 10, 3, 0.3
COLD_CYCLES = 5
SETTLING_CYCLES, SETTLING_MINUTES = 4, 6
DELAY_MS, FLOOR_ROUND_TRIPS = 50, 6

Figures = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How many cycles of each kind: ordinary, paired with the older plan, far from the exchange, and others.

    Those are cycles in which nothing moves, everything moves, or a tier's tokens limit.
    """

    markets: int
    ordinary: int
    pairs: int = 3
    delayed: int = 3
    others: int = 3


def run(bot: BenchBot, plan: Plan) -> Figures:
    """Everything there is to know of one size of account."""
    bot.start()
    cold = grow(bot, plan.markets)
    _storm(bot)
    cycles = [complete(bot.cycle(SHARE)) for _ in range(plan.ordinary)]
    figures = {"http_calls_cold": cold.counts["http_calls"], "memory_mb": peak_memory_mb()}
    figures |= ordinary(cycles)
    figures |= _paired(bot, plan) | _delayed(bot, plan.delayed)
    figures["moving"] = {name: _moving(bot, share, plan.others) for name, share in (("0", 0.0), ("100", 1.0))}
    return figures


PACE_MS = 20
"""A bucket that refills while time runs may ask for a few milliseconds; a shortage asks for hundreds."""


def complete(took: Took) -> Took:
    """The same, if it did all its work and nothing unforeseen happened. Raises RuntimeError."""
    counts, waited = took.counts, took.waited_ms > PACE_MS
    if took.answer["status"] != "completed" or counts["fills"] or counts["refused_429"] or waited:
        raise RuntimeError(f"not a cycle to measure: {took.answer}, {counts}, waited {took.waited_ms} ms")
    return took


def ordinary(cycles: Sequence[Took]) -> Figures:
    """Medians of CPU and of counts; units also as mean and largest."""
    units = [own.counts["write_units"] for own in cycles]
    return {
        "http_calls_warm": _median(own.counts["http_calls"] for own in cycles),
        "compute_diff_cpu_ms": _median(map(compute_diff_ms, cycles)),
        "cycle_cpu_ms": _median(own.cpu_ms for own in cycles),
        "cycle_cpu_ms_least": round(min(own.cpu_ms for own in cycles), 1),
        "phases_cpu_ms": _by_name([own.phases for own in cycles]),
        "clients_cpu_ms": _by_name([own.clients for own in cycles]),
        "dynamodb_calls": _median(own.counts["dynamodb_calls"] for own in cycles),
        "limiter_updates": _median(own.counts["limiter_updates"] for own in cycles),
        "wru": round(fmean(units), 1),
        "wru_max": max(units),
        "rru": round(fmean(own.counts["read_units"] for own in cycles), 1),
        "largest_item_kb": round(max(own.counts["largest_item_bytes"] for own in cycles) / 1024, 1),
        "log_kb": _median(own.log_bytes / 1024 for own in cycles),
        "log_lines": _median(own.log_lines for own in cycles),
        "archive_bytes": _median(own.counts["archive_bytes"] for own in cycles),
        "placed": _median(own.answer["placed"] for own in cycles),
        "cancelled": _median(own.answer["cancelled"] for own in cycles),
        "cycles": len(cycles),
    }


def compute_diff_ms(took: Took) -> float:
    """CPU from what was read to what is to be sent."""
    return sum(took.phases.get(name, 0.0) for name in COMPUTE_DIFF)


def run_start(bot: BenchBot, plan: Plan) -> Figures:
    """Only a session and its quotes, for others to go on from."""
    bot.start()
    return {"http_calls_cold": grow(bot, plan.markets).counts["http_calls"]}


def run_hot_spots(bot: BenchBot, plan: Plan) -> Figures:
    """Where the CPU of ordinary cycles goes, warm."""
    bot.start()
    grow(bot, plan.markets)
    _storm(bot)
    bot.cycle(SHARE)
    return {"rows": hot_spots(bot, SHARE, plan.ordinary)}


def settle(bot: BenchBot) -> None:
    """Cycles until no quote is wanted elsewhere: averages that have become warm move every quote once."""
    for _ in range(SETTLING_CYCLES):
        if not bot.cycle(0, minutes=SETTLING_MINUTES).answer["placed"]:
            return
    raise RuntimeError("quotes are still moved although no market moves")


def _storm(bot: BenchBot) -> None:
    for _ in range(STORM_CYCLES):
        bot.cycle(STORM_SHARE, minutes=STORM_MINUTES)


def grow(bot: BenchBot, markets: int) -> Took:
    """Cycles until both sides of every market rest; the first of them, which knows nothing."""
    first = took = bot.cycle(0)
    for _ in range(COLD_CYCLES):
        if took.counts["resting"] == 2 * markets:
            return first
        took = bot.cycle(0)
    raise RuntimeError(f"{took.counts['resting']} orders rest in {markets} markets: {took.answer}")


def _paired(bot: BenchBot, plan: Plan) -> Figures:
    """Our compute and diff and the older plan's, turn about in this process: the ratio is of pairs."""
    older = OlderPlan(plan.markets)
    older.cycle_cpu_ms(0)
    pairs = [
        (compute_diff_ms(complete(bot.cycle(SHARE))), older.cycle_cpu_ms(SHARE)) for _ in range(plan.pairs)
    ]
    return {
        "older_compute_diff_cpu_ms": _median(theirs for _, theirs in pairs),
        "compute_diff_of_older": round(median(ours / theirs for ours, theirs in pairs), 3),
    }


def _delayed(bot: BenchBot, cycles: int) -> Figures:
    """The wall of cycles whose every exchange call takes 50 ms, time running, tokens without end.

    What the main thread waits for the embedded cloud is taken off: it measures moto, not DynamoDB. The rig
    makes its answers on this machine too: where that took longer than the delay, answers were late.
    """
    bot.control("delay", delay_ms=DELAY_MS)
    taken = [complete(bot.cycle(SHARE, running=True)) for _ in range(cycles)]
    bot.control("delay", delay_ms=0)
    walls = [own.wall_ms - own.cloud_wait_ms for own in taken]
    return {
        "wall_ms_50": _median(walls),
        "wall_ms_50_least": round(min(walls), 1),
        "wall_ms_50_with_cloud": _median(own.wall_ms for own in taken),
        "floor_ms_50": round(DELAY_MS * FLOOR_ROUND_TRIPS + median(own.cpu_ms for own in taken), 1),
        "http_calls_50": _median(own.counts["http_calls"] for own in taken),
        "late_answers_ms": _median(own.counts["late_ms"] for own in taken),
    }


def run_on_tier(bot: BenchBot, plan: Plan) -> Figures:
    """Calls of a cycle within a tier's tokens and the function's time; all orders rest as wanted before."""
    bot.start()
    grow(bot, plan.markets)
    settle(bot)
    taken = [bot.cycle(SHARE, patience_ms=CYCLE_TIMEOUT_MS) for _ in range(plan.others)]
    return {
        "http_calls": _median(own.counts["http_calls"] for own in taken),
        "waited_ms": _median(own.waited_ms for own in taken),
        "placed": _median(own.answer["placed"] for own in taken),
        "resting": _median(own.counts["resting"] for own in taken),
        "refused_429": sum(sum(own.counts["refused_429"].values()) for own in taken),
    }


def _moving(bot: BenchBot, share: float, cycles: int) -> Figures:
    taken = [complete(bot.cycle(share)) for _ in range(cycles)]
    return {
        "compute_diff_cpu_ms": _median(map(compute_diff_ms, taken)),
        "cycle_cpu_ms": _median(own.cpu_ms for own in taken),
        "wru": round(fmean(own.counts["write_units"] for own in taken), 1),
        "http_calls": _median(own.counts["http_calls"] for own in taken),
    }


def _median(values: Iterable[float]) -> float:
    """To a tenth; a whole number where it is one."""
    middle = round(median(values), 1)
    return int(middle) if middle == int(middle) else middle


def _by_name(parts: Sequence[dict[str, float]]) -> Figures:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: _median(part.get(name, 0.0) for part in parts) for name in names}


KINDS = {"all": run, "tier": run_on_tier, "start": run_start, "hot_spots": run_hot_spots}


def main() -> None:
    """One plan, given with the rig's environment as JSON; the figures go to a file, the log to another."""
    given = json.loads(sys.argv[1])
    bot = BenchBot(given["env"], PrintedTo(Path(given["log"])), Control(given["env"]["KALSHI_BASE_URL"]))
    sampled = given["kind"] == "hot_spots"
    bot.build(phases=not sampled, one_by_one=sampled)
    work = KINDS[given["kind"]]
    Path(given["out"]).write_text(json.dumps(work(bot, Plan(**given["plan"]))), encoding="utf-8")


if __name__ == "__main__":
    main()
