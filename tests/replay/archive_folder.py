"""A folder of archive objects as a recording: what the bot saw of its markets, minute by minute.

A dry run records what others do; a live bot also what became of its own orders. Its quotes are taken off the
books, for a replay rests its own; its true fills are kept to judge the fill models by.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.cycle_record import CycleRecord, Seen
from dora.core.errors import StateError
from dora.core.exchange.book import is_crossed, without
from dora.core.exchange.market import Book, Event, Level, Market, Series, Side
from dora.core.exchange.read_calls import BOOK_LEVELS
from dora.edge.archive.packing import unpack
from dora.flow.cycle.archive import inputs_of
from tests.simulator.model import MarketSpec
from tests.simulator.recordings import typical_book_shapes
from tests.simulator.tape import Print, Quote, QuoteSide, Recording, RecordingError

OBJECTS = "*.json.gz"


@dataclass(frozen=True)
class Look:
    """One cycle: when it decided, and the books of others as it saw them."""

    at_ms: int
    books: Mapping[str, Book]


@dataclass(frozen=True)
class ArchiveFolder:
    """All that the objects of one bot say of its markets. `filled`: by market, 0.01 contract that its own
    quotes filled meanwhile; None: it was a dry run."""

    name: str
    looks: Sequence[Look]
    prints: Sequence[Print]
    without_trades: int
    """Looks before which trades may be missing."""
    markets: Mapping[str, Market]
    events: Mapping[str, Event]
    series: Mapping[str, Series]
    filled: Mapping[str, int] | None
    configs: Mapping[str, MarketConfig]
    """How each market was last set."""
    globals_: GlobalConfig

    def recording(self) -> Recording:
        """The same as best prices and prints, for a simulator to play."""
        quotes = tuple(quote_of(look.at_ms, book) for look in self.looks for book in look.books.values())
        specs = {ticker: self._spec(market) for ticker, market in self.markets.items()}
        return Recording(self.name, specs, tuple(self.prints), quotes, typical_book_shapes())

    def _spec(self, market: Market) -> MarketSpec:
        event = self.events.get(market.event_ticker)
        return MarketSpec(
            ticker=market.ticker,
            event_ticker=market.event_ticker,
            series_ticker=event.series_ticker if event else market.event_ticker.split("-", 1)[0],
            open_ms=market.open_ms,
            close_ms=market.close_ms,
            shard=market.shard,
            price_ranges=tuple((part.start, part.end, part.step) for part in market.grid.ranges),
            result=market.result or None,
            mutually_exclusive=bool(event and event.exclusive),
        )


def read_folder(folder: Path) -> ArchiveFolder:
    """Every archive object below a folder, in the order of their times. Raises RecordingError."""
    records = sorted(_records(folder), key=lambda pair: pair[1].now_ms)
    if not records:
        raise RecordingError(str(folder), f"holds no {OBJECTS}", "Give a folder of archive objects")
    _refuse_mixed(folder, [record for record, _ in records])
    markets: dict[str, Market] = {}
    events: dict[str, Event] = {}
    series: dict[str, Series] = {}
    configs: dict[str, MarketConfig] = {}
    for _, seen in records:
        configs |= seen.wanted
        markets |= {t: own for t, own in seen.snapshot.markets.items() if t in seen.wanted}
        events |= seen.reference.events
        series |= seen.reference.series
    looks = [Look(seen.now_ms, _books_of_others(seen)) for _, seen in records]
    looked_at = {ticker for look in looks for ticker in look.books} & markets.keys()
    return ArchiveFolder(
        name=folder.resolve().name,
        looks=[Look(own.at_ms, {t: b for t, b in own.books.items() if t in looked_at}) for own in looks],
        prints=[own for own in _prints([record for record, _ in records]) if own.ticker in looked_at],
        without_trades=sum(_lacks_trades(record) for record, _ in records),
        markets={ticker: markets[ticker] for ticker in sorted(looked_at)},
        events=events,
        series=series,
        configs={ticker: configs[ticker] for ticker in sorted(looked_at)},
        globals_=records[-1][1].globals_,
        filled=None if records[0][0].dry_run else _filled([seen for _, seen in records]),
    )


def _records(folder: Path) -> Iterator[tuple[CycleRecord, Seen]]:
    for path in sorted(folder.rglob(OBJECTS)):
        try:
            record = unpack(path.read_bytes())
        except (StateError, OSError) as error:
            raise RecordingError(str(path), str(error), "Take the file away") from error
        if record.seen is None:
            what, fix = "was archived without what it was decided from", "Record with ARCHIVE=full"
            raise RecordingError(str(path), what, fix)
        yield record, record.seen


def _refuse_mixed(folder: Path, records: Sequence[CycleRecord]) -> None:
    """Two bots, or a dry run beside a live one, have cycles of the same minutes."""
    names = Counter(record.cycle_id for record in records)
    twice = [name for name, count in names.items() if count > 1]
    if twice or len({record.dry_run for record in records}) > 1:
        what = f"holds objects of two bots, or of a dry run beside a live one ({len(twice)} cycles twice)"
        raise RecordingError(str(folder), what, "Give the folder of one of them, <bot> or <bot>/dry")


def _books_of_others(seen: Seen) -> dict[str, Book]:
    """One-sided books too; a crossed one is two moments in one answer, and nobody's quote."""
    own = inputs_of(seen).view.resting_by_ticker()
    others = (without(book, own.get(t, ()), BOOK_LEVELS) for t, book in seen.snapshot.books.items())
    return {book.ticker: book for book in others if not is_crossed(book)}


def _prints(records: Sequence[CycleRecord]) -> list[Print]:
    """Each once, though looks overlap."""
    trades = {own.trade_id: own for record in records if record.public for own in record.public.trades or ()}
    ordered = sorted(trades.values(), key=lambda own: (own.at_ms, own.trade_id))
    return [Print(own.at_ms, own.ticker, own.price, own.count, own.taker_side is Side.BID) for own in ordered]


def _lacks_trades(record: CycleRecord) -> bool:
    return record.public is None or record.public.trades is None


def _filled(seen: Sequence[Seen]) -> dict[str, int]:
    fills = {own.fill_id: own for one in seen for own in one.snapshot.fills or () if not own.is_taker}
    first_ms = seen[0].now_ms
    counts: Counter[str] = Counter()
    for own in fills.values():
        counts[own.ticker] += own.count if own.at_ms >= first_ms else 0
    return dict(counts)


def quote_of(at_ms: int, book: Book) -> Quote:
    """A book's best prices and their sizes."""
    return Quote(at_ms, book.ticker, _best(book.bids), _best(book.asks))


def _best(levels: Sequence[Level]) -> QuoteSide | None:
    return QuoteSide(levels[0].price, levels[0].count) if levels else None
