"""Creating orders: what is taken, what is refused, and in which words."""

from dataclasses import replace
from typing import Any

import pytest

from tests.simulator.knobs import Knobs
from tests.support.simulator_desk import DOLLAR_E6, ORDERS, START_MS, TICKER, Desk, market

NOW_S = START_MS // 1000


@pytest.fixture
def desk() -> Desk:
    """RAIN-A stands at 0.44 / 0.46."""
    desk = Desk()
    desk.exchange.set_background_book(TICKER, [(4400, 5000), (4300, 9000)], [(4600, 1000), (4700, 2000)])
    return desk


def test_a_resting_order_answers_its_ids_and_counts(desk: Desk) -> None:
    answer = desk.place("bid", "0.4400", "7.50", client_order_id="mine-1")
    assert answer.status == 201
    order_id = answer.body.pop("order_id")
    assert answer.body == {
        "client_order_id": "mine-1",
        "fill_count": "0.00",
        "remaining_count": "7.50",
        "ts_ms": START_MS,
    }
    row = desk.row(order_id)
    assert (row["status"], row["book_side"], row["outcome_side"]) == ("resting", "bid", "yes")
    assert (row["yes_price_dollars"], row["no_price_dollars"]) == ("0.4400", "0.5600")


def test_an_ask_reads_back_as_the_no_outcome_though_the_old_side_says_yes(desk: Desk) -> None:
    row = desk.row(desk.rest("ask", "0.4600"))
    assert (row["book_side"], row["outcome_side"], row["side"], row["action"]) == ("ask", "no", "yes", "sell")


def test_a_crossing_order_takes_at_the_resting_prices_and_rests_the_remainder(desk: Desk) -> None:
    answer = desk.place("bid", "0.4700", "40.00")
    assert (answer.body["fill_count"], answer.body["remaining_count"]) == ("30.00", "10.00")
    assert answer.body["average_fill_price"] == "0.466666"
    assert desk.exchange.best_prices(TICKER) == (4700, None)


def test_a_selling_takers_average_price_is_on_the_yes_leg(desk: Desk) -> None:
    assert desk.place("ask", "0.4400", "10.00").body["average_fill_price"] == "0.4400"


@pytest.mark.parametrize(
    ("change", "status", "code", "details"),
    [
        (
            {"count": 10},
            400,
            "bad_request",
            "cannot unmarshal number into Go struct field CreateOrderV2Request.count",
        ),
        ({"price": 0.4}, 400, "bad_request", "CreateOrderV2Request.price of type string"),
        ({"post_only": "yes"}, 400, "bad_request", "post_only of type bool"),
        ({"exchange_index": True}, 400, "bad_request", "unmarshal bool into Go struct field"),
        ({"exchange_index": "0"}, 400, "bad_request", "exchange_index of type int64"),
        ({"ticker": None}, 400, "missing_parameters", "ticker"),
        ({"time_in_force": None}, 400, "missing_parameters", "time_in_force"),
        ({"self_trade_prevention_type": None}, 400, "missing_parameters", "self_trade_prevention_type"),
        ({"side": "buy"}, 400, "invalid_parameters", "side"),
        ({"time_in_force": "GTT"}, 400, "invalid_parameters", "time_in_force"),
        ({"price": "cheap"}, 400, "invalid_parameters", "price"),
        ({"price": "0.40005"}, 400, "invalid_order", "invalid price: invalid dollar precision: -5"),
        ({"price": "0.4050"}, 400, "invalid_price", ""),
        ({"price": "0.0000"}, 400, "invalid_price", ""),
        ({"price": "1.0000"}, 400, "invalid_price", ""),
        ({"count": "0.00"}, 400, "invalid_order_size", ""),
        ({"count": "-1.00"}, 400, "invalid_order_size", ""),
        ({"count": "1.005"}, 400, "invalid_order_size", ""),
        ({"client_order_id": "a.b"}, 400, "invalid_parameters", "client_order_id"),
        ({"client_order_id": "x" * 65}, 400, "invalid_parameters", "client_order_id"),
        ({"price": "0.4600", "post_only": True}, 400, "invalid_order", "post only cross"),
        ({"reduce_only": True}, 400, "invalid_order", "reduce_only can only be used with IoC or FoK orders"),
        ({"expiration_time": NOW_S}, 400, "invalid_order", "Expiration timestamp must be in the future"),
        (
            {"time_in_force": "immediate_or_cancel", "expiration_time": NOW_S + 60},
            400,
            "invalid_order",
            "cannot specify both immediate_or_cancel and an expiration",
        ),
        ({"count": "9000.00"}, 400, "insufficient_balance", ""),
        ({"ticker": "NO-SUCH", "exchange_index": -1}, 404, "market_not_found", ""),
        ({"ticker": "COIN-A", "exchange_index": 0}, 404, "market_not_found", ""),
        ({"order_group_id": "none"}, 404, "order_group_not_found", ""),
        ({"subaccount": 9}, 404, "user_not_found", ""),
        (
            {"time_in_force": "fill_or_kill", "price": "0.4600", "count": "10.01"},
            409,
            "fill_or_kill_insufficient_resting_volume",
            "",
        ),
    ],
)
def test_refusals(desk: Desk, change: dict[str, Any], status: int, code: str, details: str) -> None:
    cash_before = desk.account.free_e6(0)
    answer = desk.place(**change)
    assert (answer.status, answer.code) == (status, code)
    assert details in str(answer.body)
    assert desk.member.resting == {}
    assert desk.account.free_e6(0) == cash_before


