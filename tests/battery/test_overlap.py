"""Scenarios 23 and 24, and two cycles beside each other at every outside call: one of them writes."""

from typing import Any

import pytest

from dora.core.reasons import Reason
from dora.core.state import LeaseGrant, LeaseRefused
from dora.core.units import TimeMs
from dora.edge.dynamo.lease import DynamoLease
from tests.battery.beside import before_call, cold, elsewhere, steps
from tests.battery.scene import CLIENT_IDS, CREATE, FIRST_PLAN, HOLD_CYCLES, SLOTS, Scene, scene, unlike
from tests.simulator.knobs import Knobs
from tests.support.execution_fakes import START_MS, Desk, requests
from tests.support.small_world import broken
from tests.world.memory_cloud import MemoryCloud
from tests.world.memory_lease import MemoryLease
from tests.world.outside_calls import Killed

SLOW_MS, NEXT_TICK_MS, LEASE_LIFE_MS = 90_000, 60_000, 50_000
FROZEN_MS = 56_000
"""How long a cycle stands still: its lease is over, and the next minute's tick may begin."""
WIDE_CLOCK = Knobs(clock_skew_ms=60_000)
"""A request may be up to a minute old; without it a cycle that thaws late is refused."""


# --- 23: a run longer than its lease, which a function's time limit rules out --------------------------


@pytest.fixture(params=["dynamo", "memory"])
def lease(request: pytest.FixtureRequest) -> DynamoLease | MemoryLease:
    if request.param == "memory":
        return MemoryLease(MemoryCloud(), "dora")
    return DynamoLease(request.getfixturevalue("dynamo"), "state", "dora")


def taken(
    lease: DynamoLease | MemoryLease, owner: str, tick_ms: int, now_ms: int
) -> LeaseGrant | LeaseRefused:
    return lease.acquire(
        owner=owner,
        tick_ms=TimeMs(tick_ms),
        now_ms=TimeMs(now_ms),
        expires_ms=TimeMs(now_ms + LEASE_LIFE_MS),
    )


def test_scenario_23_the_next_tick_takes_over_only_when_the_lease_is_over(
    lease: DynamoLease | MemoryLease,
) -> None:
    slow = taken(lease, "slow", 0, 0)
    early = taken(lease, "next", NEXT_TICK_MS, LEASE_LIFE_MS - 1)
    late = taken(lease, "next", NEXT_TICK_MS, NEXT_TICK_MS)
    assert isinstance(slow, LeaseGrant)
    assert isinstance(late, LeaseGrant)
    lease.release(slow)

    assert early == LeaseRefused(Reason.LEASE_HELD)
    assert late.fence > slow.fence
    assert taken(lease, "third", 2 * NEXT_TICK_MS, NEXT_TICK_MS + 1) == LeaseRefused(Reason.LEASE_HELD)


def test_scenario_23_a_slow_run_sends_no_batch_after_its_lease() -> None:
    far = TimeMs(START_MS + 10 * SLOW_MS)
    desk = Desk(deadline_ms=far, place_until_ms=far, expires_ms=TimeMs(START_MS + LEASE_LIFE_MS))
    desk.exchange.takes_ms = SLOW_MS
    desk.place(requests(4), size=2)

    assert desk.exchange.sent_ms == [START_MS]
    assert (len(desk.sent), len(desk.dropped)) == (2, 2)
    assert desk.execution.stopped is Reason.DEADLINE


# --- another invocation in the midst of one -----------------------------------------------------------


class Overlap:
    """One cycle that stands still for a while before one of its calls, while another cycle runs."""

    def __init__(self, stage: Scene, frozen_ms: int) -> None:
        self._stage, self._frozen_ms = stage, frozen_ms
        self._tick_ms = stage.world.next_tick_ms()
        self.other: dict[str, Any] = {}

    def before(self, calls: list[str], number: int) -> dict[str, Any]:
        """The first cycle's answer; the other one runs before its call of that number."""
        before_call(self._stage, calls, number, self._run)
        self._stage.world.clock.advance_to(self._tick_ms)
        return self._stage.invoke(self._tick_ms)

    def _run(self) -> None:
        clock = self._stage.world.clock
        clock.advance_ms(self._frozen_ms)
        tick_ms = self._tick_ms + (NEXT_TICK_MS if self._frozen_ms else 1_000)
        with elsewhere(self._stage):
            self.other = self._stage.invoke(tick_ms)


