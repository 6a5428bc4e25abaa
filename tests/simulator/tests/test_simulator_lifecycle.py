"""Markets open, close, settle and pause; shards are halted one by one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.knobs import Knobs
from tests.support.simulator_desk import GROUPS, HOUR_MS, ORDERS, START_MS, TICKER, Desk, market


def status_of(desk: Desk, ticker: str = TICKER) -> str:
    return str(desk.get(f"/markets/{ticker}").body["market"]["status"])


def every_write(desk: Desk, order_id: str) -> dict[str, str]:
    """The code of each kind of order write, empty where it was taken."""
    amend = {"ticker": TICKER, "side": "bid", "price": "0.3900", "count": "10.00", "exchange_index": 0}
    writes: dict[str, Any] = {
        "place": desk.place,
        "amend": lambda: desk.call("POST", f"{ORDERS}/{order_id}/amend", body=amend),
        "decrease": lambda: desk.call("POST", f"{ORDERS}/{order_id}/decrease", body={"reduce_to": "5.00"}),
        "cancel": lambda: desk.cancel(order_id),
    }
    answers = {name: write() for name, write in writes.items()}
    return {name: "" if answer.status < 300 else answer.code for name, answer in answers.items()}


def test_a_closed_market_refuses_everything_and_is_swept_a_little_later() -> None:
    desk = Desk()
    order_id = desk.rest()
    desk.exchange.close_market(TICKER)
    assert set(every_write(desk, order_id).values()) == {"MARKET_INACTIVE"}
    assert desk.row(order_id)["status"] == "resting"
    desk.clock.advance_ms(2_000)
    assert desk.row(order_id)["status"] == "canceled"


def test_the_sweep_after_a_close_is_a_knob() -> None:
    desk = Desk(Knobs(close_sweep_ms=60_000))
    order_id = desk.rest()
    desk.exchange.close_market(TICKER)
    desk.clock.advance_ms(59_999)
    assert desk.row(order_id)["status"] == "resting"
    desk.clock.advance_ms(1)
    assert desk.row(order_id)["status"] == "canceled"


def test_the_words_of_a_closed_market_are_a_knob() -> None:
    desk = Desk(Knobs(closed_market_code="market_closed", closed_market_http=409))
    desk.exchange.close_market(TICKER)
    answer = desk.place()
    assert (answer.status, answer.code) == (409, "market_closed")


def test_a_market_opens_closes_and_settles_by_the_clock() -> None:
    desk = Desk()
    spec = market(
        "SNOW-A",
        open_ms=START_MS + HOUR_MS,
        close_ms=START_MS + 2 * HOUR_MS,
        result="yes",
        settle_after_ms=HOUR_MS,
    )
    desk.exchange.add_market(spec)
    assert status_of(desk, "SNOW-A") == "initialized"
    assert desk.place(ticker="SNOW-A").code == "MARKET_INACTIVE"
    desk.clock.advance_ms(HOUR_MS)
    assert status_of(desk, "SNOW-A") == "active"
    desk.rest("bid", "0.4000", "10.00", ticker="SNOW-A")
    desk.taken("ask", 4000, 1000, "SNOW-A")
    desk.clock.advance_ms(HOUR_MS)
    assert status_of(desk, "SNOW-A") == "closed"
    desk.clock.advance_ms(HOUR_MS)
    assert status_of(desk, "SNOW-A") == "finalized"
    assert desk.get("/portfolio/settlements").body["settlements"][0]["revenue"] == 1000


def test_without_a_result_a_closed_market_waits() -> None:
    desk = Desk()
    desk.exchange.close_market(TICKER)
    desk.clock.advance_ms(48 * HOUR_MS)
    assert status_of(desk) == "closed"


def test_a_determined_market_pays_only_when_its_timer_has_run() -> None:
    desk = Desk(Knobs(settlement_timer_ms=HOUR_MS))
    desk.rest("bid", "0.4000", "10.00")
    desk.taken("ask", 4000, 1000)
    desk.exchange.settle(TICKER, "yes")
    assert status_of(desk) == "determined"
    assert desk.get("/portfolio/settlements").body["settlements"] == []
    desk.clock.advance_ms(HOUR_MS)
    assert status_of(desk) == "finalized"
    assert len(desk.get("/portfolio/settlements").body["settlements"]) == 1


def test_a_close_may_move_later_and_a_closed_market_reopen() -> None:
    desk = Desk()
    desk.exchange.move_close(TICKER, START_MS + 25 * HOUR_MS)
    desk.clock.advance_to(START_MS + 24 * HOUR_MS)
    assert status_of(desk) == "active"
    desk.clock.advance_to(START_MS + 25 * HOUR_MS)
    assert status_of(desk) == "closed"
    desk.exchange.move_close(TICKER, START_MS + 30 * HOUR_MS)
    assert status_of(desk) == "active"


def test_a_market_listed_after_its_close_is_closed() -> None:
    desk = Desk()
    desk.exchange.add_market(market("LATE-A", close_ms=START_MS))
    assert status_of(desk, "LATE-A") == "closed"


def test_an_inactive_market_takes_cancels_only_and_its_return_cancels_all() -> None:
    desk = Desk()
    order_id, other = desk.rest(), desk.rest("ask", "0.9000")
    desk.exchange.set_status(TICKER, "inactive")
    assert desk.place().code == "trading_is_paused"
    assert desk.cancel(order_id).status == 200
    assert desk.row(other)["status"] == "resting"
    desk.exchange.set_status(TICKER, "active")
    assert desk.row(other)["status"] == "canceled"
    assert desk.place().status == 201


def test_a_trading_pause_refuses_new_orders_and_lets_cancels_pass() -> None:
    desk = Desk()
    order_id = desk.rest()
    desk.exchange.pause_trading()
    assert every_write(desk, order_id) == {
        "place": "trading_is_paused",
        "amend": "trading_is_paused",
        "decrease": "",
        "cancel": "",
    }
    desk.exchange.resume()
    assert desk.place().status == 201


def test_whether_a_decrease_works_in_a_pause_is_a_knob() -> None:
    desk = Desk(Knobs(decrease_works_in_pause=False))
    order_id = desk.rest()
    desk.exchange.pause_trading()
    assert every_write(desk, order_id)["decrease"] == "trading_is_paused"


def test_an_exchange_pause_refuses_everything_and_cancels_nothing() -> None:
    desk = Desk()
    group = desk.group()
    order_id = desk.rest()
    desk.exchange.pause_exchange()
    assert set(every_write(desk, order_id).values()) == {"exchange_is_paused"}
    assert desk.call("PUT", f"{GROUPS}/{group}/trigger", body={}).code == "exchange_is_paused"
    desk.call("DELETE", ORDERS)
    assert desk.row(order_id)["status"] == "resting"
    desk.exchange.resume()
    assert desk.cancel(order_id).status == 200


def test_a_pause_may_answer_503_instead() -> None:
    desk = Desk(Knobs(pause_answers="unavailable"))
    desk.exchange.pause_trading()
    answer = desk.place()
    assert (answer.status, answer.code) == (503, "service_unavailable")


def test_a_pause_cancels_the_orders_that_asked_for_it() -> None:
    desk = Desk()
    marked, plain = desk.rest(cancel_order_on_pause=True), desk.rest()
    desk.exchange.pause_trading()
    assert [desk.row(order_id)["status"] for order_id in (marked, plain)] == ["canceled", "resting"]


def test_one_shard_is_halted_alone_and_the_top_level_flags_speak_of_shard_0() -> None:
    desk = Desk()
    desk.exchange.pause_trading(2)
    assert desk.place().status == 201
    assert desk.place(ticker="COIN-A", exchange_index=2).code == "trading_is_paused"
    body = desk.get("/exchange/status").body
    assert body["trading_active"] is True
    flags = {row["exchange_index"]: row["trading_active"] for row in body["exchange_index_statuses"]}
    assert flags == {0: True, 2: False}


def test_maintenance_windows_pause_trading_by_themselves() -> None:
    window = (START_MS + HOUR_MS, START_MS + 3 * HOUR_MS)
    desk = Desk(Knobs(maintenance=(window,)))
    desk.clock.advance_to(window[0])
    assert desk.place().code == "trading_is_paused"
    desk.clock.advance_to(window[1])
    assert desk.place().status == 201
    (shown,) = desk.get("/exchange/schedule").body["schedule"]["maintenance_windows"]
    assert shown["start_datetime"] == "2027-01-15T09:00:00Z"


def test_a_new_grid_binds_new_orders_and_carries_old_ones_over() -> None:
    desk = Desk()
    order_id = desk.rest("bid", "0.4100")
    desk.exchange.set_price_ranges(TICKER, ((0, 10_000, 200),))
    assert desk.place("bid", "0.4100").code == "invalid_price"
    assert desk.row(order_id)["status"] == "resting"


def test_what_makes_no_sense_is_a_value_error() -> None:
    desk = Desk()
    with pytest.raises(ValueError, match="exists already"):
        desk.exchange.add_market(market())
    with pytest.raises(ValueError, match="no such market status"):
        desk.exchange.set_status(TICKER, "open")
    for result, value_e4 in (("maybe", None), ("scalar", None), ("scalar", 4_150), ("scalar", 10_100)):
        with pytest.raises(ValueError, match="no result"):
            desk.exchange.settle(TICKER, result, value_e4)


def test_observers_hear_orders_fills_cancels_settlements_and_refusals() -> None:
    desk = Desk()
    order_id = desk.rest("bid", "0.4000", "10.00", client_order_id="c")
    desk.taken("ask", 4000, 300)
    desk.cancel(order_id)
    desk.cancel(order_id)
    desk.exchange.settle(TICKER, "no")
    kinds = [event.kind for event in desk.events]
    assert kinds == ["order", "trade", "fill", "cancel", "refusal", "status", "settlement", "status"]
    fill = next(event for event in desk.events if event.kind == "fill")
    assert (fill.order_id, fill.client_order_id, fill.price_e4, fill.count_e2) == (order_id, "c", 4000, 300)
