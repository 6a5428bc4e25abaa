"""An order that no list shows is not gone: blank, frozen and misdated lists, and a stamp that stands still.

What became of a create that was never answered is settled by the engine alone, by claiming its id.
"""

import pytest

from tests.battery.scene import (
    CANCEL,
    CLIENT_IDS,
    CREATE,
    HOLD_CYCLES,
    IDLE_STAMP,
    SLOTS,
    UNKNOWNS,
    scene,
    unlike,
)
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs

LISTS = "GET /portfolio/orders"
CLAIM = "POST /portfolio/events/orders"


@pytest.mark.parametrize("knobs", CLIENT_IDS, ids=unlike)
@pytest.mark.parametrize("trouble", ["no-ids", "lose-answer"])
def test_scenario_18_blank_lists_do_not_prove_that_an_unanswered_create_is_not_there(
    knobs: Knobs, trouble: str
) -> None:
    with scene(knobs) as stage:
        stage.struck(Fault(kind=trouble, where=CREATE))
        stage.world.clock.advance_ms(120_000)
        stage.struck(Fault(kind="blank", where=LISTS))
        assert stage.world.exchange.stats.orders == SLOTS

        stage.run(HOLD_CYCLES)
        stage.sound()


def test_scenario_18_a_list_that_lacks_orders_which_rest_is_reported() -> None:
    with scene() as stage:
        stage.run(1)
        stage.struck(Fault(kind="blank", where=LISTS))

        (alarm,) = [f for f in stage.seen.facts("ERROR") if f["what"] == "list of resting orders"]
        assert len(alarm["orders"].split("; ")) == SLOTS
        stage.run(1)
        stage.sound()


@pytest.mark.parametrize("knobs", CLIENT_IDS, ids=unlike)
@pytest.mark.parametrize("ahead_ms", [150_000, 600_000])
def test_scenario_15_frozen_reads_under_a_stamp_that_runs_ahead_do_not_prove_absence(
    knobs: Knobs, ahead_ms: int
) -> None:
    with scene(knobs) as stage:
        stage.faults.now(
            Fault(kind="lose-answer", where=CREATE, for_ms=60_000),
            Fault(kind="freeze-reads", for_ms=300_000),
            Fault(kind="stamp-ahead", for_ms=300_000, amount=ahead_ms),
        )
        stage.run(5)
        assert stage.world.exchange.stats.orders == SLOTS

        stage.faults.clear()
        stage.run(HOLD_CYCLES)
        stage.sound()


@pytest.mark.parametrize("kind", ["lose-request", "refuse"])
def test_scenario_02_a_create_that_was_not_applied_is_placed_again_though_the_stamp_is_idle(
    kind: str,
) -> None:
    with scene(IDLE_STAMP) as stage:
        stage.struck(Fault(kind=kind, where=CREATE))
        stage.run(HOLD_CYCLES)

        assert stage.world.exchange.stats.orders == SLOTS
        stage.sound()


@pytest.mark.parametrize("kind", ["lose-request", "refuse"])
def test_scenario_11_a_cancel_that_was_not_applied_is_sent_again_though_the_stamp_is_idle(kind: str) -> None:
    with scene(IDLE_STAMP) as stage:
        stage.run(1)
        stage.move()
        stage.struck(Fault(kind=kind, where=CANCEL))
        stage.run(HOLD_CYCLES)

        assert all(order.price_e4 > 4400 for order in stage.world.member.resting.values())
        stage.sound()


@pytest.mark.parametrize("knobs", CLIENT_IDS, ids=unlike)
@pytest.mark.parametrize("trouble", ["lose-request", "lose-answer", "refuse"])
def test_scenario_02_a_claim_whose_own_fate_is_unknown_doubles_nothing_and_freezes_nothing_for_good(
    knobs: Knobs, trouble: str
) -> None:
    with scene(knobs) as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.run(1)
        stage.struck(Fault(kind=trouble, where=CLAIM))
        assert not stage.world.member.resting

        stage.run(HOLD_CYCLES)
        stage.sound()


def test_scenario_02_no_claim_is_sent_while_the_bot_is_halted() -> None:
    with scene() as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.world.session("session_halt")
        stage.run(HOLD_CYCLES)
        assert CLAIM not in stage.world.exchange.stats.calls

        stage.world.session("session_resume")
        stage.run(2)
        stage.sound()


def test_scenario_02_claims_that_are_answered_slowly_do_not_take_the_time_of_the_cycle() -> None:
    with scene() as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.run(1)
        stage.struck(Fault(kind="slow", where=CLAIM, amount=4_000))

        assert stage.world.exchange.stats.calls[CLAIM] == 2
        stage.run(HOLD_CYCLES)
        stage.sound()


LATE_MS = 90_000
"""Longer than the hold of an unanswered create."""


@pytest.mark.parametrize("knobs", UNKNOWNS, ids=unlike)
def test_scenario_14_reads_later_than_the_hold_double_nothing_whatever_the_exchange_answers(
    knobs: Knobs,
) -> None:
    late = [
        Fault(kind="lag", where=name, amount=LATE_MS) for name in ("orders", "fills", "positions", "balance")
    ]
    with scene(knobs) as stage:
        stage.world.clock.advance_ms(LATE_MS)
        stage.faults.now(
            *late,
            Fault(kind="late-groups"),
            Fault(kind="part-batch", where=CREATE, for_ms=60_000, times=1),
            Fault(kind="lose-answer", where=CANCEL, at_ms=240_000, for_ms=60_000, times=1),
            seed=7,
        )
        stage.run(1)
        part = stage.slots()
        for minute in range(8):
            if minute == 2:
                stage.move()
            stage.run(1)
            stage.slots()
        stage.faults.clear()
        stage.run(HOLD_CYCLES)

        assert 0 < part < SLOTS
        assert stage.faults.struck["part-batch"] == stage.faults.struck["lose-answer"] == 1
        stage.sound()
