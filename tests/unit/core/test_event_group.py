"""The life of an event's order group: when it rests, when it may be armed again, and what a trip came to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.calendar import DAY_MS
from dora.core.event_group import (
    JUDGED_AFTER_MS,
    JUDGED_UNTIL_MS,
    TRIP_FILLS_MS,
    EventGroup,
    Markout,
    Trip,
    counted_trips,
    judged,
    may_rearm,
    rested,
    tripped,
    tripped_together,
)
from dora.core.exchange.account import Fill
from dora.core.exchange.market import Side
from dora.core.units import Count, Price, TimeMs
from tests.support.dynamo_values import event_group, fill, order

NOW = TimeMs(1_760_000_000_000)
COOLDOWN_MS, MOST = 122_000, 6
COOLED = TimeMs(NOW + COOLDOWN_MS)


def armed(**changes: Any) -> EventGroup:
    return event_group(armed_ms=TimeMs(NOW - 600_000))._replace(**changes)


def resting(**changes: Any) -> EventGroup:
    return tripped(armed(), NOW, triggered=True)._replace(**changes)


def test_a_group_takes_orders_only_after_an_answer() -> None:
    asked = event_group(group_id="")
    assert not asked.armed
    assert not asked.untriggered
    assert armed().armed
    assert not armed().untriggered


def test_a_tripped_group_rests_and_is_to_be_triggered_until_that_is_answered() -> None:
    unanswered = tripped(armed(), NOW, triggered=False)
    later = rested(unanswered, TimeMs(NOW + 60_000), triggered=True)

    assert (unanswered.armed, unanswered.untriggered, unanswered.rests_since_ms) == (False, True, NOW)
    assert (later.armed, later.untriggered, later.rests_since_ms) == (False, False, NOW)
    assert later.trips == (Trip(at_ms=NOW),)


def test_a_group_is_armed_again_after_its_cooldown() -> None:
    assert may_rearm(resting(), (), COOLED, COOLDOWN_MS, MOST)


@pytest.mark.parametrize(
    ("group", "names", "now"),
    [
        (resting(), (), COOLED - 1),
        (resting(), ("g-0", "g-1"), COOLED),
        (resting(triggered=False), (), COOLED),
        (resting(trips=tuple(Trip(at_ms=TimeMs(NOW - n)) for n in range(MOST))), (), COOLED),
        (resting(group_id=""), (), COOLED),
        (armed(), (), COOLED),
    ],
    ids=["too soon", "an order may be in it", "not triggered", "latched", "never learned", "armed"],
)
def test_a_group_is_not_armed_again(group: EventGroup, names: tuple[str, ...], now: int) -> None:
    assert not may_rearm(group, names, TimeMs(now), COOLDOWN_MS, MOST)


@given(
    trips=st.lists(st.tuples(st.integers(0, 3 * DAY_MS), st.sampled_from(Markout)), max_size=9),
    names=st.lists(st.sampled_from(["g-0", "g-1", None]), max_size=3),
    rests=st.integers(0, 400_000),
    triggered=st.booleans(),
)
def test_no_group_is_armed_that_an_order_of_unknown_fate_names_or_that_rests_too_short(
    trips: list[tuple[int, Markout]], names: list[str | None], rests: int, triggered: bool
) -> None:
    group = resting(
        trips=tuple(Trip(at_ms=TimeMs(NOW - ago), markout=markout) for ago, markout in trips),
        rests_since_ms=TimeMs(NOW - rests),
        triggered=triggered,
    )

    if may_rearm(group, names, NOW, COOLDOWN_MS, MOST):
        assert "g-1" not in names
        assert rests >= COOLDOWN_MS
        assert triggered
        assert counted_trips(group, NOW) < MOST


def test_trips_count_for_their_day_unless_they_turned_out_well() -> None:
    trips = [Trip(at_ms=NOW, markout=markout) for markout in Markout] + [Trip(at_ms=TimeMs(NOW - DAY_MS))]

    assert counted_trips(armed(trips=tuple(trips)), NOW) == 2
    assert tripped(armed(trips=tuple(trips)), NOW, triggered=True).trips == (*trips[:-1], Trip(at_ms=NOW))


def test_events_that_tripped_together_are_counted_once_each() -> None:
    twice = (Trip(at_ms=NOW), Trip(at_ms=NOW))
    groups = [armed(trips=twice), armed(event="B", trips=twice[:1]), armed(event="C")]

    assert tripped_together(groups, NOW) == 2
    assert tripped_together(groups, NOW + 1) == 0


# --- markouts ----------------------------------------------------------------------------------------

DUE = TimeMs(NOW + JUDGED_AFTER_MS)
ORDERS = {"order-1": order(1)._replace(order_id="order-1", group_id="g-1")}


def caused(side: Side = Side.BID, ago_ms: int = 0) -> Fill:
    """A fill of the group at 46 cents."""
    return fill(1)._replace(side=side, count=Count(1_000), at_ms=TimeMs(NOW - ago_ms))


def outcome(fills: list[Fill], mid: int, now: int = DUE, group: EventGroup | None = None) -> Markout:
    mids = {"KXA-1": Price(mid)}
    (trip,) = judged(group or resting(), fills, ORDERS, mids, TimeMs(now)).trips
    return trip.markout


def test_a_trip_is_against_us_where_the_mid_has_moved_through_what_filled() -> None:
    assert outcome([caused()], 4_599) is Markout.AGAINST
    assert outcome([caused()], 4_600) is Markout.FINE
    assert outcome([caused(Side.ASK)], 4_601) is Markout.AGAINST
    assert outcome([caused(Side.ASK)], 4_599) is Markout.FINE


def test_what_a_trip_came_to_is_not_known_before_five_minutes_nor_after_ten() -> None:
    assert outcome([caused()], 4_700, DUE - 1) is Markout.UNKNOWN
    assert outcome([caused()], 4_700, NOW + JUDGED_UNTIL_MS + 1) is Markout.UNKNOWN


def test_without_its_fills_or_a_mid_for_each_a_trip_stays_unknown() -> None:
    assert outcome([], 4_700) is Markout.UNKNOWN
    assert outcome([caused(ago_ms=TRIP_FILLS_MS + 1)], 4_700) is Markout.UNKNOWN
    assert outcome([caused(), caused()._replace(ticker="KXB-1")], 4_700) is Markout.UNKNOWN
    assert outcome([caused()], 4_700, group=resting(group_id="g-2")) is Markout.UNKNOWN


def test_what_is_known_of_a_trip_stands() -> None:
    known = resting(trips=(Trip(at_ms=NOW, markout=Markout.AGAINST),))

    assert judged(known, [caused()], ORDERS, {"KXA-1": Price(4_700)}, DUE) is known
