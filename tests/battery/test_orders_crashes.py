"""Scenarios 19 to 22 and 25: a bot that dies, freezes, runs twice or is asked again."""

import pytest

from tests.battery.scene import (
    CANCEL,
    CLIENT_IDS,
    CREATE,
    FIRST_PLAN,
    HOLD_CYCLES,
    PLAN,
    SLOTS,
    scene,
    unlike,
)
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import TICKERS, broken, resting
from tests.world.outside_calls import Killed

A, B, C = TICKERS


@pytest.mark.long
@pytest.mark.parametrize("knobs", CLIENT_IDS[:2], ids=unlike)
def test_scenario_19_a_cycle_of_cancels_and_placements_may_die_after_any_call(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.run(1)
        after, effects = 0, set()
        while True:
            stage.move(4400 + 200 * (after % 2 == 0))
            died = stage.dies(after)
            effects.add((died, stage.slots()))
            stage.run(HOLD_CYCLES)
            assert not broken(stage.world), f"killed after call {after}"
            stage.sound()
            if not died:
                break
            after += 1

        assert after > 15
        assert {(True, SLOTS), (True, 0)} <= effects


@pytest.mark.long
def test_scenario_19_a_start_may_die_after_any_call() -> None:
    after = 0
    while True:
        with scene(started=False) as stage:
            stage.faults.calls.kill_after(after)
            try:
                stage.world.start()
            except Killed:
                assert stage.world.start()["status"] == "active"
            else:
                break
            used = set(stage.world.status()["order_groups"].values())
            stage.run(2)
            assert {order.group_id for order in stage.world.member.resting.values()} <= used
            stage.sound()
        after += 1

    assert after > 15


@pytest.mark.long
def test_scenario_19_a_teardown_may_die_after_any_call() -> None:
    after = 0
    while True:
        with scene() as stage:
            stage.run(1)
            stage.faults.calls.kill_after(after)
            try:
                answer = stage.world.teardown()
            except Killed:
                stage.world.clock.advance_ms(60_000)
                answer = stage.world.teardown()
            else:
                break
            assert answer["status"] == "closed", f"killed after call {after}: {answer}"
            assert not resting(stage.world)
            assert not broken(stage.world)
        after += 1

    assert after > 10


def calls_of_a_first_cycle() -> list[str]:
    with scene() as stage:
        stage.run(1)
        return stage.faults.calls.made


def test_scenario_20_intents_that_were_written_and_never_sent_are_resolved_by_proof() -> None:
    before_create = calls_of_a_first_cycle().index(CREATE)
    with scene() as stage:
        assert stage.dies(before_create)
        live, plans = stage.slots(), stage.world.status()["unfinished_plans"]
        stage.run(HOLD_CYCLES)
        evidence = {fact["evidence"] for fact in stage.seen.facts("ORDER_RESOLVED")}

        assert (live, plans) == (0, 1)
        assert stage.world.exchange.stats.orders == SLOTS
        assert evidence == {"hold over, and its id was still free"}
        stage.sound()


@pytest.mark.parametrize("knobs", CLIENT_IDS[:2], ids=unlike)
@pytest.mark.parametrize("late_ms", [1_000, 20_000, 45_000, 59_999, 60_000])
@pytest.mark.parametrize("thawed", [False, True])
def test_scenario_21_a_create_that_lands_up_to_a_minute_late_is_adopted(
    knobs: Knobs, late_ms: int, thawed: bool
) -> None:
    with scene(knobs) as stage:
        stage.faults.now(Fault(kind="hold", where=CREATE, amount=late_ms))
        if thawed:
            stage.meanwhile(CREATE, stage.faults.calls.die)
            with pytest.raises(Killed):
                stage.world.cycle()
        else:
            assert stage.world.cycle()["unknown"] == SLOTS
        stage.faults.clear()
        stage.run(HOLD_CYCLES)

        assert len(stage.faults.script.landed) == 1
        assert stage.world.exchange.stats.orders == SLOTS
        stage.sound()


@pytest.mark.parametrize("knobs", CLIENT_IDS[:2], ids=unlike)
def test_scenario_21_a_create_that_lands_after_the_next_cycle_has_looked_is_not_doubled(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.meanwhile(FIRST_PLAN, lambda: stage.world.clock.advance_ms(20_000))
        stage.faults.now(Fault(kind="hold", where=CREATE, amount=55_000))
        stage.run(2)
        assert stage.faults.script.landed == []

        stage.faults.clear()
        stage.run(HOLD_CYCLES)
        assert len(stage.faults.script.landed) == 1
        stage.sound()


def test_scenario_21_a_cancel_that_lands_late_hits_nothing_but_its_order() -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        stage.faults.now(Fault(kind="hold", where=CANCEL, amount=59_000))
        stage.world.cycle()
        stage.faults.clear()
        stage.run(HOLD_CYCLES)

        assert len(stage.faults.script.landed) == 1
        assert not broken(stage.world)
        stage.sound()


def test_scenario_22_the_same_tick_twice_runs_once() -> None:
    with scene() as stage:
        tick_ms = stage.world.next_tick_ms()
        first = stage.world.cycle()
        second = stage.invoke(tick_ms)

        assert (first["placed"], second["status"], second["reason"]) == (SLOTS, "skipped", "tick_seen")
        stage.sound()


@pytest.mark.parametrize("at", [CREATE, CANCEL, PLAN])
def test_scenario_22_a_second_run_beside_the_first_finds_the_lease_held(at: str) -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        tick_ms, answers = stage.world.next_tick_ms(), list[dict[str, object]]()
        stage.meanwhile(at, lambda: answers.append(stage.invoke(tick_ms + 1_000)))
        first = stage.world.cycle()

        assert [(a["status"], a["reason"]) for a in answers] == [("skipped", "lease_held")]
        assert first["placed"] == SLOTS
        stage.sound()


@pytest.mark.parametrize("trouble", [
    Fault(kind="aws-throttle", where="TransactWriteItems Put PLAN"),
    Fault(kind="aws-lose-reply", where="TransactWriteItems Put PLAN"),
    Fault(kind="aws-lose-reply", where="TransactWriteItems Put PROGRESS"),
    Fault(kind="aws-throttle", where="TransactWriteItems Put PROGRESS"),
], ids=lambda fault: f"{fault.kind} {fault.where.split()[-1]}")  # fmt: skip
def test_scenario_25_the_retry_of_a_failed_invocation_places_nothing_twice(trouble: Fault) -> None:
    with scene() as stage:
        tick_ms = stage.world.next_tick_ms()
        failed = stage.struck(trouble)
        before = stage.world.exchange.stats.orders
        again = stage.invoke(tick_ms)
        stage.run(HOLD_CYCLES)

        assert failed["status"] == "failed"
        assert again["status"] == "skipped"
        assert before in (0, SLOTS)
        assert stage.world.exchange.stats.orders == SLOTS
        stage.sound()
