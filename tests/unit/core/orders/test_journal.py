"""The evidence rules: what a row, its absence, an answer or a lost answer prove about an order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.account import Fill, Order, OrderStatus
from dora.core.exchange.market import Side, Slot
from dora.core.orders.evidence import (
    EXPIRY_MARGIN_MS,
    FORGOTTEN_MS,
    LIST_AFTER_MS,
    PROBE_LISTED_MS,
    Evidence,
    in_turn,
    lookups_needed,
    note_probes,
    unprobed,
)
from dora.core.orders.journal import (
    Journal,
    OrderState,
    Plan,
    TrackedOrder,
    client_order_id,
    fold_cancelled,
    fold_decreased,
    fold_placed,
    fold_plans,
    note_fills,
    order_prefix,
    planned_order,
    without,
)
from dora.core.orders.reconciliation import ORPHAN_LEVEL, ReconciledOrders, merge
from dora.core.orders.requests import (
    PROBE_COUNT,
    BatchCancelResult,
    BatchPlaceResult,
    CancelledOrder,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    FailedOrder,
    IdProbe,
    OrderRequest,
    Outcome,
    PlacedOrder,
)
from dora.core.units import Count, Money, Price, TimeMs
from tests.support.journal_cases import HOLD_MS, LATER, PREFIX, SLOT, TOMBSTONE_MS, WRITE, only, row, tracked


def seen(order: TrackedOrder, *rows: Order, now_ms: int = LATER, **evidence: Any) -> ReconciledOrders:
    facts = Evidence(began_ms=TimeMs(now_ms), as_of_ms=TimeMs(now_ms), resting=tuple(rows), **evidence)
    return merge(
        Journal({order.client_order_id: order}),
        facts,
        prefix=PREFIX,
        now_ms=TimeMs(now_ms),
        hold_ms=HOLD_MS,
        tombstone_ms=TOMBSTONE_MS,
    )


def request() -> OrderRequest:
    return OrderRequest(
        client_order_id=PREFIX + "one",
        slot=SLOT,
        shard=0,
        price=Price(4400),
        count=Count(1000),
        group_id="g-1",
        expires_s=2_000,
    )


def cancel_of(order: TrackedOrder) -> CancelRequest:
    return CancelRequest(
        order_id=order.order_id or "",
        client_order_id=order.client_order_id,
        ticker=order.slot.ticker,
        shard=order.shard,
        remaining=order.remaining,
    )


# --- ids ----------------------------------------------------------------------------------------------


def test_the_same_intent_always_has_the_same_id_and_every_part_of_it_counts() -> None:
    ids = {
        client_order_id(PREFIX, session, cycle, Slot(ticker, side, level), attempt)
        for session in ("s1", "s2")
        for cycle in ("c1", "c2")
        for ticker in ("A", "B")
        for side in Side
        for level in (0, 1)
        for attempt in (0, 1)
    }
    assert len(ids) == 64
    assert client_order_id(PREFIX, "s1", "c1", SLOT) == client_order_id(PREFIX, "s1", "c1", SLOT)


def test_ids_hold_only_characters_the_exchange_takes_and_the_prefix_names_bot_and_stage() -> None:
    made = client_order_id(PREFIX, "s|.", "c:", SLOT)
    assert made.startswith(PREFIX)
    assert len(made) <= 64
    assert all(char.isascii() and (char.isalnum() or char == "-") for char in made)
    assert order_prefix("bot", "prod") != PREFIX != order_prefix("bot2", "local")


# --- rows ---------------------------------------------------------------------------------------------


def test_a_resting_row_keeps_a_live_order_live_and_tells_what_is_left() -> None:
    view = seen(tracked(), row(remaining=Count(400), filled=Count(600), updated_ms=TimeMs(WRITE + 5)))

    order = only(view)
    assert (order.state, order.remaining, order.unbooked) == (OrderState.LIVE, 400, 600)
    assert not view.frozen


def test_a_row_older_than_our_last_write_is_not_believed() -> None:
    acked = tracked(write_ms=TimeMs(WRITE + 1), remaining=Count(500), reduced=Count(500))

    order = only(seen(acked, row()))

    assert order == acked


def test_an_old_row_does_not_bring_a_cancelled_order_back_to_life() -> None:
    closed = tracked(OrderState.CLOSED, remaining=Count(0), reduced=Count(1000), write_ms=LATER)

    view = seen(closed, row(), now_ms=LATER + 1)

    assert only(view).state is OrderState.CLOSED
    assert not view.external


def test_a_row_newer_than_its_end_shows_that_we_were_told_wrongly() -> None:
    closed = tracked(OrderState.CLOSED, remaining=Count(0), reduced=Count(1000))

    view = seen(closed, row(updated_ms=TimeMs(WRITE + 1)))

    assert only(view).state is OrderState.LIVE


@pytest.mark.parametrize("status", [OrderStatus.CANCELED, OrderStatus.EXECUTED])
def test_a_terminal_row_closes_an_order_and_its_fills_count_until_they_are_booked(
    status: OrderStatus,
) -> None:
    gone = row(status, updated_ms=TimeMs(WRITE + 9))

    order = only(seen(tracked(), looked_up={"o-1": gone}))

    assert order.state is OrderState.CLOSED
    assert order.unbooked == gone.filled


def test_absence_alone_never_closes_an_acknowledged_order_but_freezes_its_slot() -> None:
    view = seen(tracked(), looked_up={"o-1": None}, listings={SLOT.ticker: ()}, now_ms=LATER + 10**9)

    assert only(view).state is OrderState.LIVE
    assert view.frozen == {SLOT}


def test_an_order_with_our_prefix_and_no_intent_is_adopted_and_others_are_left_alone() -> None:
    orphan = row(client_order_id=PREFIX + "two", order_id="o-2")
    manual = row(client_order_id="by-hand", order_id="o-3")

    view = seen(tracked(), row(), orphan, manual)

    assert view.journal.orders[PREFIX + "two"].slot.level == ORPHAN_LEVEL
    assert view.external == (manual,)


# --- lost answers --------------------------------------------------------------------------------------


def test_an_unknown_create_is_held_in_full_while_it_may_still_land() -> None:
    unknown = tracked(OrderState.PENDING_NEW)

    view = seen(unknown, listings={SLOT.ticker: ()}, now_ms=WRITE + HOLD_MS)

    assert only(view).state is OrderState.PENDING_NEW
    assert view.frozen == {SLOT}
    assert only(view).remaining == 1000


def test_an_unknown_create_that_no_list_shows_is_not_given_up_however_late_the_lists_are() -> None:
    other = row(order_id="o-2", client_order_id="by-hand", updated_ms=TimeMs(WRITE + 10**9))

    view = seen(tracked(OrderState.PENDING_NEW), listings={SLOT.ticker: (other,)}, now_ms=WRITE + 10**9)

    assert only(view).state is OrderState.PENDING_NEW


@pytest.mark.parametrize("waited_ms, closed", [(HOLD_MS, False), (HOLD_MS + 1, True)])
def test_an_unknown_create_is_given_up_once_its_hold_is_over_and_its_id_was_still_free(
    waited_ms: int, closed: bool
) -> None:
    """A complete list, later than the hold, shows the probe's own row and no other of its id."""
    probe = row(
        OrderStatus.CANCELED, order_id="o-9", initial=PROBE_COUNT, updated_ms=TimeMs(WRITE + waited_ms)
    )

    view = seen(tracked(OrderState.PENDING_NEW), listings={SLOT.ticker: (probe,)}, now_ms=WRITE + waited_ms)

    order = only(view)
    assert (not order.open) is closed
    assert (order.remaining, order.unbooked) == ((0, 0) if closed else (1000, 0))
    assert bool(view.frozen) is not closed


