"""Scenarios 1 to 9: creates whose answer is lost, foreign, partial, refused or already filled."""

import pytest

from tests.battery.scene import (
    BATCHES,
    CANCEL,
    CLIENT_IDS,
    CREATE,
    FILLS,
    HOLD_CYCLES,
    SLOTS,
    STAMPS,
    Scene,
    fill,
    scene,
    unlike,
)
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import TICKERS, broken, resting, set_book

A, B, C = TICKERS
HOLD_MS = 62_000


def creates(stage: Scene) -> int:
    return stage.world.exchange.stats.orders


@pytest.mark.parametrize("knobs", CLIENT_IDS, ids=unlike)
@pytest.mark.parametrize("lost", [
    Fault(kind="lose-answer", where=CREATE),
    Fault(kind="error-after", where=CREATE, amount=503),
    Fault(kind="error-after", where=CREATE, amount=408),
], ids=lambda fault: fault.kind + str(fault.amount or ""))  # fmt: skip
def test_scenario_01_a_create_that_was_applied_unheard_is_adopted_and_not_repeated(
    knobs: Knobs, lost: Fault
) -> None:
    with scene(knobs) as stage:
        unheard = stage.struck(lost)
        (found,) = stage.run(1)

        assert (unheard["placed"], unheard["unknown"]) == (0, SLOTS)
        assert (found["placed"], found["kept"], creates(stage)) == (0, SLOTS, SLOTS)
        stage.sound()


@pytest.mark.parametrize("knobs", [*CLIENT_IDS, *STAMPS[1:]], ids=unlike)
@pytest.mark.parametrize("status", [0, 503, 408])
def test_scenario_02_a_create_that_was_not_applied_is_placed_again_after_its_hold(
    knobs: Knobs, status: int
) -> None:
    kind = "refuse" if status else "lose-request"
    with scene(knobs) as stage:
        began_ms = stage.world.next_tick_ms()
        unheard = stage.struck(Fault(kind=kind, where=CREATE, amount=status))
        stage.run(HOLD_CYCLES)
        created_ms = [order.created_ms for order in stage.world.member.orders if order.post_only]

        assert (unheard["placed"], unheard["unknown"]) == (0, SLOTS)
        assert min(created_ms) > began_ms + HOLD_MS
        assert len(created_ms) == SLOTS
        stage.sound()


@pytest.mark.parametrize("knobs", [*CLIENT_IDS, *FILLS[1:]], ids=unlike)
def test_scenario_03_a_create_applied_unheard_and_filled_is_booked_once_and_not_repeated(
    knobs: Knobs,
) -> None:
    with scene(knobs) as stage:
        stage.struck(Fault(kind="lose-answer", where=CREATE))
        filled_e2 = fill(stage.world, A, "bid")
        set_book(stage.world, A)
        stage.run(HOLD_CYCLES)

        assert stage.world.bot.positions()[A].net == filled_e2
        assert len(stage.seen.facts("ORDER_FILLED")) == 1
        stage.sound()


@pytest.mark.parametrize("knobs", BATCHES, ids=unlike)
@pytest.mark.parametrize("part", ["prefix", ""])
def test_scenario_04_a_batch_that_was_applied_in_part_is_unknown_as_a_whole(knobs: Knobs, part: str) -> None:
    with scene(knobs) as stage:
        stage.faults.now(Fault(kind="part-batch", where=CREATE, code=part), seed=3)
        unheard = stage.world.cycle()
        stage.faults.clear()
        landed = len(resting(stage.world))
        stage.run(HOLD_CYCLES)

        assert (unheard["placed"], unheard["unknown"], unheard["failed"]) == (0, SLOTS, 0)
        assert 0 < landed < SLOTS
        assert creates(stage) == SLOTS
        stage.sound()


