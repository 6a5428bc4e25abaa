"""Markets of a recording: read from its `markets-*.json.gz`, else derived from the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .model import MarketSpec, PriceRanges
from .price_grid import finest_ranges
from .tape import MINUTE_MS, Print, Quote, RecordingError
from .tape_fields import BadField, gzip_lines, json_object, price_e4, time_ms
from .units import DOLLAR_E4

CLOSE_MARGIN_MS = MINUTE_MS
"""A market without a market file closes this long after its last row."""

SETTLE_AFTER_MS = 60 * MINUTE_MS
"""How long after its close a market settles where nothing says so; the usual timer of daily markets."""

CENT_E4 = 100
Json = dict[str, Any]


def series_of(ticker: str) -> str:
    """The series of an event or market ticker: what stands before the first hyphen."""
    return ticker.split("-", 1)[0]


def event_of(ticker: str) -> str:
    """The event of a market ticker: all but its strike, which may be negative (`KXCPI-26AUG-T-0.1`)."""
    return ticker.rsplit("-", 1)[0].removesuffix("-T").removesuffix("-B")


def read_markets(path: Path) -> dict[str, MarketSpec]:
    """The markets of a market file, whether with integer cents (before 2026) or decimal dollars.

    Raises:
        RecordingError: not readable, not a market file, or a market that lacks what a replay needs.
    """
    with gzip_lines(path) as lines:
        text = "".join(lines)
    try:
        content = json_object(text)
        events = {event["event_ticker"]: event for event in content.get("events", ())}
        markets = [_market(row, events.get(row.get("event_ticker"), {})) for row in content["markets"]]
    except (BadField, KeyError, TypeError, AttributeError) as error:
        fix = 'Give {"markets": [..]} as the exchange returns it, or take the file away'
        raise RecordingError(str(path), f"is not a market file ({error!r})", fix) from error
    return {market.ticker: market for market in markets}


def _market(row: Json, event: Json) -> MarketSpec:
    try:
        return _parsed_market(row, event)
    except KeyError as error:
        raise BadField(f"market {row.get('ticker')} lacks {error}") from error
    except BadField as error:
        raise BadField(f"market {row.get('ticker')}: {error}") from error


def _parsed_market(row: Json, event: Json) -> MarketSpec:
    return MarketSpec(
        ticker=row["ticker"],
        event_ticker=row["event_ticker"],
        series_ticker=event.get("series_ticker") or series_of(row["event_ticker"]),
        open_ms=time_ms(row["open_time"]),
        close_ms=time_ms(row["close_time"]),
        price_ranges=_price_ranges(row),
        result=_result(row),
        settle_after_ms=row.get("settlement_timer_seconds", SETTLE_AFTER_MS // 1000) * 1000,
        shard=row.get("exchange_index", 0),
        mutually_exclusive=event.get("mutually_exclusive", False),
        can_close_early=row.get("can_close_early", False),
    )


def _result(row: Json) -> str | None:
    result = row.get("result") or None
    if result not in {None, "yes", "no"}:
        raise BadField(f"result {result!r} is neither 'yes' nor 'no'")
    return result


def _price_ranges(row: Json) -> PriceRanges:
    if "price_ranges" not in row:
        return ((0, DOLLAR_E4, row["tick_size"] * CENT_E4),)
    ranges = tuple(
        (price_e4(part["start"]), price_e4(part["end"]), price_e4(part["step"]))
        for part in row["price_ranges"]
    )
    if not ranges or any(step <= 0 for _, _, step in ranges):
        raise BadField("price_ranges without a step above 0")
    return ranges


def derive_markets(prints: Iterable[Print], quotes: Iterable[Quote]) -> dict[str, MarketSpec]:
    """One market for each ticker in the rows. Its tick structure is the coarsest that holds every price of
    its series; it opens with the minute of its first row and never settles, for the rows tell no result."""
    first_ms: dict[str, int] = {}
    last_ms: dict[str, int] = {}
    prices_e4: dict[str, set[int]] = defaultdict(set)
    for at_ms, ticker, seen_e4 in _sightings(prints, quotes):
        first_ms[ticker] = min(at_ms, first_ms.get(ticker, at_ms))
        last_ms[ticker] = max(at_ms, last_ms.get(ticker, at_ms))
        if seen_e4 is not None:
            prices_e4[series_of(ticker)].add(seen_e4)
    grids = {series: finest_ranges(seen) for series, seen in prices_e4.items()}
    grids_or_cent = {ticker: grids.get(series_of(ticker)) or finest_ranges(()) for ticker in first_ms}
    return {t: _derived(t, first_ms[t], last_ms[t], grids_or_cent[t]) for t in sorted(first_ms)}


def _sightings(prints: Iterable[Print], quotes: Iterable[Quote]) -> Iterator[tuple[int, str, int | None]]:
    for trade in prints:
        yield trade.at_ms, trade.ticker, trade.price_e4
    for quote in quotes:
        for side in (quote.bid, quote.ask):
            yield quote.at_ms, quote.ticker, side.price_e4 if side else None


def _derived(ticker: str, first_ms: int, last_ms: int, price_ranges: PriceRanges) -> MarketSpec:
    return MarketSpec(
        ticker=ticker,
        event_ticker=event_of(ticker),
        series_ticker=series_of(ticker),
        open_ms=first_ms // MINUTE_MS * MINUTE_MS,
        close_ms=last_ms + CLOSE_MARGIN_MS,
        price_ranges=price_ranges,
        result=None,
        settle_after_ms=SETTLE_AFTER_MS,
        mutually_exclusive=False,  # the rows cannot tell, and True would net risks that do not cancel
    )
