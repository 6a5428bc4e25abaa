"""The prices a market allows, as a ladder of ticks. Prices are 1e-4 $ of the YES contract."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache

from .model import PriceRanges
from .units import DOLLAR_E4

EDGES_E4 = (1_000, 9_000)
"""Below and above these prices the exchange's tapered structures use a finer step."""

STEPS_E4 = (100, 10, 1)
LINEAR_CENT: PriceRanges = ((0, DOLLAR_E4, 100),)


def tapered(edge_step_e4: int, centre_step_e4: int) -> PriceRanges:
    """A structure with one step near 0 and 1 and another between."""
    low, high = EDGES_E4
    return (
        (0, low, edge_step_e4),
        (low, high, centre_step_e4),
        (high, DOLLAR_E4, edge_step_e4),
    )


TAPERED_DECI_CENT = tapered(10, 100)
CENTER_DECI_EDGE_CENTI_CENT = tapered(1, 10)


def finest_ranges(prices_e4: Iterable[int]) -> PriceRanges:
    """The coarsest structure that holds every price seen."""
    low, high = EDGES_E4
    seen = set(prices_e4)
    centre = _finest_step(price for price in seen if low <= price <= high)
    edge = min(centre, _finest_step(price for price in seen if not low <= price <= high))
    return LINEAR_CENT if edge == STEPS_E4[0] else tapered(edge, centre)


def _finest_step(prices_e4: Iterable[int]) -> int:
    prices = list(prices_e4)
    return next(step for step in STEPS_E4 if all(price % step == 0 for price in prices))


@cache
def ladder(price_ranges: PriceRanges) -> PriceLadder:
    """The ladder of a structure; many markets share few structures, so it is built once for each."""
    return PriceLadder(price_ranges)


class PriceLadder:
    """All allowed prices strictly between 0 and 1 dollar, in order."""

    def __init__(self, price_ranges: PriceRanges) -> None:
        allowed = {price for start, end, step in price_ranges for price in range(start, end + 1, step)}
        self.prices_e4 = sorted(price for price in allowed if 0 < price < DOLLAR_E4)

    def __contains__(self, price_e4: int) -> bool:
        at = bisect_left(self.prices_e4, price_e4)
        return self.prices_e4[at : at + 1] == [price_e4]

    def at_or_below(self, price_e4: int) -> int | None:
        """The highest allowed price that is not above this one."""
        at = bisect_right(self.prices_e4, price_e4)
        return self.prices_e4[at - 1] if at else None

    def at_or_above(self, price_e4: int) -> int | None:
        """The lowest allowed price that is not below this one."""
        at = bisect_left(self.prices_e4, price_e4)
        return self.prices_e4[at] if at < len(self.prices_e4) else None

    def moved(self, price_e4: int, ticks: int) -> int | None:
        """The price so many ticks up (or down, if negative) from an allowed price; None past the ends."""
        at = bisect_left(self.prices_e4, price_e4) + ticks
        return self.prices_e4[at] if 0 <= at < len(self.prices_e4) else None
