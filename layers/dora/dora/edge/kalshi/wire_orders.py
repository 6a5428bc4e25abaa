"""Our portfolio as the exchange tells it, and the bodies of the requests that change it."""

from dora.core.errors import WireInvalid
from dora.core.exchange.account import ExchangePosition, Fill, Order, OrderGroup, OrderStatus, Settlement
from dora.core.exchange.listed import UnreadableRow
from dora.core.exchange.market import Side
from dora.core.orders.requests import (
    PROBE_COUNT,
    CancelRequest,
    DecreaseRequest,
    ExtendRequest,
    IdProbeRequest,
    OrderRequest,
)
from dora.core.units import (
    CONTRACT,
    ONE_DOLLAR,
    Count,
    Money,
    Price,
    TimeMs,
    format_count,
    format_price,
    parse_count,
    parse_money,
    parse_price,
)
from dora.edge.kalshi.wire import JsonObject, cents, direction, flag, integer, name, shard_of, text, time_ms

RequestBody = dict[str, object]

GROUPS = "order_groups"

_CENT = Money(10_000)
_RESULT_VALUES = {"yes": ONE_DOLLAR, "no": Price(0)}
_VOID = "void"
"""Positions are given back at cost, so no contract has a value."""


def parse_order(row: JsonObject) -> Order:
    """One order. Its price is the YES price whatever its side."""
    return Order(
        order_id=row.field("order_id", name),
        client_order_id=row.field("client_order_id", text),
        ticker=row.field("ticker", name),
        shard=shard_of(row),
        side=direction(row),
        price=row.field("yes_price_dollars", parse_price),
        status=row.field("status", OrderStatus),
        initial=row.field("initial_count_fp", parse_count),
        remaining=row.field("remaining_count_fp", parse_count),
        filled=row.field("fill_count_fp", parse_count),
        updated_ms=_updated_ms(row),
        group_id=row.optional("order_group_id", text) or None,
        expires_ms=row.optional("expiration_time", time_ms),
    )


def _updated_ms(row: JsonObject) -> TimeMs:
    """When the row was last true. An order never touched since may leave the field out."""
    updated = row.optional("last_update_time", time_ms)
    return row.field("created_time", time_ms) if updated is None else updated


def parse_fill(row: JsonObject) -> Fill:
    """One trade of ours; the exchange's fee, exactly."""
    return Fill(
        fill_id=row.field("fill_id", name),
        order_id=row.field("order_id", name),
        ticker=row.field("ticker", name),
        shard=shard_of(row),
        side=direction(row),
        price=row.field("yes_price_dollars", parse_price),
        count=row.field("count_fp", parse_count),
        is_taker=row.field("is_taker", flag),
        fee=row.field("fee_cost", parse_money),
        at_ms=_filled_ms(row),
    )


def _filled_ms(row: JsonObject) -> TimeMs:
    """`created_time`, or the whole seconds of the legacy `ts` when it is left out."""
    created = row.optional("created_time", time_ms)
    return TimeMs(row.field("ts", integer) * 1000) if created is None else created


def parse_settlement(row: JsonObject) -> Settlement:
    """A payout; `revenue` and `value` are among the last integer cents."""
    return Settlement(
        ticker=row.field("ticker", name),
        shard=shard_of(row),
        value=_settled_value(row),
        revenue=Money(row.field("revenue", integer) * _CENT),
        fee=row.field("fee_cost", parse_money),
        settled_ms=row.field("settled_time", time_ms),
        result=row.field("market_result", text),
    )


def _settled_value(row: JsonObject) -> Price:
    """What one YES contract paid: by the result, and a scalar result by its value."""
    result, value = row.field("market_result", text), row.optional("value", cents)
    if result == _VOID:
        return Price(0)
    by_result = value if result == "scalar" else _RESULT_VALUES.get(result)
    if by_result is None:
        raise row.invalid("market_result", "unknown, or scalar without a value")
    if value not in (None, by_result):
        raise row.invalid("value", f"contradicts market_result {result}")
    return by_result


def parse_position(row: JsonObject) -> ExchangePosition:
    """The net YES contracts of one market, negative for NO, and what they cost."""
    return ExchangePosition(
        row.field("ticker", name),
        shard_of(row),
        row.field("position_fp", parse_count),
        cost=row.readable("market_exposure_dollars", parse_money),
        updated_ms=row.readable("last_updated_ts", time_ms),
    )


