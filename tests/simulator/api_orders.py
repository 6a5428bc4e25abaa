"""Order writes: create, cancel, amend, decrease, single and in batches."""

from __future__ import annotations

from functools import partial
from typing import Any

from . import decode
from .book import ASK, BID
from .call import Call
from .engine import Amendment
from .model import CANCELED, FOK, GTC, IOC, RESTING, Order, OrderTicket
from .render import executed
from .units import DOLLAR_E4, count_text
from .wire import ConnectionDroppedError, Refusal, Reply, json_reply

_FLAGS = ("post_only", "reduce_only")


def create(call: Call) -> Reply:
    fields = call.fields("CreateOrderV2Request", decode.CREATE)
    order = _place(call, fields)
    _drop_if_planted(call)
    return json_reply(201, _created(call, order))


def create_batch(call: Call) -> Reply:
    """201 whatever becomes of the entries; each stands alone."""
    entries = _entries(call, "CreateOrderV2Request", decode.CREATE)
    indexes = list(range(len(entries)))
    if call.exchange.knobs.batch_execution == "reversed":
        indexes.reverse()
    answers = {index: _create_entry(call, entries[index]) for index in indexes}
    _drop_if_planted(call)
    return json_reply(201, {"orders": _arranged(call, [answers[i] for i in range(len(entries))])})


def cancel(call: Call) -> Reply:
    index, ticker = call.query.number("exchange_index"), call.query.text("market_ticker")
    fields = {"order_id": call.params["order_id"], "exchange_index": index, "market_ticker": ticker}
    order, reduced_e2 = _cancel(call, fields)
    return json_reply(
        200, _identity(order) | {"reduced_by": count_text(reduced_e2), "ts_ms": call.exchange.venue.now_ms()}
    )


def cancel_batch(call: Call) -> Reply:
    """200 whatever becomes of the entries."""
    entries = _entries(call, "CancelOrderV2Request", decode.CANCEL)
    for entry in entries:
        decode.require(entry, ("order_id",))
    return json_reply(200, {"orders": _arranged(call, [_cancel_entry(call, entry) for entry in entries])})


def cancel_all(call: Call) -> Reply:
    call.exchange.engine.cancel_all(call.member, call.query.number("subaccount"))
    return Reply(204, b"", {})


def amend(call: Call) -> Reply:
    fields = call.fields("AmendOrderV2Request", decode.AMEND)
    decode.require(fields, ("ticker", "side", "price", "count"))
    amendment = Amendment(
        ticker=fields["ticker"],
        side=decode.one_of(fields["side"], (BID, ASK), "side"),
        price_e4=decode.price_e4(fields["price"]),
        count_e2=decode.count_e2(fields["count"]),
        client_order_id=fields.get("client_order_id", ""),
        new_client_order_id=fields.get("updated_client_order_id", ""),
        expiration_s=fields.get("expiration_time"),
    )
    shard = call.route_shard(fields.get("exchange_index"), amendment.ticker)
    engine = call.exchange.engine
    order = engine.resting(call.member, call.params["order_id"], shard)
    cost_before_e6, fees_before_e6 = order.taker_cost_e6, order.taker_fees_e6
    filled_e2 = engine.amend(call.member, order, amendment)
    spent = _executed(
        order, filled_e2, order.taker_cost_e6 - cost_before_e6, order.taker_fees_e6 - fees_before_e6
    )
    answer = _identity(order) | {
        "remaining_count": count_text(order.remaining_e2),
        "fill_count": count_text(filled_e2),
        "average_fill_price": spent.get("average_fill_price"),
        "average_fee_paid": spent.get("average_fee_paid"),
        "ts_ms": call.exchange.venue.now_ms(),
    }
    return json_reply(200, answer)


def decrease(call: Call) -> Reply:
    fields = call.fields("DecreaseOrderV2Request", decode.DECREASE)
    if len({"reduce_by", "reduce_to"} & fields.keys()) != 1:
        raise Refusal(400, "invalid_parameters", "exactly one of reduce_by, reduce_to")
    by, to = (
        decode.count_e2(fields[name]) if name in fields else None for name in ("reduce_by", "reduce_to")
    )
    ticker = fields.get("market_ticker", "")
    shard = call.route_shard(fields.get("exchange_index"), ticker)
    engine = call.exchange.engine
    order = engine.resting(call.member, call.params["order_id"], shard, ticker)
    engine.decrease(call.member, order, by_e2=by, to_e2=to)
    answer = {"remaining_count": count_text(order.remaining_e2), "ts_ms": call.exchange.venue.now_ms()}
    return json_reply(200, _identity(order) | answer)


def gone(call: Call) -> Reply:
    """The write paths of the older API."""
    raise Refusal(410, "deprecated_v1_order_endpoint", "Please switch to the V2 endpoints")