def probed(said: IdProbe, probed_ms: int) -> TrackedOrder:
    journal = Journal().with_orders([tracked(OrderState.PENDING_NEW)])
    (order,) = note_probes(journal, {PREFIX + "one": said}, TimeMs(probed_ms)).orders.values()
    return order


def test_an_unknown_create_whose_id_is_spent_stays_unknown_until_a_row_shows_whose_order_has_it() -> None:
    taken, after_ms = probed(IdProbe.TAKEN, WRITE + HOLD_MS + 1), WRITE + 10**9
    canceled = row(OrderStatus.CANCELED, updated_ms=TimeMs(after_ms))

    unseen = seen(taken, listings={SLOT.ticker: ()}, now_ms=after_ms)
    shown = seen(taken, listings={SLOT.ticker: (canceled,)}, now_ms=after_ms)

    assert only(unseen).state is OrderState.PENDING_NEW
    assert (only(shown).state, only(shown).unbooked) == (OrderState.CLOSED, 0)


def test_a_granted_probe_counts_only_with_a_list_that_shows_it_and_a_stamp_later_than_the_hold() -> None:
    granted, now_ms = probed(IdProbe.GRANTED, WRITE + HOLD_MS + 1), TimeMs(WRITE + 3 * HOLD_MS)
    probe = row(OrderStatus.CANCELED, order_id="o-9", initial=PROBE_COUNT, updated_ms=now_ms)

    def after(as_of_ms: int, *listed: Order, began_ms: int = now_ms) -> OrderState:
        facts = Evidence(
            began_ms=TimeMs(began_ms),
            as_of_ms=TimeMs(as_of_ms),
            resting=(),
            listings={SLOT.ticker: listed},
        )
        journal = Journal().with_orders([granted])
        return only(
            merge(journal, facts, prefix=PREFIX, now_ms=now_ms, hold_ms=HOLD_MS, tombstone_ms=TOMBSTONE_MS)
        ).state

    assert after(WRITE + HOLD_MS + 1, probe) is OrderState.CLOSED
    assert after(WRITE + HOLD_MS, probe) is OrderState.PENDING_NEW
    assert after(now_ms) is OrderState.PENDING_NEW
    assert after(now_ms, began_ms=granted.probed_ms + PROBE_LISTED_MS) is OrderState.PENDING_NEW
    assert after(now_ms, began_ms=granted.probed_ms + PROBE_LISTED_MS + 1) is OrderState.CLOSED