def calls_of_a_move() -> list[str]:
    """What a cycle of cancels and placements calls."""
    with scene() as stage:
        stage.run(1)
        stage.move()
        stage.run(1)
        return stage.faults.calls.made


def settles(stage: Scene) -> None:
    """Ticks go on in a new environment, for a refused key ends the old one, and all is as it should be."""
    cold(stage)
    stage.world.clock.advance_ms(NEXT_TICK_MS)
    stage.run(HOLD_CYCLES)
    stage.sound()


@pytest.mark.parametrize("knobs", [*CLIENT_IDS, WIDE_CLOCK], ids=unlike)
def test_scenario_24_a_lease_that_ends_during_a_create_leaves_its_orders_unresolved_to_the_next_run(
    knobs: Knobs,
) -> None:
    with scene(knobs) as stage:
        overlap = Overlap(stage, FROZEN_MS)
        first = overlap.before([CREATE], 0)
        landed = stage.slots()
        settles(stage)

        assert (first["status"], first["reason"]) == ("failed", "LeaseLost")
        assert (overlap.other["status"], overlap.other["placed"]) == ("completed", 0)
        assert landed == (SLOTS if knobs is WIDE_CLOCK else 0)
        assert stage.world.exchange.stats.orders == SLOTS


@pytest.mark.long
def test_scenario_22_a_second_cycle_beside_the_first_at_any_call_writes_nothing_more() -> None:
    calls = calls_of_a_move()
    wrote = set()
    for number in steps(calls):
        with scene() as stage:
            stage.run(1)
            stage.move()
            overlap = Overlap(stage, 0)
            answers = [overlap.before(calls, number), overlap.other]
            wrote.add(tuple(answer["status"] for answer in answers))
            assert sum(answer.get("placed", 0) for answer in answers) == SLOTS, calls[number]
            assert not broken(stage.world), calls[number]
            settles(stage)

    assert ("completed", "skipped") in wrote


@pytest.mark.long
@pytest.mark.parametrize("knobs", [Knobs(), WIDE_CLOCK], ids=unlike)
def test_scenario_24_a_cycle_that_thaws_before_any_call_after_the_next_one_doubles_nothing(
    knobs: Knobs,
) -> None:
    calls = calls_of_a_move()
    ended = set()
    for number in steps(calls):
        with scene(knobs) as stage:
            stage.run(1)
            stage.move()
            overlap = Overlap(stage, FROZEN_MS)
            first = overlap.before(calls, number)
            ended.add((first["status"], first["reason"], overlap.other["status"]))
            assert not broken(stage.world), calls[number]
            settles(stage)

    assert ("failed", "LeaseLost", "completed") in ended


def test_scenario_24_a_cycle_that_thaws_after_the_next_one_died_with_the_lease_sends_nothing() -> None:
    """That one had taken the lease and written nothing: the lease alone tells the first that it is late."""
    with scene(WIDE_CLOCK) as stage:
        tick_ms = stage.world.next_tick_ms()

        def next_one() -> None:
            stage.world.clock.advance_ms(FROZEN_MS)
            stage.faults.calls.kill_after(3)
            with elsewhere(stage), pytest.raises(Killed):
                stage.invoke(tick_ms + NEXT_TICK_MS)

        stage.meanwhile(FIRST_PLAN, next_one)
        stage.world.clock.advance_to(tick_ms)
        first = stage.invoke(tick_ms)

        assert (first["status"], first["reason"]) == ("failed", "LeaseLost")
        assert stage.world.exchange.stats.orders == 0
        settles(stage)
