"""The read model runs behind the engine by its knobs, and may stand still."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.knobs import Knobs
from tests.simulator.units import time_text
from tests.support.simulator_desk import GROUPS, ORDERS, START_MS, TICKER, Desk


def test_a_new_order_is_unknown_until_the_lag_has_passed() -> None:
    desk = Desk(Knobs(orders_lag_ms=1_000))
    order_id = desk.rest()
    desk.clock.advance_ms(999)
    assert desk.get(f"/portfolio/orders/{order_id}").status == 404
    assert desk.listed() == []
    desk.clock.advance_ms(1)
    assert desk.listed(status="resting") == [order_id]


def test_a_cancelled_order_still_reads_resting_and_its_second_cancel_is_a_404() -> None:
    desk = Desk(Knobs(orders_lag_ms=1_000))
    order_id = desk.rest()
    desk.clock.advance_ms(5_000)
    assert desk.cancel(order_id).status == 200
    desk.clock.advance_ms(360)
    row = desk.row(order_id)
    assert (row["status"], row["last_update_time"]) == ("resting", time_text(START_MS))
    assert desk.listed(status="resting") == [order_id]
    assert desk.listed(status="canceled") == []
    assert desk.cancel(order_id).status == 404
    desk.clock.advance_ms(640)
    assert desk.row(order_id)["last_update_time"] == time_text(START_MS + 5_000)
    assert desk.listed(status="canceled") == [order_id]


def test_each_endpoint_lags_by_itself() -> None:
    desk = Desk(Knobs(fills_lag_ms=1_000, positions_lag_ms=2_000, balance_lag_ms=3_000))
    desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 1000)

    def seen() -> tuple[int, int, str]:
        return (
            len(desk.get("/portfolio/fills").body["fills"]),
            len(desk.get("/portfolio/positions").body["market_positions"]),
            desk.get("/portfolio/balance").body.get("balance_dollars", ""),
        )

    desk.clock.advance_ms(999)
    assert seen()[:2] == (0, 0)
    desk.clock.advance_ms(1)
    assert seen()[:2] == (1, 0)
    desk.clock.advance_ms(1_000)
    assert seen()[:2] == (1, 1)
    desk.clock.advance_ms(1_000)
    assert seen()[2] == "1996.0000"


def test_a_fresh_group_shows_only_after_its_lag_though_orders_may_name_it() -> None:
    desk = Desk(Knobs(groups_lag_ms=10_000))
    group = desk.group()
    order_id = desk.rest(order_group_id=group)
    desk.clock.advance_ms(9_999)
    assert desk.get(GROUPS).body["order_groups"] == []
    assert desk.get(f"{GROUPS}/{group}").status == 404
    desk.clock.advance_ms(1)
    assert desk.get(f"{GROUPS}/{group}").body["orders"] == [order_id]
    desk.call("PUT", f"{GROUPS}/{group}/trigger", body={})
    assert desk.get(f"{GROUPS}/{group}").body == {
        "is_auto_cancel_enabled": False,
        "contracts_limit_fp": "100.00",
        "orders": [order_id],
        "exchange_index": 0,
    }


def test_one_shard_may_lag_more_than_the_others() -> None:
    desk = Desk(Knobs(shard_lag_ms=((2, 5_000),)))
    near = desk.rest()
    far = desk.rest(ticker="COIN-A", exchange_index=2)
    assert desk.listed(status="resting") == [near]
    desk.clock.advance_ms(5_000)
    assert desk.listed(status="resting") == [far, near]


def test_the_stamp_follows_the_slowest_endpoint_and_may_run_ahead() -> None:
    desk = Desk(Knobs(orders_lag_ms=2_000, fills_lag_ms=500))

    def stamp() -> str:
        return str(desk.get("/exchange/user_data_timestamp").body["as_of_time"])

    assert stamp() == time_text(START_MS - 2_000)
    desk.exchange.knobs = Knobs(orders_lag_ms=2_000, user_data_timestamp_offset_ms=30_000)
    assert stamp() == time_text(START_MS + 28_000)


def test_the_stamp_may_move_on_activity_only() -> None:
    desk = Desk(Knobs(user_data_timestamp_on_activity=True))
    desk.clock.advance_ms(60_000)
    assert desk.get("/exchange/user_data_timestamp").body["as_of_time"] == time_text(START_MS)
    desk.rest()
    desk.clock.advance_ms(60_000)
    assert desk.get("/exchange/user_data_timestamp").body["as_of_time"] == time_text(START_MS + 60_000)


def test_frozen_reads_stand_still_while_writes_go_on() -> None:
    desk = Desk()
    before = desk.rest()
    desk.exchange.freeze_reads()
    desk.clock.advance_ms(600_000)
    desk.rest("bid", "0.3000")
    assert desk.cancel(before).status == 200
    assert desk.listed(status="resting") == [before]
    assert desk.get("/exchange/user_data_timestamp").body["as_of_time"] == time_text(START_MS)
    desk.exchange.thaw_reads()
    assert before not in desk.listed(status="resting")


def test_reads_never_move_the_clock_and_writes_do_before_they_are_applied() -> None:
    desk = Desk(Knobs(write_latency_ms=250))
    desk.get("/portfolio/orders")
    assert desk.clock.now_ms() == START_MS
    desk.clock.at(
        START_MS + 100, lambda: desk.exchange.set_background_book(TICKER, [], [(4000, 500)]) or None
    )
    answer = desk.place("bid", "0.4000", post_only=True)
    assert answer.code == "invalid_order"
    assert desk.clock.now_ms() == START_MS + 250
    assert desk.place("bid", "0.3000").body["ts_ms"] == START_MS + 500


STEP = st.sampled_from(["place", "cancel", "fill", "wait"])


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=15), st.integers(1, 5_000))
def test_a_lagging_list_is_exactly_the_list_as_it_was(steps: list[str], lag_ms: int) -> None:
    desk = Desk()
    snapshots: list[tuple[int, dict[str, list[str]]]] = []
    for step in steps:
        desk.clock.advance_ms(700 if step == "wait" else 1)
        _apply(desk, step)
        snapshots.append((desk.clock.now_ms(), _lists(desk)))
    then_ms = desk.clock.now_ms() - lag_ms
    desk.exchange.knobs = Knobs(orders_lag_ms=lag_ms)
    empty: dict[str, list[str]] = {"resting": [], "canceled": [], "executed": []}
    expected = next((lists for at_ms, lists in reversed(snapshots) if at_ms <= then_ms), empty)
    assert _lists(desk) == expected


def _apply(desk: Desk, step: str) -> None:
    if step == "place":
        desk.rest("bid", "0.4000", "1.00")
    elif step == "fill":
        desk.taken("ask", 4000, 100)
    elif step == "cancel" and desk.member.resting:
        desk.cancel(next(iter(desk.member.resting)))


def _lists(desk: Desk) -> dict[str, list[str]]:
    return {status: desk.listed(status=status) for status in ("resting", "canceled", "executed")}


@pytest.mark.parametrize("path", [ORDERS, f"{ORDERS}/batched"])
def test_a_batch_pays_its_latency_once(path: str) -> None:
    desk = Desk(Knobs(write_latency_ms=40))
    order = desk.order()
    desk.call("POST", path, body=order if path == ORDERS else {"orders": [order, desk.order()]})
    assert desk.clock.now_ms() == START_MS + 40