def test_a_row_of_its_probe_gives_an_order_no_other_id() -> None:
    """A list that begins later than the create shows the probe alone; the fills stay where they are noted."""
    ended = tracked(OrderState.CLOSED, remaining=Count(0), booked=Count(1000), fill_ids=("f-1",))
    probe = row(OrderStatus.CANCELED, order_id="o-9", initial=PROBE_COUNT, updated_ms=LATER)

    assert only(seen(ended, listings={SLOT.ticker: (probe,)})) == ended


@pytest.mark.parametrize("status", OrderStatus)
def test_a_row_of_the_create_itself_wins_over_that_of_its_probe_whichever_is_later(
    status: OrderStatus,
) -> None:
    probe = row(OrderStatus.CANCELED, order_id="o-9", initial=PROBE_COUNT, updated_ms=TimeMs(WRITE + 10**8))

    order = only(seen(probed(IdProbe.GRANTED, WRITE), listings={SLOT.ticker: (row(status), probe)}))

    assert (order.order_id, order.open) == ("o-1", status is OrderStatus.RESTING)
    assert order.unbooked == (1000 if status is OrderStatus.EXECUTED else 0)


@pytest.mark.parametrize("waited_ms, closed", [(2 * HOLD_MS, False), (2 * HOLD_MS + 1, True)])
def test_an_unknown_create_does_not_rest_in_a_triggered_group(waited_ms: int, closed: bool) -> None:
    unknown, now_ms = tracked(OrderState.PENDING_NEW), WRITE + waited_ms

    assert only(seen(unknown, tripped=frozenset({"g-1"}), now_ms=now_ms)).open is not closed
    assert only(seen(unknown, tripped=frozenset({"g-2"}), now_ms=now_ms)).open


@pytest.mark.parametrize("late_ms, closed", [(EXPIRY_MARGIN_MS - 1, False), (EXPIRY_MARGIN_MS, True)])
def test_an_unknown_create_cannot_outlive_its_own_expiry(late_ms: int, closed: bool) -> None:
    expires_ms = TimeMs(WRITE + 10 * HOLD_MS)
    unknown = tracked(OrderState.PENDING_NEW, expires_ms=expires_ms)

    assert only(seen(unknown, now_ms=expires_ms + late_ms)).open is not closed


