"""A recording as a replay reads it: what each market showed, when, and for how long anybody was looking.

Prices count 1e-4 $ of the YES contract, counts 0.01 contract, times Unix milliseconds, marks 1e-5 $ (the mid
of two prices is exact in them).
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import NamedTuple

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.exchange.fees import FeeTerms
from dora.core.exchange.market import Book, Event, Level, Market, Series
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Price
from tests.simulator.tape import MINUTE_MS, Print, Quote, QuoteSide

SIZE_UNKNOWN = Count(100 * CONTRACT)
"""Depth of a recorded side without a size. Both sides get the same, so fair value is the mid."""
MARKS_PER_PRICE = 10
DOLLAR_MARK = ONE_DOLLAR * MARKS_PER_PRICE

DENSE_SILENCE_MS = 15 * MINUTE_MS
"""No row of any market for longer: the recorder was off, and nobody can say what happened."""
COARSE_SILENCE_MS = 65 * MINUTE_MS
"""The same where a recording is snapshots, up to an hour apart."""
COARSE_MS = MINUTE_MS
"""A recording is snapshots when its moments lie further apart than this on average."""


class Change(NamedTuple):
    """A market's best prices before and after one row. `before` None: nothing was known."""

    at_ms: int
    before: Quote | None
    after: Quote


Moment = Change | Print


class Stretch(NamedTuple):
    """A time in which the recorder was on; both ends are times of rows."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, eq=False)
class Track:
    """One market. `quotes` is what a bot is shown; `moments` is what may fill its orders.

    A market is replayed from `first_ms` to `last_ms`: the last row of its event, or its own close.
    """

    market: Market
    quotes: Sequence[Quote]
    moments: Sequence[Moment]
    first_ms: int
    last_ms: int
    result: str | None = None
    """How it settled, where the recording says so: "yes", "no"."""
    closes: bool = True
    """Whether its time of close was known while it traded."""
    full: Mapping[int, Book] | None = None
    """By the time of a quote, the book as deep as it was recorded; None: best prices alone were."""

    @cached_property
    def printed(self) -> bool:
        """Whether its trades were recorded one by one."""
        return any(isinstance(moment, Print) for moment in self.moments)

    @cached_property
    def _quote_times(self) -> list[int]:
        return [quote.at_ms for quote in self.quotes]

    @cached_property
    def _moment_times(self) -> list[int]:
        return [moment.at_ms for moment in self.moments]

    @cached_property
    def _marks(self) -> tuple[list[int], list[int]]:
        return marks_of(self.quotes)

    @cached_property
    def _books(self) -> dict[int, Book]:
        return {}

    def quote_at(self, at_ms: int) -> Quote | None:
        """The best prices as they stood; None: no row yet."""
        at = bisect_right(self._quote_times, at_ms)
        return self.quotes[at - 1] if at else None

    def seen_at(self, at_ms: int) -> Quote | None:
        """The best prices as a bot reads them at that time."""
        return self.quote_at(at_ms)

    def moments_between(self, after_ms: int, until_ms: int) -> Sequence[Moment]:
        """What happened later than the first time and not later than the second."""
        times = self._moment_times
        low = bisect_right(times, after_ms)
        if low == len(times) or times[low] > until_ms:
            return ()
        return self.moments[low : bisect_right(times, until_ms, low)]

    def mark_e5(self, at_ms: int) -> int:
        """What a contract was worth then by the best prices; before the first two-sided quote, as at it."""
        times, values = self._marks
        return values[max(bisect_right(times, at_ms) - 1, 0)] if values else DOLLAR_MARK // 2

    def book(self, quote: Quote) -> Book:
        """One of its quotes as a book of others' orders. The same quote gives the same object."""
        found = self._books.get(id(quote))
        if found is None:
            found = self.full[quote.at_ms] if self.full else _best_alone(quote)
            self._books[id(quote)] = found
        return found


@dataclass(frozen=True)
class Archived:
    """Of a bot that recorded. `looks`: when it decided; a replay decides at these times, and at no other.

    `filled`: contracts (0.01) that its own quotes filled, by market; None: it was a dry run.
    """

    looks: Sequence[int]
    without_trades: int
    filled: Mapping[str, int] | None
    configs: Mapping[str, MarketConfig]
    """By ticker, how each market was last set."""
    globals_: GlobalConfig


