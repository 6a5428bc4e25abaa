"""Scenario 84: order groups of single events, which trip, rest and are armed again one by one."""

from dataclasses import replace

import pytest

from tests.battery.beside import cold, elsewhere
from tests.battery.event_scene import (
    BY_EVENT,
    COOLED_MINUTES,
    NEW_GROUP,
    RESET,
    A,
    B,
    C,
    event_of,
    event_scene,
    group_of,
    in_their_groups,
    quoted,
    recorded,
    sound,
    trip,
    unhurt,
    unproven_in,
)
from tests.battery.scene import CREATE, SLOTS, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import ONE_SHARD, TICKERS, broken, resting, set_book
from tests.world import config_items

TRIPS = (Knobs(), Knobs(group_trips_at_limit=True))
"""Whether a limit has to be passed or only reached is not known."""
TO_THE_NEXT_DAY_MS = 15 * 3_600_000
"""From an afternoon in UTC into the exchange's next day, before the markets close."""


def test_scenario_84_no_order_goes_into_a_group_in_the_cycle_that_made_it() -> None:
    with event_scene(quoted=False) as stage:
        (first,) = stage.run(1)
        made = {group.id: group.limit_e2 for group in stage.world.member.groups.values()}
        stage.run(1)

        assert first["placed"] == 0
        assert sorted(made.values()) == [900, 900, 900, 200_000, 200_000, 200_000]
        sound(stage)


@pytest.mark.parametrize("knobs", TRIPS, ids=unlike)
def test_scenario_84_a_filled_quote_trips_its_event_alone_which_rests_and_is_quoted_again(
    knobs: Knobs,
) -> None:
    with event_scene(knobs) as stage:
        trip(stage)
        assert group_of(stage, A).tripped
        stage.run(2)

        assert [quoted(stage, ticker) for ticker in TICKERS] == [False, True, True]
        assert stage.world.status()["status"] == "active"
        assert recorded(stage)[event_of(A)].triggered
        stage.run(COOLED_MINUTES)
        sound(stage)
        unhurt(stage)


@pytest.mark.parametrize("knobs", TRIPS, ids=unlike)
def test_scenario_84_one_contract_less_than_a_quote_trips_only_where_the_limit_need_not_be_passed(
    knobs: Knobs,
) -> None:
    with event_scene(knobs) as stage:
        trip(stage, count_e2=900)

        assert group_of(stage, A).tripped is knobs.group_trips_at_limit
        stage.run(2)
        assert quoted(stage, A) is not knobs.group_trips_at_limit
        unhurt(stage)


def test_scenario_84_orders_that_a_trip_took_off_are_left_alone_while_the_list_still_shows_them() -> None:
    with event_scene() as stage:
        exchange = stage.world.exchange
        exchange.knobs = replace(exchange.knobs, orders_lag_ms=5_000)
        stage.world.clock.advance_to(stage.world.next_tick_ms() - 1_000)
        exchange.groups.trip(stage.world.member, group_of(stage, A))
        stage.run(1)

        assert recorded(stage)[event_of(A)].triggered
        stage.run(2 * COOLED_MINUTES)
        sound(stage)
        unhurt(stage)


def test_scenario_84_a_group_that_trips_in_mid_cycle_refuses_the_orders_of_its_event_alone() -> None:
    with event_scene(markets=ONE_SHARD, globals={"create_batch_size": 1}) as stage:
        group = group_of(stage, A)
        stage.move()
        stage.meanwhile(CREATE, lambda: stage.world.exchange.groups.trip(stage.world.member, group))
        (answer,) = stage.run(1)

        assert answer["placed"] == SLOTS - 2
        assert [quoted(stage, ticker) for ticker in TICKERS] == [False, True, True]
        stage.run(2 + COOLED_MINUTES)
        sound(stage)


def test_scenario_84_events_that_trip_together_latch_the_session() -> None:
    with event_scene() as stage:
        for ticker in TICKERS:
            trip(stage, ticker)
        stage.run(2)
        status = stage.world.status()

        assert (status["status"], status["reason"]) == ("limit_reached", "group_tripped")
        assert all(group.tripped for group in stage.world.member.groups.values())
        assert not resting(stage.world)
        assert stage.world.session("session_reset")["status"] == "active"
        stage.run(COOLED_MINUTES)
        sound(stage)
        unhurt(stage)