def ticket_of(call: Call, fields: dict[str, Any]) -> OrderTicket:
    """A create request's fields, checked for form and routed to their market."""
    decode.require(fields, decode.CREATE_REQUIRED)
    side = decode.one_of(fields["side"], (BID, ASK), "side")
    tif = decode.one_of(fields["time_in_force"], (GTC, IOC, FOK), "time_in_force")
    stp = decode.one_of(
        fields["self_trade_prevention_type"], ("taker_at_cross", "maker"), "self_trade_prevention_type"
    )
    shard = call.route_shard(fields.get("exchange_index"), fields["ticker"])
    market = call.exchange.venue.market(fields["ticker"])
    if market.shard != shard:
        raise Refusal(404, "market_not_found")
    return OrderTicket(
        market=market,
        client_order_id=fields.get("client_order_id", ""),
        side=side,
        count_e2=decode.count_e2(fields["count"]),
        price_e4=decode.price_e4(fields["price"]),
        time_in_force=tif,
        stp=stp,
        expiration_s=fields.get("expiration_time"),
        cancel_on_pause=fields.get("cancel_order_on_pause", False),
        group_id=fields.get("order_group_id", ""),
        subaccount=fields.get("subaccount", 0),
        **{flag: fields.get(flag, False) for flag in _FLAGS},
    )


def _place(call: Call, fields: dict[str, Any]) -> Order:
    exchange = call.exchange
    ticket = ticket_of(call, fields)
    order = exchange.engine.place(call.member, ticket)
    if order.status == RESTING:
        exchange.cheat.after_rest(call.member, order, ticket)
    return order


def _create_entry(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    try:
        order = _place(call, fields)
    except Refusal as refusal:
        call.exchange.venue.count_refusal(refusal)
        return _failed_create(call, fields, refusal)
    empty = {"average_fill_price": None, "average_fee_paid": None}
    return empty | _created(call, order) | {"error": None}


def _failed_create(call: Call, fields: dict[str, Any], refusal: Refusal) -> dict[str, Any]:
    knobs = call.exchange.knobs
    echoed = fields.get("client_order_id") if knobs.failed_entry_echoes_client_id else None
    entry: dict[str, Any] = (
        {"client_order_id": echoed} if echoed or knobs.failed_entry_style == "nulls" else {}
    )
    if knobs.failed_entry_style == "nulls":
        names = ("fill_count", "remaining_count", "average_fill_price", "average_fee_paid", "ts_ms")
        entry |= dict.fromkeys(names)
    return entry | {"error": refusal.entry()}


def _cancel(call: Call, fields: dict[str, Any]) -> tuple[Order, int]:
    ticker = fields.get("market_ticker") or ""
    shard = call.route_shard(fields.get("exchange_index"), ticker)
    return call.exchange.engine.cancel(call.member, fields["order_id"], shard, ticker)


def _cancel_entry(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    try:
        order, reduced_e2 = _cancel(call, fields)
    except Refusal as refusal:
        call.exchange.venue.count_refusal(refusal, cancel=True)
        entry = {"order_id": fields["order_id"], "client_order_id": None, "reduced_by": "0.00", "ts_ms": None}
        return entry | {"error": refusal.entry()}
    now_ms = call.exchange.venue.now_ms()
    return _identity(order) | {"reduced_by": count_text(reduced_e2), "ts_ms": now_ms, "error": None}


def _entries(call: Call, struct: str, fields: decode.Fields) -> list[dict[str, Any]]:
    """Typed entries of a batch; one entry of a wrong type refuses the whole body."""
    orders = call.fields("BatchRequest", decode.BATCH).get("orders")
    if not orders:
        raise Refusal(400, "missing_parameters", "orders")
    most = call.exchange.knobs.batch_maximum
    if most is not None and len(orders) > most:
        raise Refusal(400, "invalid_parameters", f"at most {most} orders")
    if not all(isinstance(entry, dict) for entry in orders):
        raise Refusal(400, "bad_request", "json: cannot unmarshal batch entry", shape="flat")
    return list(map(partial(call.fields, struct, fields), orders))


def _arranged(call: Call, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    match call.exchange.knobs.batch_reply:
        case "reversed":
            answers.reverse()
        case "shuffled":
            call.exchange.venue.random.shuffle(answers)
    return answers


def _identity(order: Order) -> dict[str, Any]:
    named = {"client_order_id": order.client_order_id} if order.client_order_id else {}
    return {"order_id": order.id} | named


def _created(call: Call, order: Order) -> dict[str, Any]:
    killed = order.status == CANCELED and not order.filled_e2 and not order.post_only
    echoed = killed and call.exchange.knobs.killed_echoes_count
    remaining_e2 = order.initial_e2 if echoed else order.remaining_e2
    counts = {"fill_count": count_text(order.filled_e2), "remaining_count": count_text(remaining_e2)}
    averages = _executed(order, order.filled_e2, order.taker_cost_e6, order.taker_fees_e6)
    versions = order.versions or []
    return _identity(order) | counts | averages | {"ts_ms": versions[-1].at_ms}


def _executed(order: Order, filled_e2: int, cost_e6: int, fees_e6: int) -> dict[str, str]:
    """Averages on the YES leg, whichever leg was bought."""
    yes_e6 = cost_e6 if order.side == BID else filled_e2 * DOLLAR_E4 - cost_e6
    return executed(order, filled_e2, yes_e6, fees_e6)


def _drop_if_planted(call: Call) -> None:
    if call.exchange.venue.plant.strikes("drop-answer"):
        raise ConnectionDroppedError("planted: the answer to an order is dropped")