@pytest.mark.parametrize("before_ms, frozen", [(EXPIRY_MARGIN_MS + 1, False), (EXPIRY_MARGIN_MS, True)])
def test_an_order_about_to_expire_is_left_alone_whatever_its_row_says(before_ms: int, frozen: bool) -> None:
    expires_ms = TimeMs(LATER + 10**6)
    live = tracked(expires_ms=expires_ms)

    view = seen(live, row(), now_ms=expires_ms - before_ms)

    assert bool(view.frozen) is frozen
    assert only(view).state is OrderState.LIVE


def test_only_unanswered_creates_past_their_hold_and_in_no_row_of_a_whole_list_are_probed_and_once() -> None:
    unknown, live = tracked(OrderState.PENDING_NEW), tracked(client_order_id=PREFIX + "two", order_id="o-2")

    def asked(order: TrackedOrder, waited_ms: int, listings: dict[str, tuple[Order, ...]]) -> list[str]:
        now_ms, journal = TimeMs(WRITE + waited_ms), Journal().with_orders([order, live])
        facts = Evidence(began_ms=now_ms, as_of_ms=now_ms, resting=(), listings=listings)
        return [found.client_order_id for found in unprobed(journal, facts, HOLD_MS)]

    assert asked(unknown, HOLD_MS, {SLOT.ticker: ()}) == []
    assert asked(unknown, HOLD_MS + 1, {SLOT.ticker: ()}) == [PREFIX + "one"]
    assert asked(unknown, HOLD_MS + 1, {}) == []
    assert asked(unknown, HOLD_MS + 1, {SLOT.ticker: (row(),)}) == []
    for said in IdProbe:
        assert asked(probed(said, WRITE), HOLD_MS + 1, {SLOT.ticker: ()}) == []


def test_an_order_that_was_renamed_is_known_by_its_order_id() -> None:
    renamed = row(client_order_id="by-hand")

    view = seen(tracked(), renamed)

    assert only(view).state is OrderState.LIVE
    assert (view.frozen, view.external) == (frozenset(), ())


def test_a_list_that_lacks_an_order_which_rests_by_its_own_row_is_told() -> None:
    lost = seen(tracked(), looked_up={"o-1": row()})
    gone = seen(tracked(), looked_up={"o-1": row(OrderStatus.CANCELED)})

    assert [order.order_id for order in lost.missing_from_list] == ["o-1"]
    assert gone.missing_from_list == ()


def test_an_unknown_create_that_landed_is_found_by_its_client_id() -> None:
    order = only(seen(tracked(OrderState.PENDING_NEW), row()))

    assert (order.state, order.order_id, order.write_ms) == (OrderState.LIVE, "o-1", WRITE)


def test_a_create_that_filled_before_we_looked_counts_its_fill() -> None:
    filled = row(OrderStatus.EXECUTED)

    order = only(seen(tracked(OrderState.PENDING_NEW), listings={SLOT.ticker: (filled,)}))

    assert (order.state, order.unbooked) == (OrderState.CLOSED, 1000)


@pytest.mark.parametrize(
    "stamp_ms, waited_ms, changing",
    [(0, 1, True), (1, 1, False), (0, HOLD_MS, True), (0, HOLD_MS + 1, False)],
)
def test_an_unanswered_cancel_is_repeated_once_reads_are_later_than_it_or_its_hold_is_over(
    stamp_ms: int, waited_ms: int, changing: bool
) -> None:
    facts = Evidence(began_ms=TimeMs(LATER + waited_ms), as_of_ms=TimeMs(LATER + stamp_ms), resting=(row(),))
    journal = Journal().with_orders([tracked(OrderState.PENDING_CHANGE, sent_ms=LATER)])

    view = merge(journal, facts, prefix=PREFIX, now_ms=LATER, hold_ms=HOLD_MS, tombstone_ms=TOMBSTONE_MS)

    assert only(view).state is (OrderState.PENDING_CHANGE if changing else OrderState.LIVE)
    assert bool(view.frozen) is changing


