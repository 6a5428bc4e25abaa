"""Scenarios 70 to 72: reads that lag behind what a person or a trigger has just done to a session."""

from dataclasses import replace

import boto3
import pytest

from tests.battery.beside import elsewhere
from tests.battery.scene import Scene, fill, scene, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import TICKERS, broken, resting, set_book
from tests.world import config_items
from tests.world.setup import STATE_TABLE

A, B, C = TICKERS
MINUTE_MS = 60_000
BURST = {**config_items.GLOBAL, "group_burst_limit": 15}
UNGROUPED = {**config_items.GLOBAL, "use_order_groups": False}
LATE_GROUPS = (Knobs(groups_lag_ms=5_000), Knobs(groups_lag_ms=15_000))


def latch(stage: Scene) -> None:
    """Both quotes of a market fill at once, and the next cycles find its group tripped."""
    stage.run(1)
    fill(stage.world, A, "bid")
    fill(stage.world, A, "ask")
    set_book(stage.world, A)
    stage.run(2)
    assert stage.world.status()["status"] == "limit_reached"


def shortly_before_the_tick(stage: Scene, span_ms: int) -> None:
    stage.world.clock.advance_to(stage.world.next_tick_ms() - span_ms)


def triggered(stage: Scene) -> int:
    return sum(group.tripped for group in stage.world.member.groups.values())


def halt_beside(stage: Scene) -> None:
    """A person's halt with `cancel`, from another process: no call of this one is counted."""
    key = {"pk": {"S": "dora"}, "sk": {"S": "CONTROL"}, "v": {"N": "1"}}
    flags = {"halted": {"BOOL": True}, "cancel": {"BOOL": True}, "reason": {"S": "lunch"}}
    now_ms = {"at_ms": {"N": str(stage.world.clock.now_ms())}}
    boto3.client("dynamodb").put_item(TableName=STATE_TABLE, Item=key | flags | now_ms)


# --- 70: a late list of groups --------------------------------------------------------------------------


@pytest.mark.parametrize("before_ms", [1_000, 10_000, 14_000])
@pytest.mark.parametrize("knobs", LATE_GROUPS, ids=unlike)
def test_scenario_70_a_late_list_of_groups_does_not_undo_a_persons_reset(
    knobs: Knobs, before_ms: int
) -> None:
    with scene(knobs, globals=BURST) as stage:
        latch(stage)
        shortly_before_the_tick(stage, before_ms)
        assert stage.world.session("session_reset")["status"] == "active"
        stage.run(1)
        after = (stage.world.status()["status"], triggered(stage))
        stage.run(2)

        assert after == ("active", 0)
        stage.sound()


def test_scenario_70_a_late_list_of_groups_does_not_undo_a_reset_by_the_bot_itself() -> None:
    armed = {**BURST, "auto_reset_on_limit": True, "auto_reset_cooldown_s": 90}
    with scene(Knobs(groups_lag_ms=15_000), globals=armed) as stage:
        latch(stage)
        stage.run(4)

        assert (stage.world.status()["status"], stage.world.status()["resets"]) == ("active", 1)
        stage.sound()


def test_scenario_70_a_group_that_trips_after_a_reset_still_latches() -> None:
    with scene(Knobs(groups_lag_ms=15_000), globals=BURST) as stage:
        latch(stage)
        assert stage.world.session("session_reset")["status"] == "active"
        stage.run(2)
        fill(stage.world, A, "bid")
        fill(stage.world, A, "ask")
        set_book(stage.world, A)
        stage.run(2)

        assert stage.world.status()["status"] == "limit_reached"
        assert triggered(stage) == 3


def reset_elsewhere(stage: Scene) -> None:
    """The watch latches a session without cycles, and a person resets it at once."""
    with elsewhere(stage):
        assert stage.world.session("session_watch")["status"] == "triggered"
        assert stage.world.session("session_reset")["status"] == "active"


def test_scenario_70_a_reset_during_a_cycle_that_read_a_tripped_group_stands() -> None:
    with scene(Knobs(groups_lag_ms=15_000), globals=BURST) as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        fill(stage.world, A, "ask")
        set_book(stage.world, A)
        stage.world.clock.advance_ms(4 * MINUTE_MS)
        stage.meanwhile("GET /exchange/user_data_timestamp", lambda: reset_elsewhere(stage))
        stage.run(1)
        after = (stage.world.status()["status"], triggered(stage))
        stage.run(2)

        assert after == ("active", 0)
        stage.sound()


def test_a_reset_after_a_long_latch_is_not_taken_for_silence_by_the_watch() -> None:
    """The schedule was off meanwhile, so no cycle has finished for an hour."""
    with scene(globals=BURST) as stage:
        latch(stage)
        stage.world.clock.advance_ms(60 * MINUTE_MS)
        stage.world.session("session_reset")
        answer = stage.world.session("session_watch")

        assert answer["status"] == "ok"
        assert "silent" not in stage.world.status()["why_not_quoting"]


def test_a_repeated_start_is_not_taken_for_silence_by_the_watch() -> None:
    with scene() as stage:
        stage.run(1)
        stage.world.clock.advance_ms(60 * MINUTE_MS)
        stage.world.start()

        assert stage.world.session("session_watch")["status"] == "ok"
        stage.world.clock.advance_ms(4 * MINUTE_MS)
        assert stage.world.session("session_watch")["status"] == "triggered"


def test_a_late_list_that_lacks_the_group_of_a_repeated_start_pulls_nothing() -> None:
    with scene() as stage:
        stage.run(2)
        stage.world.exchange.knobs = replace(stage.world.exchange.knobs, groups_lag_ms=15_000)
        stage.world.put_market(B, {**config_items.MARKET, "strategy_tag": "other"})
        shortly_before_the_tick(stage, 5_000)
        stage.world.start()
        stage.run(1)

        assert stage.slots() == 6


