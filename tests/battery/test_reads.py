"""Scenarios 15 to 18 and 33 to 35: reads that are old, short, endless or blank, and fills that come oddly."""

import json
from dataclasses import replace

import pytest

from tests.battery.scene import (
    CANCEL,
    CREATE,
    FILLS,
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
from tests.simulator.faults import Faults
from tests.simulator.knobs import Knobs
from tests.simulator.wire import PREFIX, Reply, Request
from tests.support.small_world import TICKERS, broken, resting, set_book
from tests.world import config_items

A, B, C = TICKERS
ORDERS, FILLS_LIST = "GET /portfolio/orders", "GET /portfolio/fills"
MINUTE_MS = 60_000
FAIR_E4 = 4_750
"""Of a book that has moved."""
TIGHT = {**config_items.MARKET, "max_position": 12}
"""One filled quote of 10 leaves room for none more on that side."""


# --- 15: a read model that stands still ------------------------------------------------------------


def frozen(stage: Scene) -> None:
    """Quotes that rest, then reads that stand still and a market that has moved away."""
    stage.run(1)
    stage.faults.now(Fault(kind="freeze-reads"))
    stage.world.clock.advance_ms(1_000)
    stage.move()


@pytest.mark.parametrize("knobs", [Knobs(), IDLE_STAMP], ids=unlike)
def test_scenario_15_reads_that_stand_still_for_ten_minutes_stop_placements(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        frozen(stage)
        early = stage.run(3)
        sent = stage.world.exchange.stats.orders
        late = stage.run(7)
        after_limit = stage.world.exchange.stats.orders
        stage.faults.clear()
        stage.run(HOLD_CYCLES)

        assert {answer["reason"] for answer in late} == {"read_stale"}
        assert {answer["status"] for answer in late} == {"degraded"}
        assert sum(answer["placed"] for answer in early) <= SLOTS
        assert after_limit == sent
        stage.sound()


def test_scenario_15_a_halt_while_reads_stand_still_repeats_no_cancel_and_ends_with_nothing() -> None:
    with scene() as stage:
        frozen(stage)
        stage.count_cancels()
        stage.world.session("session_halt", reason="reads stand still")
        stage.run(3)

        assert not resting(stage.world)
        assert set(stage.cancelled.values()) == {1}
        assert not broken(stage.world)


def test_scenario_15_a_teardown_while_reads_stand_still_pulls_quotes_and_is_not_over() -> None:
    with scene() as stage:
        frozen(stage)
        closing = stage.world.teardown()
        live = resting(stage.world)
        stage.faults.clear()
        closed = stage.world.teardown()

        assert (closing["status"], live) == ("closing", {})
        assert closed["status"] == "closed"
        assert not broken(stage.world)


# --- 16: reads of different age -------------------------------------------------------------------------


@pytest.mark.parametrize("old, knobs", [
    *((name, Knobs()) for name in ("positions", "orders", "fills", "fills positions")),
    *(("fills", knobs) for knobs in FILLS[1:]),
])  # fmt: skip
def test_scenario_16_exposure_is_the_worse_of_reads_of_different_age(old: str, knobs: Knobs) -> None:
    with scene(knobs, items={A: TIGHT}) as stage:
        stage.faults.now(*(Fault(kind="lag", where=name, amount=3 * MINUTE_MS) for name in old.split()))
        for _ in range(6):
            stage.run(1)
            if stage.world.resting(A, "bid"):
                fill(stage.world, A, "bid")
                set_book(stage.world, A)
        stage.faults.clear()
        stage.run(2)

        assert stage.world.member.accounts[0].position_e2(A) >= 1_000
        assert stage.world.bot.positions()[A].net == stage.world.member.accounts[0].position_e2(A)
        assert not broken(stage.world)


@pytest.mark.parametrize("trouble", ["lose-answer", "lose-request"])
def test_scenario_16_orders_of_unknown_fate_count_in_full_toward_what_may_be_lost(trouble: str) -> None:
    limited = {**config_items.GLOBAL, "max_total_loss_dollars": 12}
    off = {**config_items.MARKET, "enabled": False}
    with scene(globals=limited, items=dict.fromkeys((A, B), config_items.MARKET)) as stage:
        stage.world.put_market(B, off)
        stage.faults.now(
            Fault(kind=trouble, where=CREATE, for_ms=60_000),
            Fault(kind="lag", where="orders", amount=3 * MINUTE_MS),
        )
        unheard = stage.run(1)[0]["unknown"]
        stage.world.put_market(B, config_items.MARKET)
        stage.run(1)
        beside = [order.remaining_e2 for side in ("bid", "ask") for order in stage.world.resting(B, side)]

        assert unheard == len(beside) == 2
        assert max(beside) < 1_000
        assert not broken(stage.world)


# --- 17, 18: lists that are not whole ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["fail-page", "loop-cursor", "cut-body"])
@pytest.mark.parametrize("path", ["orders", "fills", "positions"])
def test_scenario_17_a_list_without_its_end_places_nothing_and_cancels_only_what_is_dangerous(
    path: str, kind: str
) -> None:
    """Of the orders themselves no more than the list showed before it broke off."""
    with scene() as stage:
        stage.run(1)
        for ticker in TICKERS:
            fill(stage.world, ticker, "bid", 200)
        stage.move()
        before = resting(stage.world)
        answer = stage.struck(Fault(kind=kind, where=f"GET /portfolio/{path}"))
        during = resting(stage.world)
        stage.run(2)

        assert (answer["status"], answer["reason"]) == ("degraded", "read_unknown")
        gone = {(slot[1], price_e4) for slot in before.keys() - during.keys() for price_e4, _ in before[slot]}
        assert answer["placed"] == 0
        assert answer["cancelled"] == len(before) - len(during)
        assert all(side == "ask" and price_e4 < FAIR_E4 for side, price_e4 in gone)
        assert bool(gone) is (path != "orders" or kind == "loop-cursor")
        stage.sound()


@pytest.mark.parametrize("knobs", STAMPS, ids=unlike)
@pytest.mark.parametrize("missing", [1, 50])
def test_scenario_17_an_order_that_moves_between_pages_and_is_on_none_is_looked_up(
    knobs: Knobs, missing: int
) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="drop-rows", where=ORDERS, amount=missing))
        still = stage.run(2)
        stage.move()
        (moved,) = stage.run(1)
        stage.slots()
        stage.faults.clear()
        stage.run(2)

        assert [(answer["placed"], answer["cancelled"]) for answer in still] == [(0, 0)] * 2
        assert (moved["cancelled"], moved["unknown"]) == (SLOTS, 0)
        stage.sound()