@pytest.mark.parametrize("state", [OrderState.LIVE, OrderState.PENDING_CHANGE, OrderState.NOT_FOUND])
@pytest.mark.parametrize(
    ("waited_ms", "listed", "complete", "closed"),
    [
        (FORGOTTEN_MS, False, True, True),
        (FORGOTTEN_MS - 1, False, True, False),
        (FORGOTTEN_MS, True, True, False),
        (FORGOTTEN_MS, False, False, False),
    ],
)
def test_an_order_whose_row_is_archived_is_gone_a_day_after_its_own_expiry_and_never_by_absence_alone(
    state: OrderState, waited_ms: int, listed: bool, complete: bool, closed: bool
) -> None:
    """After a long pause the exchange lists no row of it any more, and its slot would be frozen for ever."""
    order = tracked(state, expires_ms=LATER, booked=Count(300), remaining=Count(700))
    now_ms = TimeMs(LATER + waited_ms)
    rows = (row(updated_ms=TimeMs(WRITE - 1)),) if listed else ()
    facts = Evidence(began_ms=now_ms, as_of_ms=now_ms, resting=rows if complete else None)

    view = merge(
        Journal().with_orders([order]),
        facts,
        prefix=PREFIX,
        now_ms=now_ms,
        hold_ms=HOLD_MS,
        tombstone_ms=2 * FORGOTTEN_MS,
    )

    assert (only(view).state is OrderState.CLOSED) is closed
    assert bool(view.frozen) is not closed
    if closed:
        assert (only(view).remaining, only(view).unbooked) == (0, 0)


def test_a_missing_order_blocks_its_market_until_a_terminal_row_is_seen() -> None:
    missing = tracked(OrderState.NOT_FOUND, sent_ms=LATER)

    stale = seen(missing, row(), now_ms=LATER + 1)
    ended = seen(missing, looked_up={"o-1": row(OrderStatus.EXECUTED, updated_ms=LATER)}, now_ms=LATER + 1)

    assert stale.blocked == {SLOT.ticker}
    assert only(ended).state is OrderState.CLOSED
    assert not ended.blocked


# --- answers ------------------------------------------------------------------------------------------


def placed_journal() -> Journal:
    return Journal().with_orders([planned_order(request(), WRITE, "c1")])


def test_a_plan_cut_short_leaves_every_intent_unproven() -> None:
    live = tracked()
    plan = Plan(
        fence=7,
        phase="x",
        cycle_id="c1",
        until_ms=LATER,
        places=(request()._replace(client_order_id=PREFIX + "two"),),
        cancels=(cancel_of(live),),
    )

    folded = fold_plans(Journal({live.client_order_id: live}), [plan]).orders

    assert folded[PREFIX + "one"].state is OrderState.PENDING_CHANGE
    assert folded[PREFIX + "two"].state is OrderState.PENDING_NEW
    assert {order.sent_ms for order in folded.values()} == {LATER}


def test_folding_a_plan_twice_changes_nothing() -> None:
    live = tracked()
    plan = Plan(fence=7, phase="x", cycle_id="c", until_ms=LATER, cancels=(cancel_of(live),))
    once = fold_plans(Journal({live.client_order_id: live}), [plan])
    assert fold_plans(once, [plan]) == once


def test_a_placed_order_is_live_with_what_remains_and_one_that_filled_at_once_is_not_resting() -> None:
    answer = {"request": request(), "order_id": "o-1", "ts_ms": LATER}
    resting = PlacedOrder(**answer, remaining=Count(1000), filled=Count(0))
    filled = PlacedOrder(**answer, remaining=Count(0), filled=Count(1000))
    crossed = PlacedOrder(**answer, remaining=Count(0), filled=Count(0))

    states = []
    for placed in (resting, filled, crossed):
        journal = fold_placed(placed_journal(), BatchPlaceResult(placed=(placed,)), LATER)
        order = journal.orders[PREFIX + "one"]
        states.append((order.state, order.remaining, order.unbooked))

    assert states == [(OrderState.LIVE, 1000, 0), (OrderState.CLOSED, 0, 1000), (OrderState.CLOSED, 0, 0)]


def test_a_refused_create_is_forgotten_and_an_unknown_one_held_from_when_it_was_sent() -> None:
    failed = FailedOrder(request=request(), code="invalid_price", message="", outcome=Outcome.REFUSED)
    unknown = failed._replace(code="", outcome=Outcome.UNKNOWN)

    assert not fold_placed(placed_journal(), BatchPlaceResult(failed=(failed,)), LATER).orders
    held = fold_placed(placed_journal(), BatchPlaceResult(unknown=(unknown,)), LATER).orders
    assert (held[PREFIX + "one"].state, held[PREFIX + "one"].sent_ms) == (OrderState.PENDING_NEW, LATER)


