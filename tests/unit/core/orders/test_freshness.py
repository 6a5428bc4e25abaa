"""Freshness, write by write: which writes the reads should show, and what follows when they do not."""

from typing import Any

import pytest

from dora.core.exchange.account import Order, OrderStatus
from dora.core.orders.evidence import Evidence
from dora.core.orders.freshness import UNSEEN_CYCLES, judge_writes
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders, merge
from dora.core.units import Count, TimeMs
from tests.support.journal_cases import HOLD_MS, PREFIX, SLOT, TOMBSTONE_MS, WRITE, only, row, tracked

MAX_AGE_MS = 120_000
OLD = TimeMs(WRITE + MAX_AGE_MS + 1)
STALE_ROW = row(updated_ms=TimeMs(WRITE - 1))


def judged(
    order: TrackedOrder, *rows: Order, now_ms: int = OLD, as_of_ms: int = OLD, **more: Any
) -> ReconciledOrders:
    facts = Evidence(began_ms=TimeMs(now_ms), as_of_ms=TimeMs(as_of_ms), resting=rows, **more)
    journal = Journal().with_orders([order])
    view = merge(
        journal, facts, prefix=PREFIX, now_ms=TimeMs(now_ms), hold_ms=HOLD_MS, tombstone_ms=TOMBSTONE_MS
    )
    return judge_writes(view, facts, now_ms=TimeMs(now_ms), max_age_ms=MAX_AGE_MS, hold_ms=HOLD_MS)


CLOSED = tracked(OrderState.CLOSED, remaining=Count(0), reduced=Count(1000))


@pytest.mark.parametrize(
    ("order", "rows", "more", "unseen"),
    [
        (tracked(), (row(),), {}, False),
        (tracked(), (STALE_ROW,), {}, True),
        (tracked(), (STALE_ROW,), {"looked_up": {"o-1": row()}}, False),
        (tracked(), (), {"looked_up": {"o-1": None}}, True),
        (tracked(), (), {}, False),  # never looked at, or the look-up failed
        (tracked(OrderState.PENDING_CHANGE), (STALE_ROW,), {}, True),
        (tracked(OrderState.NOT_FOUND), (STALE_ROW,), {}, False),
        (tracked(OrderState.PENDING_NEW), (), {}, False),
        (tracked(expires_ms=OLD), (), {"looked_up": {"o-1": None}}, False),
        (CLOSED, (), {}, False),
        (CLOSED, (STALE_ROW,), {}, True),  # a canceled order that is listed as it was before
    ],
)
def test_a_write_is_unseen_where_a_read_should_show_it_and_does_not(
    order: TrackedOrder, rows: tuple[Order, ...], more: dict[str, Any], unseen: bool
) -> None:
    assert bool(judged(order, *rows, **more).unseen) is unseen


@pytest.mark.parametrize(("age_ms", "unseen"), [(MAX_AGE_MS, False), (MAX_AGE_MS + 1, True)])
def test_a_write_is_given_time_to_show(age_ms: int, unseen: bool) -> None:
    assert bool(judged(tracked(), STALE_ROW, now_ms=WRITE + age_ms).unseen) is unseen


def test_a_fresh_write_does_not_hide_an_older_one() -> None:
    fresh = tracked(client_order_id=PREFIX + "two", order_id="o-2", write_ms=OLD)
    facts = Evidence(
        began_ms=OLD, as_of_ms=TimeMs(WRITE - 1), resting=(), looked_up={"o-1": None, "o-2": None}
    )
    journal = Journal().with_orders([tracked(), fresh])
    view = merge(journal, facts, prefix=PREFIX, now_ms=OLD, hold_ms=HOLD_MS, tombstone_ms=TOMBSTONE_MS)

    judged_view = judge_writes(view, facts, now_ms=OLD, max_age_ms=MAX_AGE_MS, hold_ms=HOLD_MS)
    assert [order.order_id for order in judged_view.unseen] == ["o-1"]


def test_an_incomplete_list_judges_nothing() -> None:
    facts = Evidence(began_ms=OLD, as_of_ms=OLD, resting=None, partial=(STALE_ROW,))
    journal = Journal().with_orders([tracked()])
    view = merge(journal, facts, prefix=PREFIX, now_ms=OLD, hold_ms=HOLD_MS, tombstone_ms=TOMBSTONE_MS)

    assert judge_writes(view, facts, now_ms=OLD, max_age_ms=MAX_AGE_MS, hold_ms=HOLD_MS) == view


def after_cycles(order: TrackedOrder, cycles: int, as_of_ms: int = OLD) -> ReconciledOrders:
    view = judged(order, as_of_ms=as_of_ms, looked_up={"o-1": None})
    for _ in range(cycles - 1):
        view = judged(only(view), as_of_ms=as_of_ms, looked_up={"o-1": None})
    return view


@pytest.mark.parametrize("state", [OrderState.LIVE, OrderState.PENDING_CHANGE])
def test_an_order_that_reads_have_moved_past_and_never_show_becomes_missing(state: OrderState) -> None:
    order = tracked(state)
    before, after = after_cycles(order, UNSEEN_CYCLES - 1), after_cycles(order, UNSEEN_CYCLES)

    assert (only(before).state, before.invisible, bool(before.unseen)) == (state, (), True)
    assert (only(after).state, bool(after.unseen)) == (OrderState.NOT_FOUND, True)
    assert after.blocked == {SLOT.ticker}
    assert after.frozen == {SLOT}
    assert [found.was for found in after.resolutions] == [state]
    assert not judged(only(after), looked_up={"o-1": None}).unseen


def test_where_all_reads_are_behind_no_order_alone_is_invisible() -> None:
    view = after_cycles(tracked(), 3 * UNSEEN_CYCLES, as_of_ms=WRITE - 1)

    assert (only(view).state, view.invisible, bool(view.unseen)) == (OrderState.LIVE, (), True)


def test_a_canceled_order_that_stays_listed_rests_its_market_too() -> None:
    view = judged(CLOSED._replace(unseen=UNSEEN_CYCLES - 1), STALE_ROW)

    assert (only(view).state, view.blocked) == (OrderState.NOT_FOUND, {SLOT.ticker})


@pytest.mark.parametrize("status", [OrderStatus.RESTING, OrderStatus.EXECUTED])
def test_an_invisible_order_is_found_again_by_the_row_of_its_very_write(status: OrderStatus) -> None:
    """Also where the plan that sent it ran on for longer than the engine took to acknowledge it."""
    missing = only(after_cycles(tracked(sent_ms=TimeMs(WRITE + 40_000)), UNSEEN_CYCLES))
    found = judged(missing, looked_up={"o-1": row(status)})

    assert only(found).state is (OrderState.LIVE if status is OrderStatus.RESTING else OrderState.CLOSED)
    assert (found.blocked, found.unseen) == (frozenset(), ())


def test_cycles_count_in_a_row() -> None:
    counted = only(after_cycles(tracked(), UNSEEN_CYCLES - 1))

    assert only(judged(counted, row())).unseen == 0
    assert only(judged(counted)).unseen == counted.unseen, "a look-up that failed is none"
