"""Market data: markets, books, prints, events, series and their fees."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from .call import Call, cursor_position, page
from .candles import candle_rows, historical_row
from .decode import Query
from .market import STATUS_FILTERS, Market
from .model import Trade
from .render_market import (
    book_row,
    event_row,
    fee_change_row,
    market_row,
    program_row,
    series_row,
    trade_row,
)
from .wire import Refusal, Reply, json_reply, not_found

LARGEST_PAGE = 1000
LARGEST_EVENT_PAGE = 200
LARGEST_PROGRAM_PAGE = 10_000
PERIODS, MOST_CANDLES = (1, 60, 1440), 5_000
MOST_BOOKS = 100
MOST_DEPTH = 100


def markets(call: Call) -> Reply:
    """A page of markets; an unreadable cursor answers the first page."""
    limit = call.query.limit(most=LARGEST_PAGE, least=0)
    most = call.exchange.knobs.markets_tickers_maximum
    if most is not None and len(call.query.comma("tickers")) > most:
        raise call.query.bad("tickers", "lte")
    return call.exchange.cache.answer(
        call.request, call.exchange.knobs.markets_cache_ms, partial(_markets, call, limit)
    )


def historical_markets(call: Call) -> Reply:
    """A page of the markets that settled before the cutoff; filters of time mean nothing here."""
    query, cutoff_ms = call.query, call.exchange.reads.cutoff_ms()
    limit, after = query.limit(most=LARGEST_PAGE, least=0), cursor_position(query.text("cursor")) or 0
    fits = _named(query)
    listed = enumerate(call.exchange.venue.markets.values(), 1)
    fitting = (
        (number, found)
        for number, found in listed
        if number > after and fits(found) and _archived(found, cutoff_ms)
    )
    shown, cursor = page(fitting, limit)
    return json_reply(200, {"markets": [_row(call, found) for found in shown], "cursor": cursor})


def _archived(found: Market, cutoff_ms: int) -> bool:
    return found.settled_ms is not None and found.settled_ms < cutoff_ms


def market(call: Call) -> Reply:
    return json_reply(200, {"market": _row(call, _market(call))})


def orderbook(call: Call) -> Reply:
    depth = call.query.number("depth", 0) or 0
    if not 0 <= depth <= MOST_DEPTH:
        raise call.query.bad("depth", "lte")
    return json_reply(200, {"orderbook_fp": book_row(_market(call), call.exchange.knobs, depth)})


def orderbooks(call: Call) -> Reply:
    """Full books of up to 100 markets, in the order asked for."""
    tickers = call.query.repeated("tickers")
    if not 1 <= len(tickers) <= MOST_BOOKS:
        raise Refusal(400, "bad_request", "tickers must name between 1 and 100 markets")
    known = call.exchange.venue.markets
    if call.exchange.knobs.unknown_book_ticker == "refused" and not known.keys() >= set(tickers):
        raise not_found()
    rows = [
        {"ticker": ticker, "orderbook_fp": book_row(known[ticker], call.exchange.knobs)}
        for ticker in dict.fromkeys(tickers)
        if ticker in known
    ]
    return json_reply(200, {"orderbooks": rows})


def historical_trades(call: Call) -> Reply:
    """Public prints from before the cutoff."""
    return _trades_page(call, historical=True)


def trades(call: Call) -> Reply:
    """Public prints since the cutoff, newest first."""
    return _trades_page(call, historical=False)


def candlesticks(call: Call) -> Reply:
    """Candles of a market that end within two times; minutes without a trade or a move are left out."""
    found = _market(call)
    archived = _archived(found, call.exchange.reads.cutoff_ms())
    if archived or found.spec.series_ticker != call.params["series_ticker"]:
        raise not_found()
    return json_reply(200, {"ticker": found.ticker, "candlesticks": _candles(call, found)})


def historical_candlesticks(call: Call) -> Reply:
    """The same of a market that settled before the cutoff, and other names for its figures."""
    found = _market(call)
    if not _archived(found, call.exchange.reads.cutoff_ms()):
        raise not_found()
    rows = list(map(historical_row, _candles(call, found)))
    return json_reply(200, {"ticker": found.ticker, "candlesticks": rows})


def _candles(call: Call, found: Market) -> list[dict[str, Any]]:
    start_s, end_s = call.query.number("start_ts"), call.query.number("end_ts")
    minutes = call.query.number("period_interval")
    if start_s is None or end_s is None or minutes not in PERIODS:
        raise Refusal(400, "bad_request", "start_ts, end_ts and period_interval (1, 60, 1440) are required")
    if (end_s - start_s) // (60 * minutes) > MOST_CANDLES:
        raise Refusal(400, "bad_request", f"more than {MOST_CANDLES} candlesticks")
    return [row for row in candle_rows(found, minutes) if start_s <= row["end_period_ts"] <= end_s]


def _trades_page(call: Call, *, historical: bool) -> Reply:
    limit, ticker = call.query.limit(most=LARGEST_PAGE, least=0), call.query.text("ticker")
    venue = call.exchange.venue
    if ticker and ticker not in venue.markets:
        listed: list[Trade] = []
    else:
        listed = venue.markets[ticker].trades if ticker else venue.trades
    if call.query.flag("is_block_trade"):
        listed = []
    cutoff_ms = call.exchange.reads.trades_cutoff_ms()
    if historical:
        listed = [trade for trade in listed if trade.at_ms < cutoff_ms]
    shown, cursor = page(_trades(listed, call.query, 0 if historical else cutoff_ms), limit)
    return json_reply(200, {"trades": [trade_row(trade) for trade in shown], "cursor": cursor})


def incentive_programs(call: Call) -> Reply:
    """A page of programs; the next one hangs on `next_cursor`. A status that is none finds nothing."""
    query, now_ms = call.query, call.exchange.venue.now_ms()
    limit = query.limit(most=LARGEST_PROGRAM_PAGE)
    status, kind = query.text("status") or "all", query.text("type") or "all"
    after = cursor_position(query.text("cursor")) or 0
    fitting = (
        (number, program)
        for number, program in enumerate(call.exchange.venue.programs, 1)
        if number > after and status in ("all", program.status(now_ms)) and kind in ("all", program.kind)
    )
    shown, cursor = page(fitting, limit)
    rows = [program_row(program) for program in shown]
    return json_reply(200, {"incentive_programs": rows} | ({"next_cursor": cursor} if cursor else {}))


def events(call: Call) -> Reply:
    limit = call.query.limit(most=LARGEST_EVENT_PAGE, default=LARGEST_EVENT_PAGE)
    query, nested = call.query, bool(call.query.flag("with_nested_markets"))
    series, tickers = query.text("series_ticker"), query.comma("tickers")
    statuses = _statuses(query)
    after = cursor_position(query.text("cursor")) or 0
    fitting = (
        (number, members)
        for number, (event, members) in enumerate(sorted(_events(call).items()), 1)
        if number > after
        and series in ("", members[0].spec.series_ticker)
        and (not tickers or event in tickers)
        and (statuses is None or any(member.status in statuses for member in members))
    )
    shown, cursor = page(fitting, limit)
    return json_reply(200, {"events": [_event(call, members, nested) for members in shown], "cursor": cursor})


def event(call: Call) -> Reply:
    members = _events(call).get(call.params["event_ticker"])
    if members is None:
        raise not_found()
    nested = bool(call.query.flag("with_nested_markets"))
    listed = [] if nested else [_row(call, member) for member in members]
    return json_reply(200, {"event": _event(call, members, nested), "markets": listed})


def series(call: Call) -> Reply:
    ticker, venue = call.params["series_ticker"], call.exchange.venue
    if ticker not in venue.fees.series:
        raise not_found()
    return json_reply(200, {"series": series_row(ticker, venue)})


def series_fee_changes(call: Call) -> Reply:
    """Changes still to come, or all with `show_historical`."""
    ticker, past = call.query.text("series_ticker"), bool(call.query.flag("show_historical"))
    venue = call.exchange.venue
    rows = [
        fee_change_row(change)
        for change in venue.fees.changes
        if not change.event_ticker
        and ticker in ("", change.series_ticker)
        and (past or change.at_ms > venue.now_ms())
    ]
    return json_reply(200, {"series_fee_change_arr": rows})


def event_fee_changes(call: Call) -> Reply:
    ticker, limit = call.query.text("event_ticker"), call.query.limit(most=LARGEST_PAGE)
    after = cursor_position(call.query.text("cursor")) or 0
    fitting = (
        (number, change)
        for number, change in enumerate(call.exchange.venue.fees.changes, 1)
        if number > after and change.event_ticker and ticker in ("", change.event_ticker)
    )
    shown, cursor = page(fitting, limit)
    return json_reply(
        200, {"event_fee_changes": [fee_change_row(change) for change in shown], "cursor": cursor}
    )


def _markets(call: Call, limit: int) -> Reply:
    after = cursor_position(call.query.text("cursor")) or 0
    listed = enumerate(call.exchange.venue.markets.values(), 1)
    fits, cutoff_ms = _market_filter(call.query), call.exchange.reads.cutoff_ms()
    live = ((number, found) for number, found in listed if not _archived(found, cutoff_ms))
    shown, cursor = page(((number, found) for number, found in live if number > after and fits(found)), limit)
    return json_reply(200, {"markets": [_row(call, found) for found in shown], "cursor": cursor})


def _named(query: Query) -> Any:
    """A predicate over markets from those of a list's query parameters that name them."""
    tickers = set(query.comma("tickers"))
    event_ticker, series_ticker = query.text("event_ticker"), query.text("series_ticker")

    def fits(found: Market) -> bool:
        return (
            (not tickers or found.ticker in tickers)
            and event_ticker in ("", found.spec.event_ticker)
            and series_ticker in ("", found.spec.series_ticker)
        )

    return fits


