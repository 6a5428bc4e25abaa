"""Scenarios 26 to 30: a session that is torn down, opened twice, tripped, or bled."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.battery.beside import before_call, cold, elsewhere, steps
from tests.battery.scene import CREATE, FIRST_PLAN, HOLD_CYCLES, SLOTS, Scene, fill, scene, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import ONE_SHARD, TICKERS, broken, resting, set_book
from tests.world import config_items

A, B, C = TICKERS
NEW_GROUP = "POST /portfolio/order_groups/create"
TRIGGER = "PUT /portfolio/order_groups/*/trigger"
GROUP_CODES = (
    Knobs(),
    Knobs(triggered_group_code="EXCEEDED_ORDER_GROUP_RISK_LIMIT", triggered_group_http=409),
    Knobs(group_trips_at_limit=True, triggered_group_code="ORDER_GROUP_CANCEL"),
)
LATE = Knobs(clock_skew_ms=60_000)
"""A request may be up to a minute old, so a cycle that stood still is not refused for its age."""


# --- 26, 27: teardown ------------------------------------------------------------------------------------


def torn_down_meanwhile(stage: Scene) -> dict[str, Any]:
    with elsewhere(stage):
        return stage.world.teardown()


def cycle_outliving_its_lease(stage: Scene) -> dict[str, Any]:
    """A cycle for the next tick, that may take longer than a function may."""
    tick_ms = stage.world.next_tick_ms()
    stage.world.clock.advance_to(tick_ms)
    return stage.invoke(tick_ms)


def stays_down(stage: Scene) -> None:
    """The session ends, and nothing lives or comes to life any more (I10)."""
    cold(stage)
    closed = stage.world.teardown()
    stage.world.clock.advance_ms(60_000)
    later = stage.run(HOLD_CYCLES)
    status = stage.world.status()

    assert closed["status"] == "closed", closed
    assert {(answer["placed"], answer["reason"]) for answer in later} == {(0, "session_not_active")}
    assert (status["open_orders"], status["unfinished_plans"]) == (0, 0)
    assert stage.world.open_orders() == 0
    assert not broken(stage.world), broken(stage.world)


@pytest.mark.parametrize("knobs", [*GROUP_CODES, LATE], ids=unlike)
@pytest.mark.parametrize("at", [FIRST_PLAN, CREATE])
def test_scenario_26_what_a_running_cycle_sends_after_the_teardown_is_refused_on_every_shard(
    at: str, knobs: Knobs
) -> None:
    with scene(knobs) as stage:
        stage.meanwhile(at, lambda: torn_down_meanwhile(stage))
        cycle_outliving_its_lease(stage)

        assert all(group.tripped for group in stage.world.member.groups.values())
        assert stage.world.exchange.stats.orders == 0
        stays_down(stage)


@pytest.mark.parametrize("knobs", GROUP_CODES, ids=unlike)
def test_scenario_26_a_create_that_was_held_back_and_released_after_the_teardown_is_refused(
    knobs: Knobs,
) -> None:
    with scene(knobs) as stage:
        stage.faults.now(Fault(kind="hold", where=CREATE, amount=55_000))
        assert stage.world.cycle()["unknown"] == SLOTS
        closed = stage.world.teardown()
        assert closed["status"] == "closed", closed
        assert stage.faults.script.landed == []

        stage.world.clock.advance_ms(60_000)
        stage.run(1)
        assert len(stage.faults.script.landed) == 1
        assert stage.world.exchange.stats.orders == 0
        stays_down(stage)


@pytest.mark.long
@pytest.mark.parametrize("knobs", [Knobs(), LATE], ids=unlike)
def test_scenario_26_a_teardown_before_any_call_of_a_cycle_leaves_nothing(knobs: Knobs) -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        stage.run(1)
        calls = list(stage.faults.calls.made)
    # Only the cycle's own thread can sleep, and a teardown must.
    for number in [n for n in steps(calls) if not calls[n].startswith("GET ")]:
        with scene(knobs) as stage:
            stage.run(1)
            stage.move()
            before_call(stage, calls, number, lambda stage=stage: torn_down_meanwhile(stage))
            cycle_outliving_its_lease(stage)
            stays_down(stage)


@pytest.mark.parametrize("where", [TRIGGER, "PUT *"])
@pytest.mark.parametrize("kind", ["lose-request", "lose-answer", "error-after", "refuse"])
def test_scenario_27_a_teardown_whose_triggers_are_unheard_is_closing_until_they_are_heard(
    kind: str, where: str
) -> None:
    with scene() as stage:
        stage.run(1)
        stage.faults.now(Fault(kind=kind, where=where))
        closing = stage.world.teardown()
        kept, opened = stage.world.status()["status"], stage.world.start()["status"]
        stage.faults.clear()

        assert (closing["status"], kept, opened) == ("closing", "closing", "refused")
        assert len(closing["untriggered"]) == 3
        assert not resting(stage.world)
        stays_down(stage)


@pytest.mark.parametrize("kind", ["lose-answer", "lose-request"])
def test_scenario_27_one_unheard_trigger_is_sent_again_until_it_is_heard(kind: str) -> None:
    with scene() as stage:
        stage.run(1)
        stage.faults.now(Fault(kind=kind, where=TRIGGER, times=1))
        answer = stage.world.teardown()

        assert answer["status"] == "closed"
        stays_down(stage)


# --- 28: start -----------------------------------------------------------------------------------------


def opened(stage: Scene) -> set[str]:
    """A session that quotes under its own groups alone; returns them."""
    answer = stage.world.start()
    used = set(answer["order_groups"].values())
    stage.world.clock.advance_ms(10_000)
    stage.run(2)

    assert answer["status"] == "active"
    assert set(answer["order_groups"]) == {"0/maker", "1/maker", "2/maker"}
    assert {order.group_id for order in stage.world.member.resting.values()} == used
    stage.sound()
    return used


@pytest.mark.parametrize("kind", ["lose-answer", "lose-request", "error-after", "cut-body", "error-body"])
def test_scenario_28_a_group_whose_create_was_unheard_is_made_again_and_its_orphan_holds_nothing(
    kind: str,
) -> None:
    with scene(started=False) as stage:
        stage.faults.now(Fault(kind=kind, where=NEW_GROUP))
        refused = stage.world.start()
        stage.faults.clear()
        used = opened(stage)
        orphans = stage.world.member.groups.keys() - used

        assert refused["status"] == "refused"
        assert len(orphans) == (kind != "lose-request")
        assert not any(stage.world.member.groups[orphan].orders for orphan in orphans)


@pytest.mark.parametrize("second", range(3))
def test_scenario_28_two_starts_beside_each_other_open_one_session(second: int) -> None:
    with scene(started=False) as stage:
        answers = []

        def beside() -> None:
            with elsewhere(stage):
                answers.append(stage.world.start())

        before_call(stage, [NEW_GROUP] * 3, second, beside)
        first = stage.world.session("session_start")
        used = opened(stage)

        assert [answer["status"] for answer in answers] == ["active"]
        assert first["status"] in ("failed", "active")
        assert used == set(answers[0]["order_groups"].values())


# --- 29, 30: limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("knobs", GROUP_CODES, ids=unlike)
def test_scenario_29_a_group_that_trips_in_mid_cycle_stops_placements_until_a_person_resets_it(
    knobs: Knobs,
) -> None:
    limits = {**config_items.GLOBAL, "group_burst_limit": 15, "create_batch_size": 1}
    with scene(knobs, markets=ONE_SHARD, globals=limits) as stage:
        stage.run(1)
        for ticker in (B, C):
            set_book(stage.world, ticker, 4600, 4900)
        sent = stage.world.exchange.stats.calls[CREATE]
        stage.meanwhile(CREATE, lambda: (fill(stage.world, A, "bid"), fill(stage.world, A, "ask")))
        tripped = stage.world.cycle()
        tries = stage.world.exchange.stats.calls[CREATE] - sent
        set_book(stage.world, A)
        later = stage.run(3)

        assert (tripped["placed"], tries) == (0, 1)
        assert {(answer["placed"], answer["status"]) for answer in later} == {(0, "halted")}
        assert stage.world.status()["status"] == "limit_reached"
        assert stage.seen.facts("ORDER_GROUP_LIMIT_REACHED")[0]["reason"] == "group_tripped"
        assert not resting(stage.world)
        assert stage.world.session("session_reset")["status"] == "active"
        stage.run(1)
        stage.sound()


def bleed(stage: Scene, minutes: int, step_e4: int) -> None:
    """Every minute our bid is taken and the book falls."""
    for minute in range(minutes):
        stage.run(1)
        if stage.world.resting(A, "bid"):
            fill(stage.world, A, "bid")
        bid_e4 = 4400 - step_e4 * (minute + 1)
        set_book(stage.world, A, bid_e4, bid_e4 + 300)


@pytest.mark.parametrize("knobs", GROUP_CODES, ids=unlike)
def test_scenario_30_a_slow_bleed_that_trips_no_group_ends_at_the_position_cap(knobs: Knobs) -> None:
    limits = {**config_items.GLOBAL, "group_burst_limit": 15}
    with scene(knobs, globals=limits, items={A: {**config_items.MARKET, "max_position": 35}}) as stage:
        bleed(stage, 8, 0)

        assert 3_000 <= stage.world.bot.positions()[A].net <= 3_500
        assert not any(group.tripped for group in stage.world.member.groups.values())
        assert not broken(stage.world)


def test_scenario_30_a_slow_bleed_that_trips_no_group_ends_at_the_days_loss() -> None:
    limits = {**config_items.GLOBAL, "group_burst_limit": 15, "max_daily_loss_dollars": 2}
    with scene(globals=limits) as stage:
        bleed(stage, 8, 200)
        stage.run(2)

        assert stage.seen.facts("RISK_HALT")[0]["reason"] == "daily_loss"
        assert stage.world.bot.positions()[A].net < 8_000
        assert not any(group.tripped for group in stage.world.member.groups.values())
        assert not resting(stage.world)
        assert not broken(stage.world)


# --- a reset beside a teardown ------------------------------------------------------------------------------


def latched(stage: Scene) -> None:
    """Both quotes of a market filled at once: the group tripped, and the session cools down since."""
    stage.run(1)
    fill(stage.world, A, "bid")
    fill(stage.world, A, "ask")
    set_book(stage.world, A)
    stage.run(2)


def torn_down_during_reset(stage: Scene, which: int, reset: Callable[[], object]) -> None:
    """A teardown begins and ends just before one group's reset leaves, and then everything goes on."""
    torn_down = list[dict[str, Any]]()
    group_id = list(stage.world.member.groups)[which]
    label = f"PUT /portfolio/order_groups/{group_id}/reset"
    stage.meanwhile(label, lambda: torn_down.append(torn_down_meanwhile(stage)))
    reset()
    assert [answer["status"] for answer in torn_down] in (["closing"], ["closed"])
    assert stage.world.status()["status"] in ("closing", "closed")


@pytest.mark.parametrize("which", range(3))
def test_a_session_torn_down_while_a_person_resets_it_keeps_its_fence(which: int) -> None:
    with scene(LATE, globals={**config_items.GLOBAL, "group_burst_limit": 15}) as stage:
        latched(stage)
        torn_down_during_reset(stage, which, lambda: stage.world.session("session_reset"))

        assert all(group.tripped for group in stage.world.member.groups.values())
        stays_down(stage)


@pytest.mark.parametrize("which", range(3))
def test_a_session_torn_down_while_it_is_re_armed_by_itself_stays_down(which: int) -> None:
    armed = {"auto_reset_on_limit": True, "auto_reset_cooldown_s": 90, "group_burst_limit": 15}
    with scene(LATE, globals={**config_items.GLOBAL, **armed}) as stage:
        latched(stage)
        torn_down_during_reset(stage, which, lambda: cycle_outliving_its_lease(stage))
        stays_down(stage)
