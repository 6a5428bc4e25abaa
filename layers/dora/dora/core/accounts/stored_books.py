"""What is stored when the books change: all of it in one transaction, over exactly what stood there before.

markers of the fills, or the payout      once
rewards                                  once, and the cash books that a credit explains
the books of each market, its position   over the ones they were made from
profit rows                              added to, so they count once because the rest is written once
markets that leave, or come back         moved between the state and their records, with totals of the shard
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dora.core.accounts.cash_tie import CashBooks, UnexplainedCash
from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import EXTERNAL, Attribution
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.rewards import Reward, RewardKind
from dora.core.calendar import exchange_day
from dora.core.exchange.account import Fill, Settlement

ITEMS_PER_TRANSACTION = 99
"""Of the 100 that a transaction holds one is the fence."""
ITEMS_PER_MARKET = 2
"""Its books and its position, which stay two items: a version without books reads the position alone."""
FILLS_PER_TRANSACTION = 33
"""At most, and fewer where they do not share markets and rows: 24 of as many markets, four items each
(`fitting`)."""
REWARDS_PER_TRANSACTION = 24
"""Each with a record, books, a position and a row, beside cash books and a finding."""
MARKETS_PER_TRANSACTION = 33
"""Without fills: books, position and a row of each market, and the fence."""


class BookChange(NamedTuple):
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
    leaving: tuple[MarketLedger, ...] = ()
    """Books that leave the state as they stand there, for a record of their own."""
    returning: tuple[MarketLedger, ...] = ()
    """Books that come back as their records hold them."""
    rewards: tuple[Reward, ...] = ()
    cash: CashBooks | None = None
    """The cash books that credits explain, as they are then; None: they stay."""
    found: UnexplainedCash | None = None
    """The finding that they count, where no commit has stored it yet."""

    def __post_init__(self) -> None:
        tickers = {change.after.ticker for change in self.changes}
        if len(self.fills) > FILLS_PER_TRANSACTION:
            raise ValueError(f"{len(self.fills)} fills at once, at most {FILLS_PER_TRANSACTION} are booked")
        once = len(self.fills) + len(self.rewards) + (self.cash is not None) + (self.found is not None)
        items = once + ITEMS_PER_MARKET * len(self.changes) + len(self.rows)
        if items > ITEMS_PER_TRANSACTION:
            raise ValueError(f"{items} items at once, at most {ITEMS_PER_TRANSACTION} fit")
        markets = len(self.changes) + len(self.leaving) + len(self.returning)
        if markets > MARKETS_PER_TRANSACTION:
            raise ValueError(f"{markets} markets at once, at most {MARKETS_PER_TRANSACTION} fit")
        if len({fill.fill_id for fill in self.fills}) < len(self.fills):
            raise ValueError("the same fill twice")
        if len({reward.name for reward in self.rewards}) < len(self.rewards):
            raise ValueError("the same reward twice")
        if self.cash is None and any(own.kind is RewardKind.CREDITED for own in self.rewards):
            raise ValueError("a credit is kept with the cash books that it explains")
        if self.fills and {fill.ticker for fill in self.fills} != tickers:
            raise ValueError("books must be those of the fills' markets, all and no other")

    @property
    def ledgers(self) -> dict[str, MarketLedger]:
        """The books of its markets from now on."""
        back = {ledger.ticker: ledger for ledger in self.returning}
        return back | {change.after.ticker: change.after for change in self.changes}

    @property
    def positions(self) -> dict[str, Position]:
        """Their positions from now on."""
        return {ticker: ledger.position for ticker, ledger in self.ledgers.items()}

    @property
    def gone(self) -> frozenset[str]:
        """Markets that are no longer in the state."""
        return frozenset(ledger.ticker for ledger in self.leaving)


def fitting(fills: Iterable[Fill], by_order_id: Mapping[str, Attribution]) -> Iterator[Sequence[Fill]]:
    """In their order, as many fills at once as one transaction holds with their books and rows."""
    part: list[Fill] = []
    tickers: set[str] = set()
    rows: set[tuple[str, str, Attribution]] = set()
    for fill in fills:
        row = exchange_day(fill.at_ms), fill.ticker, by_order_id.get(fill.order_id, EXTERNAL)
        items = len(part) + 1 + ITEMS_PER_MARKET * len(tickers | {fill.ticker}) + len(rows | {row})
        if len(part) == FILLS_PER_TRANSACTION or items > ITEMS_PER_TRANSACTION:
            yield part
            part, tickers, rows = [], set(), set()
        part.append(fill)
        tickers.add(fill.ticker)
        rows.add(row)
    if part:
        yield part


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