def test_a_halt_that_a_person_gave_during_a_cycle_keeps_what_it_asks_for_when_the_day_is_lost() -> None:
    """The cycle's own halt, of a kill flag it read before, does not take the wish to cancel away."""
    limits = {**config_items.GLOBAL, "max_daily_loss_dollars": 1, "cancel_on_halt": False}
    with scene(globals=limits) as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        set_book(stage.world, A, 2000, 2300)
        stage.meanwhile("GET /portfolio/order_groups", lambda: halt_beside(stage))
        stage.run(2)

        assert stage.world.status()["halt_reason"] == "lunch"
        assert not resting(stage.world)


def test_a_person_who_halts_while_a_cycle_reads_is_not_overtaken_by_a_re_arm() -> None:
    armed = {**BURST, "auto_reset_on_limit": True, "auto_reset_cooldown_s": 90}
    with scene(globals=armed) as stage:
        latch(stage)
        stage.meanwhile("GET /portfolio/order_groups", lambda: halt_beside(stage))
        stage.run(2)

        assert stage.world.status()["status"] == "limit_reached"


# --- 71: what a trip has taken ----------------------------------------------------------------------------


@pytest.mark.parametrize("lag_ms", [0, 20_000, 300_000])
def test_scenario_71_nothing_that_the_trigger_took_off_is_cancelled(lag_ms: int) -> None:
    with scene(globals=BURST) as stage:
        stage.run(6 if lag_ms > MINUTE_MS else 1)
        stage.world.exchange.knobs = replace(stage.world.exchange.knobs, orders_lag_ms=lag_ms)
        shortly_before_the_tick(stage, 500)
        fill(stage.world, A, "bid")
        fill(stage.world, A, "ask")
        set_book(stage.world, A)
        stage.run(3)

        assert stage.world.status()["status"] == "limit_reached"
        assert stage.world.exchange.stats.cancels_404 == 0
        assert not resting(stage.world)


def test_scenario_71_what_a_lost_trigger_left_resting_is_cancelled() -> None:
    with scene() as stage:
        stage.run(1)
        tripped, *_ = stage.world.member.groups.values()
        stage.world.exchange.groups.trip(stage.world.member, tripped)
        stage.faults.now(Fault(kind="lose-request", where="PUT /portfolio/order_groups/*/trigger"))
        stage.run(1)

        assert stage.world.status()["status"] == "limit_reached"
        assert triggered(stage) == 1
        assert not resting(stage.world)


def test_what_the_watch_triggered_is_not_cancelled_by_the_next_cycle() -> None:
    with scene() as stage:
        stage.run(1)
        stage.world.exchange.knobs = replace(stage.world.exchange.knobs, orders_lag_ms=300_000)
        stage.world.clock.advance_ms(4 * MINUTE_MS)
        stage.world.session("session_watch")
        stage.run(2)

        assert stage.world.exchange.stats.cancels_404 == 0


# --- 72: a teardown under late reads ------------------------------------------------------------------------


def torn_down_by_the_minute(stage: Scene, minutes: int) -> str:
    """A teardown, then the watch and a cycle every minute until it is closed."""
    stage.count_cancels()
    status = str(stage.world.session("session_teardown")["status"])
    for _ in range(minutes):
        if status == "closed":
            break
        stage.run(1)
        status = str(stage.world.session("session_watch")["status"])
    return status


@pytest.mark.parametrize("lag_ms", [60_000, 150_000, 300_000])
@pytest.mark.parametrize("offset_ms", [0, 600_000])
def test_scenario_72_a_teardown_whose_reads_lag_cancels_nothing_that_a_trigger_took(
    lag_ms: int, offset_ms: int
) -> None:
    with scene() as stage:
        stage.run(6)
        stage.move()
        stage.run(1)
        stage.world.exchange.knobs = replace(
            stage.world.exchange.knobs, orders_lag_ms=lag_ms, user_data_timestamp_offset_ms=offset_ms
        )
        status = torn_down_by_the_minute(stage, 12)

        assert status == "closed"
        assert (max(stage.cancelled.values(), default=0) <= 1) if offset_ms else (not stage.cancelled)
        assert not broken(stage.world)


@pytest.mark.parametrize("lag_ms", [60_000, 150_000, 300_000])
def test_scenario_72_a_teardown_whose_reads_lag_repeats_no_cancel_that_was_acknowledged(
    lag_ms: int,
) -> None:
    with scene(globals=UNGROUPED) as stage:
        stage.world.exchange.invariants.expectations.groups = None
        stage.run(6)
        stage.world.exchange.knobs = replace(stage.world.exchange.knobs, orders_lag_ms=lag_ms)
        status = torn_down_by_the_minute(stage, 12)

        assert status == "closed"
        assert set(stage.cancelled.values()) == {1}
        assert stage.world.exchange.stats.cancels_404 == 0
        assert not broken(stage.world)


def test_scenario_72_an_order_that_filled_before_its_cancel_is_asked_for_once() -> None:
    """Its late row rests on; the 404 says that there is nothing to cancel."""
    with scene(globals=UNGROUPED) as stage:
        stage.world.exchange.invariants.expectations.groups = None
        stage.run(6)
        stage.world.exchange.knobs = replace(stage.world.exchange.knobs, orders_lag_ms=150_000)
        fill(stage.world, A, "bid")
        set_book(stage.world, A)
        status = torn_down_by_the_minute(stage, 12)

        assert status == "closed"
        assert set(stage.cancelled.values()) == {1}
        assert not broken(stage.world)
