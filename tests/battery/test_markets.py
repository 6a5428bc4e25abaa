"""Scenarios 37 to 44: books without use, quotes without sense, markets and shards that change."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dora.core.exchange.market import Side, Slot
from dora.core.orders.diff import plan_slots
from dora.core.orders.journal import Journal
from dora.core.orders.keeping import Rules
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.requests import TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.caps import apply_caps
from dora.core.units import ONE_DOLLAR, Price
from tests.battery.answers import Content, Heard, Retold
from tests.battery.ending_markets import DAY_MS, HOUR_MS, MINUTE_MS, OTHERS, A, ending
from tests.battery.scene import (
    CANCEL,
    CREATE,
    HOLD_CYCLES,
    IDLE_STAMP,
    SLOTS,
    STAMPS,
    Scene,
    fill,
    scene,
    unlike,
)
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.examples import TICKER, config, market
from tests.support.risk_cases import facts
from tests.support.small_world import START_MS, TICKERS, broken, resting, set_book
from tests.world import config_items

BOOKS = (Knobs(), Knobs(book_levels_sorted="descending"), Knobs(empty_book_side_is_null=True))
CLOSED = (
    Knobs(),
    Knobs(closed_market_code="market_closed", closed_market_http=409),
)
PAUSES = (Knobs(), Knobs(pause_answers="unavailable"))


def ids(stage: Scene) -> set[str]:
    return {order.id for order in stage.world.member.resting.values()}


def skips(stage: Scene, ticker: str) -> list[str]:
    return [f["skip_reason"] for f in stage.seen.facts("DECISION_MADE") if f["market"] == ticker]


def only_a(change: Callable[[list[Content], Content], None]) -> Callable[[Content], None]:
    """A change of the entry of the first market in an answer of books."""

    def changed(content: Content) -> None:
        rows = content["orderbooks"]
        change(rows, next(row for row in rows if row["ticker"] == A))

    return changed


def crossed(_: list[Content], row: Content) -> None:
    row["orderbook_fp"]["yes_dollars"] = [["0.6000", "10.00"]]
    row["orderbook_fp"]["no_dollars"] = [["0.5000", "10.00"]]


@pytest.mark.parametrize("change, why", [
    (lambda rows, row: rows.remove(row), Reason.BOOK_UNKNOWN),
    (lambda rows, row: row.pop("orderbook_fp"), Reason.BOOK_UNKNOWN),
    (lambda rows, row: row["orderbook_fp"].update(yes_dollars=[["0.44"]]), Reason.BOOK_UNKNOWN),
    (lambda rows, row: row["orderbook_fp"].update(yes_dollars=[["1.44", "5.00"]]), Reason.BOOK_UNKNOWN),
    (crossed, Reason.BOOK_CROSSED),
], ids=["absent", "empty", "cut", "foreign", "crossed"])  # fmt: skip
def test_scenario_37_a_book_that_cannot_be_read_pulls_its_own_market_and_no_other(
    change: Callable[[list[Content], Content], None], why: Reason
) -> None:
    with scene() as stage:
        stage.run(1)
        before = ids(stage)
        told = Retold(stage, "GET /markets/orderbooks", only_a(change))
        stage.run(1)
        left = resting(stage.world)
        kept = ids(stage)
        told.over()
        stage.run(1)

        assert left.keys() == OTHERS
        assert kept < before
        assert skips(stage, A)[-2:] == [why, ""]
        stage.sound()


@pytest.mark.parametrize("knobs", BOOKS, ids=unlike)
@pytest.mark.parametrize("bids, asks", [
    ([], []), ([(4400, 50_000)], []), ([], [(4700, 50_000)]),
], ids=["nobody", "bids", "asks"])  # fmt: skip
def test_scenario_37_a_book_that_is_empty_but_for_us_is_not_quoted(
    knobs: Knobs, bids: list[tuple[int, int]], asks: list[tuple[int, int]]
) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.world.exchange.set_background_book(A, bids, asks)
        stage.run(1)
        left = resting(stage.world)
        set_book(stage.world, A)
        stage.run(1)

        assert left.keys() == OTHERS
        assert skips(stage, A) == ["", Reason.BOOK_ONE_SIDED, ""]
        stage.sound()


def test_scenario_37_fair_value_leaves_our_own_contracts_out() -> None:
    with scene() as stage:
        for ticker in TICKERS:
            stage.world.exchange.set_background_book(ticker, [(4400, 200)], [(4700, 200)])
        stage.run(1)
        fill(stage.world, A, "bid", 500)
        stage.world.exchange.set_background_book(A, [(4400, 200)], [(4700, 200)])
        stage.run(7)

        said = [f for f in stage.seen.facts("DECISION_MADE") if f["market"] == A]
        assert len(said) > 1
        assert {fact["fair_value"] for fact in said} == {0.455}
        stage.sound()


@pytest.mark.parametrize("knobs", [*STAMPS, IDLE_STAMP], ids=unlike)
def test_scenario_38_a_book_that_stands_still_for_hours_is_quoted_on(knobs: Knobs) -> None:
    with scene(knobs, globals={**config_items.GLOBAL, "order_life_s": 0}) as stage:
        stage.run(1)
        before = ids(stage)
        for _ in range(4):
            stage.world.clock.advance_ms(2 * HOUR_MS)
            (answer,) = stage.run(1)
            assert (answer["status"], answer["kept"]) == ("completed", SLOTS)

        assert ids(stage) == before
        assert {why for ticker in TICKERS for why in skips(stage, ticker)} == {""}
        stage.sound()


@pytest.mark.parametrize("knobs", BOOKS[:2], ids=unlike)
def test_scenario_39_a_market_that_jumps_is_left_alone_until_it_is_calm_again(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.run(7)
        set_book(stage.world, A, 5300, 5600)
        pulled = []
        for _ in range(20):
            stage.run(1)
            pulled.append(resting(stage.world).keys() == OTHERS)

        assert pulled[0]
        assert 5 < pulled.count(True) < 20
        assert pulled == sorted(pulled, reverse=True)
        assert Reason.TOO_FAST in skips(stage, A)
        assert not broken(stage.world)
        stage.sound()


COUNTS = st.one_of(st.integers(-300, 3_000), st.sampled_from([10**11, float("nan"), 1e9, 10.5, True]))
PRICES = st.one_of(
    st.integers(-100, ONE_DOLLAR + 100),
    st.integers(1, 99).map(lambda cents: cents * 100),
    st.sampled_from([float("nan"), float("inf"), 4500.5, 4500.0, -3, 0, ONE_DOLLAR, 10**9]),
)


def drawn(side: Side, price: Any, count: Any) -> TargetOrder:
    return TargetOrder(slot=Slot(TICKER, side), price=price, count=count, edge=Price(100))


@settings(max_examples=150)
@given(st.lists(st.builds(drawn, st.sampled_from(Side), PRICES, COUNTS), max_size=4))
def test_scenario_40_and_52_of_senseless_targets_nothing_senseless_is_ever_placed(
    targets: list[TargetOrder],
) -> None:
    known = facts(orders=())
    result = apply_caps(targets, known)
    view = ReconciledOrders(
        journal=Journal(), external=(), frozen=frozenset(), blocked=frozenset(), resolutions=()
    )
    plan = plan_slots(result.kept, view, {TICKER: Rules(market().grid, config())})
    prices = {place.slot.side: place.price for place in plan.places}

    assert all(type(p.price) is int and p.price in market().grid for p in plan.places)
    assert all(type(p.count) is int and 0 < p.count <= config().quote_size for p in plan.places)
    assert len(prices) == len(plan.places)
    assert len(prices) < len(Side) or prices[Side.BID] < prices[Side.ASK]
    assert len(result.kept) + len(result.refused) == len(targets)


@pytest.mark.parametrize("step_e4", [10, 1])
def test_scenario_41_another_grid_is_followed_there_and_back_without_a_refusal(step_e4: int) -> None:
    with scene() as stage:
        answers = stage.run(1)
        stage.faults.now(Fault(kind="ticks", where=A, amount=step_e4))
        set_book(stage.world, A, 4400 + 3 * step_e4, 4700 + 3 * step_e4)
        answers += stage.run(3)
        finer = {order.price_e4 % 100 for order in stage.world.resting(A, "bid")}
        set_book(stage.world, A)
        stage.faults.clear()
        answers += stage.run(3)

        assert finer != {0}
        assert all(order.price_e4 % 100 == 0 for order in stage.world.member.resting.values())
        assert [answer["failed"] for answer in answers] == [0] * len(answers)
        stage.sound()


def test_scenario_41_a_grid_that_changes_before_the_order_arrives_costs_one_refusal() -> None:
    coarse = ((0, ONE_DOLLAR, 500),)
    with scene() as stage:
        stage.meanwhile(CREATE, lambda: stage.world.exchange.set_price_ranges(A, coarse))
        answers = stage.run(4)

        assert 0 < answers[0]["failed"] <= 2
        assert [answer["failed"] for answer in answers[1:]] == [0, 0, 0]
        assert all(order.price_e4 % 500 == 0 for order in stage.world.resting(A, "bid"))
        stage.sound()


@pytest.mark.parametrize("knobs", CLOSED, ids=unlike)
def test_scenario_42_a_market_that_closes_before_its_cancel_loses_its_orders_and_nothing_else(
    knobs: Knobs,
) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.move()
        stage.meanwhile(CANCEL, lambda: stage.world.exchange.close_market(A))
        stage.run(HOLD_CYCLES)
        heard = Heard(stage)
        stage.run(2)

        assert resting(stage.world).keys() == OTHERS
        assert not [request for request in heard.requests if A.encode() in request.body]
        assert skips(stage, A)[-1] == Reason.MARKET_NOT_ACTIVE
        assert stage.world.status()["open_orders"] == SLOTS - 2
        assert not broken(stage.world)


@pytest.mark.parametrize("knobs", CLOSED, ids=unlike)
def test_scenario_42_a_market_that_closes_before_its_quotes_arrive_is_refused_once(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.meanwhile(CREATE, lambda: stage.world.exchange.close_market(A))
        answers = stage.run(3)

        assert [answer["failed"] for answer in answers] == [2, 0, 0]
        assert resting(stage.world).keys() == OTHERS
        assert not broken(stage.world)


@pytest.mark.parametrize("status", ["inactive", "closed", "determined", "disputed", "amended", "finalized"])
def test_scenario_42_only_an_active_market_is_quoted(status: str) -> None:
    with scene() as stage:
        stage.run(1)
        stage.world.exchange.set_status(A, status)
        stage.run(2)
        quoted = skips(stage, A)[-1]
        placed = len([order for order in stage.world.member.orders if order.market.ticker == A])

        assert quoted == Reason.MARKET_NOT_ACTIVE
        assert placed == 2
        assert not broken(stage.world)


def test_scenario_42_a_market_that_comes_back_without_our_orders_is_quoted_again() -> None:
    with scene() as stage:
        stage.run(1)
        stage.world.exchange.set_status(A, "inactive")
        stage.run(1)
        stage.world.exchange.set_status(A, "active")
        assert resting(stage.world).keys() == OTHERS
        stage.run(2)

        assert stage.world.exchange.stats.cancels_404 == 0
        stage.sound()


@pytest.mark.parametrize("result", ["yes", "no"])
@pytest.mark.parametrize("timer_ms", [0, 3 * MINUTE_MS])
def test_scenario_42_a_settlement_is_booked_once_as_it_was_amended(result: str, timer_ms: int) -> None:
    with scene(Knobs(settlement_timer_ms=timer_ms)) as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        set_book(stage.world, A)
        stage.run(1)
        stage.world.exchange.settle(A, "no" if timer_ms else result)
        answers = stage.run(1)
        if timer_ms:
            stage.faults.now(Fault(kind="amend-settlement", where=A, code=result))
        answers += stage.run(5)
        position = stage.world.bot.positions()[A]

        assert (position.net, position.settled) == (0, True)
        assert (position.cash > 0) is (result == "yes")
        assert len(stage.seen.facts("MARKET_SETTLED")) == 1
        assert {answer["drift"] for answer in answers} == {0}
        assert not broken(stage.world)


@pytest.mark.parametrize("knobs", PAUSES, ids=unlike)
def test_scenario_43_a_trading_pause_takes_our_orders_off_and_is_waited_out(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.world.exchange.pause_trading()
        swept = stage.world.open_orders()
        heard = Heard(stage)
        stage.run(3)
        writes = heard.writes()
        stage.world.exchange.resume()
        stage.run(2)

        assert (swept, writes) == (0, [])
        stage.sound()


@pytest.mark.parametrize("knobs", PAUSES, ids=unlike)
@pytest.mark.parametrize("whole", [False, True])
def test_scenario_43_a_pause_between_read_and_post_costs_one_batch(knobs: Knobs, whole: bool) -> None:
    with scene(knobs) as stage:
        exchange = stage.world.exchange
        pause = exchange.pause_exchange if whole else exchange.pause_trading
        heard = Heard(stage)
        stage.meanwhile(CREATE, pause)
        (answer, *_) = stage.run(3)
        sent = heard.labels().count(CREATE)
        exchange.resume()
        stage.run(HOLD_CYCLES)

        assert (answer["placed"], answer["failed"] + answer["unknown"], sent) == (0, SLOTS, 1)
        stage.sound()


@pytest.mark.parametrize("knobs", [*PAUSES, Knobs(decrease_works_in_pause=False)], ids=unlike)
def test_scenario_43_a_teardown_goes_through_a_trading_pause_and_waits_out_an_exchange_pause(
    knobs: Knobs,
) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.world.exchange.pause_exchange()
        waiting = stage.world.teardown()
        stage.world.exchange.resume()
        stage.world.exchange.pause_trading()
        stage.world.next_minute()
        done = stage.world.session("session_watch")

        assert waiting["status"] == "closing"
        assert done["status"] == "closed"
        assert stage.world.open_orders() == 0
        assert not broken(stage.world)


@pytest.mark.parametrize("lag_ms", [0, 30_000, 70_000])
def test_scenario_44_an_order_that_expires_is_not_one_we_cancelled_and_is_replaced_once(lag_ms: int) -> None:
    close_ms = START_MS + 15 * MINUTE_MS - 10_000
    with scene(markets=ending(close_ms)) as stage:
        stage.run(9)
        stage.world.exchange.move_close(A, START_MS + DAY_MS)
        before = sum(order.market.ticker == A for order in stage.world.member.orders)
        stage.faults.now(Fault(kind="lag", where="orders", amount=lag_ms))
        stage.world.clock.advance_to(close_ms - 5 * MINUTE_MS + 1_000)
        gone = resting(stage.world).keys()
        stage.run(HOLD_CYCLES)
        stage.faults.clear()
        stage.run(1)

        assert gone == OTHERS
        assert sum(order.market.ticker == A for order in stage.world.member.orders) == before + 2
        assert stage.world.exchange.stats.cancels_404 == 0
        stage.sound()
