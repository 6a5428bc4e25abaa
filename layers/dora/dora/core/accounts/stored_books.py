"""What is stored when the books change: all of it in one transaction, over exactly what stood there before.

markers of the fills, or the payout      once
the books of each market, its position   over the ones they were made from
profit rows                              added to, so they count once because the rest is written once
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.exchange.account import Fill, Settlement

FILLS_PER_TRANSACTION = 24
"""A transaction holds 100 items: the fence, and for each fill a marker and at most a row, a market's books
and its position."""
MARKETS_PER_TRANSACTION = 33
"""Without fills: books, position and a row of each market, and the fence."""


@dataclass(frozen=True, slots=True)
class BookChange:
    """The books of one market as they are now. None: nothing was stored before."""

    after: MarketLedger
    before: MarketLedger | None = None
    stood: Position | None = None
    """Its position as it was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One transaction. Raises ValueError for one that cannot be right or does not fit."""

    changes: tuple[BookChange, ...]
    rows: tuple[ProfitRow, ...] = ()
    fills: tuple[Fill, ...] = ()
    settlement: Settlement | None = None

    def __post_init__(self) -> None:
        tickers = {change.after.ticker for change in self.changes}
        if len(self.fills) > FILLS_PER_TRANSACTION:
            raise ValueError(f"{len(self.fills)} fills at once, at most {FILLS_PER_TRANSACTION} fit")
        if len(self.changes) > MARKETS_PER_TRANSACTION:
            raise ValueError(f"{len(self.changes)} markets at once, at most {MARKETS_PER_TRANSACTION} fit")
        if len({fill.fill_id for fill in self.fills}) < len(self.fills):
            raise ValueError("the same fill twice")
        if self.fills and {fill.ticker for fill in self.fills} != tickers:
            raise ValueError("books must be those of the fills' markets, all and no other")

    @property
    def ledgers(self) -> dict[str, MarketLedger]:
        """The books of its markets from now on."""
        return {change.after.ticker: change.after for change in self.changes}

    @property
    def positions(self) -> dict[str, Position]:
        """Their positions from now on."""
        return {change.after.ticker: change.after.position for change in self.changes}


def outdated(positions: Mapping[str, Position], ledgers: Mapping[str, MarketLedger]) -> tuple[Position, ...]:
    """Positions that the books do not have as they are: booked by a version that keeps no books.

    A position that is no longer stored counts as an empty one.
    """
    unlike = [
        positions.get(ticker) or Position(ticker=ticker, shard=ledgers[ticker].shard)
        for ticker in sorted(positions.keys() | ledgers.keys())
        if ticker not in ledgers or ledgers[ticker].position != positions.get(ticker)
    ]
    return tuple(own for own in unlike if own.ticker not in ledgers or ledgers[own.ticker].position != own)
