"""Markouts: what the mid did after our own fills, one, five and thirty minutes later.

    gain at a horizon = signed contracts x mid - what they paid; above zero: the market went our way

Mids come from books that are read anyway, so a mark is taken by the first look at or after its time, and by
none when that look comes too late or finds no mid: those contracts are counted as missed.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from dora.core.accounts.posting import Attribution
from dora.core.calendar import exchange_day
from dora.core.exchange.account import Fill
from dora.core.exchange.book import is_crossed
from dora.core.exchange.market import Book
from dora.core.units import Count, Money, Price, TimeMs, value_of

HORIZONS_MS = (60_000, 300_000, 1_800_000)
LAST_MARK_MS = 32 * 60_000
"""After so long every mark of a fill was taken or missed."""
LATE_MS = 90_000
"""A minute between two looks, and half a minute for a slow one."""
_MINUTE_MS = 60_000

Figure = TypeVar("Figure")


class PendingMarkout(NamedTuple):
    """Fills of one market, strategy and minute that still wait for marks."""

    day: str
    ticker: str
    strategy: str
    at_ms: TimeMs
    """Of the latest of them."""
    net: Count
    paid: Money
    """For the net contracts; below zero: received."""
    contracts: Count
    marked: int = 0
    """Horizons that are done with."""


class MarkoutRow(NamedTuple):
    """Sums of one market, strategy and day; each tuple holds one figure for each of `HORIZONS_MS`."""

    day: str
    ticker: str
    strategy: str
    contracts: tuple[Count, ...] = (Count(0),) * len(HORIZONS_MS)
    gains: tuple[Money, ...] = (Money(0),) * len(HORIZONS_MS)
    missed: tuple[Count, ...] = (Count(0),) * len(HORIZONS_MS)

    @property
    def key(self) -> tuple[str, ...]:
        """What it is stored under."""
        return self.day, self.ticker, self.strategy

    @property
    def empty(self) -> bool:
        """Whether it adds nothing."""
        return not any(self.contracts) and not any(self.missed)

    def plus(self, other: "MarkoutRow") -> "MarkoutRow":
        """Both together, under this one's key (`core/accounts/row_sums.py`)."""
        return self._replace(
            contracts=tuple(Count(a + b) for a, b in zip(self.contracts, other.contracts, strict=True)),
            gains=tuple(Money(a + b) for a, b in zip(self.gains, other.gains, strict=True)),
            missed=tuple(Count(a + b) for a, b in zip(self.missed, other.missed, strict=True)),
        )


def mid_price(book: Book) -> Price | None:
    """Half way between the best prices, rounded down to 1e-4 $; None where a side is empty or they cross."""
    if not book.bids or not book.asks or is_crossed(book):
        return None
    return Price((book.bids[0].price + book.asks[0].price) // 2)


def with_fills(
    pending: Iterable[PendingMarkout], fills: Iterable[Fill], by_order_id: Mapping[str, Attribution]
) -> tuple[PendingMarkout, ...]:
    """What waits for marks after these fills, each of which must be new; fills of others are left out."""
    waiting = tuple(pending)
    fresh = {_key(own): own for own in waiting if not own.marked}
    for fill in fills:
        if by := by_order_id.get(fill.order_id):
            one = _pending(fill, by.strategy)
            before = fresh.get(_key(one))
            fresh[_key(one)] = one if before is None else _together(before, one)
    return (*(own for own in waiting if own.marked), *fresh.values())


def take_marks(
    pending: Iterable[PendingMarkout], mids: Mapping[str, Price], now_ms: TimeMs
) -> tuple[tuple[PendingMarkout, ...], tuple[MarkoutRow, ...]]:
    """What waits on after this look, and what it adds to the sums."""
    waiting, rows = [], []
    for own in pending:
        left, row = _looked_at(own, mids.get(own.ticker), now_ms)
        if left is not None:
            waiting.append(left)
        if not row.empty:
            rows.append(row)
    return tuple(waiting), tuple(rows)


def _key(own: PendingMarkout) -> tuple[str, str, int]:
    return own.ticker, own.strategy, own.at_ms // _MINUTE_MS


def _pending(fill: Fill, strategy: str) -> PendingMarkout:
    signed = Count(fill.side.sign * fill.count)
    return PendingMarkout(
        day=exchange_day(fill.at_ms),
        ticker=fill.ticker,
        strategy=strategy,
        at_ms=fill.at_ms,
        net=signed,
        paid=value_of(fill.price, signed),
        contracts=fill.count,
    )


def _together(one: PendingMarkout, other: PendingMarkout) -> PendingMarkout:
    return one._replace(
        at_ms=max(one.at_ms, other.at_ms),
        net=Count(one.net + other.net),
        paid=Money(one.paid + other.paid),
        contracts=Count(one.contracts + other.contracts),
    )


def _looked_at(
    own: PendingMarkout, mid: Price | None, now_ms: TimeMs
) -> tuple[PendingMarkout | None, MarkoutRow]:
    """Every horizon that is due is marked, or missed when nothing can mark it any more."""
    row = MarkoutRow(day=own.day, ticker=own.ticker, strategy=own.strategy)
    while own.marked < len(HORIZONS_MS):
        late_ms = now_ms - own.at_ms - HORIZONS_MS[own.marked]
        if late_ms < 0 or (mid is None and late_ms < LATE_MS):
            return own, row
        row = row.plus(_mark(own, mid if late_ms <= LATE_MS else None))
        own = own._replace(marked=own.marked + 1)
    return None, row


def _mark(own: PendingMarkout, mid: Price | None) -> MarkoutRow:
    row = MarkoutRow(day=own.day, ticker=own.ticker, strategy=own.strategy)
    at = own.marked
    if mid is None:
        return row._replace(missed=_placed(row.missed, at, own.contracts))
    gain = Money(value_of(mid, own.net) - own.paid)
    return row._replace(
        contracts=_placed(row.contracts, at, own.contracts), gains=_placed(row.gains, at, gain)
    )


def _placed(figures: tuple[Figure, ...], at: int, figure: Figure) -> tuple[Figure, ...]:
    return (*figures[:at], figure, *figures[at + 1 :])