@pytest.mark.parametrize("where", [ORDERS, "GET /portfolio/orders*"])
def test_scenario_18_a_list_that_is_empty_while_orders_rest_is_no_evidence(where: str) -> None:
    with scene() as stage:
        stage.run(1)
        before = resting(stage.world)
        stage.faults.now(Fault(kind="blank", where=where))
        blank = stage.run(3)
        during = resting(stage.world)
        stage.move()
        stage.run(2)
        stage.slots()
        stage.faults.clear()
        stage.run(2)

        assert [(answer["placed"], answer["cancelled"]) for answer in blank] == [(0, 0)] * 3
        assert during == before
        stage.sound()


# --- 33: fills while the cycle computes -----------------------------------------------------------------


@pytest.mark.parametrize("taken_e2, knobs", [
    *((count, Knobs()) for count in (1, 400, 999, 1_000)),
    *((1_000, knobs) for knobs in FILLS[1:]),
])  # fmt: skip
def test_scenario_33_what_fills_between_the_read_and_the_cancel_is_counted_before_it_is_booked(
    taken_e2: int, knobs: Knobs
) -> None:
    with scene(knobs, items={A: TIGHT, B: TIGHT, C: TIGHT}) as stage:
        stage.run(1)
        stage.move()
        stage.meanwhile(CANCEL, lambda: (fill(stage.world, A, "bid", taken_e2), set_book(stage.world, A)))
        stage.run(1)
        unbooked = A not in stage.world.bot.positions()
        stage.run(3)

        assert unbooked
        assert stage.world.bot.positions()[A].net == taken_e2
        assert sum(order.remaining_e2 for order in stage.world.resting(A, "bid")) <= 1_200 - taken_e2
        assert not broken(stage.world)


@pytest.mark.parametrize("taken_e2", [1, 300, 600, 601, 1_000])
def test_scenario_33_a_decrease_takes_off_what_rests_and_never_what_was_filled(taken_e2: int) -> None:
    with scene() as stage:
        stage.run(1)
        stage.world.put_market(A, {**config_items.MARKET, "quote_size": 4})
        stage.world.exchange.invariants.expectations.live_contracts_e2.clear()
        decrease = _decrease_of(stage, "bid")
        stage.meanwhile(decrease, lambda: (fill(stage.world, A, "bid", taken_e2), set_book(stage.world, A)))
        stage.run(1)
        decreased = decrease in stage.faults.calls.made
        stage.run(3)

        assert decreased
        assert stage.world.bot.positions()[A].net == taken_e2
        assert all(order.remaining_e2 <= 400 for order in stage.world.resting(A, "bid"))
        assert not broken(stage.world)


def _decrease_of(stage: Scene, side: str) -> str:
    (order,) = stage.world.resting(A, side)
    return f"POST /portfolio/events/orders/{order.id}/decrease"


