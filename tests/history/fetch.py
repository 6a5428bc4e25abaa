"""A series' past as a recording: prints, the best prices at the end of each minute, markets and fee terms.

Only bounds come of it: between two minutes a price may have been anywhere, and no size is told.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dora.core.zones import DAY_MS
from tests.history.exchange import PastReads, closed_ms, market_ms
from tests.history.options import HistoryError, Options
from tests.simulator.tape_fields import BadField, price_e4
from tests.simulator.tape_rows import PRINT_COLUMNS, QUOTE_COLUMNS

Row = Mapping[str, Any]
NO_BID, NO_ASK = "0.0000", "1.0000"
"""As recordings write a side that nobody quotes."""


@dataclass(frozen=True)
class History:
    """What was fetched, as the rows of a recording's files."""

    name: str
    prints: list[list[str]]
    quotes: list[list[str]]
    left_out: int
    """Candles whose best prices cross: two moments in one candle."""
    markets: list[Row]
    events: list[Row]
    series: Row


def fetch(reads: PastReads, options: Options, now_ms: int) -> History:
    """Markets of the series that closed in the last days, with what happened then. Raises HistoryError."""
    try:
        return _fetched(reads, options, now_ms)
    except (KeyError, TypeError, BadField) as error:
        raise HistoryError(f"an answer of the exchange is not in its published form: {error!r}") from error


def _fetched(reads: PastReads, options: Options, now_ms: int) -> History:
    since_ms = now_ms - options.days * DAY_MS
    settled_ms, traded_ms = reads.cutoffs_ms()
    series = reads.series(options.series)
    live = reads.markets(options.series, since_ms, now_ms)
    archived = reads.archived_markets(options.series, since_ms, now_ms) if since_ms < settled_ms else []
    old = {row["ticker"] for row in archived}
    markets = [*archived, *(row for row in live if row["ticker"] not in old)]
    if not markets:
        raise HistoryError(f"no market of {options.series} closed in {options.days} days: write more DAYS")
    prints, quotes, left_out = list[list[str]](), list[list[str]](), 0
    for market in markets:
        ticker = market["ticker"]
        first_ms, last_ms = max(since_ms, market_ms(market, "open_time")), min(now_ms, closed_ms(market))
        found = reads.trades(ticker, first_ms, last_ms, traded_ms)
        prints += [_print(trade) for trade in _once(found)]
        candles = (
            reads.archived_candles(ticker, first_ms, last_ms)
            if ticker in old
            else reads.candles(options.series, ticker, first_ms, last_ms)
        )
        for candle in candles:
            quote = _quote(ticker, candle)
            quotes += [quote] if quote else []
            left_out += quote is None
    if not quotes:
        raise HistoryError(f"the exchange has no candles of {options.series}: write more DAYS")
    return History(
        name=f"{options.series.lower()}-{_day(since_ms)}-{options.days}d",
        prints=sorted(prints, key=lambda row: row[1]),
        quotes=sorted(quotes),
        left_out=left_out,
        markets=markets,
        events=reads.events(options.series, frozenset(market["event_ticker"] for market in markets)),
        series=series,
    )


def _once(trades: Iterable[Row]) -> list[Row]:
    """Live and archived lists may overlap; block trades are struck off the book."""
    return list({own["trade_id"]: own for own in trades if not own.get("is_block_trade")}.values())


def _print(trade: Row) -> list[str]:
    side = trade.get("taker_outcome_side") or trade["taker_side"]
    return [trade["ticker"], trade["created_time"], trade["yes_price_dollars"], trade["count_fp"], side]


def _quote(ticker: str, candle: Row) -> list[str] | None:
    """The best prices at a candle's end; None: they cross."""
    ended = datetime.fromtimestamp(candle["end_period_ts"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    bid, ask = _close(candle["yes_bid"]) or NO_BID, _close(candle["yes_ask"]) or NO_ASK
    return None if price_e4(bid) >= price_e4(ask) else [ended, ticker, bid, ask]


def _close(side: Row) -> str | None:
    """Dollars as text, which a candle of an archived market names without its unit. Raises KeyError."""
    found: str | None = side["close_dollars"] if "close_dollars" in side else side["close"]
    return found


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d")


def write(history: History, folder: Path) -> Path:
    """The files of a recording; returns the one to name. Raises HistoryError where one is there already."""
    name, terms = history.name, {key: history.series[key] for key in ("fee_type", "fee_multiplier")}
    told = {"series": history.series["ticker"], **terms}
    files = {
        f"bbo-{name}.csv.gz": _csv(QUOTE_COLUMNS, history.quotes),
        f"trades-{name}.csv.gz": _csv(PRINT_COLUMNS, history.prints),
        f"markets-{name}.json.gz": json.dumps({"markets": history.markets, "events": history.events}),
        f"series-{name}.jsonl.gz": json.dumps(told) + "\n",
    }
    if not history.prints:
        del files[f"trades-{name}.csv.gz"]
    for own in files:
        if (folder / own).exists():
            raise HistoryError(f"{folder / own} is there already: take it away, or name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for own, text in files.items():
        (folder / own).write_bytes(gzip.compress(text.encode(), mtime=0))
    return folder / f"bbo-{name}.csv.gz"


def _csv(columns: Iterable[str], rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
