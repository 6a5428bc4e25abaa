"""How long markets were quoted, how many contracts stood ahead, and what the mid did after our fills.

Sums of one exchange day, strategy and market, as plain lists of ints that memory can hold: a thousand of them
grow in every cycle. Once its day is over and its last marks are taken, a sum is told and forgotten.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dora.core.accounts.markouts import HORIZONS_MS, MarkoutRow
from dora.core.calendar import day_starts_ms, exchange_day
from dora.core.exchange.book import Resting, side_of, without
from dora.core.exchange.market import Book, Side
from dora.core.units import Count, Money, Price, TimeMs

LONGEST_GAP_MS = 150_000
"""Looks further apart than this say nothing of the time between them."""
_MARKS = len(HORIZONS_MS)
_WIDTH = 4 + 3 * _MARKS


class QuoteQuality(NamedTuple):
    """One day, strategy and market. Each tuple holds one figure for each of `HORIZONS_MS`."""

    day: str
    strategy: str
    ticker: str
    quoted_ms: int
    """With an order of ours on at least one side."""
    two_sided_ms: int
    joined: int
    """Orders placed."""
    ahead: Count
    """Contracts of others at their price or a better one when they were placed, all orders together."""
    marked: tuple[Count, ...]
    gains: tuple[Money, ...]
    missed: tuple[Count, ...]


class QualityTally:
    """The sums so far. What memory holds and is not understood is begun anew."""

    def __init__(self, stored: Mapping[str, object]) -> None:
        self._sums: dict[str, dict[str, list[int]]] = {}
        for key, rows in stored.items():
            if isinstance(rows, Mapping):
                self._sums[key] = {ticker: list(row) for ticker, row in rows.items() if _understood(row)}

    def quoted(
        self, strategy: str, ticker: str, times: Iterable[tuple[str, int]], *, two_sided: bool
    ) -> None:
        """Time that an order of ours stood there, day by day (`time_between`)."""
        for day, span_ms in times:
            row = self._row(day, strategy, ticker)
            row[0] += span_ms
            row[1] += span_ms if two_sided else 0

    def joined(self, day: str, strategy: str, ticker: str, ahead: Count) -> None:
        """One order that was placed behind so many contracts."""
        row = self._row(day, strategy, ticker)
        row[2] += 1
        row[3] += ahead

    def marked(self, marks: MarkoutRow) -> None:
        """Marks that were taken, or missed."""
        row = self._row(marks.day, marks.strategy, marks.ticker)
        for at, figure in enumerate((*marks.contracts, *marks.gains, *marks.missed), 4):
            row[at] += figure

    def take_before(self, day: str) -> Iterator[QuoteQuality]:
        """The sums of earlier days, which are then no longer held."""
        for key in sorted(key for key in self._sums if key < day):
            own, strategy = key.split(" ", 1)
            for ticker, row in sorted(self._sums.pop(key).items()):
                yield _told(own, strategy, ticker, row)

    def last_marks(self, strategy: str) -> tuple[Count, Money]:
        """A strategy's contracts that have their last mark, and what they gained, in the days held."""
        held = [rows for key, rows in self._sums.items() if key.split(" ", 1)[1:] == [strategy]]
        sums = [row for rows in held for row in rows.values()]
        contracts, gains = (sum([row[4 + part * _MARKS - 1] for row in sums]) for part in (1, 2))
        return Count(contracts), Money(gains)

    def stored(self) -> dict[str, object]:
        """As memory holds them."""
        return dict(self._sums)

    def _row(self, day: str, strategy: str, ticker: str) -> list[int]:
        rows = self._sums.setdefault(f"{day} {strategy}", {})
        return rows.setdefault(ticker, [0] * _WIDTH)


def _understood(row: Any) -> bool:
    return isinstance(row, list) and len(row) == _WIDTH and {int}.issuperset(map(type, row))


def _told(day: str, strategy: str, ticker: str, row: list[int]) -> QuoteQuality:
    contracts, gains, missed = (row[4 + part * _MARKS :][:_MARKS] for part in range(3))
    return QuoteQuality(
        day,
        strategy,
        ticker,
        quoted_ms=row[0],
        two_sided_ms=row[1],
        joined=row[2],
        ahead=Count(row[3]),
        marked=tuple(map(Count, contracts)),
        gains=tuple(map(Money, gains)),
        missed=tuple(map(Count, missed)),
    )


def time_between(from_ms: TimeMs, to_ms: TimeMs) -> tuple[tuple[str, int], ...]:
    """The time between two looks, day by day; none where they are too far apart to say anything."""
    if not 0 < to_ms - from_ms <= LONGEST_GAP_MS:
        return ()
    edges = (from_ms, *day_starts_ms(from_ms, to_ms), to_ms)
    spans = zip(edges, edges[1:], strict=False)
    return tuple((exchange_day(start), end - start) for start, end in spans if end > start)


def contracts_ahead(book: Book, own: Iterable[Resting], side: Side, price: Price) -> Count:
    """Contracts of others that trade before an order placed now: at its price and at better ones."""
    others = without(book, own, len(side_of(book, side)))
    sign = side.sign
    return Count(sum(level.count for level in side_of(others, side) if sign * (level.price - price) >= 0))
