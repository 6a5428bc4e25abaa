"""Positions and profit from fills and settlements, exact to 1e-6 $.

A position is what was bought and sold, kept as cash flow: profit at a mark is cash + net x mark - fees.
No average price is divided out, so nothing is ever rounded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dora.core.exchange.account import Fill, Settlement
from dora.core.units import Count, Money, Price, value_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
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


def apply_fill(position: Position, fill: Fill) -> Position:
    """The position after one fill. Repeating a fill counts twice: dedupe on `fill_id` first."""
    signed = fill.side.sign * fill.count
    return replace(
        position,
        net=Count(position.net + signed),
        cash=Money(position.cash - value_of(fill.price, Count(signed))),
        fees=Money(position.fees + fill.fee),
        traded=Count(position.traded + fill.count),
    )


def apply_settlement(position: Position, settlement: Settlement) -> Position:
    """The position paid out at the settled value; flat afterwards."""
    paid = value_of(settlement.value, position.net)
    return replace(position, net=Count(0), cash=Money(position.cash + paid), settled=True)


def apply_fills(positions: Mapping[str, Position], fills: Iterable[Fill]) -> dict[str, Position]:
    """The positions that these fills touch, after them, by ticker."""
    changed: dict[str, Position] = {}
    for fill in fills:
        before = changed.get(fill.ticker) or positions.get(fill.ticker)
        start = before or Position(ticker=fill.ticker, shard=fill.shard)
        changed[fill.ticker] = apply_fill(start, fill)
    return changed


@dataclass(frozen=True, slots=True)
class Drift:
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
