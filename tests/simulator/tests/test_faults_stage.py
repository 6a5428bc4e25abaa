"""Each fault of the exchange itself strikes at its time, shows to the client, and ends."""

from collections import Counter
from typing import Any

import pytest

from tests.simulator.fault_plan import Fault, FaultPlan
from tests.simulator.fault_stage import FaultStage
from tests.simulator.knobs import Knobs
from tests.support.simulator_desk import GROUPS, START_MS, TICKER, Desk

MINUTE_MS = 60_000
STAMP = "/exchange/user_data_timestamp"


def staged(desk: Desk, *faults: Fault) -> FaultStage:
    stage = FaultStage(desk.exchange, Counter())
    stage.load(FaultPlan(faults))
    return stage


def lasting(kind: str, **more: Any) -> Fault:
    """From the second minute to the third."""
    return Fault(kind=kind, at_ms=MINUTE_MS, for_ms=MINUTE_MS, **more)


def at(desk: Desk, minute: float) -> None:
    desk.clock.advance_to(START_MS + int(minute * MINUTE_MS))


def stamp(desk: Desk) -> str:
    return str(desk.get(STAMP).body["as_of_time"])


def test_lagging_orders_show_late_and_only_orders() -> None:
    desk = Desk()
    staged(desk, lasting("lag", where="orders", amount=30_000))
    at(desk, 1)
    order_id = desk.rest()
    desk.exchange.set_background_book(TICKER, [], [])
    desk.taken("ask", 4000, 500)
    hidden, fills = desk.listed(status="resting"), desk.get("/portfolio/fills").body["fills"]
    at(desk, 1.5)

    assert (hidden, len(fills)) == ([], 1)
    assert desk.listed(status="resting") == [order_id]


def test_a_lagging_shard_leaves_the_others_fresh() -> None:
    desk = Desk()
    staged(desk, lasting("lag-shard", where="2", amount=30_000))
    at(desk, 1)
    here, _ = desk.rest(), desk.rest(ticker="COIN-A", exchange_index=2)

    assert desk.listed(status="resting") == [here]


def test_overlapping_lags_end_one_by_one() -> None:
    desk = Desk(Knobs(fills_lag_ms=1_000))
    staged(
        desk,
        Fault(kind="lag", where="fills", amount=9_000, for_ms=2 * MINUTE_MS),
        Fault(kind="lag", where="fills", amount=5_000, for_ms=3 * MINUTE_MS),
    )
    lags = []
    for minute in (0, 2, 3):
        at(desk, minute)
        lags.append(desk.exchange.knobs.fills_lag_ms)

    assert lags == [9_000, 5_000, 1_000]


@pytest.mark.parametrize("amount, shown_ms", [(0, 15_000), (4_000, 4_000)])
def test_a_late_list_of_groups_shows_a_trip_only_later(amount: int, shown_ms: int) -> None:
    desk = Desk()
    group = desk.group()
    staged(desk, lasting("late-groups", amount=amount))
    at(desk, 1)
    desk.call("PUT", f"{GROUPS}/{group}/trigger")
    tripped = []
    for since_ms in (shown_ms - 1, shown_ms):
        desk.clock.advance_to(START_MS + MINUTE_MS + since_ms)
        (row,) = desk.get(GROUPS).body["order_groups"]
        tripped.append(row["is_auto_cancel_enabled"])
    at(desk, 2)

    assert tripped == [False, True]
    assert desk.exchange.knobs == Knobs()


def test_frozen_reads_stand_still_with_their_stamp() -> None:
    desk = Desk()
    staged(desk, lasting("freeze-reads"))
    at(desk, 1)
    frozen = stamp(desk)
    at(desk, 1.1)
    desk.rest()
    at(desk, 1.9)
    still, hidden = stamp(desk), desk.listed(status="resting")
    at(desk, 2)

    assert (still, hidden) == (frozen, [])
    assert stamp(desk) > frozen
    assert len(desk.listed(status="resting")) == 1


def test_a_stamp_may_run_ahead_of_what_the_reads_show() -> None:
    desk, fresh = Desk(), Desk()
    staged(desk, Fault(kind="stamp-ahead", amount=600_000), Fault(kind="lag", where="orders", amount=1_000))
    desk.rest()

    assert stamp(desk) > stamp(fresh)
    assert not desk.listed(status="resting")


def test_an_idle_stamp_moves_only_when_something_happens() -> None:
    desk = Desk()
    staged(desk, Fault(kind="stamp-idle"))
    before = stamp(desk)
    at(desk, 5)
    idle = stamp(desk)
    desk.rest()

    assert before == idle < stamp(desk)


