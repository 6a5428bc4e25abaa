"""How long a market was quoted, and how many contracts stood ahead when its quotes joined their queues."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from dora.core.calendar import day_starts_ms, exchange_day
from dora.core.exchange.book import Resting, side_of, without
from dora.core.exchange.market import Book, Side
from dora.core.units import Count, Price, TimeMs

LONGEST_GAP_MS = 150_000
"""Looks further apart than this say nothing of the time between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteTimeRow:
    """Sums of one market, strategy and day."""

    day: str
    ticker: str
    strategy: str
    quoted_ms: int = 0
    """With an order of ours on at least one side."""
    two_sided_ms: int = 0
    joined: int = 0
    """Orders placed."""
    ahead: Count = Count(0)
    """Contracts of others at their price or a better one when they were placed, all orders together."""

    @property
    def key(self) -> tuple[str, ...]:
        """What it is stored under."""
        return self.day, self.ticker, self.strategy

    @property
    def empty(self) -> bool:
        """Whether it adds nothing."""
        return not (self.quoted_ms or self.joined)

    def plus(self, other: "QuoteTimeRow") -> "QuoteTimeRow":
        """Both together, under this one's key (`core/accounts/row_sums.py`)."""
        return replace(
            self,
            quoted_ms=self.quoted_ms + other.quoted_ms,
            two_sided_ms=self.two_sided_ms + other.two_sided_ms,
            joined=self.joined + other.joined,
            ahead=Count(self.ahead + other.ahead),
        )


def time_quoted(
    ticker: str, strategy: str, sides: Collection[Side], from_ms: TimeMs, to_ms: TimeMs
) -> tuple[QuoteTimeRow, ...]:
    """The time between two looks, day by day. `sides`: those with an order of ours at both looks."""
    if not sides or to_ms - from_ms > LONGEST_GAP_MS:
        return ()
    edges = (from_ms, *day_starts_ms(from_ms, to_ms), to_ms)
    two_sided = len(set(sides)) > 1
    return tuple(
        QuoteTimeRow(
            day=exchange_day(start),
            ticker=ticker,
            strategy=strategy,
            quoted_ms=end - start,
            two_sided_ms=end - start if two_sided else 0,
        )
        for start, end in zip(edges, edges[1:], strict=False)
        if end > start
    )


def contracts_ahead(book: Book, own: Iterable[Resting], side: Side, price: Price) -> Count:
    """Contracts of others that trade before an order placed now: at its price and at better ones."""
    others = without(book, own, len(side_of(book, side)))
    sign = side.sign
    return Count(sum(level.count for level in side_of(others, side) if sign * (level.price - price) >= 0))


def joined(ticker: str, strategy: str, ahead: Count, at_ms: TimeMs) -> QuoteTimeRow:
    """One order that was placed behind `ahead` contracts."""
    return QuoteTimeRow(day=exchange_day(at_ms), ticker=ticker, strategy=strategy, joined=1, ahead=ahead)
