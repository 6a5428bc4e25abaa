"""Cancel, amend and decrease: answers, refusals and places in the queue."""

from typing import Any

import pytest

from tests.simulator.knobs import Knobs
from tests.support.simulator_desk import ORDERS, START_MS, TICKER, Answer, Desk


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.exchange.set_background_book(TICKER, [(4400, 5000)], [(4600, 1000)])
    return desk


def amend(desk: Desk, order_id: str, **change: Any) -> Answer:
    body = {
        "ticker": TICKER,
        "side": "bid",
        "price": "0.4000",
        "count": "10.00",
        "exchange_index": 0,
    } | change
    return desk.call("POST", f"{ORDERS}/{order_id}/amend", body=body)


def decrease(desk: Desk, order_id: str, **change: Any) -> Answer:
    return desk.call("POST", f"{ORDERS}/{order_id}/decrease", body={"market_ticker": TICKER} | change)


def ahead(desk: Desk, order_id: str) -> str:
    return str(desk.get(f"/portfolio/orders/{order_id}/queue_position").body["queue_position_fp"])


def test_a_cancel_says_what_was_left(desk: Desk) -> None:
    order_id = desk.rest("ask", "0.4500", "10.00", client_order_id="c-1")
    desk.taken("bid", 4500, 300)
    answer = desk.cancel(order_id)
    assert answer.body == {
        "order_id": order_id,
        "client_order_id": "c-1",
        "reduced_by": "7.00",
        "ts_ms": START_MS,
    }
    row = desk.row(order_id)
    assert (row["status"], row["remaining_count_fp"], row["fill_count_fp"]) == ("canceled", "0.00", "3.00")


def test_canceled_executed_and_unknown_orders_answer_the_same_404(desk: Desk) -> None:
    canceled, executed = desk.rest(), desk.rest("ask", "0.4500", "1.00")
    desk.cancel(canceled)
    desk.taken("bid", 4500, 100)
    answers = [desk.cancel(order_id) for order_id in (canceled, executed, "no-such-order")]
    assert [answer.status for answer in answers] == [404] * 3
    assert answers[0].body == answers[1].body == answers[2].body


def test_a_cancel_pinned_to_the_wrong_shard_answers_404_while_the_order_rests(desk: Desk) -> None:
    order_id = desk.rest(ticker="COIN-A", exchange_index=2)
    assert desk.call("DELETE", f"{ORDERS}/{order_id}").code == "not_found"
    assert desk.cancel(order_id, exchange_index=1).code == "not_found"
    assert desk.row(order_id)["status"] == "resting"
    assert desk.cancel(order_id, market_ticker="COIN-A").status == 200


def test_cancel_all_reaches_every_shard_and_answers_nothing(desk: Desk) -> None:
    desk.rest()
    desk.rest(ticker="COIN-A", exchange_index=2)
    reply = desk.exchange.handle(desk.signed("DELETE", ORDERS))
    assert (reply.status, reply.body) == (204, b"")
    assert desk.member.resting == {}


def test_cancel_all_may_be_kept_to_one_subaccount_and_spares_closed_markets() -> None:
    desk = Desk()
    desk.exchange.add_subaccount(desk.member, 1, {0: 100_000_000})
    mine, theirs = desk.rest(), desk.rest(subaccount=1)
    closed = desk.rest(ticker="RAIN-B", subaccount=1)
    desk.exchange.close_market("RAIN-B")
    desk.call("DELETE", ORDERS, {"subaccount": 1})
    statuses = [desk.row(order_id)["status"] for order_id in (mine, theirs, closed)]
    assert statuses == ["resting", "canceled", "resting"]


def test_orders_placed_within_the_echo_of_a_cancel_all_die_too() -> None:
    desk = Desk(Knobs(cancel_all_echo_ms=60_000))
    desk.call("DELETE", ORDERS)
    desk.clock.advance_ms(59_999)
    early = desk.place()
    desk.clock.advance_ms(1)
    late = desk.place()
    assert desk.row(early.body["order_id"])["status"] == "canceled"
    assert desk.row(late.body["order_id"])["status"] == "resting"


