"""Every unknown of the real exchange has both its answers here or in a test of its subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.knobs import OTHER_ANSWERS, Knobs
from tests.simulator.stage import relaxed
from tests.support.simulator_desk import GROUPS, ORDERS, TICKER, Answer, Desk


def after_refusal(desk: Desk) -> Answer:
    desk.place(price="0.4050", client_order_id="same")
    return desk.place(client_order_id="same")


def into_triggered_group(desk: Desk) -> Answer:
    group = desk.group()
    desk.call("PUT", f"{GROUPS}/{group}/trigger", body={})
    return desk.place(order_group_id=group)


def crossing_post_only(desk: Desk) -> Answer:
    desk.exchange.background_order(TICKER, "ask", 4000, 100)
    return desk.place(post_only=True)


def after_crossing(desk: Desk) -> Answer:
    desk.exchange.background_order(TICKER, "ask", 4000, 100)
    desk.place(client_order_id="again", post_only=True)
    return desk.place(client_order_id="again", price="0.3000")


def crossing_amend(desk: Desk) -> Answer:
    order_id = desk.rest(post_only=True)
    desk.exchange.background_order(TICKER, "ask", 4100, 100)
    body = {"ticker": TICKER, "side": "bid", "price": "0.4100", "count": "10.00"}
    return desk.call("POST", f"{ORDERS}/{order_id}/amend", body=body)


def on_unfunded_shard(desk: Desk) -> Answer:
    desk.account.cash_e6.pop(2)
    return desk.place(ticker="COIN-A", exchange_index=2)


def with_group_elsewhere(desk: Desk) -> Answer:
    return desk.place(order_group_id=desk.group(shard=2))


def trigger_of_no_group(desk: Desk) -> Answer:
    return desk.call("PUT", "/portfolio/order_groups/none/trigger", body={})


def with_extra_field(desk: Desk) -> Answer:
    return desk.place(type="limit")


def too_dear(desk: Desk) -> Answer:
    return desk.place(count="9000.00")


CASES: list[tuple[Callable[[Desk], Answer], dict[str, Any], int, str]] = [
    (after_refusal, {"refused_spends_client_id": False}, 201, ""),
    (after_refusal, {"refused_spends_client_id": True}, 409, "order_already_exists"),
    (into_triggered_group, {}, 400, "order_group_triggered"),
    (
        into_triggered_group,
        {"triggered_group_code": "ORDER_GROUP_CANCEL", "triggered_group_http": 409},
        409,
        "ORDER_GROUP_CANCEL",
    ),
    (with_group_elsewhere, {"foreign_group_code": "invalid_parameters"}, 404, "invalid_parameters"),
    (lambda desk: desk.place(order_group_id="none"), {"missing_group_code": "not_found"}, 404, "not_found"),
    (trigger_of_no_group, {"unknown_group_code": "order_group_not_found"}, 404, "order_group_not_found"),
    (trigger_of_no_group, {}, 404, "not_found"),
    (with_extra_field, {"unknown_fields": "ignored"}, 201, ""),
    (with_extra_field, {"unknown_fields": "refused"}, 400, "bad_request"),
    (crossing_post_only, {"post_only_cross_rests": False}, 400, "invalid_order"),
    (crossing_post_only, {"post_only_cross_rests": True}, 201, ""),
    (after_crossing, {"post_only_cross_leaves_row": True}, 409, "order_already_exists"),
    (after_crossing, {"post_only_cross_leaves_row": False}, 201, ""),
    (crossing_amend, {"amend_post_only_cross": "canceled"}, 200, ""),
    (crossing_amend, {"amend_post_only_cross": "refused"}, 400, "invalid_order"),
    (on_unfunded_shard, {"unfunded_shard_code": "user_not_found"}, 404, "user_not_found"),
    (too_dear, {"short_balance_code": "available_balance_too_low"}, 400, "available_balance_too_low"),
    (
        lambda desk: desk.place(client_order_id="x" * 37),
        {"client_id_max_length": 36},
        400,
        "invalid_parameters",
    ),
    (lambda desk: desk.get("/markets", tickers="A,B"), {"markets_tickers_maximum": 1}, 400, ""),
    (lambda desk: desk.get("/markets", tickers="A,B"), {"markets_tickers_maximum": None}, 200, ""),
]


@pytest.mark.parametrize(("ask", "knobs", "status", "code"), CASES)
def test_an_unknown_answers_as_its_knob_says(
    ask: Callable[[Desk], Answer], knobs: dict[str, Any], status: int, code: str
) -> None:
    answer = ask(Desk(Knobs(**knobs)))
    assert (answer.status, answer.code) == (status, code)


def test_a_post_only_order_made_and_canceled_at_once_leaves_a_row() -> None:
    desk = Desk(Knobs(post_only_cross_rests=True))
    answer = crossing_post_only(desk)
    assert (answer.body["fill_count"], answer.body["remaining_count"]) == ("0.00", "0.00")
    assert desk.row(answer.body["order_id"])["status"] == "canceled"


@pytest.mark.parametrize("leaves", [True, False])
def test_a_refused_post_only_cross_may_leave_a_canceled_row(leaves: bool) -> None:
    desk = Desk(Knobs(post_only_cross_leaves_row=leaves))
    crossing_post_only(desk)
    rows = desk.get("/portfolio/orders").body["orders"]
    said = [(row["status"], row["fill_count_fp"], row["remaining_count_fp"]) for row in rows]
    assert said == ([("canceled", "0.00", "0.00")] if leaves else [])
    assert desk.exchange.stats.orders == 0


@pytest.mark.parametrize("echoes, remaining", [(False, "0.00"), (True, "10.00")])
def test_an_unfilled_immediate_or_cancel_order_may_echo_its_count(echoes: bool, remaining: str) -> None:
    desk = Desk(Knobs(killed_echoes_count=echoes))
    answer = desk.place(time_in_force="immediate_or_cancel")
    (row,) = desk.get("/portfolio/orders").body["orders"]
    assert answer.status == 201
    assert (answer.body["fill_count"], answer.body["remaining_count"]) == ("0.00", remaining)
    assert (row["status"], row["remaining_count_fp"]) == ("canceled", "0.00")


@pytest.mark.parametrize("legacy", [True, False])
def test_the_deprecated_side_and_action_may_be_gone(legacy: bool) -> None:
    desk = Desk(Knobs(legacy_side_fields=legacy))
    row = desk.row(desk.rest("bid", "0.4000", "1.00"))
    desk.taken("ask", 4000, 100)
    (fill,) = desk.get("/portfolio/fills").body["fills"]
    for found in (row, fill):
        assert {"side", "action"} & found.keys() == ({"side", "action"} if legacy else set())
        assert found["book_side"] == "bid"


def test_a_gone_path_costs_what_its_knob_says() -> None:
    desk = Desk(Knobs(legacy_write_cost=100))
    desk.call("POST", "/portfolio/orders", body={})
    assert desk.exchange.stats.spent("write") == 100


def test_the_group_window_is_a_knob() -> None:
    desk = Desk(Knobs(group_window_ms=1_000))
    group = desk.group(10)
    for _ in range(2):
        desk.rest("bid", "0.4000", "8.00", order_group_id=group)
        desk.taken("ask", 4000, 800)
        desk.clock.advance_ms(1_000)
    assert not desk.get(f"{GROUPS}/{group}").body["is_auto_cancel_enabled"]


def test_knobs_may_be_turned_in_mid_run() -> None:
    desk = Desk()
    assert desk.place(type="limit").status == 201
    desk.exchange.knobs = Knobs(unknown_fields="refused")
    assert desk.place(type="limit").status == 400


SETTINGS = {
    "clock_skew_ms",
    "signature_life_ms",
    "write_latency_ms",
    "group_window_ms",
    "close_sweep_ms",
    "settlement_timer_ms",
    "transfer_delay_ms",
    "maintenance",
    "orders_lag_ms",
    "fills_lag_ms",
    "positions_lag_ms",
    "balance_lag_ms",
    "groups_lag_ms",
    "shard_lag_ms",
    "markets_cache_ms",
    "historical_age_ms",
    "historical_trades_age_ms",
}
"""How slow and how late the exchange is: no question with another answer."""


def test_every_unknown_has_an_answer_other_than_the_default() -> None:
    plain = vars(Knobs())

    assert OTHER_ANSWERS.keys() == plain.keys() - SETTINGS
    assert [name for name, answer in OTHER_ANSWERS.items() if plain[name] == answer] == []
    assert Knobs(**OTHER_ANSWERS) != Knobs()


def test_relaxed_knobs_accept_any_clock() -> None:
    desk = Desk(relaxed(Knobs()))
    assert desk.exchange.handle(desk.signed("GET", "/portfolio/fills", skew_ms=-86_400_000)).status == 200


@pytest.mark.parametrize("name", [field.name for field in fields(Knobs)])
def test_every_knob_is_turned_by_some_test(name: str) -> None:
    sources = Path(__file__).parent.glob("test_simulator_*.py")
    assert any(f"{name}=" in text or f'"{name}"' in text for text in (path.read_text() for path in sources))
