"""Exact units: every price, count and amount is an int, and price x count is money exactly.

    Price   1e-4 $ of the YES contract      "0.4600" -> 4600
    Count   0.01 contract                   "10.00"  -> 1000
    Money   1e-6 $                          4600 x 1000 = 4_600_000 = $4.60
    TimeMs  Unix milliseconds

Decimal strings are parsed straight to ints: no float ever holds one of these.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, NewType, cast

from dora.core.errors import NumberInvalid

Price = NewType("Price", int)
Count = NewType("Count", int)
Money = NewType("Money", int)
TimeMs = NewType("TimeMs", int)

PRICE_DECIMALS, COUNT_DECIMALS, MONEY_DECIMALS = 4, 2, 6
CONTRACT = Count(10**COUNT_DECIMALS)
ONE_DOLLAR = Price(10**PRICE_DECIMALS)
"""The notional of a binary contract: $1."""

_DECIMAL = re.compile(r"(-?)(\d+)(?:\.(\d*))?", re.ASCII)
_COUNTS = re.compile(r"(?:\d+\.\d\d,)*\d+\.\d\d", re.ASCII)


def parse_scaled(text: str, decimals: int) -> int:
    """An exact int of 10**-decimals units. Raises NumberInvalid when the text is not exact in them."""
    if isinstance(text, str) and text[-decimals - 1 : -decimals] == ".":
        # As the exchange writes its numbers: all digits but for a point that far from the end.
        digits = text[: -decimals - 1] + text[-decimals:]
        if len(digits) > decimals and digits.isascii() and digits.isdigit():
            return int(digits)
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise NumberInvalid(f"{text!r} is not a plain decimal string")
    sign, whole, fraction = match.group(1), match.group(2), (match.group(3) or "").rstrip("0")
    if len(fraction) > decimals:
        raise NumberInvalid(f"{text!r} has more than {decimals} decimals")
    value = int(whole + fraction.ljust(decimals, "0"))
    return -value if sign else value


def format_scaled(value: int, decimals: int) -> str:
    """The decimal string with exactly that many decimals, as the exchange writes it."""
    whole, fraction = divmod(abs(value), 10**decimals)
    return f"{'-' if value < 0 else ''}{whole}.{fraction:0{decimals}d}"


def parse_price(text: str) -> Price:
    """Dollars of the YES contract, up to 4 decimals (more only if they are zeros)."""
    return Price(parse_scaled(text, PRICE_DECIMALS))


def parse_count(text: str) -> Count:
    """Contracts, up to 2 decimals."""
    return Count(parse_scaled(text, COUNT_DECIMALS))


def parse_counts(texts: Sequence[str]) -> list[Count]:
    """The same as `parse_count` of each. One look at all of them, where each has its two decimals."""
    joined = ",".join(texts)
    if _COUNTS.fullmatch(joined):
        counts = list(map(int, joined.replace(".", "").split(",")))
        if len(counts) == len(texts):
            return cast("list[Count]", counts)
    return [parse_count(text) for text in texts]


def parse_money(text: str) -> Money:
    """Dollars, up to 6 decimals."""
    return Money(parse_scaled(text, MONEY_DECIMALS))


def format_price(price: Price) -> str:
    """`4600` -> `"0.4600"`."""
    return format_scaled(price, PRICE_DECIMALS)


def format_count(count: Count) -> str:
    """`1000` -> `"10.00"`."""
    return format_scaled(count, COUNT_DECIMALS)


def format_money(money: Money) -> str:
    """`4_600_000` -> `"4.600000"`."""
    return format_scaled(money, MONEY_DECIMALS)


def value_of(price: Price, count: Count) -> Money:
    """What `count` contracts cost at `price`; exact by the choice of units."""
    return Money(price * count)


def complement(price: Price) -> Price:
    """The NO price of a YES price, and back."""
    return Price(ONE_DOLLAR - price)


class PriceRange(NamedTuple):
    """One row of a market's `price_ranges`: prices start, start + step, ... up to end, both included."""

    start: Price
    end: Price
    step: Price


def _nearest(price: int) -> int:
    """The price from 0 to $1 that is nearest to this one."""
    return min(max(price, 0), ONE_DOLLAR)


class _Points(NamedTuple):
    """A grid worked out: its points in order, 0 and $1 among them, and tables by price from 0 to $1."""

    points: tuple[Price, ...]
    floors: tuple[Price, ...]
    """The point at or below it."""
    aboves: tuple[Price, ...]
    """The next point above it."""
    places: tuple[int, ...]
    """The place of the point at or below it among all points."""