@pytest.mark.parametrize(
    ("change", "keeps"),
    [
        ({"count": "5.00"}, True),
        ({"expiration_time": START_MS // 1000 + 60}, True),
        ({"count": "5.00", "expiration_time": START_MS // 1000 + 60}, True),
        ({"count": "15.00"}, False),
        ({"price": "0.3900"}, False),
    ],
)
def test_only_a_smaller_size_or_a_new_expiry_keeps_the_queue_place(
    desk: Desk, change: dict[str, Any], keeps: bool
) -> None:
    order_id = desk.rest("bid", "0.4000", "10.00")
    desk.exchange.background_order(TICKER, "bid", 4000, 700)
    desk.exchange.background_order(TICKER, "bid", 3900, 700)
    assert amend(desk, order_id, **change).status == 200
    expected = "50.00" if keeps else ("57.00" if "count" in change else "64.00")
    assert ahead(desk, order_id) == expected


def test_the_amended_count_includes_what_is_filled(desk: Desk) -> None:
    order_id = desk.rest("ask", "0.4500", "10.00")
    desk.taken("bid", 4500, 300)
    answer = amend(desk, order_id, side="ask", price="0.4500", count="8.00")
    assert (answer.body["remaining_count"], answer.body["fill_count"]) == ("5.00", "0.00")
    assert desk.row(order_id)["initial_count_fp"] == "8.00"


def test_an_amend_may_cross_and_fill(desk: Desk) -> None:
    order_id = desk.rest("bid", "0.4000", "15.00")
    answer = amend(desk, order_id, price="0.4600", count="15.00")
    assert (answer.body["fill_count"], answer.body["remaining_count"]) == ("10.00", "5.00")
    assert answer.body["average_fill_price"] == "0.4600"


def test_a_post_only_amend_into_the_touch_is_a_200_and_the_end_of_the_order(desk: Desk) -> None:
    order_id = desk.rest("bid", "0.4000", post_only=True)
    answer = amend(desk, order_id, price="0.4600")
    assert (answer.status, answer.body["fill_count"], answer.body["remaining_count"]) == (200, "0.00", "0.00")
    assert desk.row(order_id)["status"] == "canceled"


def test_an_amend_renames_the_order_and_spends_the_new_name(desk: Desk) -> None:
    order_id = desk.rest(client_order_id="old")
    answer = amend(desk, order_id, client_order_id="old", updated_client_order_id="new")
    assert answer.body["client_order_id"] == "new"
    assert desk.row(order_id)["client_order_id"] == "new"
    assert desk.place(client_order_id="new").code == "order_already_exists"


def test_expiry_zero_clears_and_the_old_expiry_no_longer_strikes(desk: Desk) -> None:
    order_id = desk.rest(expiration_time=START_MS // 1000 + 10)
    amend(desk, order_id, expiration_time=0)
    desk.clock.advance_ms(20_000)
    row = desk.row(order_id)
    assert row["status"] == "resting"
    assert "expiration_time" not in row


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"ticker": "RAIN-B"}, 400, "order_ticker_mismatch"),
        ({"side": "ask"}, 400, "order_side_mismatch"),
        ({"client_order_id": "other"}, 400, "order_id_and_client_order_id_mismatch"),
        ({"updated_client_order_id": "taken"}, 409, "order_already_exists"),
        ({"count": "2.00"}, 400, "invalid_order_size"),
        ({"price": "0.4050"}, 400, "invalid_price"),
        ({"expiration_time": START_MS // 1000 - 1}, 400, "invalid_order"),
        ({"count": "9000.00"}, 400, "insufficient_balance"),
        ({"price": "0.4500"}, 400, "invalid_order"),
        ({"ticker": "COIN-A", "exchange_index": 2}, 404, "not_found"),
    ],
)
def test_a_refused_amend_leaves_the_order_as_it_was(
    desk: Desk, change: dict[str, Any], status: int, code: str
) -> None:
    desk.rest("ask", "0.4500", "1.00", client_order_id="taken")
    order_id = desk.rest("bid", "0.4400", "10.00")
    desk.taken("ask", 4400, 5200)
    before = desk.row(order_id)
    assert before["fill_count_fp"] == "2.00"
    answer = amend(desk, order_id, **({"price": "0.4400"} | change))
    assert (answer.status, answer.code) == (status, code)
    assert desk.row(order_id) == before


@pytest.mark.parametrize(
    ("change", "remaining"),
    [({"reduce_by": "3.00"}, "7.00"), ({"reduce_to": "3.00"}, "3.00"), ({"reduce_to": "0.00"}, "0.00")],
)
def test_a_decrease_keeps_the_place_and_says_what_remains(
    desk: Desk, change: dict[str, Any], remaining: str
) -> None:
    order_id = desk.rest("bid", "0.4000", "10.00")
    answer = decrease(desk, order_id, **change)
    assert (answer.status, answer.body["remaining_count"]) == (200, remaining)
    assert desk.row(order_id)["status"] == ("canceled" if remaining == "0.00" else "resting")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"reduce_by": "1.00", "reduce_to": "1.00"},
        {"reduce_by": "0.00"},
        {"reduce_to": "11.00"},
        {"reduce_by": "-1.00"},
    ],
)
def test_decreases_that_make_no_sense_are_refused(desk: Desk, change: dict[str, Any]) -> None:
    order_id = desk.rest("bid", "0.4000", "10.00")
    answer = decrease(desk, order_id, **change)
    assert (answer.status, answer.code) == (400, "invalid_parameters")
    assert desk.row(order_id)["remaining_count_fp"] == "10.00"


def test_cash_held_follows_every_change(desk: Desk) -> None:
    start = desk.account.free_e6(0)
    order_id = desk.rest("bid", "0.4000", "10.00")
    decrease(desk, order_id, reduce_to="5.00")
    assert start - desk.account.free_e6(0) == 2_000_000
    amend(desk, order_id, price="0.2000", count="10.00")
    assert start - desk.account.free_e6(0) == 2_000_000
    desk.cancel(order_id)
    assert desk.account.free_e6(0) == start
