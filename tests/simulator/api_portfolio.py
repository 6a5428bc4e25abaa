"""Portfolio reads, cash transfers between shards, and the account's own limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from . import decode
from .account import Account, CashRow, PositionRow, row_as_of
from .buckets import READ, WRITE
from .call import Call, cursor_position, page
from .market import Market
from .model import CANCELED, EXECUTED, RESTING
from .readmodel import Filter
from .render import (
    compact,
    event_position_row,
    fill_row,
    mark_e6,
    order_text,
    position_row,
    settlement_row,
)
from .routing_table import COSTS, DEFAULT_COST
from .units import CENT_E6, count_text, money_text
from .wire import Refusal, Reply, json_reply, not_found, text_reply

LARGEST_PAGE = 1000
TRANSFER_ID = 0x1A2B
STATUSES = ("", RESTING, CANCELED, EXECUTED)


def orders(call: Call) -> Reply:
    return _orders(call, historical=False)


def historical_orders(call: Call) -> Reply:
    return _orders(call, historical=True)


def order(call: Call) -> Reply:
    found = call.exchange.reads.order(call.member, call.params["order_id"])
    if found is None:
        raise not_found()
    return text_reply(200, '{"order":' + order_text(*found, legacy=call.exchange.knobs.legacy_side_fields) + "}")


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
    return json_reply(200, {"queue_position_fp": count_text(order.market.book.halves[order.side].ahead_e2(order))})


def fills(call: Call) -> Reply:
    return _fills(call, historical=False)


def historical_fills(call: Call) -> Reply:
    return _fills(call, historical=True)


def positions(call: Call) -> Reply:
    """Unsettled markets only unless asked otherwise; subaccount 0 by default."""
    limit = call.query.limit(most=LARGEST_PAGE)
    account = _account(call)
    rows = list(_position_rows(call, account))
    after = cursor_position(call.query.text("cursor")) or 0
    shown, cursor = page(((number, row) for number, row in enumerate(rows, 1) if number > after), limit)
    events: dict[str, list[PositionRow]] = defaultdict(list)
    for market, row in shown:
        events[market.spec.event_ticker].append(row)
    return json_reply(200, {
        "market_positions": [position_row(market, row) for market, row in shown],
        "event_positions": [event_position_row(event, members) for event, members in events.items()],
        "cursor": cursor,
    })  # fmt: skip


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


def balance(call: Call) -> Reply:
    """All shards summed unless one is named; the breakdown says what is where."""
    account = _account(call)
    wanted = call.query.number("exchange_index")
    spent = call.exchange.knobs.balance_counts_resting_as_spent
    rows = {shard: row for shard, row in _cash_rows(call, account).items() if wanted in (None, shard)}
    free = {shard: row.cash_e6 - (row.reserved_e6 if spent else 0) for shard, row in rows.items()}
    total_e6 = sum(free.values())
    return json_reply(200, {
        "balance": total_e6 // CENT_E6,
        "balance_dollars": money_text(total_e6),
        "portfolio_value": _portfolio_e6(call, account, wanted) // CENT_E6,
        "updated_ts": max((row.at_ms for row in rows.values()), default=call.exchange.venue.now_ms()) // 1000,
        "balance_breakdown": [
            {"exchange_index": shard, "balance": money_text(cash_e6)} for shard, cash_e6 in sorted(free.items())
        ],
    })  # fmt: skip


def limits(call: Call) -> Reply:
    buckets = call.member.buckets
    answer = {
        name: {"refill_rate": buckets.bucket(name).rate, "bucket_capacity": buckets.bucket(name).capacity}
        for name in (READ, WRITE)
    }
    return json_reply(200, {"usage_tier": buckets.tier, **answer, "grants": []})


def endpoint_costs(call: Call) -> Reply:
    rows = [{"method": method, "path": path, "cost": cost} for (method, path), cost in sorted(COSTS.items())]
    return json_reply(200, {"default_cost": DEFAULT_COST, "endpoint_costs": rows})


def transfer(call: Call) -> Reply:
    """Cash from one shard to another; it leaves at once and arrives after the knob's delay."""
    fields = call.fields("IntraExchangeInstanceTransferRequest", decode.TRANSFER)
    decode.require(fields, ("source", "destination", "amount"))
    key = fields.get("client_transfer_id", "")
    if key in call.member.transfer_ids:
        raise Refusal(409, "transfer_already_exists")
    amount_e6 = fields["amount"] * 100
    source, destination = fields.get("source_exchange_shard", 0), fields.get("destination_exchange_shard", 0)
    account = call.exchange.engine.admission.account(call.member, fields.get("source_subaccount", 0))
    if not 0 < amount_e6 <= account.free_e6(source):
        raise Refusal(400, "insufficient_balance")
    if key:
        call.member.transfer_ids.add(key)
    call.exchange.move_cash(account, source, destination, amount_e6)
    return json_reply(200, {"transfer_id": call.exchange.venue.new_id(TRANSFER_ID)})


def get_allocation(call: Call) -> Reply:
    member = call.member
    return json_reply(200, {"allocations": member.allocations, "resting_margin_reservation": member.allocation_mode})


def set_allocation(call: Call) -> Reply:
    """Kept and read back; the simulator does not move cash by itself."""
    fields = call.fields("SetTargetBalanceAllocationRequest", decode.ALLOCATION)
    allocations = fields.get("allocations", [])
    if allocations and sum(entry.get("percent", 0) for entry in allocations) != 100:  # noqa: PLR2004
        raise Refusal(400, "invalid_parameters", "percents must total 100")
    call.member.allocations = allocations
    call.member.allocation_mode = fields.get("resting_margin_reservation", "none")
    return json_reply(200, {})


def _orders(call: Call, *, historical: bool) -> Reply:
    limit, status = call.query.limit(most=LARGEST_PAGE), call.query.text("status")
    if status not in STATUSES:
        raise Refusal(400, "bad_request", "invalid status filter")
    wanted = _filter(call, status=status, events=tuple(call.query.comma("event_ticker")), historical=historical)
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


def _filter(call: Call, **more: object) -> Filter:
    query = call.query
    return Filter(
        tickers=tuple(query.comma("ticker")), subaccount=query.number("subaccount"), shard=query.number("exchange_index"),
        min_s=query.number("min_ts"), max_s=query.number("max_ts"), **more,
    )  # fmt: skip


def _account(call: Call) -> Account:
    return call.exchange.engine.admission.account(call.member, call.query.number("subaccount", 0) or 0)


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
        if shard in (None, market.shard) and status in ("all", "settled" if settled else "unsettled"):
            if not only_open or row.position_e2:
                yield market, row


def _cash_rows(call: Call, account: Account) -> dict[int, CashRow]:
    as_of_ms = call.exchange.reads.as_of_ms("balance")
    found = {shard: row_as_of(rows, as_of_ms) for shard, rows in account.cash_rows.items()}
    return {shard: row for shard, row in found.items() if row is not None}


def _portfolio_e6(call: Call, account: Account, shard: int | None) -> int:
    markets = call.exchange.venue.markets
    return sum(
        mark_e6(account, markets[ticker], position)
        for ticker, position in account.positions.items()
        if position.position_e2 and shard in (None, markets[ticker].shard)
    )
