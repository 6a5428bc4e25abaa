"""Recordings as tapes: the demo's reader, and what a replay adds to it.

A recording of quotes may have its prints beside it (`trades-<name>.csv.gz`); prints that a reader only infers
from a running volume are not used: nobody knows at which price or on which side they were.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import Any

from dora.core.exchange.fees import FREE, FeeTerms, fee_terms
from dora.core.exchange.market import Book, Event, Market, MarketStatus, Series
from dora.core.units import Price, PriceGrid, PriceRange, TimeMs
from tests.replay import closes
from tests.replay.archive_folder import ArchiveFolder, read_folder
from tests.replay.fee_types import recorded_series, with_assumed
from tests.replay.printed_book import printed_quotes
from tests.replay.tape import (
    COARSE_SILENCE_MS,
    DENSE_SILENCE_MS,
    Archived,
    Moment,
    Tape,
    Track,
    changes_of,
    is_coarse,
    stretches_of,
)
from tests.simulator.model import MarketSpec
from tests.simulator.recordings import PRINTS_PREFIX, QUOTES_PREFIX, described_markets, read_recording
from tests.simulator.synthetic import synthetic_recording
from tests.simulator.tape import MINUTE_MS, Print, Quote, Recording
from tests.simulator.tape_rows import read_prints

FAR_MS = 7 * 86_400_000
"""How long after the last row a market closes whose close nobody knows: never, for a replay."""


def read_tape(path: Path) -> Tape:
    """The tape of a recording's rows, `bbo-*.csv.gz` or `trades-*.csv.gz`, or of a folder of archive objects.

    Raises RecordingError.
    """
    if path.is_dir():
        return archived_tape(read_folder(path))
    recording, described = read_recording(path), described_markets(path)
    return tape_of(recording, _prints_beside(path), recorded_series(path.parent), described)


def archived_tape(folder: ArchiveFolder) -> Tape:
    """What a bot recorded. Its books are as deep as it saw them, and looked at when it looked.

    Where trades may be missing, what happened between two looks is not known: bounds.
    """
    recording = folder.recording()
    tape = tape_of(recording, recording.prints, folder.series, recording.markets)
    books: dict[str, dict[int, Book]] = defaultdict(dict)
    for look in folder.looks:
        for ticker, book in look.books.items():
            books[ticker][look.at_ms] = book
    return replace(
        tape,
        tracks={ticker: replace(track, full=books[ticker]) for ticker, track in tape.tracks.items()},
        events={name: folder.events.get(name, event) for name, event in tape.events.items()},
        coarse=folder.without_trades > 0,
        candles=False,
        archived=Archived(
            [look.at_ms for look in folder.looks],
            folder.without_trades,
            folder.filled,
            folder.configs,
            folder.globals_,
        ),
    )


def _prints_beside(path: Path) -> tuple[Print, ...]:
    beside = path.with_name(PRINTS_PREFIX + path.name.removeprefix(QUOTES_PREFIX))
    return read_prints(beside) if path.name.startswith(QUOTES_PREFIX) and beside.exists() else ()


def tape_of(
    recording: Recording,
    prints: Sequence[Print],
    known: Mapping[str, Series],
    described: Collection[str],
) -> Tape:
    """The tape of a recording; `prints` are those of a recording that has quotes.

    A recording without quotes shows the best prices that its own prints prove. Markets that are not
    `described` are derived from their rows, which know their close only afterwards.
    """
    quotes = _by_ticker(recording.quotes)
    printed = _by_ticker(prints if recording.quotes else recording.prints)
    rows = recording.quotes or recording.prints
    times = [row.at_ms for row in rows]
    specs = {ticker: recording.markets[ticker] for ticker in sorted({row.ticker for row in rows})}
    coarse = bool(recording.quotes) and is_coarse(times)
    series, assumed = with_assumed(known, {spec.series_ticker for spec in specs.values()})
    events = {spec.event_ticker: _event(spec) for spec in specs.values()}
    last_ms = _last_rows(rows, specs)
    tracks = {
        ticker: _track(
            spec,
            spec.close_ms if ticker in described else closes.close_ms(ticker),
            quotes.get(ticker, ()),
            printed.get(ticker, ()),
            last_ms[spec.event_ticker],
        )
        for ticker, spec in specs.items()
    }
    return Tape(
        name=recording.name,
        tracks=tracks,
        stretches=stretches_of(times, _silence_ms(coarse=coarse, traded_only=not quotes)),
        events=events,
        series=series,
        fees={ticker: _terms(track.market, events, series) for ticker, track in tracks.items()},
        sized=any(side and side.best_e2 for row in recording.quotes for side in (row.bid, row.ask)),
        traded_only=not recording.quotes,
        coarse=coarse,
        candles=bool(quotes) and all(at_ms % MINUTE_MS == 0 for at_ms in times),
        assumed=assumed,
    )


def _silence_ms(*, coarse: bool, traded_only: bool) -> int:
    """Hours without a print are no sign of a recorder that was off."""
    if traded_only:
        return FAR_MS
    return COARSE_SILENCE_MS if coarse else DENSE_SILENCE_MS


def _by_ticker(rows: Iterable[Quote] | Iterable[Print]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.ticker].append(row)
    return found


def _last_rows(rows: Iterable[Quote | Print], specs: Mapping[str, MarketSpec]) -> dict[str, int]:
    """When each event was last heard of."""
    return {specs[row.ticker].event_ticker: row.at_ms for row in rows}


def _event(spec: MarketSpec) -> Event:
    return Event(
        event_ticker=spec.event_ticker,
        series_ticker=spec.series_ticker,
        exclusive=spec.mutually_exclusive,
    )


def _track(
    spec: MarketSpec, known_ms: int | None, quotes: Sequence[Quote], prints: Sequence[Print], last_ms: int
) -> Track:
    market = _market(spec, last_ms + FAR_MS if known_ms is None else known_ms)
    first_ms = (quotes or prints)[0].at_ms
    moments: Iterable[Moment] = merge(prints, changes_of(quotes), key=attrgetter("at_ms"))
    return Track(
        market=market,
        quotes=tuple(quotes) if quotes else printed_quotes(spec.ticker, prints),
        moments=tuple(moments),
        first_ms=first_ms,
        last_ms=min(last_ms, market.close_ms),
        result=spec.result,
        closes=known_ms is not None,
    )


def _market(spec: MarketSpec, close_ms: int) -> Market:
    ranges = tuple(PriceRange(*map(Price, row)) for row in spec.price_ranges)
    return Market(
        ticker=spec.ticker,
        event_ticker=spec.event_ticker,
        shard=0,
        status=MarketStatus.ACTIVE,
        grid=PriceGrid(ranges),
        open_ms=TimeMs(spec.open_ms),
        close_ms=TimeMs(close_ms),
        plain=True,
    )


def _terms(market: Market, events: Mapping[str, Event], series: Mapping[str, Series]) -> FeeTerms:
    event = events[market.event_ticker]
    return fee_terms(series[event.series_ticker], event, market, market.open_ms) or FREE


MADE_UP_START_MS = 1_772_463_600_000
"""2026-03-02T15:00Z."""


def made_up_tape() -> Tape:
    """A day of prints that nobody traded, for those who have no recording at hand."""
    recording = synthetic_recording(seed=1, markets=12, start_ms=MADE_UP_START_MS, minutes=24 * 60)
    return replace(tape_of(recording, (), {}, recording.markets), made_up=True)