# --- 34, 35: fills ------------------------------------------------------------------------------------------


class OddFills(Faults):
    """Lists of fills in pages of two that overlap by one, each row twice, in another order."""

    def __init__(self, stage: Scene) -> None:
        self._stage, self.pages = stage, 0

    def before(self, request: Request) -> Reply | None:
        if request.method != "GET" or request.path != f"{PREFIX}/portfolio/fills":
            return None
        query = dict(request.query)
        began, query["limit"] = int(query.pop("cursor", 0)), "200"
        exchange = self._stage.world.exchange
        exchange.faults = self._stage.faults.script
        try:
            reply = exchange.handle(replace(request, query=list(query.items())))
        finally:
            exchange.faults = self
        rows = json.loads(reply.body)["fills"]
        self.pages += 1
        page = rows[max(began - 1, 0) : began + 2]
        cursor = str(began + 2) if began + 2 < len(rows) else ""
        return replace(reply, body=json.dumps({"fills": [*reversed(page), *page], "cursor": cursor}).encode())


@pytest.mark.parametrize("knobs", FILLS, ids=unlike)
def test_scenario_34_fills_that_come_twice_and_in_any_order_are_booked_once(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.world.exchange.faults = odd = OddFills(stage)
        for _ in range(3):
            same_moment_ms = stage.world.clock.now_ms()
            for ticker in TICKERS:
                fill(stage.world, ticker, "bid", 100)
                fill(stage.world, ticker, "bid", 100)
            assert stage.world.clock.now_ms() == same_moment_ms
            stage.move(4400)
            stage.run(1)
        stage.world.exchange.faults = stage.faults.script
        stage.run(2)

        nets = [position.net for position in stage.world.bot.positions().values()]
        fill_ids = [fact["fill_id"] for fact in stage.seen.facts("ORDER_FILLED")]
        assert odd.pages > 3
        assert nets == [600] * 3
        assert len(fill_ids) == len(set(fill_ids)) == 18
        assert not broken(stage.world)


@pytest.mark.parametrize("lag_ms", [0, 90_000])
@pytest.mark.parametrize("knobs", FILLS, ids=unlike)
def test_scenario_34_fills_of_the_very_second_of_the_cursor_are_booked_once(
    knobs: Knobs, lag_ms: int
) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="lag", where="fills", amount=lag_ms))
        for offset_ms in (999, 1, 0):
            fill(stage.world, A, "bid", 100)
            stage.move(4400)
            tick_ms = stage.world.next_tick_ms()
            stage.world.clock.advance_to(tick_ms - offset_ms)
            fill(stage.world, A, "bid", 100)
            stage.move(4400)
            stage.run(1)
        stage.faults.clear()
        stage.run(2)

        assert stage.world.bot.positions()[A].net == 600
        assert len(stage.seen.facts("ORDER_FILLED")) == 6
        assert not broken(stage.world)


def inject(stage: Scene, client_order_id: str) -> str:
    """An order in one of our groups that no intent of ours made; returns its id."""
    world = stage.world
    groups = world.status()["order_groups"]
    order = world.exchange.member_order(
        world.member, A, "bid", 4_300, 500, client_order_id=client_order_id, group_id=groups["0/maker"]
    )
    return str(order.id)


def test_scenario_35_an_order_of_ours_without_an_intent_is_adopted_and_taken_off() -> None:
    with scene() as stage:
        prefix = stage.world.exchange.invariants.expectations.prefix
        order_id = inject(stage, prefix + "unheard-of")
        adopted = stage.run(1)
        stage.run(HOLD_CYCLES)

        assert [fact["order_id"] for fact in stage.seen.facts("ORDER_ADOPTED")] == [order_id]
        assert adopted[0]["cancelled"] == 1
        assert order_id not in stage.world.member.resting
        stage.sound()


@pytest.mark.parametrize("ours", [True, False])
def test_scenario_35_a_fill_without_an_intent_is_booked_and_counts(ours: bool) -> None:
    with scene(items=dict.fromkeys(TICKERS, TIGHT)) as stage:
        prefix = stage.world.exchange.invariants.expectations.prefix
        order_id = inject(stage, (prefix if ours else "") + "unheard-of")
        stage.world.exchange.set_background_book(A, [], [])
        stage.world.exchange.background_take(A, "ask", 4_300, 500)
        set_book(stage.world, A)
        stage.run(3)

        assert [fact["order_id"] for fact in stage.seen.facts("ORDER_FILLED")] == [order_id]
        assert stage.world.bot.positions()[A].net == 500
        assert sum(order.remaining_e2 for order in stage.world.resting(A, "bid")) <= 700
        assert stage.world.exchange.stats.calls[CREATE]
        assert not broken(stage.world)