def _market_filter(query: Query) -> Any:
    """A predicate over markets from the list's query parameters."""
    named, statuses = _named(query), _statuses(query)
    updated_s, opened_s = query.number("min_updated_ts"), query.number("min_close_ts")
    closed_s, combos_only = query.number("max_close_ts"), query.text("mve_filter") == "only"

    def fits(found: Market) -> bool:
        return (
            not combos_only
            and named(found)
            and (statuses is None or found.status in statuses)
            and (updated_s is None or found.updated_ms > updated_s * 1000)
            and (opened_s is None or found.close_ms >= opened_s * 1000)
            and (closed_s is None or found.close_ms <= closed_s * 1000)
        )

    return fits


def _statuses(query: Query) -> tuple[str, ...] | None:
    status = query.text("status")
    if status and status not in STATUS_FILTERS:
        raise Refusal(400, "bad_request", "invalid status filter")
    return STATUS_FILTERS.get(status)


def _trades(listed: list[Trade], query: Query, first_ms: int) -> Iterator[tuple[int, Trade]]:
    low, high = query.number("min_ts"), query.number("max_ts")
    before = cursor_position(query.text("cursor"))
    for trade in reversed(listed):
        if trade.at_ms < first_ms or (low is not None and trade.at_ms // 1000 < low):
            return  # older prints only from here on
        if (before is None or trade.seq < before) and (high is None or trade.at_ms // 1000 <= high):
            yield trade.seq, trade


def _market(call: Call) -> Market:
    found = call.exchange.venue.markets.get(call.params["ticker"])
    if found is None:
        raise not_found()
    return found


def _row(call: Call, found: Market) -> dict[str, Any]:
    return market_row(found, call.exchange.knobs, call.exchange.venue.now_ms())


def _events(call: Call) -> dict[str, list[Market]]:
    by_event: dict[str, list[Market]] = {}
    for found in call.exchange.venue.markets.values():
        by_event.setdefault(found.spec.event_ticker, []).append(found)
    return by_event


def _event(call: Call, members: list[Market], nested: bool) -> dict[str, Any]:
    row = event_row(members, call.exchange.venue)
    return row | {"markets": [_row(call, found) for found in members]} if nested else row