def test_what_a_cancel_did_not_take_off_was_filled_unseen() -> None:
    live = tracked()
    done = CancelledOrder(request=cancel_of(live), reduced_by=Count(300), ts_ms=LATER)

    journal = fold_cancelled(
        Journal({live.client_order_id: live}), BatchCancelResult(succeeded=(done,)), LATER
    )

    order = journal.orders[live.client_order_id]
    assert (order.state, order.unbooked) == (OrderState.CLOSED, 700)


@pytest.mark.parametrize(
    "code, outcome, state",
    [
        ("not_found", Outcome.REFUSED, OrderState.NOT_FOUND),
        ("exchange_is_paused", Outcome.REFUSED, OrderState.LIVE),
        ("service_unavailable", Outcome.UNKNOWN, OrderState.PENDING_CHANGE),
    ],
)
def test_a_cancel_that_failed_leaves_the_order_open(code: str, outcome: Outcome, state: OrderState) -> None:
    live = tracked()
    failed = FailedOrder(request=cancel_of(live), code=code, message="", outcome=outcome)
    refused = outcome is Outcome.REFUSED
    result = BatchCancelResult(failed=(failed,)) if refused else BatchCancelResult(unknown=(failed,))

    order = fold_cancelled(Journal({live.client_order_id: live}), result, LATER).orders[live.client_order_id]

    assert (order.state, order.open) == (state, True)


def test_a_decrease_answer_sets_what_remains_and_a_lost_one_leaves_it_unproven() -> None:
    live = tracked()
    asked = DecreaseRequest(
        order_id="o-1", client_order_id=live.client_order_id, ticker="KXA-1", shard=0, reduce_to=Count(400)
    )
    journal = Journal({live.client_order_id: live})

    done = fold_decreased(
        journal, asked, ChangeResult(Outcome.DONE, remaining=Count(400), ts_ms=LATER), LATER
    )
    lost = fold_decreased(journal, asked, ChangeResult(Outcome.UNKNOWN), LATER)

    order = done.orders[live.client_order_id]
    assert (order.remaining, order.reduced, order.unbooked) == (400, 600, 0)
    assert lost.orders[live.client_order_id].state is OrderState.PENDING_CHANGE


def test_orders_that_were_planned_but_not_sent_leave_no_trace() -> None:
    assert not without(placed_journal(), [request()]).orders


# --- fills --------------------------------------------------------------------------------------------


def fill(number: int, count: int) -> Fill:
    return Fill(
        fill_id=f"f-{number}",
        order_id="o-1",
        ticker=SLOT.ticker,
        shard=0,
        side=SLOT.side,
        price=Price(4400),
        count=Count(count),
        is_taker=False,
        fee=Money(0),
        at_ms=WRITE,
    )


@given(st.lists(st.integers(0, 3), max_size=12))
def test_a_fill_counts_once_however_often_it_is_seen(numbers: list[int]) -> None:
    journal = Journal({PREFIX + "one": tracked(remaining=Count(0))})
    for number in numbers:
        journal = note_fills(journal, [fill(number, 100)])
    assert journal.orders[PREFIX + "one"].booked == 100 * len(set(numbers))


def test_a_closed_order_is_forgotten_after_its_tombstone_but_not_with_fills_outstanding() -> None:
    settled = tracked(OrderState.CLOSED, remaining=Count(0), reduced=Count(1000))
    owing = settled._replace(reduced=Count(900))
    after = WRITE + TOMBSTONE_MS + 1

    assert not seen(settled, now_ms=after).journal.orders
    assert seen(owing, now_ms=after).journal.orders


def test_a_closed_order_is_not_forgotten_while_reads_are_older_than_its_end() -> None:
    """They may show it resting: forgotten, it would come back as an order that nobody knows.

    What newer reads show resting all the same is no late row, and is to come back.
    """
    settled = tracked(OrderState.CLOSED, remaining=Count(0), reduced=Count(1000))
    journal, after = Journal().with_orders([settled]), TimeMs(WRITE + TOMBSTONE_MS + 1)

    for as_of_ms, kept in ((0, True), (WRITE - 1, True), (WRITE, False)):
        facts = Evidence(began_ms=after, as_of_ms=TimeMs(as_of_ms), resting=(row(),))
        view = merge(journal, facts, prefix=PREFIX, now_ms=after, hold_ms=HOLD_MS, tombstone_ms=TOMBSTONE_MS)
        assert (settled.client_order_id in view.journal.orders) is kept