def test_scenario_84_an_event_whose_trips_are_against_us_rests_for_the_day() -> None:
    with event_scene(globals={"event_trips_a_day": 2, "price_collar_dollars": 1}) as stage:
        for number in range(2):
            trip(stage, side="ask")
            set_book(stage.world, A, 4_800 + 300 * number, 5_000 + 300 * number)
            stage.run(25)

        assert [quoted(stage, ticker) for ticker in TICKERS] == [False, True, True]
        assert stage.world.status()["events_resting"][event_of(A)]["trips_today"] == 2
        stage.world.clock.advance_ms(TO_THE_NEXT_DAY_MS)
        stage.run(COOLED_MINUTES)
        assert recorded(stage)[event_of(A)].armed
        unhurt(stage)


def test_scenario_84_trips_that_turn_out_well_do_not_count() -> None:
    with event_scene(globals={"event_trips_a_day": 2}) as stage:
        for _ in range(3):
            trip(stage, side="ask")
            stage.run(7)

        sound(stage)
        assert {str(own.markout) for own in recorded(stage)[event_of(A)].trips} == {"fine"}


def test_scenario_84_no_group_is_armed_in_which_a_create_of_unknown_fate_may_land() -> None:
    with event_scene(globals={"unknown_create_hold_s": 62}) as stage:
        stage.move()
        stage.struck(Fault(kind="lose-answer", where=CREATE))
        stage.world.exchange.groups.trip(stage.world.member, group_of(stage, A))
        for _ in range(8):
            stage.run(1)
            own = recorded(stage)[event_of(A)]
            assert not (own.armed and unproven_in(stage, own.group_id))

        sound(stage)


@pytest.mark.parametrize("kind", ["lose-answer", "lose-request", "error-after", "refuse"])
def test_scenario_84_an_event_whose_reset_was_unheard_is_triggered_and_armed_once_more(kind: str) -> None:
    with event_scene() as stage:
        trip(stage)
        stage.run(2)
        stage.faults.now(Fault(kind=kind, where=RESET))
        stage.run(3)
        assert not quoted(stage, A)
        stage.faults.clear()
        stage.run(2 * COOLED_MINUTES)

        sound(stage)
        unhurt(stage)


@pytest.mark.parametrize("kind", ["lose-answer", "lose-request", "error-after", "cut-body", "refuse"])
def test_scenario_84_a_group_whose_create_was_unheard_is_made_again_and_its_orphan_holds_nothing(
    kind: str,
) -> None:
    with event_scene(quoted=False) as stage:
        stage.faults.now(Fault(kind=kind, where=NEW_GROUP))
        stage.run(2)
        assert not resting(stage.world)
        stage.faults.clear()
        stage.run(3)

        sound(stage)
        known = {group.group_id for group in recorded(stage).values()}
        known |= set(stage.world.status()["order_groups"].values())
        orphans = [group for group in stage.world.member.groups.values() if group.id not in known]
        assert not any(group.orders for group in orphans)
        assert bool(orphans) is (kind not in ("lose-request", "refuse"))


@pytest.mark.long
def test_scenario_84_an_hour_of_unheard_creates_leaves_a_few_empty_groups_and_then_all_is_quoted() -> None:
    with event_scene(quoted=False, markets=ONE_SHARD) as stage:
        groups = stage.world.member.groups
        before = len(groups)
        stage.faults.now(Fault(kind="lose-answer", where=NEW_GROUP))
        stage.run(60)
        orphans = len(groups) - before
        stage.faults.clear()
        stage.run(31)

        assert 2 <= orphans <= 7
        assert len(groups) == before + orphans + len(TICKERS)
        sound(stage)


def test_scenario_84_events_beyond_the_loss_of_a_burst_are_not_quoted() -> None:
    with event_scene(quoted=False, globals={"max_burst_loss_dollars": 40}) as stage:
        stage.run(2)

        assert sum(quoted(stage, ticker) for ticker in TICKERS) == 2
        assert stage.world.status()["markets_not_quoted"] == {"event_not_admitted": 1}
        in_their_groups(stage)


def test_scenario_84_a_limit_is_not_lowered_while_a_fill_is_in_the_window() -> None:
    with event_scene() as stage:
        trip(stage, count_e2=500)
        stage.world.clock.advance_ms(50_000)
        trip(stage, B, count_e2=500)
        for ticker in TICKERS:
            stage.world.put_market(ticker, {**config_items.MARKET, "quote_size": 5})
        stage.run(1)

        assert [group_of(stage, t).limit_e2 for t in TICKERS] == [400, 900, 400]
        assert not any(group_of(stage, t).tripped for t in TICKERS)
        stage.run(2)
        assert group_of(stage, B).limit_e2 == 400
        unhurt(stage)


