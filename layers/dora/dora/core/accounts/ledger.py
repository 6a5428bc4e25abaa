"""Positions, exact to 1e-6 $: what risk goes by, and the part of the books that every version knows.

A position is what was bought and sold, kept as cash flow: profit at a mark is cash + net x mark - fees.
No average price is divided out, so nothing is ever rounded.
"""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.units import Count, Money, Price, value_of


class Position(NamedTuple):
    """Our account in one market. `cash` is what trading it brought in, fees apart (negative: spent)."""

    ticker: str
    shard: int
    net: Count = Count(0)
    cash: Money = Money(0)
    fees: Money = Money(0)
    traded: Count = Count(0)
    settled: bool = False

    def profit(self, mark: Price) -> Money:
        """Profit if the net position were worth `mark` a contract; the mark is irrelevant when flat."""
        return Money(self.cash + value_of(mark, self.net) - self.fees)


class Drift(NamedTuple):
    """Our net position and the exchange's own count of it disagree."""

    ticker: str
    ours: Count
    theirs: Count


def find_drift(positions: Mapping[str, Position], theirs: Mapping[str, Count]) -> tuple[Drift, ...]:
    """Every unsettled market whose counts differ; a market only one side knows counts as 0 on the other."""
    ours = {ticker: p.net for ticker, p in positions.items() if not p.settled}
    return tuple(
        Drift(ticker, ours.get(ticker, Count(0)), theirs.get(ticker, Count(0)))
        for ticker in sorted(ours.keys() | theirs.keys())
        if ours.get(ticker, 0) != theirs.get(ticker, 0)
    )