def parse_balance(row: JsonObject) -> tuple[int, Money]:
    """A shard and the cash on it."""
    return row.field("exchange_index", integer), row.field("balance", parse_money)


def parse_order_group(row: JsonObject) -> OrderGroup:
    """A group. `is_auto_cancel_enabled` reads true after a trip; a limit that is not told reads 0."""
    return OrderGroup(
        group_id=row.field("id", name),
        shard=shard_of(row),
        tripped=row.field("is_auto_cancel_enabled", flag),
        limit=row.optional("contracts_limit_fp", parse_count) or Count(0),
    )


def unreadable(list_name: str, row: JsonObject, problem: WireInvalid) -> UnreadableRow:
    """What can be read of a row of our portfolio that is not understood."""
    remaining = row.readable("remaining_count_fp", parse_count)
    return UnreadableRow(
        list_name=list_name,
        problem=str(problem),
        order_id=row.readable("order_id", name),
        client_order_id=row.readable("client_order_id", text),
        ticker=row.readable("ticker", name),
        group_id=row.readable("id" if list_name == GROUPS else "order_group_id", name),
        side=_readable_side(row),
        price=row.readable("yes_price_dollars", parse_price),
        remaining=row.readable("initial_count_fp", parse_count) if remaining is None else remaining,
    )


def _readable_side(row: JsonObject) -> Side | None:
    try:
        return direction(row)
    except WireInvalid:
        return None


# --- request bodies ----------------------------------------------------------------------------------


def create_body(request: OrderRequest, subaccount: int) -> RequestBody:
    """One entry of a create batch: post-only, good till canceled, self-trade safe, gone on a pause.

    Where an order of the same account would trade with it, this one goes: a person's way out comes first.
    """
    return _order_body(request, request.count, "good_till_canceled", "maker", subaccount) | {
        "expiration_time": request.expires_s,
        "post_only": True,
        "cancel_order_on_pause": True,
    }


def id_probe_body(request: IdProbeRequest, subaccount: int) -> RequestBody:
    """A hundredth of a contract, immediate-or-cancel; it takes off nothing of our account's."""
    return _order_body(request, PROBE_COUNT, "immediate_or_cancel", "taker_at_cross", subaccount)


def _order_body(
    request: OrderRequest | IdProbeRequest,
    count: Count,
    time_in_force: str,
    self_trade_goes: str,
    subaccount: int,
) -> RequestBody:
    return {
        "ticker": request.slot.ticker,
        "client_order_id": request.client_order_id,
        "side": request.slot.side.value,
        "count": format_count(count),
        "price": format_price(request.price),
        "time_in_force": time_in_force,
        "self_trade_prevention_type": self_trade_goes,
        "subaccount": subaccount,
        "exchange_index": request.shard,
        **({} if request.group_id is None else {"order_group_id": request.group_id}),
    }


def cancel_body(request: CancelRequest, subaccount: int) -> RequestBody:
    """One entry of a cancel batch. Without market and shard the exchange looks on shard 0 only."""
    return {
        "order_id": request.order_id,
        "market_ticker": request.ticker,
        "exchange_index": request.shard,
        "subaccount": subaccount,
    }


def decrease_body(request: DecreaseRequest) -> RequestBody:
    """A decrease to a count, so that sending it twice would not take more off."""
    return {
        "reduce_to": format_count(request.reduce_to),
        "market_ticker": request.ticker,
        "exchange_index": request.shard,
    }


def extend_body(request: ExtendRequest) -> RequestBody:
    """An amend of the expiry alone: the order's own price and count keep its queue place."""
    return {
        "ticker": request.ticker,
        "side": request.side.value,
        "price": format_price(request.price),
        "count": format_count(request.count),
        "client_order_id": request.client_order_id,
        "expiration_time": request.expires_s,
        "exchange_index": request.shard,
    }


def limit_body(limit: Count) -> RequestBody:
    """A group's burst limit: whole contracts, a fraction cut off towards the tighter limit."""
    return {"contracts_limit": limit // CONTRACT}