def test_scenario_84_the_group_of_an_event_that_is_quoted_no_longer_is_deleted() -> None:
    with event_scene() as stage:
        gone = group_of(stage, C)
        stage.world.put_market(C, {**config_items.MARKET, "enabled": False})
        stage.run(3)

        assert gone.deleted
        assert sorted(recorded(stage)) == [event_of(A), event_of(B)]
        unhurt(stage)


def test_scenario_84_orders_move_into_the_groups_of_their_events_when_the_grouping_is_changed() -> None:
    with event_scene(quoted=False, globals={"group_by": "shard"}) as stage:
        stage.run(1)
        assert stage.slots() == SLOTS
        stage.world.exchange.invariants.expectations.group_per_event = True
        stage.world.put_global({**config_items.GLOBAL, "group_by": "event"})
        stage.run(4)

        sound(stage)


def test_scenario_84_orders_of_the_shards_groups_move_into_event_groups_that_are_armed_already() -> None:
    with event_scene(quoted=False) as stage:
        stage.run(1)
        assert all(group.armed for group in recorded(stage).values())
        stage.world.put_global({**BY_EVENT, "group_by": "shard"})
        stage.run(1)
        assert stage.slots() == SLOTS
        stage.world.put_global(BY_EVENT)
        stage.run(3)

        sound(stage)


def test_scenario_84_orders_move_back_into_the_groups_of_their_shards_and_those_of_events_stay_empty() -> (
    None
):
    with event_scene() as stage:
        groups = [stage.world.member.groups[own.group_id] for own in recorded(stage).values()]
        stage.world.exchange.invariants.expectations.group_per_event = False
        stage.world.put_global({**BY_EVENT, "group_by": "shard"})
        stage.run(2)

        stage.sound()
        of_shards = set(stage.world.status()["order_groups"].values())
        assert {order.group_id for order in stage.world.member.resting.values()} == of_shards
        assert not any(group.tripped or group.orders for group in groups)
        assert stage.world.teardown()["status"] == "closed"
        assert all(group.tripped for group in groups)
        unhurt(stage)


@pytest.mark.parametrize("doing", ["create", "arm"])
def test_scenario_84_a_teardown_beside_a_cycle_that_creates_or_arms_a_group_leaves_nothing(
    doing: str,
) -> None:
    with event_scene(Knobs(clock_skew_ms=60_000), quoted=doing == "arm") as stage:
        label = NEW_GROUP
        if doing == "arm":
            label = f"PUT /portfolio/order_groups/{group_of(stage, A).id}/reset"
            trip(stage)
            stage.run(3)
        torn_down = []

        def meanwhile() -> None:
            with elsewhere(stage):
                torn_down.append(stage.world.teardown()["status"])

        stage.meanwhile(label, meanwhile)
        tick_ms = stage.world.next_tick_ms()
        stage.world.clock.advance_to(tick_ms)
        stage.invoke(tick_ms)
        cold(stage)
        closed = stage.world.teardown()
        later = stage.run(3)

        assert torn_down in (["closing"], ["closed"])
        assert closed["status"] == "closed"
        assert {answer["placed"] for answer in later} == {0}
        assert stage.world.open_orders() == 0
        assert all(group.triggered or not group.group_id for group in recorded(stage).values())
        assert not broken(stage.world), broken(stage.world)


@pytest.mark.long
@pytest.mark.parametrize("doing", ["create", "arm"])
def test_scenario_84_a_cycle_that_creates_or_arms_groups_may_die_after_any_call(doing: str) -> None:
    after, died = 0, True
    while died:
        with event_scene(quoted=doing == "arm") as stage:
            if doing == "arm":
                trip(stage)
                stage.run(3)
            died = stage.dies(after)
            stage.run(3 + COOLED_MINUTES)
            sound(stage)
            closed = stage.world.teardown()
            assert closed["status"] == "closed", closed
            assert all(group.tripped or group.deleted or not group.orders
                       for group in stage.world.member.groups.values())  # fmt: skip
            assert not broken(stage.world), f"killed after call {after}"
        after += 1
    assert after > 15
