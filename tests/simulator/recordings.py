"""Recordings: found by the path of their rows, read with their siblings, cut to a window of minutes.

A recording is named by its `trades-<name>.csv.gz` or `bbo-<name>.csv.gz`. Beside it may lie
`markets-<name>.json.gz` (its markets) and any `books-full-*.jsonl.gz` (whole books, for their shapes).
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from pathlib import Path

from .model import MarketSpec
from .shapes import BookShape, PricedLevels, shape_of_book, typical_shapes
from .tape import MINUTE_MS, Print, Quote, Recording, RecordingError, is_open
from .tape_fields import BadField, count_e2, gzip_lines, json_object, price_e4
from .tape_markets import derive_markets, read_markets
from .tape_rows import read_prints, read_quotes
from .units import DOLLAR_E4

ROWS_SUFFIX = ".csv.gz"
PRINTS_PREFIX, QUOTES_PREFIX = "trades-", "bbo-"
TYPICAL_SHAPES_SEED = 0


def read_recording(path: Path | str) -> Recording:
    """The recording of this name with whatever lies beside it. Markets that no file describes are derived
    from the rows.

    Raises:
        RecordingError: any of the files is missing, unreadable, cut off or foreign.
    """
    rows = Path(path)
    prints, quotes = _read_rows(rows)
    markets = derive_markets(prints, quotes) | described_markets(rows)
    return Recording(rows.name.removesuffix(ROWS_SUFFIX), markets, prints, quotes, _shapes_beside(rows))


def described_markets(rows: Path) -> dict[str, MarketSpec]:
    """The markets that a file beside these rows describes; all others are derived from the rows.

    Raises:
        RecordingError: the file is unreadable, cut off or foreign.
    """
    described = rows.with_name(f"markets-{_name(rows)}.json.gz")
    return read_markets(described) if described.exists() else {}


def _read_rows(path: Path) -> tuple[tuple[Print, ...], tuple[Quote, ...]]:
    if path.name.endswith(ROWS_SUFFIX) and path.name.startswith(PRINTS_PREFIX):
        return read_prints(path), ()
    if path.name.endswith(ROWS_SUFFIX) and path.name.startswith(QUOTES_PREFIX):
        quotes, implied = read_quotes(path)
        return implied, quotes
    fix = f"Name a {PRINTS_PREFIX}*{ROWS_SUFFIX} or {QUOTES_PREFIX}*{ROWS_SUFFIX} file"
    raise RecordingError(str(path), "is not the name of a recording", fix)


def _name(rows: Path) -> str:
    return rows.name.removesuffix(ROWS_SUFFIX).split("-", 1)[1]


def _shapes_beside(rows: Path) -> tuple[BookShape, ...]:
    newest = max(rows.parent.glob("books-full-*.jsonl.gz"), default=None)
    shapes = read_shapes(newest) if newest else ()
    return shapes or typical_book_shapes()


def typical_book_shapes() -> tuple[BookShape, ...]:
    """For recordings without whole books beside them; always the same."""
    return typical_shapes(random.Random(TYPICAL_SHAPES_SEED))


def read_shapes(path: Path) -> tuple[BookShape, ...]:
    """The shapes of all two-sided books of a `books-full-*.jsonl.gz`.

    Raises:
        RecordingError: not readable, or a line that is not a book.
    """
    shapes = []
    with gzip_lines(path) as lines:
        for number, line in enumerate(lines, start=1):
            shapes.append(_shape(path, number, line))
    return tuple(shape for shape in shapes if shape is not None)


def _shape(path: Path, number: int, line: str) -> BookShape | None:
    try:
        book = json_object(line)["orderbook_fp"]
        bids, no_bids = _best_first(book["yes_dollars"]), _best_first(book["no_dollars"])
    except (BadField, KeyError, TypeError, ValueError) as error:
        fix = "Correct the line or take the file away"
        raise RecordingError(f"{path}, line {number}", f"is not a book ({error!r})", fix) from error
    return shape_of_book(bids, [(DOLLAR_E4 - price, count) for price, count in no_bids])


def _best_first(levels: list[list[str]]) -> PricedLevels:
    return sorted(((price_e4(price), count_e2(count)) for price, count in levels), reverse=True)


@dataclass(frozen=True, slots=True)
class Window:
    """From start (a whole minute) up to, not including, end."""

    start_ms: int
    end_ms: int


def choose_window(
    recording: Recording, cycles: int, minute: int = MINUTE_MS, markets: int | None = None
) -> Window:
    """The stretch of so many minutes with the most markets open at its start (no more than `markets` count),
    then the most prints (rows, where nothing was printed), then the earliest.

    A recording shorter than that is taken from its first minute on; after its last row nothing happens.
    """
    first = recording.first_ms // minute
    starts = range(first, max(first, recording.last_ms // minute + 1 - cycles) + 1)
    opened = _open_at_minutes(recording, starts, minute)
    rows = _rows_before_minutes(recording, first, starts[-1] + cycles, minute)

    def merit(start: int) -> tuple[int, int, int]:
        busy = rows[start - first + cycles] - rows[start - first]
        open_markets = opened[start - first]
        return (open_markets if markets is None else min(open_markets, markets), busy, -start)

    best = max(starts, key=merit)
    return Window(best * minute, (best + cycles) * minute)


def _open_at_minutes(recording: Recording, starts: range, minute: int) -> list[int]:
    """How many markets are open at the beginning of each of these minutes."""
    changes = [0] * (len(starts) + 1)
    for market in recording.markets.values():
        opens, closes = (-(-at_ms // minute) - starts[0] for at_ms in (market.open_ms, market.close_ms))
        changes[min(max(opens, 0), len(starts))] += 1
        changes[min(max(closes, 0), len(starts))] -= 1
    return list(accumulate(changes))[:-1]


def _rows_before_minutes(recording: Recording, first: int, end: int, minute: int) -> list[int]:
    """For each minute from first to end, how many rows came before it."""
    rows_in = Counter(row.at_ms // minute for row in _activity(recording))
    return list(accumulate((rows_in[at] for at in range(first, end)), initial=0))


def _activity(recording: Recording) -> tuple[Print, ...] | tuple[Quote, ...]:
    return recording.prints or recording.quotes


def select_markets(recording: Recording, start_ms: int, end_ms: int, count: int) -> list[str]:
    """The tickers of so many markets open at the start: those with the most prints (rows, where nothing was
    printed) before the end first, then by ticker."""
    rows = _activity(recording)
    busy = Counter(row.ticker for row in within(rows, start_ms, end_ms))
    open_at_start = (ticker for ticker, market in recording.markets.items() if is_open(market, start_ms))
    return sorted(open_at_start, key=lambda ticker: (-busy[ticker], ticker))[:count]


def within(
    rows: tuple[Print, ...] | tuple[Quote, ...], start_ms: int, end_ms: int
) -> Iterator[Print | Quote]:
    """The rows with start <= time < end."""
    low = bisect_left(rows, start_ms, key=attrgetter("at_ms"))
    high = bisect_left(rows, end_ms, key=attrgetter("at_ms"))
    return iter(rows[low:high])
