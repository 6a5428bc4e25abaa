"""Readers of the row files: public prints (`trades-*.csv.gz`) and best quotes (`bbo-*.csv.gz`)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from .tape import Print, Quote, QuoteSide, RecordingError
from .tape_fields import BadField, count_e2, gzip_lines, price_e4, time_ms
from .units import CONTRACT_E2, DOLLAR_E4

Row = dict[str, str]
T = TypeVar("T")

PRINT_COLUMNS = ("ticker", "created_time", "yes_price_dollars", "count", "taker_side")
QUOTE_COLUMNS = ("ts", "ticker", "yes_bid_dollars", "yes_ask_dollars")
VOLUME_COLUMNS = ("last_price_dollars", "volume")
MAX_PIECES = 4
"""Trades known only as a risen volume are replayed as at most so many, evenly over the time since the last
row: the recorder saw the sum, a market sees them one after the other."""


def read_prints(path: Path) -> tuple[Print, ...]:
    """All prints of a file in time order.

    Raises:
        RecordingError: not readable, other columns, or a row that is not a print.
    """
    return tuple(sorted(_parsed_rows(path, PRINT_COLUMNS, _print), key=attrgetter("at_ms")))


def read_quotes(path: Path) -> tuple[tuple[Quote, ...], tuple[Print, ...]]:
    """All quotes of a file in time order, and the prints that its running volume implies (often none).

    Raises:
        RecordingError: not readable, other columns, or a row that is not a quote.
    """
    rows = sorted(_parsed_rows(path, QUOTE_COLUMNS, _quote_and_trades), key=lambda row: row[0].at_ms)
    quotes = tuple(quote for quote, _ in rows)
    return quotes, tuple(sorted(_implied_prints(rows), key=attrgetter("at_ms")))


def _parsed_rows(path: Path, columns: tuple[str, ...], parse: Callable[[Row], T]) -> list[T]:
    with gzip_lines(path) as lines:
        reader = csv.DictReader(lines, strict=True)
        try:
            _require_columns(path, columns, reader.fieldnames)
            parsed = [parse(row) for row in reader]
        except (BadField, csv.Error) as error:
            where = f"{path}, line {reader.line_num}"
            raise RecordingError(where, str(error), "Correct the row or leave it out") from error
    if not parsed:
        raise RecordingError(str(path), "holds no rows", "Give a recording with at least one row")
    return parsed


def _require_columns(path: Path, columns: tuple[str, ...], found: object) -> None:
    present = list(found) if isinstance(found, list) else []
    missing = [column for column in columns if column not in present]
    if missing:
        what = f"lacks the columns {missing}; it has {present}"
        raise RecordingError(f"{path}, line 1", what, f"Give a file with the columns {list(columns)}")


def _field(row: Row, column: str) -> str:
    value = row[column]
    if value is None:
        raise BadField(f"the row ends before the column {column}")
    return value


def _ticker(row: Row) -> str:
    ticker = _field(row, "ticker")
    if not ticker or ticker != ticker.strip():
        raise BadField(f"{ticker!r} is not a ticker")
    return ticker


def _print(row: Row) -> Print:
    price, count = price_e4(_field(row, "yes_price_dollars")), count_e2(_field(row, "count"))
    side = _field(row, "taker_side")
    if not 0 < price < DOLLAR_E4:
        raise BadField(f"a print at {row['yes_price_dollars']} dollars is outside 0 to 1")
    if count == 0:
        raise BadField("a print of 0 contracts")
    if side not in {"yes", "no"}:
        raise BadField(f"taker_side {side!r} is neither 'yes' nor 'no'")
    return Print(time_ms(_field(row, "created_time")), _ticker(row), price, count, side == "yes")


Traded = tuple[int, int]
"""(last price in 1e-4 $, running volume in 0.01 contract)"""


def _quote_and_trades(row: Row) -> tuple[Quote, Traded | None]:
    bid, ask = _quote_side(row, "bid", "yes_depth"), _quote_side(row, "ask", "no_depth")
    if bid and ask and bid.price_e4 >= ask.price_e4:
        raise BadField(f"bid {row['yes_bid_dollars']} is not below ask {row['yes_ask_dollars']}")
    return Quote(time_ms(_field(row, "ts")), _ticker(row), bid, ask), _traded(row)


def _quote_side(row: Row, side: str, depth_column: str) -> QuoteSide | None:
    text = _field(row, f"yes_{side}_dollars")
    price = price_e4(text) if text else 0
    if price > DOLLAR_E4:
        raise BadField(f"{side} {text} is above one dollar")
    best_e2 = _optional_count(row, f"yes_{side}_size")
    if price in {0, DOLLAR_E4} or best_e2 == 0:
        return None
    return QuoteSide(price, best_e2, _optional_count(row, depth_column) or None)


def _optional_count(row: Row, column: str) -> int | None:
    text = row.get(column)
    return count_e2(text) if text else None


def _traded(row: Row) -> Traded | None:
    last, volume = (row.get(column) for column in VOLUME_COLUMNS)
    if not last or not volume:
        return None
    return price_e4(last), count_e2(volume)


def _implied_prints(rows: list[tuple[Quote, Traded | None]]) -> Iterator[Print]:
    before: dict[str, tuple[Quote, Traded]] = {}
    for quote, traded in rows:
        if traded is None:
            continue
        if quote.ticker in before:
            yield from _prints_between(*before[quote.ticker], quote.at_ms, traded)
        before[quote.ticker] = (quote, traded)


def _prints_between(quote: Quote, traded: Traded, now_ms: int, now_traded: Traded) -> Iterator[Print]:
    (was_e4, was_volume_e2), (now_e4, volume_e2) = traded, now_traded
    grown_e2 = volume_e2 - was_volume_e2
    if grown_e2 <= 0 or not 0 < now_e4 < DOLLAR_E4:
        return
    buys_yes = _taker_buys(quote, now_e4, was_e4)
    for piece, piece_e2 in enumerate(_pieces(grown_e2), start=1):
        at_ms = quote.at_ms + (now_ms - quote.at_ms) * piece // MAX_PIECES
        yield Print(at_ms, quote.ticker, now_e4, piece_e2, buys_yes)


def _pieces(total_e2: int) -> list[int]:
    """Up to `MAX_PIECES` parts of whole contracts; the last one takes what is left."""
    part_e2 = total_e2 // MAX_PIECES // CONTRACT_E2 * CONTRACT_E2
    if part_e2 == 0:
        return [total_e2]
    return [part_e2] * (MAX_PIECES - 1) + [total_e2 - part_e2 * (MAX_PIECES - 1)]


def _taker_buys(quote: Quote, now_e4: int, was_e4: int) -> bool:
    """The quote rule (nearer to the ask: bought), then the tick rule, as no side was recorded."""
    if quote.bid and quote.ask and 2 * now_e4 != quote.bid.price_e4 + quote.ask.price_e4:
        return 2 * now_e4 > quote.bid.price_e4 + quote.ask.price_e4
    return now_e4 >= was_e4
