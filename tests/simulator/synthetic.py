"""A seeded market day that ships with the project, for use where no recording is at hand.

Every event has a few mutually exclusive outcomes and "none of these". The score of an outcome is a walk in
logit space, in whole steps, as likely up as down and stopped at its bounds: a bounded martingale. Fair values
are the softmax of the scores, so they sum to less than one dollar; prints come like Poisson arrivals at
either side of them, in realistic sizes. Some events close and settle within the run.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from .model import MarketSpec, PriceRanges
from .price_grid import CENTER_DECI_EDGE_CENTI_CENT, LINEAR_CENT, TAPERED_DECI_CENT, ladder
from .shapes import SPREAD_WEIGHTS, typical_shapes, typical_size_e2
from .tape import MINUTE_MS, Print, Recording
from .units import CONTRACT_E2, DOLLAR_E4

SHARDS = 3
OUTCOMES_PER_EVENT = (5, 1, 4, 2)

STEPS_PER_LOGIT = 150
MAX_SCORE = 4 * STEPS_PER_LOGIT
MAX_FIRST_SCORE = 2 * STEPS_PER_LOGIT
MEDIAN_PRINT_E2 = 15 * CONTRACT_E2
FRACTIONAL_ONE_IN = 5
EARLY_CLOSE_ONE_IN = 4
SETTLE_AFTER_MS = 5 * MINUTE_MS
DAY_MS = 24 * 60 * MINUTE_MS

_WEIGHT_SCALE = 1_000_000
_WEIGHTS = {
    score: round(math.exp(score / STEPS_PER_LOGIT) * _WEIGHT_SCALE)
    for score in range(-MAX_SCORE, MAX_SCORE + 1)
}
_NONE_OF_THESE = _WEIGHTS[0]


@dataclass(frozen=True, kw_only=True)
class Temper:
    """How made-up markets behave. Of a tuple of choices each event or market draws one."""

    structures: tuple[PriceRanges, PriceRanges, PriceRanges]
    steps_per_minute: tuple[int, ...]
    """How far a score may move in a minute, by event."""
    mean_gap_ms: tuple[int, ...]
    """The mean time between prints of a market."""
    half_spread_ticks: tuple[int, ...]
    """How far from fair value prints are, by market."""
    spread_weights: Mapping[int, int]
    """How often a book is so many ticks wide."""


LIVELY = Temper(
    structures=(LINEAR_CENT, TAPERED_DECI_CENT, CENTER_DECI_EDGE_CENTI_CENT),
    steps_per_minute=(1, 1, 1, 2, 4),
    mean_gap_ms=(60_000, 120_000, 300_000, 600_000, 1_800_000),
    half_spread_ticks=(1, 2, 2, 3, 4),
    spread_weights=SPREAD_WEIGHTS,
)
"""A few run, and prints fall far outside of narrow books: hard on a maker, as a test should be."""

SLOW = Temper(
    structures=(LINEAR_CENT, TAPERED_DECI_CENT, LINEAR_CENT),
    steps_per_minute=(1, 1, 1, 1, 3),
    mean_gap_ms=(45_000, 60_000, 90_000, 180_000),
    half_spread_ticks=(2, 2, 3),
    spread_weights={5: 3, 6: 2},
)
"""Books some cents wide around prices that hardly move in a minute, which is what the bot is made for."""


def synthetic_recording(
    seed: int, markets: int, start_ms: int, minutes: int, temper: Temper = LIVELY
) -> Recording:
    """So many markets over several events, three shards and three tick structures, for so many minutes.

    Raises:
        ValueError: no market or no minute asked for.
    """
    if markets < 1 or minutes < 1:
        raise ValueError("a synthetic recording needs at least one market and one minute")
    listed: dict[str, MarketSpec] = {}
    prints: list[Print] = []
    for event in _events(seed, markets, start_ms, minutes, temper):
        fair_values = event.fair_values_e4()
        listed |= {market.ticker: market for market in event.markets(fair_values[-1])}
        for outcome in range(event.outcomes):
            prints += event.prints(outcome, [fair[outcome] for fair in fair_values])
    prints.sort(key=attrgetter("at_ms"))
    shapes = typical_shapes(random.Random(f"{seed} shapes"), spread_weights=temper.spread_weights)
    return Recording(f"synthetic-{seed}", listed, tuple(prints), (), shapes)


@dataclass(frozen=True)
class _Event:
    """One event; each thing it draws has a random source of its own."""

    seed: int
    number: int
    outcomes: int
    start_ms: int
    close_ms: int
    minutes: int
    temper: Temper

    @property
    def ticker(self) -> str:
        return f"KXSYN{self.structure}-E{self.number:04d}"

    @property
    def structure(self) -> int:
        # Shards and structures must not go in step, or a shard would know only one structure.
        return (self.number + self.number // SHARDS) % len(self.temper.structures)

    @property
    def price_ranges(self) -> PriceRanges:
        return self.temper.structures[self.structure]

    def rng(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed} {self.number} {purpose}")

    def market_ticker(self, outcome: int) -> str:
        return f"{self.ticker}-{outcome + 1}"

    def fair_values_e4(self) -> list[list[int]]:
        """The fair value of every outcome, minute by minute up to the close."""
        rng = self.rng("fair values")
        step = rng.choice(self.temper.steps_per_minute)
        scores = [rng.randint(-MAX_FIRST_SCORE, MAX_FIRST_SCORE) for _ in range(self.outcomes)]
        path = []
        for _ in range(self.minutes):
            path.append(_softmax_e4(scores))
            scores = [_walked(score, rng.choice((-step, step))) for score in scores]
        return path

    def markets(self, last_fair_e4: list[int]) -> Iterator[MarketSpec]:
        winner = self._winner(last_fair_e4)
        for outcome in range(self.outcomes):
            yield MarketSpec(
                ticker=self.market_ticker(outcome),
                event_ticker=self.ticker,
                series_ticker=self.ticker.split("-", 1)[0],
                open_ms=self.start_ms - DAY_MS,
                close_ms=self.close_ms,
                price_ranges=self.price_ranges,
                result="yes" if outcome == winner else "no",
                settle_after_ms=SETTLE_AFTER_MS,
                shard=self.number % SHARDS,
                mutually_exclusive=True,
            )

    def _winner(self, last_fair_e4: list[int]) -> int | None:
        """One outcome with the chance that its fair value says; None: none of these."""
        draw = self.rng("winner").randrange(DOLLAR_E4)
        for outcome, fair_e4 in enumerate(last_fair_e4):
            draw -= fair_e4
            if draw < 0:
                return outcome
        return None

    def prints(self, outcome: int, fair_e4: list[int]) -> Iterator[Print]:
        """Prints of one outcome, a half spread above its fair value or below it."""
        rng = self.rng(f"prints {outcome}")
        mean_gap_ms = rng.choice(self.temper.mean_gap_ms)
        half_spread = rng.choice(self.temper.half_spread_ticks)
        at_ms = self.start_ms + _gap_ms(rng, mean_gap_ms)
        while at_ms < min(self.close_ms, self.start_ms + self.minutes * MINUTE_MS):
            buys_yes = rng.random() < 0.5
            fair = fair_e4[(at_ms - self.start_ms) // MINUTE_MS]
            price_e4 = self._touch_e4(fair, half_spread, buys_yes)
            yield Print(at_ms, self.market_ticker(outcome), price_e4, _print_size_e2(rng), buys_yes)
            at_ms += _gap_ms(rng, mean_gap_ms)

    def _touch_e4(self, fair_e4: int, half_spread: int, buys_yes: bool) -> int:
        grid = ladder(self.price_ranges)
        if buys_yes:
            nearest = grid.at_or_above(fair_e4 + 1) or grid.prices_e4[-1]
            return grid.moved(nearest, half_spread) or grid.prices_e4[-1]
        nearest = grid.at_or_below(fair_e4 - 1) or grid.prices_e4[0]
        return grid.moved(nearest, -half_spread) or grid.prices_e4[0]


def _events(seed: int, markets: int, start_ms: int, minutes: int, temper: Temper) -> Iterator[_Event]:
    number = 0
    while markets > 0:
        outcomes = min(markets, OUTCOMES_PER_EVENT[number % len(OUTCOMES_PER_EVENT)])
        rng = random.Random(f"{seed} {number} close")
        early = number % EARLY_CLOSE_ONE_IN == EARLY_CLOSE_ONE_IN - 1
        open_minutes = max(1, minutes * rng.randint(40, 80) // 100) if early else minutes + 24 * 60
        close_ms = start_ms + open_minutes * MINUTE_MS
        yield _Event(seed, number, outcomes, start_ms, close_ms, min(open_minutes, minutes), temper)
        markets -= outcomes
        number += 1


def _walked(score: int, step: int) -> int:
    """One step on; where a step either way could pass the bound, the walk stops for good."""
    return score if abs(score) + abs(step) > MAX_SCORE else score + step


def _softmax_e4(scores: list[int]) -> list[int]:
    total = _NONE_OF_THESE + sum(_WEIGHTS[score] for score in scores)
    return [DOLLAR_E4 * _WEIGHTS[score] // total for score in scores]


def _gap_ms(rng: random.Random, mean_ms: int) -> int:
    return 1 + int(rng.expovariate(1) * mean_ms)


def _print_size_e2(rng: random.Random) -> int:
    whole_e2 = typical_size_e2(rng, MEDIAN_PRINT_E2)
    return whole_e2 + rng.randint(1, CONTRACT_E2 - 1) if rng.randrange(FRACTIONAL_ONE_IN) == 0 else whole_e2