def test_every_price_range_has_its_own_step() -> None:
    desk = Desk()
    tapered = ((0, 1000, 10), (1000, 9000, 100), (9000, 10_000, 10))
    desk.exchange.add_market(market("TAPER-A", price_ranges=tapered))
    desk.exchange.add_market(market("FINE-A", price_ranges=((0, 10_000, 1),)))

    def code(ticker: str, price: str) -> int:
        return desk.place("bid", price, "1.00", ticker=ticker).status

    assert [code("TAPER-A", p) for p in ("0.0990", "0.1000", "0.1100", "0.9010", "0.9990")] == [201] * 5
    assert [code("TAPER-A", p) for p in ("0.0995", "0.1010", "0.8990")] == [400] * 3
    assert [code("FINE-A", p) for p in ("0.0001", "0.5555", "0.9999")] == [201] * 3


def test_a_client_id_is_spent_for_ever_even_by_a_killed_order(desk: Desk) -> None:
    cancelled = desk.rest(client_order_id="one")
    desk.cancel(cancelled)
    assert desk.place(client_order_id="one").code == "order_already_exists"
    killed = {"time_in_force": "fill_or_kill", "price": "0.4600", "count": "99.00", "client_order_id": "two"}
    assert desk.place(**killed).status == 409
    assert desk.place(client_order_id="two").code == "order_already_exists"


def test_a_client_id_is_free_again_after_its_order_where_the_scope_is_open_orders() -> None:
    desk = Desk(Knobs(client_id_scope="open_only"))
    order_id = desk.rest(client_order_id="one")
    assert desk.place(client_order_id="one").code == "order_already_exists"
    desk.cancel(order_id)
    assert desk.place(client_order_id="one").status == 201


