"""Portfolio lists: filters, pages and cursors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.knobs import DAY_MS, Knobs
from tests.support.simulator_desk import START_MS, TICKER, Desk, pages

NOW_S = START_MS // 1000


def test_orders_come_newest_first_over_as_many_pages_as_it_takes() -> None:
    desk = Desk()
    placed = [desk.rest(count="1.00") for _ in range(7)]
    rows = pages(desk, "/portfolio/orders", "orders", limit=3)
    assert [row["order_id"] for row in rows] == placed[::-1]


def test_new_orders_between_two_pages_move_nobody() -> None:
    desk = Desk()
    placed = [desk.rest(count="1.00") for _ in range(4)]
    first = desk.get("/portfolio/orders", limit=2).body
    desk.rest(count="1.00")
    second = desk.get("/portfolio/orders", limit=2, cursor=first["cursor"]).body
    assert [row["order_id"] for row in first["orders"] + second["orders"]] == placed[::-1]


def test_order_filters() -> None:
    desk = Desk()
    resting = desk.rest()
    other = desk.rest(ticker="RAIN-B")
    coin = desk.rest(ticker="COIN-A", exchange_index=2)
    canceled = desk.rest()
    desk.cancel(canceled)
    executed = desk.rest("ask", "0.9000", "1.00")
    desk.taken("bid", 9000, 100)
    assert desk.listed(status="resting") == [coin, other, resting]
    assert desk.listed(status="canceled") == [canceled]
    assert desk.listed(status="executed") == [executed]
    assert desk.listed(ticker="RAIN-B") == [other]
    assert desk.listed(ticker=TICKER, status="resting") == [resting]
    assert desk.listed(ticker="RAIN-B,COIN-A") == [coin, other]
    assert desk.listed(event_ticker="COIN") == [coin]
    assert desk.listed(exchange_index=2) == [coin]
    assert desk.get("/portfolio/orders", status="open").status == 400


def test_orders_are_filtered_by_creation_or_by_update() -> None:
    desk = Desk()
    order_id = desk.rest()
    desk.clock.advance_ms(10_000)
    desk.cancel(order_id)
    assert desk.listed(min_ts=NOW_S + 5) == []
    desk.exchange.knobs = Knobs(orders_dated_by="updated")
    assert desk.listed(min_ts=NOW_S + 5) == [order_id]
    assert desk.listed(max_ts=NOW_S + 5) == []


def fill_three(desk: Desk) -> None:
    for _ in range(3):
        desk.rest("bid", "0.4000", "1.00")
        desk.taken("ask", 4000, 100)
        desk.clock.advance_ms(1_000)


@pytest.mark.parametrize(("direction", "newest_first"), [("descending", True), ("ascending", False)])
def test_fills_run_in_the_direction_of_the_knob(direction: str, newest_first: bool) -> None:
    desk = Desk(Knobs(fills_sorted=direction))
    fill_three(desk)
    rows = pages(desk, "/portfolio/fills", "fills", limit=2)
    stamps = [row["ts"] for row in rows]
    assert len({row["fill_id"] for row in rows}) == 3
    assert stamps == sorted(stamps, reverse=newest_first)


@pytest.mark.parametrize(("inclusive", "count"), [(True, 2), (False, 1)])
def test_the_lower_edge_of_min_ts_is_a_knob(inclusive: bool, count: int) -> None:
    desk = Desk(Knobs(min_ts_inclusive=inclusive))
    fill_three(desk)
    assert len(desk.get("/portfolio/fills", min_ts=NOW_S + 1).body["fills"]) == count
    assert len(desk.get("/portfolio/fills", max_ts=NOW_S + 1).body["fills"]) == 2


def test_min_ts_counts_whole_seconds_and_includes_its_own() -> None:
    desk = Desk()
    desk.clock.advance_ms(900)
    fill_three(desk)
    oldest = desk.get("/portfolio/fills").body["fills"][-1]
    assert oldest["created_time"].endswith(".9Z")
    assert desk.get("/portfolio/fills", min_ts=oldest["ts"]).body["fills"][-1] == oldest
    assert len(desk.get("/portfolio/fills", min_ts=oldest["ts"] + 1).body["fills"]) == 2


@pytest.mark.parametrize(("path", "name"), [
    ("/portfolio/orders", "orders"),
    ("/portfolio/fills", "fills"),
    ("/portfolio/settlements", "settlements"),
    ("/portfolio/positions", "market_positions"),
])  # fmt: skip
@pytest.mark.parametrize("cursor", ["nonsense", "====", "cDk5OTk5"[::-1]])
def test_a_bad_cursor_starts_again_at_the_first_page(path: str, name: str, cursor: str) -> None:
    desk = Desk()
    fill_three(desk)
    desk.exchange.settle(TICKER, "yes")
    first, again = desk.get(path, limit=2), desk.get(path, limit=2, cursor=cursor)
    assert (again.status, again.body[name]) == (200, first.body[name])


def test_lists_are_newest_first() -> None:
    desk = Desk()
    fill_three(desk)
    orders = [row["created_time"] for row in desk.get("/portfolio/orders").body["orders"]]
    fills = [row["created_time"] for row in desk.get("/portfolio/fills").body["fills"]]
    assert orders == sorted(orders, reverse=True)
    assert fills == sorted(fills, reverse=True)


def test_fill_filters() -> None:
    desk = Desk()
    fill_three(desk)
    coin = desk.rest("bid", "0.4000", "1.00", ticker="COIN-A", exchange_index=2)
    desk.taken("ask", 4000, 100, "COIN-A")

    def count(**query: Any) -> int:
        return len(desk.get("/portfolio/fills", **query).body["fills"])

    assert (count(), count(ticker=TICKER), count(ticker="COIN-A"), count(ticker=f"{TICKER},COIN-A")) == (
        4,
        3,
        1,
        4,
    )
    assert (count(order_id=coin), count(exchange_index=2), count(exchange_index=0)) == (1, 1, 3)
    assert (count(subaccount=0), count(subaccount=1)) == (4, 0)


def test_old_fills_and_finished_orders_move_to_the_historical_lists() -> None:
    desk = Desk(Knobs(historical_age_ms=DAY_MS))
    desk.exchange.move_close(TICKER, START_MS + 9 * DAY_MS)
    fill_three(desk)
    resting = desk.rest("bid", "0.1000")
    desk.clock.advance_ms(DAY_MS + 10_000)
    assert desk.get("/portfolio/fills").body["fills"] == []
    assert len(desk.get("/historical/fills").body["fills"]) == 3
    assert desk.listed() == [resting]
    assert len(desk.get("/historical/orders").body["orders"]) == 3
    assert desk.get("/historical/cutoff").body["orders_updated_ts"] == "2027-01-15T08:00:13Z"


def test_a_second_subaccount_is_listed_by_default_and_not_counted_in_money() -> None:
    desk = Desk()
    desk.exchange.add_subaccount(desk.member, 1, {0: 5_000_000})
    mine, theirs = desk.rest(), desk.rest("bid", "0.3000", subaccount=1)
    assert desk.listed() == [theirs, mine]
    assert desk.listed(subaccount=0) == [mine]
    assert desk.get("/portfolio/balance", subaccount=1).body["balance_dollars"] == "5.0000"
    assert desk.row(theirs)["subaccount_number"] == 1


def test_queue_positions_need_a_market_and_count_contracts_ahead() -> None:
    desk = Desk()
    desk.exchange.background_order(TICKER, "bid", 4000, 300)
    order_id = desk.rest("bid", "0.4000")
    assert desk.get("/portfolio/orders/queue_positions").status == 400
    (row,) = desk.get("/portfolio/orders/queue_positions", market_tickers=TICKER).body["queue_positions"]
    assert row == {"order_id": order_id, "market_ticker": TICKER, "queue_position_fp": "3.00"}
    assert desk.get("/portfolio/orders/queue_positions", event_ticker="COIN").body["queue_positions"] is None
