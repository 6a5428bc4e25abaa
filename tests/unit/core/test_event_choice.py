"""Which events may be quoted in which groups, and what one cycle does about the groups."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.event_choice import (
    MOST_ARMED,
    MOST_CREATED,
    MOST_DELETED,
    MOST_LIMITED,
    Standing,
    Work,
    brakes,
    needs_of,
    work_of,
)
from dora.core.event_group import EventGroup, Trip, tripped
from dora.core.exchange.account import OrderGroup
from dora.core.exchange.market import MarketStatus
from dora.core.reasons import Reason
from dora.core.risk.event_brakes import EventNeed
from dora.core.units import Count, TimeMs
from tests.support.dynamo_values import event_group, fill, order
from tests.support.examples import config, contracts, limits, market

NOW = TimeMs(1_760_000_000_000)
NONE = Count(0)
SETTINGS = limits(group_by="event")


def ticker(event: str, strike: int = 1) -> str:
    return f"{event}-T{strike}"


def standing(*events: str, **changes: Any) -> Standing:
    """So many events of one quoted market each, of 10 contracts a side, all read and listed."""
    tickers = {ticker(event): event for event in events}
    plain: dict[str, Any] = {
        "session_id": "s1",
        "began_ms": NOW,
        "now_ms": NOW,
        "wanted": {t: config(ticker=t, quote_size=contracts("10")) for t in tickers},
        "markets": {t: market(ticker=t, event_ticker=event, shard=1) for t, event in tickers.items()},
        "nets": {},
        "orders": {},
        "fills": (),
        "listed": [OrderGroup(f"g-{event}", 1, False, contracts("9")) for event in events],
    }
    return Standing(**plain | changes)


def armed(event: str, **changes: Any) -> EventGroup:
    return event_group(event, group_id=f"g-{event}", armed_ms=TimeMs(NOW - 60_000))._replace(**changes)


def by_event(*groups: EventGroup) -> dict[str, EventGroup]:
    return {group.event: group for group in groups}


def needs(seen: Standing, *groups: EventGroup) -> dict[str, EventNeed]:
    return needs_of(seen, by_event(*groups), NONE)


# --- needs -----------------------------------------------------------------------------------------------


def test_an_event_is_braked_by_its_smallest_quote_and_swept_by_its_largest_side() -> None:
    seen = standing("A")
    other = config(ticker=ticker("A", 2), quote_size=contracts("30"), levels=2, max_position=contracts("90"))
    seen = seen._replace(
        wanted={**seen.wanted, other.ticker: other},
        markets={**seen.markets, other.ticker: market(ticker=other.ticker, event_ticker="A", shard=1)},
        nets={ticker("A"): contracts("-4")},
        orders={"o": order(1)._replace(slot=replace_ticker(order(1).slot, ticker("A")))},
    )

    (need,) = needs(seen).values()

    assert (need.limit, need.sweep) == (contracts("9"), contracts("60"))
    assert need.exposure == contracts("4") + order(1).remaining


def replace_ticker(slot: Any, name: str) -> Any:
    return slot._replace(ticker=name)


def test_a_limit_that_is_still_higher_at_the_exchange_counts_in_full() -> None:
    seen = standing("A")

    assert needs(seen, armed("A", burst_limit=contracts("25")))["A"].limit == contracts("25")
    assert needs(seen, armed("A", burst_limit=contracts("2")))["A"].limit == contracts("9")


# --- brakes ----------------------------------------------------------------------------------------------


def reason(group: EventGroup | None, *, allowed: bool = True, **changes: Any) -> Reason | None:
    groups = by_event(group) if group else {}
    return brakes(standing("A", **changes), groups, ["A"], ["A"] if allowed else [])["A"].reason


def test_orders_go_into_a_group_that_was_armed_before_the_cycle_began_and_is_listed_so() -> None:
    found = brakes(standing("A"), by_event(armed("A")), ["A"], ["A"])["A"]

    assert (found.group_id, found.shard, found.reason) == ("g-A", 1, None)


@pytest.mark.parametrize(
    ("group", "changes", "why"),
    [
        (None, {}, Reason.EVENT_WITHOUT_GROUP),
        (armed("A", group_id=""), {}, Reason.EVENT_WITHOUT_GROUP),
        (armed("A", armed_ms=NOW), {}, Reason.EVENT_WITHOUT_GROUP),
        (armed("A"), {"listed": []}, Reason.EVENT_WITHOUT_GROUP),
        (armed("A"), {"listed": None}, Reason.EVENT_WITHOUT_GROUP),
        (armed("A"), {"listed": [OrderGroup("g-A", 1, True, NONE)]}, Reason.EVENT_RESTING),
        (tripped(armed("A"), NOW, triggered=True), {}, Reason.EVENT_RESTING),
        (armed("A"), {"allowed": False}, Reason.EVENT_NOT_ADMITTED),
        (None, {"allowed": False}, Reason.EVENT_NOT_ADMITTED),
    ],
)
def test_no_order_goes_into_a_group_that_is_not_known_to_take_it(
    group: EventGroup | None, changes: dict[str, Any], why: Reason
) -> None:
    assert reason(group, **changes) is why


def work(seen: Standing, *groups: EventGroup, admitted: Any = None, most: int = 200) -> Work:
    wanted = needs(seen, *groups)
    chosen = wanted if admitted is None else {event: wanted[event] for event in admitted}
    return work_of(seen, by_event(*groups), wanted, chosen, SETTINGS, most)


# --- work ------------------------------------------------------------------------------------------------


def test_groups_are_created_for_admitted_events_that_have_none_a_few_a_cycle() -> None:
    events = [f"E{number}" for number in range(MOST_CREATED + 2)]
    seen = standing(*events)

    created = work(seen).create

    assert [own.event for own in created] == events[:MOST_CREATED]
    assert {(own.shard, own.burst_limit, own.group_id, own.rev) for own in created} == {
        (1, contracts("9"), "", 0)
    }


@pytest.mark.parametrize(
    ("asks", "wait_ms"),
    [(1, 50_000), (2, 100_000), (3, 200_000), (6, 1_600_000), (7, 1_800_000), (99, 1_800_000)],
)
def test_after_a_create_that_was_not_answered_its_shard_waits_twice_as_long_each_time(
    asks: int, wait_ms: int
) -> None:
    unheard = armed("A", group_id="", armed_ms=TimeMs(0), asked_ms=NOW, asks=asks)
    seen = standing("A", "B", "C")
    elsewhere = seen.markets[ticker("C")]._replace(shard=2)
    seen = seen._replace(markets={**seen.markets, elsewhere.ticker: elsewhere})

    def asked(after_ms: int) -> dict[str, int]:
        created = work(seen._replace(now_ms=TimeMs(NOW + after_ms)), unheard).create
        return {own.event: own.asks for own in created}

    assert asked(wait_ms - 1) == {"C": 1}
    assert asked(wait_ms) == {"A": asks + 1, "B": asks + 1, "C": 1}


def test_an_event_that_is_latched_gets_no_new_group_to_forget_it_by() -> None:
    trips = tuple(Trip(at_ms=NOW) for _ in range(SETTINGS.event_trips_a_day))
    forgotten = armed("A", group_id="", armed_ms=TimeMs(0), trips=trips)
    seen = standing("A")

    assert work(seen, forgotten).create == ()


def test_a_limit_is_raised_at_once_but_lowered_only_when_no_fill_is_in_the_window() -> None:
    young = fill(1, ticker("A"))._replace(at_ms=TimeMs(NOW - 15_000))
    for fills, higher in (
        (None, ()),
        ((young,), ()),
        ((young._replace(at_ms=TimeMs(NOW - 20_000)),), ("A",)),
    ):
        seen = standing("A", "B", fills=fills)
        above, below = armed("A", burst_limit=contracts("25")), armed("B", burst_limit=contracts("2"))
        found = work(seen, above, below).limit

        assert [(group.event, limit) for group, limit in found] == [
            (e, contracts("9")) for e in (*higher, "B")
        ]


def test_only_groups_of_events_that_are_quoted_no_longer_and_hold_nothing_are_deleted() -> None:
    groups = (
        armed("A"),
        armed("GONE"),
        armed("HELD"),
        armed("TRIPPED", trips=(Trip(at_ms=NOW),)),
        armed("UNREAD"),
    )
    unread = config(ticker=ticker("UNREAD"))
    seen = standing("A")
    seen = seen._replace(
        wanted={**seen.wanted, unread.ticker: unread},
        orders={"o": order(1)._replace(group_id="g-HELD")},
    )

    assert [own.event for own in work(seen, *groups).delete] == ["GONE"]


@pytest.mark.parametrize(
    ("status", "deleted"), [("inactive", []), ("closed", ["B"]), ("determined", ["B"]), ("finalized", ["B"])]
)
def test_the_group_of_an_event_that_has_ended_is_deleted_but_not_of_one_that_pauses(
    status: str, deleted: list[str]
) -> None:
    seen = standing("A", "B")
    ended = seen.markets[ticker("B")]._replace(status=MarketStatus(status))
    seen = seen._replace(markets={**seen.markets, ended.ticker: ended})

    assert [own.event for own in work(seen, armed("A"), armed("B")).delete] == deleted


@given(
    kinds=st.lists(st.sampled_from(["none", "asked", "armed", "resting", "higher"]), max_size=40),
    finished=st.integers(0, 12),
)
def test_one_cycle_does_no_more_than_its_share_and_arms_only_what_rests(
    kinds: list[str], finished: int
) -> None:
    events = {f"E{number}": kind for number, kind in enumerate(kinds)}
    made = {
        "asked": {"group_id": "", "armed_ms": TimeMs(0)},
        "armed": {},
        "higher": {"burst_limit": contracts("50")},
    }
    groups = [armed(event, **made[kind]) for event, kind in events.items() if kind in made]
    old = TimeMs(NOW - 3_600_000)
    groups += [tripped(armed(e), old, triggered=True) for e, kind in events.items() if kind == "resting"]
    groups += [armed(f"F{number}") for number in range(finished)]
    done = work(standing(*events), *groups)

    assert len(done.create) <= MOST_CREATED
    assert len(done.arm) <= MOST_ARMED
    assert len(done.limit) <= MOST_LIMITED
    assert len(done.delete) <= MOST_DELETED
    assert {events[group.event] for group in done.arm} <= {"resting"}
    assert {events[group.event] for group in done.create} <= {"none", "asked"}
    assert not {group.event for group in done.delete} & events.keys()


def test_a_group_that_is_listed_no_longer_is_asked_for_by_its_own_limit() -> None:
    old, young = armed("A", armed_ms=TimeMs(NOW - 60_001)), armed("B")

    assert work(standing("A", "B", listed=()), old, young).limit == ((old, old.burst_limit),)


def test_an_event_that_gave_its_place_to_another_gives_its_group_up_first() -> None:
    seen = standing("A", "B")

    assert work(seen, armed("A"), admitted=["B"], most=1).create == ()
    assert [own.event for own in work(seen, armed("A"), admitted=["B"], most=1).delete] == ["A"]
    assert [own.event for own in work(seen, admitted=["B"], most=1).create] == ["B"]


def test_on_a_shard_that_is_closed_nothing_is_done() -> None:
    seen = standing("A", "B", "C", closed=[1])

    assert work(seen, armed("A", burst_limit=contracts("1")), armed("GONE")) == Work()