# --- laws ---------------------------------------------------------------------------------------------

_states = st.sampled_from(OrderState)
_rows = st.lists(
    st.builds(
        row,
        status=st.sampled_from(OrderStatus),
        updated_ms=st.integers(WRITE - 2, WRITE + 2).map(TimeMs),
        client_order_id=st.sampled_from([PREFIX + "one", PREFIX + "two", "by-hand"]),
    ),
    max_size=4,
)


@given(_states, _rows, _rows, st.integers(0, 200_000))
def test_merging_the_same_evidence_twice_changes_nothing(state, resting, listed, waited) -> None:
    resting = [r for r in resting if r.status is OrderStatus.RESTING]
    now_ms = WRITE + waited
    once = seen(tracked(state), *resting, listings={SLOT.ticker: tuple(listed)}, now_ms=now_ms)
    facts = Evidence(
        began_ms=TimeMs(now_ms),
        as_of_ms=TimeMs(now_ms),
        resting=tuple(resting),
        listings={SLOT.ticker: tuple(listed)},
    )

    twice = merge(
        once.journal, facts, prefix=PREFIX, now_ms=TimeMs(now_ms), hold_ms=HOLD_MS, tombstone_ms=TOMBSTONE_MS
    )

    assert twice.journal == once.journal
    assert not twice.resolutions


@given(_states, _rows, st.integers(0, 200_000))
def test_without_a_believable_row_or_a_proof_no_open_order_is_ever_closed(state, rows, waited) -> None:
    old = [r._replace(updated_ms=TimeMs(WRITE - 1)) for r in rows]
    order = tracked(state, write_ms=WRITE, order_id="o-1")

    view = seen(order, now_ms=WRITE + waited, looked_up={r.order_id: r for r in old})

    if order.open:
        assert view.journal.orders[order.client_order_id].open


def test_questions_are_asked_of_orders_not_shown_and_of_unanswered_ones_twenty_seconds_after_their_send() -> (
    None
):
    live, unknown = tracked(), tracked(OrderState.PENDING_NEW, client_order_id=PREFIX + "two")
    journal = Journal({order.client_order_id: order for order in (live, unknown)})

    assert lookups_needed(journal, [row()], LATER).order_ids == ()
    assert lookups_needed(journal, [], LATER).order_ids == ("o-1",)
    assert lookups_needed(journal, [row(updated_ms=TimeMs(WRITE - 1))], LATER).order_ids == ("o-1",)
    assert lookups_needed(journal, [], TimeMs(WRITE + LIST_AFTER_MS)).tickers == ()
    assert lookups_needed(journal, [], TimeMs(WRITE + LIST_AFTER_MS + 1)).tickers == (SLOT.ticker,)


def test_a_missing_order_is_looked_up_although_a_list_still_shows_it() -> None:
    journal = Journal().with_orders([tracked(OrderState.NOT_FOUND)])

    assert lookups_needed(journal, [row()], LATER).order_ids == ("o-1",)


def test_those_that_wait_longest_are_asked_about_first() -> None:
    orders = [
        tracked(
            client_order_id=f"{PREFIX}{n}", order_id=f"o-{n}", write_ms=TimeMs(WRITE - n), sent_ms=TimeMs(0)
        )
        for n in range(3)
    ]

    assert lookups_needed(Journal().with_orders(orders), [], LATER).order_ids == ("o-2", "o-1", "o-0")


@given(st.integers(1, 40), st.integers(1, 10), st.integers(0, 10**6))
def test_where_not_all_can_be_asked_each_has_its_turn_soon(count: int, most: int, minute: int) -> None:
    asked: list[int] = []
    turns = -(-count // most)
    for turn in range(turns + 1):
        asked += in_turn(range(count), most, (minute + turn) * 60_000)

    assert len(asked) <= most * (turns + 1)
    assert set(asked) == set(range(count))
