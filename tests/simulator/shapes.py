"""Shapes of order books: how wide, how deep, where the levels sit.

A shape counts in ticks, so one taken from a one-cent market fits a market of any tick structure. Shapes come
from recorded whole books where there are some, else from `typical_shapes`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .price_grid import PriceLadder
from .units import CONTRACT_E2

Levels = tuple[tuple[int, int], ...]
"""(offset in ticks from the best level, count in 0.01 contract), best level first."""

PricedLevels = list[tuple[int, int]]
"""(price in 1e-4 $, count in 0.01 contract), best level first."""

MAX_LEVELS = 12
MAX_SPREAD_TICKS = 10
CENT_E4 = 100


@dataclass(frozen=True, slots=True)
class BookShape:
    """A book without its price. `spread_ticks` lies between the best bid and the best ask."""

    spread_ticks: int
    bids: Levels
    asks: Levels


def shape_of_book(bids: PricedLevels, asks: PricedLevels) -> BookShape | None:
    """The shape of a recorded book (best levels first); None if a side is empty or the spread is too wide.

    Offsets are counted in cents. Books wider than `MAX_SPREAD_TICKS` belong to markets that hardly trade,
    and would put a wide empty book around a market whose prints say otherwise.
    """
    if not bids or not asks:
        return None
    spread_ticks = (asks[0][0] - bids[0][0]) // CENT_E4
    if not 1 <= spread_ticks <= MAX_SPREAD_TICKS:
        return None
    return BookShape(spread_ticks, _offsets(bids), _offsets(asks))


def _offsets(levels: PricedLevels) -> Levels:
    merged: dict[int, int] = {}
    for price_e4, count_e2 in levels:
        offset = abs(price_e4 - levels[0][0]) // CENT_E4
        merged[offset] = merged.get(offset, 0) + count_e2
    return tuple(merged.items())[:MAX_LEVELS]


# The typical book, by weight. Most of the exchange's active markets are one or two ticks wide; sizes at a
# level are spread over three orders of magnitude around a hundred contracts.
SPREAD_WEIGHTS = {1: 40, 2: 25, 3: 15, 4: 10, 5: 6, 6: 4}
GAP_WEIGHTS = {1: 70, 2: 20, 4: 8, 8: 2}
LEVELS_FROM_TO = (4, MAX_LEVELS)
MEDIAN_SIZE_E2 = 100 * CONTRACT_E2
COINS = 10
"""A size is the median, doubled for every head above half of so many coins and halved for every one below:
lognormal in all but name, with a standard deviation of about 1.1 in the logarithm."""


def typical_shapes(
    rng: random.Random, count: int = 64, spread_weights: Mapping[int, int] = SPREAD_WEIGHTS
) -> tuple[BookShape, ...]:
    """Shapes drawn from the documented weights above, for use where no whole books were recorded."""
    return tuple(
        BookShape(_weighted(rng, spread_weights), _typical_side(rng), _typical_side(rng))
        for _ in range(count)
    )


def _typical_side(rng: random.Random) -> Levels:
    offset, levels = 0, []
    for _ in range(rng.randint(*LEVELS_FROM_TO)):
        levels.append((offset, typical_size_e2(rng, MEDIAN_SIZE_E2)))
        offset += _weighted(rng, GAP_WEIGHTS)
    return tuple(levels)


def typical_size_e2(rng: random.Random, median_e2: int) -> int:
    """A size around a median, lognormal-like, in whole contracts and drawn without floats."""
    heads = rng.getrandbits(COINS).bit_count()
    scaled_e2 = (median_e2 << heads) >> (COINS // 2)
    return max(1, scaled_e2 * rng.randint(71, 141) // 100 // CONTRACT_E2) * CONTRACT_E2


def _weighted(rng: random.Random, weights: Mapping[int, int]) -> int:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


class ShapeSource:
    """The books of one market over time: one shape for long, sizes ever changing, seldom another."""

    REDRAW_ONE_IN = 20
    SIZE_PERCENT = (60, 140)

    def __init__(self, shapes: Sequence[BookShape], rng: random.Random) -> None:
        self._shapes, self._rng = shapes, rng
        self.shape = rng.choice(shapes)

    def refresh(self) -> bool:
        """Move on; True if the shape itself was redrawn."""
        redrawn = self._rng.randrange(self.REDRAW_ONE_IN) == 0
        if redrawn:
            self.shape = self._rng.choice(self._shapes)
        return redrawn

    def bids(self, ladder: PriceLadder, best_e4: int) -> PricedLevels:
        """Bid levels of the present shape with fresh sizes, best at this price and downwards."""
        return self._priced(ladder, best_e4, self.shape.bids, -1)

    def asks(self, ladder: PriceLadder, best_e4: int) -> PricedLevels:
        """Ask levels of the present shape with fresh sizes, best at this price and upwards."""
        return self._priced(ladder, best_e4, self.shape.asks, +1)

    def _priced(self, ladder: PriceLadder, best_e4: int, levels: Levels, direction: int) -> PricedLevels:
        placed = ((ladder.moved(best_e4, direction * offset), count_e2) for offset, count_e2 in levels)
        return [(price, self._jittered(count_e2)) for price, count_e2 in placed if price is not None]

    def _jittered(self, count_e2: int) -> int:
        percent = self._rng.randint(*self.SIZE_PERCENT)
        return max(1, count_e2 * percent // 100 // CONTRACT_E2) * CONTRACT_E2


def with_best(levels: PricedLevels, best_e2: int | None) -> PricedLevels:
    """The same levels with this count at the best one (unchanged if None)."""
    if best_e2 is None:
        return levels
    return [(levels[0][0], best_e2), *levels[1:]]


def scaled_to(levels: PricedLevels, whole_side_e2: int | None) -> PricedLevels:
    """The same levels in proportion, together this count (unchanged if None); the rest of a division goes to
    the best level, so the sum is exact."""
    if whole_side_e2 is None:
        return levels
    total_e2 = sum(count_e2 for _, count_e2 in levels)
    scaled = [(price, count_e2 * whole_side_e2 // total_e2) for price, count_e2 in levels]
    scaled[0] = (scaled[0][0], scaled[0][1] + whole_side_e2 - sum(count_e2 for _, count_e2 in scaled))
    return [(price, count_e2) for price, count_e2 in scaled if count_e2]
