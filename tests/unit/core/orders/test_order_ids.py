"""Which order a row is about: a row with our client order id knows better than the answer to a create."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.account import Fill, Order, OrderStatus
from dora.core.exchange.market import Side, Slot
from dora.core.orders.evidence import Evidence, lookups_needed
from dora.core.orders.journal import Journal, OrderState, TrackedOrder, note_fills
from dora.core.orders.reconciliation import ReconciledOrders, merge
from dora.core.units import Count, Money, TimeMs
from tests.support.journal_cases import HOLD_MS, LATER, PREFIX, TOMBSTONE_MS, WRITE, row, tracked

ONE, TWO, THREE = (PREFIX + name for name in ("one", "two", "three"))


def order(name: str, order_id: str | None, level: int = 0, **changes: object) -> TrackedOrder:
    return tracked(client_order_id=name, order_id=order_id, slot=Slot("KXA-1", Side.BID, level), **changes)


def journal(*orders: TrackedOrder) -> Journal:
    return Journal({order.client_order_id: order for order in orders})


def merged(before: Journal, *rows: Order, now_ms: int = LATER) -> ReconciledOrders:
    evidence = Evidence(began_ms=TimeMs(now_ms), as_of_ms=TimeMs(now_ms), resting=rows)
    return merge(
        before,
        evidence,
        prefix=PREFIX,
        now_ms=TimeMs(now_ms),
        hold_ms=HOLD_MS,
        tombstone_ms=TOMBSTONE_MS,
    )


def fill(order_id: str, count: int) -> Fill:
    return Fill(
        fill_id=f"f-{order_id}",
        order_id=order_id,
        ticker="KXA-1",
        shard=0,
        side=Side.BID,
        price=row().price,
        count=Count(count),
        is_taker=False,
        fee=Money(0),
        at_ms=WRITE,
    )


SWAPPED = journal(order(ONE, "o-2"), order(TWO, "o-1", level=1))
ROW_ONE = row(order_id="o-1", client_order_id=ONE)
ROW_TWO = row(order_id="o-2", client_order_id=TWO)


@pytest.mark.parametrize("updated_ms", [WRITE, WRITE - 1], ids=["row", "row-from-before-the-answers-time"])
def test_order_ids_swapped_in_answers_are_put_right_by_rows_with_our_client_ids(updated_ms: int) -> None:
    rows = [own._replace(updated_ms=TimeMs(updated_ms)) for own in (ROW_ONE, ROW_TWO)]
    view = merged(SWAPPED, *rows)
    assert {name: own.order_id for name, own in view.journal.orders.items()} == {ONE: "o-1", TWO: "o-2"}
    assert (view.frozen, view.external, view.resolutions) == (frozenset(), (), ())
    assert merged(view.journal, *rows).journal == view.journal


def test_an_order_whose_id_is_anothers_has_none_until_a_row_shows_it_and_is_looked_for_in_its_market() -> (
    None
):
    view = merged(SWAPPED, ROW_TWO)
    one, two = view.journal.orders[ONE], view.journal.orders[TWO]
    assert (one.order_id, one.state, two.order_id) == (None, OrderState.LIVE, "o-2")
    assert view.frozen == {one.slot}
    asked = lookups_needed(SWAPPED, (ROW_TWO,), TimeMs(WRITE + HOLD_MS + 1))
    assert (asked.order_ids, asked.since_ms) == ((), {"KXA-1": 0})
    gone = ROW_ONE._replace(status=OrderStatus.EXECUTED, remaining=Count(0), filled=Count(1000))
    assert merged(view.journal, ROW_TWO, gone).journal.orders[ONE].unbooked == 1000


def test_an_order_missing_under_an_id_that_nobody_has_is_looked_for_in_its_market() -> None:
    missing = journal(order(ONE, "nobody's", state=OrderState.NOT_FOUND, sent_ms=WRITE))
    soon, later = (lookups_needed(missing, (), TimeMs(WRITE + ms)) for ms in (90_000, 90_001))
    assert (soon.order_ids, soon.since_ms) == (("nobody's",), {})
    assert (later.order_ids, later.since_ms) == (("nobody's",), {"KXA-1": 0})
    filled = ROW_ONE._replace(status=OrderStatus.EXECUTED, remaining=Count(0), filled=Count(1000))
    found = merged(missing, filled).journal.orders[ONE]
    assert (found.state, found.order_id, found.unbooked) == (OrderState.CLOSED, "o-1", 1000)


def test_fills_noted_under_a_swapped_id_go_with_the_id() -> None:
    noted = note_fills(SWAPPED, [fill("o-2", 300)])
    assert noted.orders[ONE].booked == 300
    after = merged(noted, ROW_ONE, ROW_TWO._replace(remaining=Count(700), filled=Count(300))).journal
    assert (after.orders[ONE].booked, after.orders[TWO].booked) == (0, 300)
    assert [own.unbooked for own in after.orders.values()] == [0, 0]
    assert note_fills(after, [fill("o-2", 300)]) == after


def executed(shown: Order) -> Order:
    return shown._replace(status=OrderStatus.EXECUTED, remaining=Count(0), filled=Count(1000))


def test_fills_noted_under_a_swapped_id_go_with_the_id_when_its_own_row_comes_in_a_later_merge() -> None:
    noted = note_fills(SWAPPED, [fill("o-1", 1000)])
    first = merged(noted, ROW_TWO).journal
    assert (first.orders[ONE].booked, first.orders[TWO].booked) == (0, 0)
    after = merged(first, ROW_TWO, executed(ROW_ONE)).journal
    assert [(own.booked, own.unbooked) for own in after.orders.values()] == [(1000, 0), (0, 0)]
    assert note_fills(after, [fill("o-1", 1000)]) == after
    assert merged(after, ROW_TWO, executed(ROW_ONE)).journal == after


def test_fills_noted_under_an_id_of_three_that_were_mixed_up_go_to_its_own_order_alone() -> None:
    before = journal(order(ONE, "o-2"), order(TWO, "o-3", level=1), order(THREE, "o-1", level=2))
    noted = note_fills(before, [fill("o-3", 1000)])
    row_three = executed(row(order_id="o-3", client_order_id=THREE))
    after = merged(merged(noted, ROW_TWO).journal, ROW_ONE, row_three).journal.orders
    assert {name: own.booked for name, own in after.items()} == {ONE: 0, TWO: 0, THREE: 1000}
    assert [own.unbooked for own in after.values()] == [0, 0, 0]


def test_fills_noted_under_somebody_elses_id_count_for_nobody() -> None:
    theirs = row(order_id="o-9", client_order_id="theirs", ticker="KXB-1")
    view = merged(note_fills(journal(order(ONE, "o-9")), [fill("o-9", 300)]), theirs)
    own = view.journal.orders[ONE]
    assert (own.order_id, own.booked, own.released) == (None, 0, None)


def test_an_order_renamed_by_hand_is_known_by_its_order_id_still() -> None:
    known = journal(order(ONE, "o-1"))
    view = merged(
        known, row(order_id="o-1", client_order_id="by-hand", remaining=Count(400), filled=Count(600))
    )
    assert (view.journal.orders.keys(), view.external, view.frozen) == ({ONE}, (), frozenset())
    assert view.journal.orders[ONE].remaining == 400


@pytest.mark.parametrize("where", [{"ticker": "KXB-1"}, {"side": Side.ASK}])
def test_an_order_of_somebody_else_in_another_market_or_side_is_not_ours_by_an_answer(where: Any) -> None:
    view = merged(journal(order(ONE, "o-9")), row(order_id="o-9", client_order_id="theirs", **where))
    assert [own.client_order_id for own in view.external] == ["theirs"]
    assert (view.journal.orders[ONE].order_id, view.journal.orders[ONE].remaining) == (None, 1000)
    assert view.frozen == {view.journal.orders[ONE].slot}


@given(st.permutations(range(4)), st.sets(st.integers(0, 3)))
def test_whatever_ids_an_answer_mixed_up_the_rows_are_believed(mixed: list[int], shown: set[int]) -> None:
    names = [f"{PREFIX}{number}" for number in range(4)]
    before = journal(*(order(names[n], f"o-{own}", level=n) for n, own in enumerate(mixed)))
    rows = [row(order_id=f"o-{n}", client_order_id=names[n]) for n in sorted(shown)]
    after = merged(before, *rows).journal.orders
    ids = [own.order_id for own in after.values() if own.order_id is not None]
    assert all(after[names[n]].order_id == f"o-{n}" for n in shown)
    assert len(ids) == len(set(ids))
    assert all(after[names[n]].order_id in (None, f"o-{mixed[n]}") for n in set(range(4)) - shown)
