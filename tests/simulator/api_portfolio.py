"""Portfolio reads: orders, queue places, fills, positions, settlements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from .account import Account, PositionRow, row_as_of
from .api_account import account_of
from .call import Call, cursor_position, page
from .market import Market
from .model import CANCELED, EXECUTED, RESTING
from .readmodel import Filter
from .render import (
    compact,
    event_position_row,
    fill_row,
    order_text,
    position_row,
    settlement_row,
)
from .units import count_text
from .wire import Refusal, Reply, json_reply, not_found, text_reply

LARGEST_PAGE = 1000
STATUSES = ("", RESTING, CANCELED, EXECUTED)


def orders(call: Call) -> Reply:
    return _orders(call, historical=False)


def historical_orders(call: Call) -> Reply:
    return _orders(call, historical=True)


def order(call: Call) -> Reply:
    found = call.exchange.reads.order(call.member, call.params["order_id"])
    if found is None:
        raise not_found()
    return text_reply(
        200, '{"order":' + order_text(*found, legacy=call.exchange.knobs.legacy_side_fields) + "}"
    )


def queue_positions(call: Call) -> Reply:
    tickers, event = call.query.comma("market_tickers"), call.query.text("event_ticker")
    if not tickers and not event:
        raise Refusal(400, "invalid_parameters", "Need to specify market_tickers or event_ticker")
    rows = [
        {
            "order_id": order.id,
            "market_ticker": order.market.ticker,
            "queue_position_fp": count_text(order.market.book.halves[order.side].ahead_e2(order)),
        }
        for order in call.member.resting.values()
        if order.booked and (order.market.ticker in tickers or order.market.spec.event_ticker == event)
    ]
    return json_reply(200, {"queue_positions": rows or None})


def queue_position(call: Call) -> Reply:
    order = call.member.resting.get(call.params["order_id"])
    if order is None or not order.booked:
        raise not_found()
    return json_reply(
        200, {"queue_position_fp": count_text(order.market.book.halves[order.side].ahead_e2(order))}
    )


def fills(call: Call) -> Reply:
    return _fills(call, historical=False)


def historical_fills(call: Call) -> Reply:
    return _fills(call, historical=True)


def positions(call: Call) -> Reply:
    """Unsettled markets only unless asked otherwise; subaccount 0 by default."""
    limit = call.query.limit(most=LARGEST_PAGE)
    account = account_of(call)
    rows = list(_position_rows(call, account))
    after = cursor_position(call.query.text("cursor")) or 0
    shown, cursor = page(((number, row) for number, row in enumerate(rows, 1) if number > after), limit)
    events: dict[str, list[PositionRow]] = defaultdict(list)
    for market, row in shown:
        events[market.spec.event_ticker].append(row)
    return json_reply(
        200,
        {
            "market_positions": [position_row(market, row) for market, row in shown],
            "event_positions": [event_position_row(event, members) for event, members in events.items()],
            "cursor": cursor,
        },
    )


def settlements(call: Call) -> Reply:
    limit = call.query.limit(most=LARGEST_PAGE)
    ticker, event = call.query.text("ticker"), call.query.text("event_ticker")
    low, high = call.query.number("min_ts"), call.query.number("max_ts")
    subaccount = call.query.number("subaccount")
    before = cursor_position(call.query.text("cursor"))
    newest_first = reversed(list(enumerate(call.member.settlements)))
    fitting = (
        (number, row)
        for number, row in newest_first
        if (before is None or number < before)
        and ticker in ("", row.market.ticker)
        and event in ("", row.market.spec.event_ticker)
        and subaccount in (None, row.account.number)
        and (low is None or row.at_ms // 1000 >= low)
        and (high is None or row.at_ms // 1000 <= high)
        and row.at_ms <= call.exchange.reads.as_of_ms("positions", row.market.shard)
    )
    shown, cursor = page(fitting, limit)
    return json_reply(200, {"settlements": [settlement_row(row) for row in shown], "cursor": cursor})


def _orders(call: Call, *, historical: bool) -> Reply:
    limit, status = call.query.limit(most=LARGEST_PAGE), call.query.text("status")
    if status not in STATUSES:
        raise Refusal(400, "bad_request", "invalid status filter")
    wanted = _filter(
        call, status=status, events=tuple(call.query.comma("event_ticker")), historical=historical
    )
    before = cursor_position(call.query.text("cursor"))
    rows, cursor = page(call.exchange.reads.orders(call.member, wanted, before), limit)
    legacy = call.exchange.knobs.legacy_side_fields
    text = ",".join(order_text(order, version, legacy=legacy) for order, version in rows)
    return text_reply(200, f'{{"orders":[{text}],"cursor":"{cursor}"}}')


def _fills(call: Call, *, historical: bool) -> Reply:
    limit = call.query.limit(most=LARGEST_PAGE)
    wanted = _filter(call, order_id=call.query.text("order_id"), historical=historical)
    after = cursor_position(call.query.text("cursor"))
    rows, cursor = page(call.exchange.reads.fills(call.member, wanted, after), limit)
    legacy = call.exchange.knobs.legacy_side_fields
    text = ",".join(compact(fill_row(fill, legacy=legacy)) for fill in rows)
    return text_reply(200, f'{{"fills":[{text}],"cursor":"{cursor}"}}')


def _filter(call: Call, **more: Any) -> Filter:
    query = call.query
    return Filter(
        tickers=tuple(query.comma("ticker")),
        subaccount=query.number("subaccount"),
        shard=query.number("exchange_index"),
        min_s=query.number("min_ts"),
        max_s=query.number("max_ts"),
        **more,
    )


def _position_rows(call: Call, account: Account) -> Iterable[tuple[Market, PositionRow]]:
    query, markets = call.query, call.exchange.venue.markets
    ticker, event, shard = query.text("ticker"), query.text("event_ticker"), query.number("exchange_index")
    status = query.text("settlement_status") or "unsettled"
    only_open = "position" in query.comma("count_filter")
    for name, rows in account.position_rows.items():
        market = markets[name]
        row = row_as_of(rows, call.exchange.reads.as_of_ms("positions", market.shard))
        if row is None or (ticker and ticker != name) or (event and event != market.spec.event_ticker):
            continue
        settled = market.settled_ms is not None and row.at_ms >= market.settled_ms
        listed = status in ("all", "settled" if settled else "unsettled") and shard in (None, market.shard)
        if listed and (row.position_e2 or not only_open):
            yield market, row