@pytest.mark.parametrize("bucket", ["write", "read", "balance"])
def test_a_starved_bucket_refuses_once_and_fills_again(bucket: str) -> None:
    desk = Desk()
    staged(desk, Fault(kind="starve", where=bucket, at_ms=MINUTE_MS))
    calls = {
        "write": desk.place,
        "read": lambda: desk.get("/portfolio/orders"),
        "balance": lambda: desk.get("/portfolio/balance"),
    }
    at(desk, 1)
    starved = calls[bucket]().status
    at(desk, 2)

    assert starved == 429
    assert calls[bucket]().status in (200, 201)
    assert not desk.exchange.invariants.broken


def test_a_trading_pause_of_one_shard_refuses_creates_there_takes_cancels_and_ends() -> None:
    desk = Desk()
    there = desk.rest(ticker="COIN-A", exchange_index=2)
    staged(desk, lasting("pause-trading", where="2"))
    at(desk, 1)
    refused = desk.place(ticker="COIN-A", exchange_index=2).status
    here, cancelled = desk.place().status, desk.cancel(there, exchange_index=2).status
    at(desk, 2)

    assert (refused, here, cancelled) == (409, 201, 200)
    assert desk.place(ticker="COIN-A", exchange_index=2).status == 201


def test_an_exchange_pause_refuses_cancels_too() -> None:
    desk = Desk()
    order_id = desk.rest()
    staged(desk, lasting("pause-exchange"))
    at(desk, 1)
    refused = desk.cancel(order_id).status
    at(desk, 2)

    assert refused == 409
    assert desk.cancel(order_id).status == 200


def test_a_changed_grid_takes_finer_prices_and_changes_back() -> None:
    desk = Desk()
    staged(desk, lasting("ticks", where=TICKER, amount=10))
    answers = []
    for minute in (0, 1, 2):
        at(desk, minute)
        answers.append(desk.place(price="0.4010").status)

    assert answers == [400, 201, 400]


def test_a_market_that_closed_early_reopens_with_its_old_close() -> None:
    desk = Desk()
    close_ms = desk.exchange.venue.markets[TICKER].close_ms
    staged(desk, lasting("close", where=TICKER))
    at(desk, 1)
    closed = desk.place().status
    at(desk, 2)

    assert closed == 400
    assert desk.place().status == 201
    assert desk.exchange.venue.markets[TICKER].close_ms == close_ms


@pytest.mark.parametrize("amended, value", [("no", 0), ("yes", 100)])
def test_a_result_amended_before_it_is_paid_pays_the_amended_side_once(amended: str, value: int) -> None:
    desk = Desk(Knobs(settlement_timer_ms=2 * MINUTE_MS))
    desk.exchange.set_background_book(TICKER, [], [(4000, 1_000)])
    desk.place()
    staged(
        desk,
        Fault(kind="settle", where=TICKER, code="yes", at_ms=MINUTE_MS),
        Fault(kind="amend-settlement", where=TICKER, code=amended, at_ms=2 * MINUTE_MS),
    )
    at(desk, 2)
    status = desk.get(f"/markets/{TICKER}").body["market"]["status"]
    unpaid = desk.get("/portfolio/settlements").body["settlements"]
    at(desk, 5)
    rows = desk.get("/portfolio/settlements").body["settlements"]

    assert (status, unpaid) == ("amended", [])
    assert [(row["market_result"], row["value"]) for row in rows] == [(amended, value)]


@pytest.mark.parametrize("kind", ["close", "pause-trading", "ticks"])
def test_of_two_that_overlap_the_longer_one_counts(kind: str) -> None:
    desk = Desk()
    where = "0" if kind == "pause-trading" else TICKER
    staged(
        desk,
        Fault(kind=kind, where=where, amount=10, for_ms=2 * MINUTE_MS),
        lasting(kind, where=where, amount=10),
        Fault(kind=kind, where=where, amount=10, at_ms=90_000, for_ms=90_000),
    )
    usual = []
    for minute in (0, 1.6, 2.5, 3.1):
        at(desk, minute)
        answer = desk.place(price="0.4010" if kind == "ticks" else "0.4000")
        usual.append((answer.status == 201) is not (kind == "ticks"))

    assert usual == [False, False, False, True]


def test_a_new_plan_ends_what_an_older_one_began() -> None:
    desk = Desk()
    stage = staged(desk, Fault(kind="pause-trading"), Fault(kind="lag", where="orders", amount=9_000))
    stage.load(FaultPlan())

    assert desk.place().status == 201
    assert desk.exchange.knobs == Knobs()
