"""Guards on what a cycle asks of others, which no machine makes faster or slower.

Everything is as in a measured cycle: half an hour's closed orders in the journal, 10 % of the markets moving.
The limits are what the product needs today and a small margin for what chance makes (ids do not compress
alike). A change that makes a cycle cheaper should bring its row down with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from statistics import fmean

import pytest

from dora import wiring
from tests.bench.bot import BenchBot, Control, Took
from tests.bench.case import UNLIMITED, Case
from tests.bench.rig import open_rig
from tests.bench.runs import SHARE, grow, settle
from tests.world.environment import environment
from tests.world.output import Catcher, printed_to

pytestmark = pytest.mark.long

FEW, MANY = 40, 200
CYCLES = 4
STORMS, STORM_MINUTES = 3, 9
"""As many closed orders as a bench's ten milder cycles make, none of them expiring while we measure."""

Figure = Callable[[Took], float]
FIGURES: dict[str, Figure] = {
    "http_calls": lambda took: took.counts["http_calls"],
    "dynamodb_calls": lambda took: took.counts["dynamodb_calls"],
    "limiter_updates": lambda took: took.counts["limiter_updates"],
    "write_units": lambda took: took.counts["write_units"],
    "read_units": lambda took: took.counts["read_units"],
    "largest_item": lambda took: took.counts["largest_item_bytes"],
    "log_lines": lambda took: took.log_lines,
    "log_bytes": lambda took: took.log_bytes,
}


@dataclass(frozen=True)
class Limit:
    """The most that one figure may come to on average: with few markets, with many, and for each one more."""

    few: float
    many: float
    per_market: float


LIMITS = {
    "http_calls": Limit(13, 15, 0.0125),
    "dynamodb_calls": Limit(13, 13, 0),
    "limiter_updates": Limit(3, 3, 0),
    "write_units": Limit(34, 50, 0.11),
    "read_units": Limit(10.5, 18, 0.05),
    "largest_item": Limit(1_600, 5_200, 24),
    "log_lines": Limit(13, 29, 0.105),
    "log_bytes": Limit(9_200, 30_000, 132),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_cycle_asks_no_more_than_its_limit(name: str) -> None:
    assert _mean(name, FEW) <= LIMITS[name].few
    assert _mean(name, MANY) <= LIMITS[name].many


@pytest.mark.parametrize("name", FIGURES)
def test_a_market_more_costs_no_more_than_its_limit(name: str) -> None:
    assert (_mean(name, MANY) - _mean(name, FEW)) / (MANY - FEW) <= LIMITS[name].per_market


@pytest.mark.parametrize("markets", [FEW, MANY])
def test_the_cycles_that_are_counted_are_ordinary_ones(markets: int) -> None:
    changed = round(2 * markets * SHARE)
    for took in _cycles(markets):
        assert took.answer["status"] == "completed"
        assert (took.answer["placed"], took.answer["cancelled"]) == (changed, changed)
        assert took.counts["resting"] == 2 * markets
        assert (took.counts["fills"], took.counts["refused_429"]) == (0, {})


CALLS_BY_TIER = {"basic": 21, "advanced": 15, "premier": 14}
"""Creates in 8, 2 and 1 batches, all cancels in one, and twelve reads."""


@pytest.mark.parametrize("tier", CALLS_BY_TIER)
def test_a_tier_asks_for_no_more_calls_than_its_batches_need(tier: str) -> None:
    for took in _cycles(MANY, tier):
        assert took.answer["placed"] == 2 * MANY * SHARE
        assert took.counts["refused_429"] == {}
        assert took.counts["http_calls"] <= CALLS_BY_TIER[tier]


def _mean(name: str, markets: int) -> float:
    return fmean(FIGURES[name](took) for took in _cycles(markets))


@cache
def _cycles(markets: int, tier: str = UNLIMITED) -> tuple[Took, ...]:
    """One account's ordinary cycles; the rig stands in this process, since no CPU is measured."""
    catcher = Catcher()
    with (
        open_rig(Case(markets, tier, key="ed25519")) as (_, env),
        environment({name: value or None for name, value in env.items()}),
        printed_to(catcher.stream),
    ):
        control = Control(env["KALSHI_BASE_URL"])
        bot = BenchBot(env, lambda: catcher.take().encode(), control)
        bot.build(phases=False)
        try:
            bot.start()
            grow(bot, markets)
            if tier == UNLIMITED:
                for _ in range(STORMS):
                    bot.cycle(1.0, minutes=STORM_MINUTES)
            else:
                settle(bot)
            return tuple(bot.cycle(SHARE) for _ in range(CYCLES))
        finally:
            control.close()
            wiring.install(None)
