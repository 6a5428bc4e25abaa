"""Scenarios 10 to 14: cancels whose answer is lost, late or a 404, and lists that lag behind them."""

import pytest

from tests.battery.scene import (
    BATCHES,
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
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import TICKERS, broken, set_book

A, B, C = TICKERS


@pytest.mark.parametrize("knobs", [*STAMPS, IDLE_STAMP, *BATCHES[1:]], ids=unlike)
@pytest.mark.parametrize("status", [0, 503, 408])
def test_scenario_10_a_cancel_that_was_applied_unheard_is_not_repeated_and_reopens_after_proof(
    knobs: Knobs, status: int
) -> None:
    kind = "error-after" if status else "lose-answer"
    with scene(knobs) as stage:
        stage.run(1)
        stage.move()
        stage.faults.now(Fault(kind=kind, where=CANCEL, amount=status))
        stage.count_cancels()
        unheard = stage.world.cycle()
        stage.faults.clear()
        live = stage.slots()
        stage.run(2)

        assert (unheard["placed"], unheard["unknown"], live) == (0, SLOTS, 0)
        assert set(stage.cancelled.values()) == {1}
        assert stage.world.exchange.stats.cancels_404 == 0
        stage.sound()


@pytest.mark.parametrize("knobs", STAMPS, ids=unlike)
@pytest.mark.parametrize("status", [0, 503, 408])
def test_scenario_11_a_cancel_that_was_not_applied_withholds_its_replacement(
    knobs: Knobs, status: int
) -> None:
    kind = "refuse" if status else "lose-request"
    with scene(knobs) as stage:
        stage.run(1)
        stage.move()
        unheard = stage.struck(Fault(kind=kind, where=CANCEL, amount=status))
        old = stage.slots()
        stage.run(HOLD_CYCLES)

        assert (unheard["placed"], unheard["unknown"], old) == (0, SLOTS, SLOTS)
        assert all(order.price_e4 > 4400 for order in stage.world.member.resting.values())
        stage.sound()


def fill_later(stage: Scene) -> None:
    """A moment after the cycle's reads."""
    stage.world.clock.advance_ms(200)
    fill(stage.world, A, "bid")


@pytest.mark.parametrize("knobs", FILLS, ids=unlike)
@pytest.mark.parametrize("lag_ms", [0, 30_000])
def test_scenario_12_a_cancel_of_an_order_filled_in_flight_is_one_404_and_one_booked_fill(
    knobs: Knobs, lag_ms: int
) -> None:
    with scene(knobs) as stage:
        world = stage.world
        stage.run(1)
        stage.move()
        stage.faults.now(*(Fault(kind="lag", where=where, amount=lag_ms) for where in ("orders", "fills")))
        stage.count_cancels()
        stage.meanwhile(CANCEL, lambda: fill_later(stage))
        world.cycle()
        set_book(world, A, 4600, 4900)
        stage.run(HOLD_CYCLES)

        assert world.exchange.stats.cancels_404 == 1
        assert world.bot.positions()[A].net == 1_000
        assert len(stage.seen.facts("ORDER_FILLED")) == 1
        stage.faults.clear()
        stage.run(1)
        stage.sound()


def test_scenario_12_a_cancel_sought_on_the_wrong_shard_does_not_forget_the_order() -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        stage.rewrite(CANCEL, b'"exchange_index":2', b'"exchange_index":1')
        answer = stage.world.cycle()
        misrouted = len(stage.world.resting(C, "bid")), len(stage.world.resting(C, "ask"))
        stage.run(HOLD_CYCLES)

        assert (answer["cancelled"], answer["failed"]) == (SLOTS - 2, 2)
        assert misrouted == (1, 1)
        assert not broken(stage.world)
        stage.sound()


def drift(stage: Scene) -> None:
    """Eight minutes in which the book moves every other one, slowly enough to be quoted; then no faults."""
    for minute in range(8):
        stage.move(4400 + 100 * (minute // 2 % 2))
        stage.run(1)
        stage.slots()
    stage.faults.clear()
    stage.run(2)


@pytest.mark.parametrize("knobs", [*STAMPS, IDLE_STAMP], ids=unlike)
@pytest.mark.parametrize("lag_ms", [1_000, 10_000, 30_000])
def test_scenario_13_and_14_lists_that_lag_make_no_second_order_and_no_second_cancel(
    knobs: Knobs, lag_ms: int
) -> None:
    with scene(knobs) as stage:
        stage.faults.now(Fault(kind="lag", where="orders", amount=lag_ms))
        stage.count_cancels()
        drift(stage)

        assert stage.world.exchange.stats.cancels_404 == 0
        assert set(stage.cancelled.values()) == {1}
        stage.sound()


@pytest.mark.parametrize("lag_ms", [60_000, 90_000, 300_000])
def test_scenario_13_and_14_lists_that_lag_longer_than_a_cycle_still_double_nothing(lag_ms: int) -> None:
    with scene() as stage:
        stage.faults.now(Fault(kind="lag", where="orders", amount=lag_ms))
        stage.count_cancels()
        drift(stage)

        assert stage.world.exchange.stats.cancels_404 == 0
        assert set(stage.cancelled.values()) <= {1}
        stage.sound()


@pytest.mark.parametrize(
    "knobs, mode",
    [(Knobs(), "maker"), (Knobs(self_trade_mode_of="resting"), "taker_at_cross")],
    ids=["incoming", "resting"],
)
def test_a_quote_that_an_order_of_our_own_account_takes_off_is_a_known_ending(
    knobs: Knobs, mode: str
) -> None:
    with scene(knobs) as stage:
        stage.run(2)
        member, exchange = stage.world.member, stage.world.exchange
        (ours,) = stage.world.resting(A, "bid")
        exchange.set_background_book(A, [], [])
        ticket = {"client_order_id": "by-hand", "stp": mode, "time_in_force": "immediate_or_cancel"}
        by_hand = exchange.member_order(member, A, "ask", ours.price_e4, 500, **ticket)
        assert (ours.status, ours.filled_e2, by_hand.filled_e2) == ("canceled", 0, 0)
        set_book(stage.world, A)
        (answer, _) = stage.run(2)
        assert (answer["failed"], answer["unknown"], answer["drift"]) == (0, 0, 0)
        stage.sound()
