"""Scenarios 55 to 60: orders that are changed while they rest.

The bot lowers an order with a decrease and replaces it for everything else, but for its expiry: only there
(`extend_expiry`) it amends, and nothing but that. So of the scenarios about amends (55 to 58) two things are
held: that no other path of the bot sends one, and that an amend of our order by somebody else on the account
(a person at the exchange's own page) is merged as it was applied, whatever it did.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import dora
from tests.battery.answers import Heard
from tests.battery.scene import (
    CANCEL,
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
from tests.simulator.engine import Amendment
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import TICKERS, broken, resting, set_book
from tests.world import config_items

A, B, C = TICKERS
DECREASE = "POST /portfolio/events/orders/*/decrease"


def test_scenario_55_to_58_one_line_of_the_product_speaks_of_the_amend_call() -> None:
    """That of the expiry, which `tests/unit/core/orders/test_extending.py` holds to changing nothing else."""
    (package,) = dora.__path__
    sources = {path.name: path.read_text().count('._change("amend"') for path in Path(package).rglob("*.py")}

    assert len(sources) > 40
    assert {name: count for name, count in sources.items() if count} == {"order_entry.py": 1}


def smaller(stage: Scene, size: int = 4) -> None:
    """From now on so many contracts are wanted in the first market; the judge keeps its old limit."""
    limits = stage.world.exchange.invariants.expectations.live_contracts_e2
    before = dict(limits)
    stage.world.put_market(A, {**config_items.MARKET, "quote_size": size})
    limits |= before


def test_scenario_55_to_58_a_busy_bot_creates_cancels_and_decreases_and_never_amends() -> None:
    with scene() as stage:
        heard = Heard(stage)
        stage.run(1)
        smaller(stage)
        stage.run(1)
        fill(stage.world, B, "bid", 300)
        set_book(stage.world, B)
        stage.move()
        stage.run(2)
        kinds = {f"{label.split()[0]} {label.rsplit('/', 1)[-1]}" for label in heard.writes()}

        assert kinds == {"POST batched", "DELETE batched", "POST decrease"}


def amend(stage: Scene, **change: Any) -> None:
    """Somebody else amends our bid in the first market."""
    world = stage.world
    (order,) = world.resting(A, "bid")
    values: Mapping[str, Any] = {"price_e4": order.price_e4, "count_e2": order.initial_e2, **change}
    world.exchange.engine.amend(world.member, order, Amendment(ticker=A, side="bid", **values))


AMENDS = {
    "smaller": {"count_e2": 400},
    "smaller than worth keeping": {"count_e2": 100},
    "larger": {"count_e2": 1_500},
    "away": {"price_e4": 4_200},
    "nearer": {"price_e4": 4_600},
}


@pytest.mark.parametrize("knobs", [*STAMPS, IDLE_STAMP], ids=unlike)
@pytest.mark.parametrize("change", AMENDS.values(), ids=AMENDS)
def test_scenario_55_and_56_an_order_amended_by_somebody_else_is_taken_as_it_now_is(
    knobs: Knobs, change: dict[str, int]
) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.world.exchange.invariants.expectations.live_contracts_e2[A, "bid"] = 1_500
        before = resting(stage.world)
        amend(stage, **change)
        stage.run(3)
        ((price_e4, count_e2),) = resting(stage.world)[A, "bid"]

        assert price_e4 == before[A, "bid"][0][0]
        assert count_e2 <= 1_000
        assert stage.world.bot.positions().keys() == set()
        stage.sound()


@pytest.mark.parametrize("knobs", FILLS, ids=unlike)
@pytest.mark.parametrize("count_e2", [500, 1_000])
def test_scenario_57_an_amend_that_fills_is_booked_once(knobs: Knobs, count_e2: int) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.world.resting(A, "bid")[0].post_only = False
        stage.world.exchange.set_background_book(A, [(4300, 50_000)], [(4500, 500)])
        amend(stage, price_e4=4_500, count_e2=count_e2)
        set_book(stage.world, A)
        answers = stage.run(3)

        assert stage.world.bot.positions()[A].net == 500
        assert len(stage.seen.facts("ORDER_FILLED")) == 1
        assert {answer["drift"] for answer in answers} == {0}
        stage.sound()


@pytest.mark.parametrize("knobs", [*STAMPS, IDLE_STAMP], ids=unlike)
def test_scenario_58_a_post_only_order_amended_into_the_touch_is_gone_and_replaced_once(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        stage.world.exchange.set_background_book(A, [(4300, 50_000)], [(4500, 500)])
        amend(stage, price_e4=4_500)
        gone = (A, "bid") not in resting(stage.world)
        set_book(stage.world, A)
        stage.run(2)

        assert gone
        assert stage.world.exchange.stats.orders == SLOTS + 1
        assert stage.world.exchange.stats.cancels_404 == 0
        stage.sound()


LOST = [
    Fault(kind="lose-answer", where=DECREASE),
    Fault(kind="lose-request", where=DECREASE),
    Fault(kind="error-after", where=DECREASE, amount=503),
    Fault(kind="error-after", where=DECREASE, amount=408),
    Fault(kind="refuse", where=DECREASE, amount=503),
    Fault(kind="error-body", where=DECREASE),
    Fault(kind="cut-body", where=DECREASE),
    Fault(kind="swap-ids", where=DECREASE),
    Fault(kind="hold", where=DECREASE, amount=20_000),
]


@pytest.mark.parametrize("lost", LOST, ids=lambda fault: fault.kind + str(fault.amount or ""))
def test_scenario_59_a_decrease_without_an_answer_leaves_one_order_of_the_wanted_size(lost: Fault) -> None:
    with scene(STAMPS[lost.kind == "error-after"]) as stage:
        stage.run(1)
        before = {order.id for order in stage.world.member.resting.values()}
        smaller(stage)
        stage.struck(lost)
        unproven = stage.slots()
        stage.run(3)

        assert unproven == SLOTS
        assert {order.id for order in stage.world.member.resting.values()} == before
        assert [count_e2 for _, count_e2 in resting(stage.world)[A, "bid"]] == [400]
        assert stage.world.exchange.stats.cancels_404 == 0
        stage.sound()


def test_scenario_59_a_row_from_before_an_acknowledged_decrease_is_not_believed() -> None:
    with scene() as stage:
        stage.run(8)
        smaller(stage)
        stage.faults.now(Fault(kind="lag", where="orders", amount=90_000))
        stage.run(3)
        calls = stage.world.exchange.stats.calls
        sent = [count for call, count in calls.items() if call.endswith("/decrease")]
        stage.faults.clear()
        stage.run(2)

        assert sent == [2], "one for each side"
        assert [count_e2 for _, count_e2 in resting(stage.world)[A, "bid"]] == [400]
        stage.sound()


@pytest.mark.parametrize("knobs", FILLS, ids=unlike)
def test_scenario_59_a_decrease_whose_answer_is_lost_and_which_then_fills_is_booked_once(
    knobs: Knobs,
) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        smaller(stage)
        stage.struck(Fault(kind="lose-answer", where=DECREASE))
        taken_e2 = fill(stage.world, A, "bid")
        set_book(stage.world, A)
        stage.run(HOLD_CYCLES)

        assert stage.world.bot.positions()[A].net == taken_e2 == 400
        assert len(stage.seen.facts("ORDER_FILLED")) == 1
        stage.sound()


@pytest.mark.parametrize("knobs", FILLS, ids=unlike)
@pytest.mark.parametrize("lag_ms", [0, 90_000])
def test_scenario_60_a_cancel_that_finds_less_than_was_seen_is_a_fill_and_counts_at_once(
    knobs: Knobs, lag_ms: int
) -> None:
    items = dict.fromkeys(TICKERS, {**config_items.MARKET, "max_position": 12})
    with scene(knobs, items=items) as stage:
        stage.run(1)
        stage.move()
        stage.faults.now(*(Fault(kind="lag", where=w, amount=lag_ms) for w in ("fills", "positions")))
        stage.meanwhile(CANCEL, lambda: (stage.world.clock.advance_ms(200), fill(stage.world, A, "bid", 600)))
        answer = stage.world.cycle()
        at_once = resting(stage.world).keys()
        set_book(stage.world, A, 4600, 4900)
        stage.run(1)
        bids = resting(stage.world).get((A, "bid"), [])
        stage.faults.clear()
        stage.run(2)

        assert (answer["cancelled"], answer["placed"]) == (SLOTS, SLOTS - 2)
        assert not {(A, "bid"), (A, "ask")} & at_once
        assert sum(count_e2 for _, count_e2 in bids) == 600
        assert stage.world.bot.positions()[A].net == 600
        stage.sound()


def test_scenario_55_an_order_that_was_renamed_and_then_cancelled_by_hand_frees_its_slot() -> None:
    with scene() as stage:
        stage.run(1)
        (order,) = stage.world.resting(A, "bid")
        amend(stage, count_e2=900, new_client_order_id="by-hand")
        stage.run(1)
        stage.world.exchange.engine.cancel(stage.world.member, order.id, 0)
        stage.run(HOLD_CYCLES)

        assert not broken(stage.world)
        stage.sound()