@dataclass(frozen=True, eq=False)
class Tape:
    """One recording. `sized`: its rows say how much stands at the best prices. `traded_only`: no quotes.

    `assumed` names series whose fee terms nobody recorded.
    """

    name: str
    tracks: Mapping[str, Track]
    stretches: Sequence[Stretch]
    events: Mapping[str, Event]
    series: Mapping[str, Series]
    fees: Mapping[str, FeeTerms]
    sized: bool
    traded_only: bool = False
    coarse: bool = False
    assumed: tuple[str, ...] = ()
    made_up: bool = False
    candles: bool = False
    """Whether its quotes are the last ones of whole minutes."""
    archived: "Archived | None" = None
    """What a bot's archive says beside its quotes; None: it is no such recording."""

    @property
    def end_ms(self) -> int:
        """The time of the last row."""
        return self.stretches[-1].end_ms

    def cycles_in(self, stretch: Stretch) -> Sequence[int]:
        """When the bot decides: every whole minute, or when the bot that recorded did."""
        if self.archived is None:
            return minutes_of(stretch)
        return [at_ms for at_ms in self.archived.looks if stretch.start_ms <= at_ms <= stretch.end_ms]

    def only(self, tickers: Sequence[str]) -> "Tape":
        """The same recording of these markets alone, from their first row to their last."""
        tracks = {ticker: self.tracks[ticker] for ticker in tickers}
        first_ms = min(track.first_ms for track in tracks.values())
        last_ms = max(track.last_ms for track in tracks.values())
        return replace(
            self,
            tracks=tracks,
            events={name: self.events[name] for name in {t.market.event_ticker for t in tracks.values()}},
            stretches=tuple(
                Stretch(max(stretch.start_ms, first_ms), min(stretch.end_ms, last_ms))
                for stretch in self.stretches
                if stretch.end_ms >= first_ms and stretch.start_ms <= last_ms
            ),
        )


def marks_of(quotes: Sequence[Quote]) -> tuple[list[int], list[int]]:
    """Times and marks: the mid; with one side gone, the last mid as far as the other side still allows it."""
    times, values = list[int](), list[int]()
    mid = None
    for quote in quotes:
        bid = quote.bid.price_e4 * MARKS_PER_PRICE if quote.bid else 0
        ask = quote.ask.price_e4 * MARKS_PER_PRICE if quote.ask else DOLLAR_MARK
        if quote.bid and quote.ask:
            mid = (bid + ask) // 2
        elif mid is None:
            continue
        times.append(quote.at_ms)
        values.append(min(max(mid, bid), ask))
    return times, values


def changes_of(quotes: Sequence[Quote]) -> tuple[Change, ...]:
    """Each quote beside the one before it, of one market."""
    earlier: Iterator[Quote | None] = chain([None], quotes)
    return tuple(Change(after.at_ms, before, after) for before, after in zip(earlier, quotes, strict=False))


def is_coarse(times: Sequence[int]) -> bool:
    """Whether rows at these times, in order, are snapshots minutes apart and not a record of changes."""
    moments = len(set(times))
    return moments > 1 and (times[-1] - times[0]) // (moments - 1) > COARSE_MS


def stretches_of(times: Sequence[int], silence_ms: int) -> tuple[Stretch, ...]:
    """The times in which no silence between rows was longer than this."""
    breaks = [(before, after) for before, after in pairwise(times) if after - before > silence_ms]
    starts = [times[0], *(after for _, after in breaks)]
    ends = [*(before for before, _ in breaks), times[-1]]
    return tuple(Stretch(start, end) for start, end in zip(starts, ends, strict=True))


def minutes_of(stretch: Stretch) -> range:
    """The whole minutes of a stretch, in ms."""
    first = -(-stretch.start_ms // MINUTE_MS) * MINUTE_MS
    return range(first, stretch.end_ms + 1, MINUTE_MS)


def _best_alone(quote: Quote) -> Book:
    return Book(quote.ticker, _levels(quote.bid), _levels(quote.ask))


def _levels(side: QuoteSide | None) -> tuple[Level, ...]:
    if side is None:
        return ()
    return (Level(Price(side.price_e4), Count(side.best_e2 or SIZE_UNKNOWN)),)
