"""A slow bleed that never trips a group is ended by the session's contract limit, to the contract."""

from collections.abc import Callable
from random import Random

import pytest

from tests.battery.scene import CANCEL, CREATE, Scene, fill, scene, unlike
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import broken, resting, set_book
from tests.world import config_items

LIMIT_E2 = 8_000
"""More than one full set of quotes: at the end some of them cannot be replaced."""
SLOW = {**config_items.GLOBAL, "group_burst_limit": 40, "session_contract_limit": LIMIT_E2 // 100}
READS = (
    Knobs(),
    Knobs(fills_sorted="ascending"),
    Knobs(min_ts_inclusive=False),
    Knobs(user_data_timestamp_offset_ms=600_000),
)
MINUTES = 200
"""Longer than any of these sessions lasts."""

Size = Callable[[], int]
Book = Callable[[int], int]
Faults = Fault | None


def still(_: int) -> int:
    """The others' bid does not move."""
    return 4400


def slowly(minute: int) -> int:
    """A cent up or down every fourth minute: quotes are replaced, and no market is left as too fast."""
    return 4400 + 100 * (minute // 4 % 2)


def matched_e2(stage: Scene) -> int:
    """Contracts that truly traded, by the engine."""
    return sum(own.trade.count_e2 for own in stage.world.member.fills)


def bleed(stage: Scene, size_e2: Size, *, takers: int = 1, book: Book = still, faults: Faults = None) -> None:
    """Every minute a cycle, then takers of a few contracts each, until the session is latched.

    At no moment has more been matched than the session may, and no group trips before its end.
    """
    for minute in range(MINUTES):
        stage.move(book(minute))
        if faults and book(minute) != book(minute - 1):
            stage.struck(faults)
        else:
            stage.run(1)
        tripped = {group.tripped for group in stage.world.member.groups.values()}
        if tripped == {True}:
            return
        assert tripped == {False}
        for taker in range(takers):
            take(stage, minute + taker, size_e2(), book(minute))
            assert matched_e2(stage) <= LIMIT_E2
    raise AssertionError(f"matched {matched_e2(stage)} of {LIMIT_E2} after {MINUTES} minutes")


def take(stage: Scene, turn: int, size_e2: int, bid_e4: int) -> None:
    """Somebody takes at most so much of one of our quotes, each in its turn."""
    live = sorted(resting(stage.world).items())
    if live:
        (ticker, side), ((_, left_e2),) = live[turn % len(live)]
        fill(stage.world, ticker, side, min(size_e2, left_e2))
        set_book(stage.world, ticker, bid_e4, bid_e4 + 300)


def is_latched(stage: Scene) -> None:
    """Ended by its own limit, with every group triggered and nothing left."""
    status = stage.world.status()
    told = stage.seen.facts("ORDER_GROUP_LIMIT_REACHED")

    assert (status["status"], status["reason"]) == ("limit_reached", "session_cap")
    assert {fact["reason"] for fact in told} == {"session_cap"}
    assert all(group.tripped for group in stage.world.member.groups.values())
    assert not resting(stage.world)
    assert not broken(stage.world), broken(stage.world)


def whole(seed: int) -> Size:
    """Two to five contracts."""
    chance = Random(seed)
    return lambda: 100 * chance.randint(2, 5)


@pytest.mark.parametrize("knobs", READS, ids=unlike)
def test_a_slow_bleed_under_the_group_limit_is_stopped_by_the_session_limit_to_the_contract(
    knobs: Knobs,
) -> None:
    with scene(knobs, globals=SLOW) as stage:
        bleed(stage, whole(1))

        assert matched_e2(stage) == LIMIT_E2
        is_latched(stage)


def test_several_partial_fills_between_two_cycles_do_not_pass_the_session_limit() -> None:
    with scene(globals=SLOW) as stage:
        bleed(stage, whole(2), takers=3)

        assert matched_e2(stage) == LIMIT_E2
        is_latched(stage)


def test_fills_in_parts_of_a_contract_end_less_than_one_contract_below_the_session_limit() -> None:
    chance = Random(3)
    with scene(globals=SLOW) as stage:
        bleed(stage, lambda: chance.randint(1, 500))

        assert LIMIT_E2 - 100 < matched_e2(stage) <= LIMIT_E2
        is_latched(stage)


def test_a_moving_book_replaces_quotes_and_still_ends_at_the_session_limit() -> None:
    with scene(globals=SLOW) as stage:
        bleed(stage, whole(4), book=slowly)

        assert matched_e2(stage) == LIMIT_E2
        is_latched(stage)


@pytest.mark.parametrize("where", [CREATE, CANCEL])
@pytest.mark.parametrize("kind", ["lose-answer", "lose-request"])
def test_orders_of_unknown_fate_count_toward_the_session_limit(kind: str, where: str) -> None:
    """Whenever quotes are replaced, the batches go unanswered."""
    with scene(globals=SLOW) as stage:
        bleed(stage, whole(5), book=slowly, faults=Fault(kind=kind, where=where))

        assert matched_e2(stage) == LIMIT_E2
        is_latched(stage)


def test_takers_of_everything_at_once_find_no_more_than_the_session_may_match() -> None:
    with scene(globals={**SLOW, "group_burst_limit": 5_000, "session_contract_limit": 55}) as stage:
        stage.run(1)
        for ticker, side in list(resting(stage.world)):
            fill(stage.world, ticker, side)
        stage.run(1)

        assert matched_e2(stage) == 5_500
        is_latched(stage)