def test_orders_without_a_client_id_are_never_duplicates(desk: Desk) -> None:
    first, second = (desk.place(client_order_id=None) for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert "client_order_id" not in first.body


def test_an_immediate_order_that_finds_nothing_is_a_201_with_nothing_left(desk: Desk) -> None:
    answer = desk.place("bid", "0.4500", time_in_force="immediate_or_cancel")
    assert (answer.status, answer.body["fill_count"], answer.body["remaining_count"]) == (201, "0.00", "0.00")
    assert desk.row(answer.body["order_id"])["status"] == "canceled"


def test_a_fill_or_kill_that_fits_fills_whole(desk: Desk) -> None:
    answer = desk.place("bid", "0.4700", "30.00", time_in_force="fill_or_kill")
    assert (answer.status, answer.body["fill_count"]) == (201, "30.00")


def test_self_trade_with_taker_at_cross_keeps_the_resting_order_and_ends_the_new_one(desk: Desk) -> None:
    resting = desk.rest("ask", "0.4500", "5.00")
    answer = desk.place("bid", "0.4600", "20.00")
    assert (answer.status, answer.body["fill_count"], answer.body["remaining_count"]) == (201, "0.00", "0.00")
    assert desk.row(resting)["status"] == "resting"


def test_fills_before_the_own_order_stand(desk: Desk) -> None:
    desk.rest("ask", "0.4700", "5.00")
    answer = desk.place("bid", "0.4700", "60.00")
    assert (answer.body["fill_count"], answer.body["remaining_count"]) == ("30.00", "0.00")


def test_self_trade_with_maker_cancels_the_resting_order_and_goes_on(desk: Desk) -> None:
    resting = desk.rest("ask", "0.4500", "5.00")
    answer = desk.place("bid", "0.4600", "10.00", self_trade_prevention_type="maker")
    assert answer.body["fill_count"] == "10.00"
    assert desk.row(resting)["status"] == "canceled"


def test_the_mode_of_the_resting_order_decides_where_it_is_asked(desk: Desk) -> None:
    desk.exchange.knobs = replace(desk.exchange.knobs, self_trade_mode_of="resting")
    answer = desk.place("ask", "0.4500", "5.00", self_trade_prevention_type="maker")
    crossing = desk.place("bid", "0.4600", "10.00")
    assert crossing.body["fill_count"] == "10.00"
    assert desk.row(answer.body["order_id"])["status"] == "canceled"


def test_a_fill_or_kill_across_the_own_order_becomes_immediate(desk: Desk) -> None:
    desk.rest("ask", "0.4700", "5.00")
    answer = desk.place("bid", "0.4700", "60.00", time_in_force="fill_or_kill")
    assert (answer.status, answer.body["fill_count"], answer.body["remaining_count"]) == (
        201,
        "30.00",
        "0.00",
    )


def test_reduce_only_is_capped_by_the_position(desk: Desk) -> None:
    desk.place("bid", "0.4600", "4.00", time_in_force="immediate_or_cancel")
    answer = desk.place("ask", "0.4400", "10.00", time_in_force="immediate_or_cancel", reduce_only=True)
    assert answer.body["fill_count"] == "4.00"
    again = desk.place("ask", "0.4400", "10.00", time_in_force="immediate_or_cancel", reduce_only=True)
    assert again.code == "invalid_order_size"


def test_an_order_expires_at_its_second(desk: Desk) -> None:
    order_id = desk.rest(expiration_time=NOW_S + 10)
    desk.clock.advance_ms(9_999)
    assert desk.row(order_id)["status"] == "resting"
    desk.clock.advance_ms(1)
    assert desk.row(order_id)["status"] == "canceled"


def test_cash_on_another_shard_does_not_help() -> None:
    desk = Desk(cash={0: 1_000, 2: 1})
    short = desk.place("bid", "0.4000", "10.00", ticker="COIN-A", exchange_index=2)
    assert (short.status, short.code) == (400, "insufficient_balance")
    broke = Desk(cash={0: 1_000})
    unfunded = broke.place("bid", "0.4000", "10.00", ticker="COIN-A", exchange_index=2)
    assert (unfunded.status, unfunded.code) == (404, "insufficient_shard_balance")


def test_routing_by_ticker_needs_no_index(desk: Desk) -> None:
    for index in (None, -1):
        answer = desk.place("bid", "0.4000", ticker="COIN-A", exchange_index=index)
        assert answer.status == 201
        assert desk.row(answer.body["order_id"])["exchange_index"] == 2


def test_a_bid_holds_its_price_and_an_ask_the_rest_of_the_dollar(desk: Desk) -> None:
    desk.rest("bid", "0.4000", "10.00")
    desk.rest("ask", "0.9000", "10.00")
    assert desk.account.free_e6(0) == 1_000 * DOLLAR_E6 - 4 * DOLLAR_E6 - 1 * DOLLAR_E6


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/portfolio/orders"),
        ("DELETE", "/portfolio/orders/some-id"),
        ("POST", "/portfolio/orders/batched"),
        ("DELETE", "/portfolio/orders/batched"),
        ("POST", "/portfolio/orders/some-id/amend"),
        ("POST", "/portfolio/orders/some-id/decrease"),
    ],
)
def test_the_older_write_paths_are_gone(desk: Desk, method: str, path: str) -> None:
    answer = desk.call(method, path, body={})
    assert (answer.status, answer.code) == (410, "deprecated_v1_order_endpoint")


def test_bodies_that_are_not_json_objects_are_refused(desk: Desk) -> None:
    for body in (b"{", b"[]", b'"x"'):
        signed = desk.signed("POST", ORDERS)
        reply = desk.exchange.handle(type(signed)(signed.method, signed.path, [], signed.headers, body))
        assert reply.status == 400
        assert b'"code":"bad_request"' in reply.body


def test_a_post_without_a_json_content_type_is_refused(desk: Desk) -> None:
    signed = desk.signed("POST", ORDERS, body=desk.order())
    headers = {name: value for name, value in signed.headers.items() if name != "Content-Type"}
    reply = desk.exchange.handle(type(signed)(signed.method, signed.path, [], headers, signed.body))
    assert b"invalid_content_type" in reply.body
