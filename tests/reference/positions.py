"""Positions worked out of fills by cash flow alone, without costs: what the books must agree with."""

from collections.abc import Iterable, Mapping

from dora.core.accounts.ledger import Position
from dora.core.exchange.account import Fill, Settlement
from dora.core.units import Count, Money, value_of


def apply_fill(position: Position, fill: Fill) -> Position:
    """The position after one fill. Repeating a fill counts twice: dedupe on `fill_id` first."""
    signed = fill.side.sign * fill.count
    return position._replace(
        net=Count(position.net + signed),
        cash=Money(position.cash - value_of(fill.price, Count(signed))),
        fees=Money(position.fees + fill.fee),
        traded=Count(position.traded + fill.count),
    )


def apply_settlement(position: Position, settlement: Settlement) -> Position:
    """The position paid out at the settled value; flat afterwards."""
    paid = value_of(settlement.value, position.net)
    return position._replace(net=Count(0), cash=Money(position.cash + paid), settled=True)


def apply_fills(positions: Mapping[str, Position], fills: Iterable[Fill]) -> dict[str, Position]:
    """The positions that these fills touch, after them, by ticker."""
    changed: dict[str, Position] = {}
    for fill in fills:
        before = changed.get(fill.ticker) or positions.get(fill.ticker)
        start = before or Position(ticker=fill.ticker, shard=fill.shard)
        changed[fill.ticker] = apply_fill(start, fill)
    return changed
