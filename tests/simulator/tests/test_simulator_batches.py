"""Batches: entries stand alone under one 201 or 200."""

import pytest

from tests.simulator.knobs import Knobs
from tests.support.simulator_desk import ORDERS, START_MS, TICKER, Answer, Desk

BATCHED = f"{ORDERS}/batched"


def create(desk: Desk, *orders: dict[str, object]) -> Answer:
    return desk.call("POST", BATCHED, body={"orders": list(orders)})


def cancel(desk: Desk, *orders: dict[str, object]) -> Answer:
    return desk.call("DELETE", BATCHED, body={"orders": list(orders)})


def test_good_and_bad_entries_share_a_201() -> None:
    desk = Desk()
    answer = create(desk, desk.order(client_order_id="a"), desk.order(client_order_id="b", price="0.4050"))
    assert answer.status == 201
    good, bad = answer.body["orders"]
    assert (good["client_order_id"], good["remaining_count"], good["error"]) == ("a", "10.00", None)
    assert good["average_fill_price"] is None
    assert bad == {
        "client_order_id": "b",
        "fill_count": None,
        "remaining_count": None,
        "average_fill_price": None,
        "average_fee_paid": None,
        "ts_ms": None,
        "error": {"code": "invalid_price", "message": "invalid price", "details": ""},
    }


def test_failed_entries_may_be_bare() -> None:
    desk = Desk(Knobs(failed_entry_echoes_client_id=False, failed_entry_style="absent"))
    (entry,) = create(desk, desk.order(price="0.4050")).body["orders"]
    assert set(entry) == {"error"}


@pytest.mark.parametrize(("reply", "expected"), [("request", ["a", "b", "c"]), ("reversed", ["c", "b", "a"])])
def test_the_order_of_the_answers_is_a_knob(reply: str, expected: list[str]) -> None:
    desk = Desk(Knobs(batch_reply=reply))
    answer = create(desk, *(desk.order(client_order_id=name) for name in "abc"))
    assert [entry["client_order_id"] for entry in answer.body["orders"]] == expected


def test_a_shuffled_answer_holds_every_entry_once() -> None:
    desk = Desk(Knobs(batch_reply="shuffled"))
    names = [f"n{i}" for i in range(20)]
    answer = create(desk, *(desk.order(client_order_id=name, count="1.00") for name in names))
    got = [entry["client_order_id"] for entry in answer.body["orders"]]
    assert sorted(got) == sorted(names)
    assert got != names


def test_execution_may_run_backwards() -> None:
    desk = Desk(Knobs(batch_execution="reversed"))
    desk.exchange.background_order(TICKER, "ask", 4000, 1000)
    answer = create(desk, desk.order(client_order_id="a"), desk.order(client_order_id="b"))
    assert [entry["fill_count"] for entry in answer.body["orders"]] == ["0.00", "10.00"]


def test_one_entry_of_a_wrong_type_refuses_the_whole_body() -> None:
    desk = Desk()
    answer = create(desk, desk.order(), desk.order() | {"count": 1})
    assert (answer.status, answer.code) == (400, "bad_request")
    assert desk.member.orders == []


@pytest.mark.parametrize("body", [{}, {"orders": []}, {"orders": None}])
def test_an_empty_batch_is_refused(body: dict[str, object]) -> None:
    assert Desk().call("POST", BATCHED, body=body).status == 400


def test_the_older_cancel_body_is_refused() -> None:
    assert Desk().call("DELETE", BATCHED, body={"order_ids": ["x"]}).status == 400


def test_a_batch_over_the_maximum_is_refused_whole() -> None:
    desk = Desk(Knobs(batch_maximum=2))
    assert create(desk, *(desk.order() for _ in range(3))).status == 400
    assert desk.member.orders == []


def test_cancels_answer_what_was_left_of_each_order() -> None:
    desk = Desk()
    order_id = desk.rest(client_order_id="a")
    answer = cancel(
        desk, {"order_id": order_id, "market_ticker": TICKER}, {"order_id": "gone", "exchange_index": 0}
    )
    assert answer.status == 200
    good, bad = answer.body["orders"]
    assert good == {
        "order_id": order_id,
        "client_order_id": "a",
        "reduced_by": "10.00",
        "ts_ms": START_MS,
        "error": None,
    }
    assert bad["reduced_by"] == "0.00"
    assert bad["error"] == {"code": "not_found", "message": "not found", "details": ""}


def test_a_cancel_without_a_shard_looks_on_shard_0_only() -> None:
    desk = Desk()
    order_id = desk.rest(ticker="COIN-A", exchange_index=2)
    (entry,) = cancel(desk, {"order_id": order_id}).body["orders"]
    assert entry["error"]["code"] == "not_found"
    assert desk.row(order_id)["status"] == "resting"
    assert desk.exchange.stats.cancels_404 == 1
    (entry,) = cancel(desk, {"order_id": order_id, "market_ticker": "COIN-A"}).body["orders"]
    assert entry["error"] is None
