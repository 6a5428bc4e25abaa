"""Reading the exchange's JSON: exact, strict, and by the right fields."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.errors import NumberInvalid, WireInvalid
from dora.core.exchange.market import Level, Market, Side
from dora.core.units import (
    ONE_DOLLAR,
    Count,
    Money,
    Price,
    format_count,
    format_price,
    format_scaled,
    parse_count,
    parse_price,
)
from dora.edge.kalshi import wire_markets, wire_orders
from dora.edge.kalshi.wire import JsonObject, direction, is_of_subaccount, load_json, multiplier_e4, time_ms
from tests.support.kalshi_fakes import (
    NOW_MS,
    cancel_request,
    fill_row,
    market_row,
    order_request,
    order_row,
    settlement_row,
    without,
)


def row(data: object) -> JsonObject:
    return JsonObject("GET /somewhere", data)


# --- numbers and times ---------------------------------------------------------------------------------


@given(st.integers(1, 9_999), st.integers(0, 10**12))
def test_prices_and_counts_are_read_back_exactly(price: int, count: int) -> None:
    changes = {
        "yes_price_dollars": format_price(Price(price)) + "00",
        "count_fp": format_count(Count(count)),
    }
    fill = wire_orders.parse_fill(row(fill_row(**changes)))
    assert (fill.price, fill.count) == (price, count)


@given(st.integers(-(10**9), 10**9))
def test_fees_are_read_to_the_millionth(fee: int) -> None:
    assert wire_orders.parse_fill(row(fill_row(fee_cost=format_scaled(fee, 6)))).fee == fee


@given(st.integers(0, 10**7))
def test_a_fee_multiplier_is_a_json_number_read_exactly(multiplier: int) -> None:
    body = load_json(b'{"m": %s}' % format_scaled(multiplier, 4).encode())
    assert row(body).field("m", multiplier_e4) == multiplier


def test_no_float_comes_out_of_a_body() -> None:
    assert load_json(b'{"a": 0.1, "b": [1e3, 2]}') == {"a": "0.1", "b": ["1e3", 2]}


@pytest.mark.parametrize("body", [b"NaN", b"[Infinity]", b"{", b"", b"\xff\xfe\x00", b"<html>"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        load_json(body)


@pytest.mark.parametrize(
    ("fraction", "ms"),
    [("", 0), (".5", 500), (".16", 160), (".1641", 164), (".164999", 164), (".1649999999", 164)],
)
def test_times_lack_trailing_zeros_and_are_cut_to_milliseconds(fraction: str, ms: int) -> None:
    assert time_ms(f"2026-11-20T14:00:00{fraction}Z") == NOW_MS + ms


@given(st.integers(-4_000_000_000_000_000, 4_000_000_000_000_000))
def test_every_millisecond_survives_as_text(at_us: int) -> None:
    text = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).isoformat()
    assert time_ms(text) == at_us // 1000


@pytest.mark.parametrize("value", ["2026-11-20T14:00:00", "yesterday", "", 1795183200, None, True])
def test_another_form_of_time_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        time_ms(value)


# --- direction -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "side"),
    [
        ({"book_side": "bid", "outcome_side": "yes"}, Side.BID),
        ({"book_side": "ask", "outcome_side": "no"}, Side.ASK),
        ({"book_side": "ask"}, Side.ASK),
        ({"outcome_side": "no"}, Side.ASK),
        ({"book_side": "ask", "outcome_side": "no", "side": "yes", "action": "buy"}, Side.ASK),
    ],
)
def test_direction_comes_from_the_book_or_the_outcome_never_from_the_legacy_fields(
    fields: dict[str, str], side: Side
) -> None:
    assert direction(row(fields)) is side


@pytest.mark.parametrize(
    "fields",
    [
        {"book_side": "bid", "outcome_side": "no"},
        {"side": "yes", "action": "buy"},
        {"book_side": "buy"},
        {"book_side": "bid", "outcome_side": "maybe"},
        {},
    ],
)
def test_a_direction_that_is_absent_unknown_or_contradictory_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(WireInvalid, match="_side"):
        direction(row(fields))


# --- rows ----------------------------------------------------------------------------------------------


def test_an_order_row_becomes_an_order() -> None:
    order = wire_orders.parse_order(row(order_row()))
    assert (order.side, order.price, order.shard, order.group_id) == (Side.ASK, 4600, 2, "group-1")
    assert (order.initial, order.remaining, order.filled) == (1000, 700, 300)
    assert order.updated_ms == NOW_MS - 1_500


def test_an_order_never_touched_since_is_dated_by_its_creation() -> None:
    assert wire_orders.parse_order(row(order_row(last_update_time=None))).updated_ms == NOW_MS - 120_000
    with pytest.raises(WireInvalid, match="created_time"):
        wire_orders.parse_order(row(order_row(last_update_time=None, created_time=None)))


ORDER_FIELDS = [
    "order_id", "client_order_id", "ticker", "status", "yes_price_dollars",
    "fill_count_fp", "remaining_count_fp", "initial_count_fp",
]  # fmt: skip
FILL_FIELDS = ["fill_id", "order_id", "ticker", "yes_price_dollars", "count_fp", "is_taker", "fee_cost"]
MARKET_FIELDS = [
    "ticker", "event_ticker", "exchange_index", "status", "price_ranges", "open_time", "close_time",
    "market_type", "notional_value_dollars",
]  # fmt: skip
SETTLEMENT_FIELDS = ["ticker", "market_result", "revenue", "settled_time", "fee_cost"]
MATTERING = [
    *((wire_orders.parse_order, order_row(), key) for key in ORDER_FIELDS),
    *((wire_orders.parse_fill, fill_row(), key) for key in FILL_FIELDS),
    *((wire_markets.parse_market, market_row(), key) for key in MARKET_FIELDS),
    *((wire_orders.parse_settlement, settlement_row(), key) for key in SETTLEMENT_FIELDS),
]


@pytest.mark.parametrize(("parse", "whole", "key"), MATTERING)
def test_a_field_that_matters_is_never_assumed(parse: Any, whole: dict[str, Any], key: str) -> None:
    parse(row(whole))
    for broken in (without(whole, key), whole | {key: None}, whole | {key: ["?"]}):
        with pytest.raises(WireInvalid, match=f"GET /somewhere.*{key}"):
            parse(row(broken))


@pytest.mark.parametrize(
    ("parse", "whole"), [(wire_orders.parse_order, order_row()), (wire_markets.parse_market, market_row())]
)
def test_a_status_outside_the_enum_is_refused(parse: Any, whole: dict[str, Any]) -> None:
    with pytest.raises(WireInvalid, match="status = 'open'"):
        parse(row(whole | {"status": "open"}))


def test_extra_fields_are_tolerated() -> None:
    assert wire_orders.parse_order(row(order_row(new_thing={"a": 1}))) == wire_orders.parse_order(
        row(order_row())
    )


def test_a_portfolio_row_without_shard_is_of_shard_0_and_a_market_without_one_is_refused() -> None:
    for parse, whole in ((wire_orders.parse_order, order_row()), (wire_orders.parse_fill, fill_row())):
        assert parse(row(without(whole, "exchange_index"))).shard == 0
    with pytest.raises(WireInvalid, match="exchange_index is missing"):
        wire_markets.parse_market(row(without(market_row(), "exchange_index")))


def test_a_fill_without_created_time_is_dated_by_its_seconds() -> None:
    assert wire_orders.parse_fill(row(without(fill_row(ts=7), "created_time"))).at_ms == 7_000
    with pytest.raises(WireInvalid, match="ts"):
        wire_orders.parse_fill(row(without(fill_row(), "created_time")))


def test_rows_of_another_subaccount_are_dropped_by_name() -> None:
    rows = [row({"subaccount_number": number}) for number in (0, 3, None)] + [row({})]
    assert [own for own in rows if is_of_subaccount(own, 3)] == rows[1:]
    assert [own for own in rows if is_of_subaccount(own, 0)] == [rows[0], *rows[2:]]
    with pytest.raises(WireInvalid, match="subaccount_number"):
        is_of_subaccount(row({"subaccount_number": "3"}), 3)


def test_what_is_no_object_is_refused_when_it_is_looked_at() -> None:
    with pytest.raises(WireInvalid, match="expected an object"):
        wire_orders.parse_order(row([1]))
    with pytest.raises(WireInvalid, match="expected an object"):
        wire_markets.parse_book("T", row(None))


# --- markets -----------------------------------------------------------------------------------------


def market(**changes: Any) -> Market:
    return wire_markets.parse_market(row(market_row(**changes)))


@pytest.mark.parametrize(
    ("changes", "plain"),
    [
        ({}, True),
        ({"market_type": "scalar"}, False),
        ({"notional_value_dollars": "10.0000"}, False),
        ({"settlement_bounds_type": "floor"}, False),
        ({"settlement_bounds_type": None}, False),
    ],
)
def test_only_a_binary_dollar_market_that_says_it_has_no_bounds_is_plain(
    changes: dict[str, Any], plain: bool
) -> None:
    assert market(**changes).plain is plain


def test_the_grid_comes_from_the_price_ranges() -> None:
    ranges = [
        {"start": "0.9000", "end": "1.0000", "step": "0.0010"},
        {"start": "0.0000", "end": "0.1000", "step": "0.0010"},
        {"start": "0.1000", "end": "0.9000", "step": "0.0100"},
    ]
    grid = market(price_ranges=ranges).grid
    assert [Price(p) in grid for p in (10, 1010, 1100, 9010)] == [True, False, True, True]
    with pytest.raises(WireInvalid, match="price_ranges"):
        market(price_ranges=ranges[:2])


def test_optional_times_of_a_market_may_be_absent_but_not_garbled() -> None:
    assert market(expected_expiration_time=None).expected_expiration_ms is None
    assert market(fee_waiver_expiration_time="2026-11-20T14:00:00Z").fee_waiver_until_ms == NOW_MS
    with pytest.raises(WireInvalid, match="fee_waiver"):
        market(fee_waiver_expiration_time="soon")


def test_a_market_without_a_trade_has_no_last_price() -> None:
    assert market(last_price_dollars="0.4500").last_price == 4_500
    assert market(last_price_dollars="0.0000").last_price is None
    assert market(last_price_dollars=None).last_price is None
    with pytest.raises(WireInvalid, match="last_price"):
        market(last_price_dollars="dear")


def test_a_listed_market_tells_its_touch_and_its_volume_where_they_can_be_read() -> None:
    told = {"yes_bid_dollars": "0.4400", "yes_ask_dollars": "0.4700", "volume_24h_fp": "12.50"}
    listed = wire_markets.parse_open_market(row(market_row(**told)))
    assert (listed.bid, listed.ask, listed.spread, listed.volume_24h) == (4_400, 4_700, 300, 1_250)
    garbled = wire_markets.parse_open_market(row(market_row(**dict.fromkeys(told, "?"))))
    assert (garbled.spread, garbled.volume_24h) == (None, None)


CHANGE = {"series_ticker": "S", "scheduled_ts": "2026-11-20T14:00:00Z"}


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"fee_type": "quadratic", "fee_multiplier": "0.5"}, ("S", "", NOW_MS, "quadratic", 5_000)),
        (
            {"event_ticker": "E", "fee_type_override": "flat", "fee_multiplier_override": 1},
            ("S", "E", NOW_MS, "flat", 10_000),
        ),
        ({"event_ticker": "E", "fee_type_override": None}, ("S", "E", NOW_MS, None, None)),
        ({"fee_type": "quadratic", "fee_multiplier": "dear"}, ("S", "", 0, "unreadable", 0)),
        ({"scheduled_ts": "soon"}, ("S", "", 0, "unreadable", 0)),
    ],
)
def test_an_announced_change_that_is_not_understood_holds_from_now_on(
    changes: dict[str, Any], read: tuple[object, ...]
) -> None:
    assert wire_markets.parse_fee_change(row(CHANGE | changes)) == read


def book(**sides: Any) -> Any:
    return wire_markets.parse_book("T", row(sides))


def test_no_bids_stand_as_asks_at_the_complement_and_both_sides_best_first() -> None:
    read = book(
        yes_dollars=[["0.4300", "120.00"], ["0.4400", "75.50"]],
        no_dollars=[["0.5400", "10.00"], ["0.5300", "40.00"]],
    )
    assert read.bids == (Level(Price(4400), Count(7550)), Level(Price(4300), Count(12000)))
    assert read.asks == (Level(Price(4600), Count(1000)), Level(Price(4700), Count(4000)))


@pytest.mark.parametrize("empty", [{"yes_dollars": []}, {"yes_dollars": None}, {}])
def test_an_empty_side_may_be_a_list_a_null_or_absent(empty: dict[str, Any]) -> None:
    read = book(no_dollars=[["0.9980", "300.00"]], **empty)
    assert read.bids == ()
    assert read.asks == (Level(Price(20), Count(30000)),)


@pytest.mark.parametrize(
    "level", [["0.4400"], ["0.4400", "1.00", "x"], ["0.0000", "1.00"], ["1.0000", "1.00"], ["0.44", "0.00"],
              ["0.44", "-1.00"], [44, 1], ["0.44005", "1.00"], [["0.44"], "1.00"], "0.44", "01", None]
)  # fmt: skip
def test_a_level_that_is_no_price_and_count_spoils_the_book(level: object) -> None:
    with pytest.raises(WireInvalid, match="yes_dollars"):
        book(yes_dollars=[level])


def one_by_one(pairs: Any) -> list[Level]:
    """The obvious way to read levels, which `levels_of` must agree with."""
    levels = []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError("a level is not a price and a count")
        price, count = parse_price(pair[0]), parse_count(pair[1])
        if not 0 < price < ONE_DOLLAR or count <= 0:
            raise ValueError("a level outside 0 to $1, or without contracts")
        levels.append(Level(price, count))
    return levels


CELLS = st.one_of(
    st.integers(1, 9_999).map(lambda price: format_price(Price(price))),
    st.integers(1, 10**7).map(lambda count: format_count(Count(count))),
    st.sampled_from(["0.44", "1.0000", "0.00", "-0.5000", "x", "", 1, 0.5, None, True, ["0.44"]]),
)
PAIRS = st.one_of(st.lists(CELLS, min_size=2, max_size=2), st.lists(CELLS, max_size=3), CELLS)


@given(st.lists(PAIRS, max_size=4) | st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=3))
def test_levels_are_read_as_one_by_one_or_refused_alike(pairs: list[Any]) -> None:
    try:
        expected = one_by_one(pairs)
    except (NumberInvalid, ValueError, TypeError):
        with pytest.raises((NumberInvalid, ValueError, TypeError)):
            wire_markets.levels_of(pairs, wire_markets._bid_price)
    else:
        assert wire_markets.levels_of(pairs, wire_markets._bid_price) == expected


@pytest.mark.parametrize(
    ("exclusive", "returns", "expected"),
    [(True, "MECNET", True), (True, "", False), (False, "MECNET", False), (False, "DIRECNET", False)],
)
def test_an_event_is_exclusive_only_when_collateral_is_returned_for_it(
    exclusive: bool, returns: str, expected: bool
) -> None:
    said = {"mutually_exclusive": exclusive, "collateral_return_type": returns}
    event = wire_markets.parse_event(row({"event_ticker": "E", "series_ticker": "S"} | said))
    assert event.exclusive is expected
    assert event.fee_type_override is None and event.fee_multiplier_override_e4 is None


def test_fee_overrides_of_an_event_are_read() -> None:
    fields = {
        "event_ticker": "E",
        "series_ticker": "S",
        "mutually_exclusive": False,
        "collateral_return_type": "",
    }
    fees = {"fee_type_override": "quadratic", "fee_multiplier_override": "0.5"}
    event = wire_markets.parse_event(row(fields | fees))
    assert (event.fee_type_override, event.fee_multiplier_override_e4) == ("quadratic", 5_000)


@pytest.mark.parametrize("multiplier", [None, True, "1e2", "half", "0.12345"])
def test_a_fee_multiplier_that_is_not_exact_is_refused(multiplier: object) -> None:
    with pytest.raises(WireInvalid, match="fee_multiplier"):
        wire_markets.parse_series(row({"ticker": "S", "fee_type": "quadratic", "fee_multiplier": multiplier}))


# --- the exchange ------------------------------------------------------------------------------------


def test_limits_are_those_of_the_account_and_costs_fall_back_to_the_default() -> None:
    bucket = {"refill_rate": 300, "bucket_capacity": 600}
    account = {"usage_tier": "advanced", "read": bucket, "write": bucket, "grants": []}
    listed = [
        {"method": "DELETE", "path": "/trade-api/v2/portfolio/events/orders/batched", "cost": 2},
        {"method": "GET", "path": "/trade-api/v2/portfolio/orders/:order_id", "cost": 3},
        {"method": "POST", "path": "/trade-api/v2/portfolio/orders/batched", "cost": 100},
    ]
    limits = wire_markets.parse_limits(row(account), row({"default_cost": 10, "endpoint_costs": listed}))
    assert (limits.tier, limits.read_rate, limits.write_capacity) == ("advanced", 300, 600)
    assert (limits.default_cost, limits.create_cost, limits.cancel_cost, limits.order_read_cost) == (
        10,
        10,
        2,
        3,
    )


# --- settlements --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "value", "paid"),
    [
        ("yes", 100, 10_000),
        ("yes", None, 10_000),
        ("no", 0, 0),
        ("no", None, 0),
        ("scalar", 37, 3_700),
        ("void", None, 0),
        ("void", 50, 0),
    ],
)
def test_a_yes_contract_is_worth_what_the_result_says(result: str, value: int | None, paid: int) -> None:
    settlement = wire_orders.parse_settlement(row(settlement_row(market_result=result, value=value)))
    assert (settlement.value, settlement.result) == (paid, result)
    assert (settlement.revenue, settlement.fee) == (Money(30_000_000), Money(130_000))


@pytest.mark.parametrize(
    ("result", "value"), [("yes", 0), ("no", 100), ("scalar", None), ("withdrawn", 50), ("", 0)]
)
def test_an_unknown_or_contradictory_result_is_refused(result: str, value: int | None) -> None:
    with pytest.raises(WireInvalid):
        wire_orders.parse_settlement(row(settlement_row(market_result=result, value=value)))


# --- what we send -------------------------------------------------------------------------------------


def test_every_create_is_post_only_resting_and_self_trade_safe() -> None:
    assert wire_orders.create_body(order_request(), 3) == {
        "ticker": order_request().slot.ticker,
        "client_order_id": "dora-1",
        "side": "ask",
        "count": "10.00",
        "price": "0.4600",
        "time_in_force": "good_till_canceled",
        "expiration_time": NOW_MS // 1000 + 300,
        "post_only": True,
        "self_trade_prevention_type": "maker",
        "cancel_order_on_pause": True,
        "subaccount": 3,
        "exchange_index": 2,
        "order_group_id": "group-1",
    }
    assert "order_group_id" not in wire_orders.create_body(order_request(group_id=None), 3)


def test_every_cancel_names_market_and_shard() -> None:
    body = wire_orders.cancel_body(cancel_request(), 3)
    assert (body["market_ticker"], body["exchange_index"], body["subaccount"]) == (
        cancel_request().ticker,
        2,
        3,
    )


@given(st.integers(1, 9_999), st.integers(1, 10**9))
def test_what_we_send_is_what_we_would_read(price: int, count: int) -> None:
    body = wire_orders.create_body(order_request(price=Price(price), count=Count(count)), 0)
    echoed = order_row(
        yes_price_dollars=body["price"], remaining_count_fp=body["count"], book_side=body["side"]
    )
    order = wire_orders.parse_order(row(echoed))
    assert (order.price, order.remaining, order.side) == (price, count, Side.ASK)


def test_a_group_limit_is_whole_contracts() -> None:
    assert wire_orders.limit_body(Count(20_050)) == {"contracts_limit": 200}
