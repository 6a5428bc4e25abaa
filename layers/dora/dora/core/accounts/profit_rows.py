"""Profit by market, strategy, exchange day and session, as rows that add up to the ledger.

What an event does to the books of its market is what it adds to one row: the difference of the books after
and before it. So the sum of all rows is the ledger, whatever happened and in whatever order. Rows of one key
add.

    profit = realised + settlement + unrealised + rewards - fees

`unrealised` is the change over the row: at each day's edge the open position is marked, and the row of the
day that ends takes what that differs from the mark before. The rows of a day thus hold that day's profit.
"""

from collections.abc import Iterable
from typing import NamedTuple

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.row_sums import added
from dora.core.units import Count, Money


class RowKey(NamedTuple):
    """Whose profit a row holds. `day`: YYYY-MM-DD of the exchange."""

    day: str
    ticker: str
    strategy: str
    session_id: str


class ProfitRow(NamedTuple):
    """What one key earned, or what one event adds to it. Money is 1e-6 $, counts 0.01 contract."""

    day: str
    ticker: str
    strategy: str
    session_id: str
    fills: int = 0
    traded: Count = Count(0)
    volume: Money = Money(0)
    realised: Money = Money(0)
    """Of contracts closed by trading, fees apart."""
    settlement: Money = Money(0)
    """Of contracts paid out, and of corrections of payouts."""
    unrealised: Money = Money(0)
    fees: Money = Money(0)
    rewards: Money = Money(0)
    """Credited."""
    rewards_estimated: Money = Money(0)
    """Expected by the program's rules; never part of the profit."""

    @property
    def key(self) -> RowKey:
        """What it is stored under."""
        return RowKey(self.day, self.ticker, self.strategy, self.session_id)

    @property
    def profit(self) -> Money:
        """Everything earned, fees in, estimates left out."""
        return Money(self.realised + self.settlement + self.unrealised + self.rewards - self.fees)

    @property
    def empty(self) -> bool:
        """Whether it adds nothing."""
        return not any(getattr(self, name) for name in _FIGURES)

    def plus(self, other: "ProfitRow") -> "ProfitRow":
        """Both together, under this one's key (`core/accounts/row_sums.py`)."""
        return self._replace(**{name: getattr(self, name) + getattr(other, name) for name in _FIGURES})


_FIGURES = tuple(name for name in ProfitRow._fields if name not in RowKey._fields)


def by_market(rows: Iterable[ProfitRow]) -> tuple[ProfitRow, ...]:
    """One row for each day and market, of all strategies and sessions, in their order."""
    return _summed(row._replace(strategy="", session_id="") for row in rows)


def in_all(rows: Iterable[ProfitRow]) -> tuple[ProfitRow, ...]:
    """One row for each day."""
    return _summed(row._replace(ticker="", strategy="", session_id="") for row in rows)


def _summed(rows: Iterable[ProfitRow]) -> tuple[ProfitRow, ...]:
    return tuple(row for _, row in sorted(added(rows).items()))


def row_between(
    before: MarketLedger, after: MarketLedger, key: RowKey, *, by_payout: bool = False
) -> ProfitRow:
    """What an event that led from one state of the books to the other adds to the row of its key.

    `by_payout`: what it realised was paid out, not traded.
    """
    realised = Money(after.realised - before.realised)
    return ProfitRow(
        day=key.day,
        ticker=key.ticker,
        strategy=key.strategy,
        session_id=key.session_id,
        fills=after.fills - before.fills,
        traded=Count(after.traded - before.traded),
        volume=Money(after.volume - before.volume),
        realised=Money(0) if by_payout else realised,
        settlement=realised if by_payout else Money(0),
        unrealised=Money(after.marked - before.marked),
        fees=Money(after.fees - before.fees),
        rewards=Money(after.rewards - before.rewards),
    )