@lru_cache(maxsize=64)
def _grid_points(ranges: tuple[PriceRange, ...]) -> _Points:
    points: list[Price] = []
    floors: list[Price] = []
    aboves: list[Price] = []
    places: list[int] = []
    for row in ranges:
        for point in range(row.start, row.end, row.step):
            floors += [Price(point)] * row.step
            aboves += [Price(point + row.step)] * row.step
            places += [len(points)] * row.step
            points.append(Price(point))
    last = len(points)
    return _Points((*points, ONE_DOLLAR), (*floors, ONE_DOLLAR), (*aboves, ONE_DOLLAR), (*places, last))


@dataclass(frozen=True, slots=True)
class PriceGrid:
    """The prices a market accepts, from its `price_ranges`; 0 and $1 are never among them.

    Raises NumberInvalid when the ranges overlap, leave a gap, do not divide or do not span 0 to $1.
    """

    ranges: tuple[PriceRange, ...]
    _points: tuple[Price, ...] = field(init=False, repr=False, compare=False)
    _floors: tuple[Price, ...] = field(init=False, repr=False, compare=False)
    _aboves: tuple[Price, ...] = field(init=False, repr=False, compare=False)
    _places: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        edge = Price(0)
        for row in self.ranges:
            if row.start != edge or row.step <= 0 or row.end <= row.start or (row.end - row.start) % row.step:
                raise NumberInvalid(f"price range {row} does not continue a grid at {format_price(edge)}")
            edge = row.end
        if edge != ONE_DOLLAR:
            raise NumberInvalid(f"price ranges end at {format_price(edge)}, not at $1")
        found = _grid_points(self.ranges)
        object.__setattr__(self, "_points", found.points)
        object.__setattr__(self, "_floors", found.floors)
        object.__setattr__(self, "_aboves", found.aboves)
        object.__setattr__(self, "_places", found.places)

    def __contains__(self, price: object) -> bool:
        return isinstance(price, int) and 0 < price < ONE_DOLLAR and self._floors[price] == price

    def floor(self, price: int) -> Price:
        """The highest grid point at or below `price` (0 and $1 count as points here)."""
        return self._floors[price if 0 <= price <= ONE_DOLLAR else _nearest(price)]

    def ceil(self, price: int) -> Price:
        """The lowest grid point at or above `price`."""
        price = price if 0 <= price <= ONE_DOLLAR else _nearest(price)
        point = self._floors[price]
        return point if point == price else self._aboves[price]

    def tick_at(self, price: Price) -> Price:
        """The step of the range that holds `price`; at a seam, that of the range above."""
        at = min(_nearest(price), ONE_DOLLAR - 1)
        return Price(self._aboves[at] - self._floors[at])

    def above(self, price: int) -> Price:
        """The next grid point strictly above a price ($1 at the top)."""
        return self._aboves[price if 0 <= price <= ONE_DOLLAR else _nearest(price)]

    def below(self, price: int) -> Price:
        """The next grid point strictly below a price (0 at the bottom)."""
        return self.floor(price - 1)

    def moved(self, price: int, ticks: int) -> Price:
        """So many grid points strictly above a price; as many below it where `ticks` is below zero.

        No further than to 0 or $1. No ticks leave the price where it is, on the grid or not.
        """
        price = price if 0 <= price <= ONE_DOLLAR else _nearest(price)
        place = self._places[price] + ticks
        if ticks < 0:
            # A price between two points is one tick above the lower of them.
            return self._points[max(place + (self._floors[price] != price), 0)]
        return self._points[min(place, len(self._points) - 1)] if ticks else Price(price)

    @property
    def lowest(self) -> Price:
        """The lowest price an order may have."""
        return self.above(Price(0))

    @property
    def highest(self) -> Price:
        """The highest price an order may have."""
        return self.below(ONE_DOLLAR)

    def ticks_between(self, low: Price, high: Price) -> int:
        """How many grid steps lie from `low` up to `high` (negative when high < low)."""
        floors = self._floors
        if 0 <= low <= ONE_DOLLAR and 0 <= high <= ONE_DOLLAR and floors[low] == low and floors[high] == high:
            return self._places[high] - self._places[low]  # As nearly always: 0.2 us instead of 1.
        if high < low:
            return -self.ticks_between(high, low)
        return sum(
            -(-(min(high, row.end) - max(low, row.start)) // row.step)
            for row in self.ranges
            if row.start < high and row.end > low
        )