@pytest.mark.parametrize("knobs", BATCHES, ids=unlike)
@pytest.mark.parametrize("kind", ["shuffle-rows", "drop-rows", ""])
def test_scenario_05_mixed_answers_are_told_apart_by_client_id_and_not_by_place(
    knobs: Knobs, kind: str
) -> None:
    with scene(knobs) as stage:
        stage.faults.now(*([Fault(kind=kind, where=CREATE)] if kind else []))
        stage.meanwhile(CREATE, lambda: stage.world.exchange.close_market(C))
        answer = stage.world.cycle()
        believed = {(own["market"], own["side"]) for own in stage.seen.placed()}
        stage.faults.clear()
        stage.run(HOLD_CYCLES)

        assert answer["placed"] + answer["failed"] + answer["unknown"] == SLOTS
        assert believed <= {(ticker, side) for ticker in (A, B) for side in ("bid", "ask")}
        assert {ticker for ticker, _ in resting(stage.world)} == {A, B}
        assert creates(stage) == SLOTS - 2
        assert stage.slots() == SLOTS - 2
        assert not broken(stage.world)


@pytest.mark.parametrize("kind", ["error-body", "cut-body", "no-ids"])
def test_scenario_06_a_create_answered_by_nonsense_is_unknown(kind: str) -> None:
    with scene() as stage:
        answer = stage.struck(Fault(kind=kind, where=CREATE))
        stage.run(1)

        assert (answer["placed"], answer["unknown"]) == (0, SLOTS)
        assert creates(stage) == SLOTS
        stage.sound()


@pytest.mark.parametrize("kind", ["error-body", "cut-body", "no-ids", "swap-ids"])
def test_scenario_06_a_cancel_answered_by_nonsense_or_in_anothers_name_is_unknown(kind: str) -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        answer = stage.struck(Fault(kind=kind, where=CANCEL))
        stage.run(HOLD_CYCLES)

        assert answer["cancelled"] + answer["unknown"] == SLOTS
        assert kind == "swap-ids" or answer["unknown"] == SLOTS
        assert stage.world.exchange.stats.cancels_404 == 0
        stage.sound()


@pytest.mark.parametrize("knobs", [*CLIENT_IDS, *BATCHES[1:]], ids=unlike)
def test_scenario_07_an_id_that_exists_already_means_that_the_first_attempt_landed(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        answer = stage.struck(Fault(kind="twice", where=CREATE, code="second"))
        first = {order.client_order_id for order in stage.world.member.resting.values()}
        stage.run(1)

        assert (answer["placed"], answer["unknown"], answer["failed"]) == (0, SLOTS, 0)
        assert {order.client_order_id for order in stage.world.member.orders} == first
        stage.sound()


@pytest.mark.parametrize("knobs", FILLS, ids=unlike)
def test_scenario_08_an_order_filled_before_its_answer_does_not_rest_and_is_booked_once(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        world = stage.world
        stage.rewrite(CREATE, b'"post_only":true', b'"post_only":false')
        stage.meanwhile(CREATE, lambda: (world.clock.advance_ms(200), set_book(world, A, 4200, 4300)))
        answer = world.cycle()
        set_book(world, A)
        stage.run(2)

        assert answer["unknown"] == 0
        assert abs(world.bot.positions()[A].net) == 1_000
        assert len(stage.seen.facts("ORDER_FILLED")) == 1
        stage.sound()


@pytest.mark.parametrize("crosses", [Knobs(), Knobs(post_only_cross_rests=True)], ids=unlike)
def test_scenario_09_a_quote_that_would_cross_is_not_repeated_and_repriced_next_time(crosses: Knobs) -> None:
    with scene(crosses) as stage:
        stage.meanwhile(CREATE, lambda: set_book(stage.world, A, 4200, 4300))
        answer = stage.world.cycle()
        sent = creates(stage), stage.world.exchange.stats.calls[CREATE]
        stage.run(2)

        assert (answer["placed"] + answer["failed"], sent[1]) == (SLOTS, 1)
        assert resting(stage.world)[A, "bid"][0][0] < 4300
        stage.sound()
