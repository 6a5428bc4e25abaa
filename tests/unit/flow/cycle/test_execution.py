"""Cancels, decreases and placements: durable before they are sent, stopped in time, and never in doubt."""

from collections.abc import Sequence

import pytest

from dora.core.errors import StateUnavailable
from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState
from dora.core.orders.reconciliation import ORPHAN_LEVEL
from dora.core.orders.requests import BatchPlaceResult, ChangeResult, OrderRequest, Outcome
from dora.core.orders.write_tally import WriteTally
from dora.core.reasons import Reason
from dora.core.session import SessionStatus
from dora.core.state import KillSwitch
from dora.core.units import Count, TimeMs
from dora.flow.cycle import execute
from dora.flow.cycle.execute import GROUP_TRIPPED, STOP_SIGN_AGE_MS
from tests.support.execution_fakes import (
    DEADLINE_MS,
    PLACE_UNTIL_MS,
    SESSION,
    START_MS,
    Desk,
    all_placed,
    all_refused,
    all_unknown,
    cancels_refused,
    cancels_unknown,
    decrease,
    first_refused,
    reduced_by,
    request,
    requests,
    resting,
)

BATCH = 2


# --- durable before sent -------------------------------------------------------------------------------


def test_every_phase_is_planned_before_its_first_request() -> None:
    a, b = resting("A"), resting("B")
    desk = Desk(a, b)
    desk.cancel([a])
    desk.decrease(decrease(b, 400))
    desk.place([request("A")])

    assert [line.split()[0] for line in desk.diary] == ["plan", "cancel", "plan", "decrease", "plan", "place"]
    assert [plan.phase for plan in desk.state.plans] == ["1cancel", "2decrease", "3place"]
    assert {plan.fence for plan in desk.state.plans} == {7}


def test_a_plan_holds_every_request_that_follows_it() -> None:
    desk = Desk()
    desk.place(requests(5))

    assert sorted(desk.stored()) == sorted(desk.sent)
    assert {plan.until_ms for plan in desk.state.plans} == {DEADLINE_MS}


def test_without_a_durable_plan_no_request_is_sent_and_the_journal_stays_true() -> None:
    a = resting("A")
    desk = Desk(a)
    desk.state.broken = True
    for phase in (
        lambda: desk.cancel([a]),
        lambda: desk.decrease(decrease(a, 400)),
        lambda: desk.place([request("B")]),
    ):
        with pytest.raises(StateUnavailable):
            phase()

    assert not desk.diary
    assert desk.states() == {a.client_order_id: OrderState.LIVE}


def test_what_one_plan_cannot_hold_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is one transaction, and no request goes without one."""
    monkeypatch.setattr(execute, "MOST_INTENTS", 2 * BATCH + 1)
    desk = Desk()
    desk.place(requests(3 * BATCH), BATCH)

    assert (len(desk.stored()), len(desk.sent), len(desk.dropped)) == (2 * BATCH, 2 * BATCH, BATCH)


def test_nothing_to_do_writes_no_plan() -> None:
    desk = Desk()
    desk.cancel()
    desk.decrease()
    desk.place([])
    assert not desk.diary


# --- what ends placing ---------------------------------------------------------------------------------


def test_the_kill_flag_is_seen_before_the_next_batch_once_the_last_look_is_old() -> None:
    desk = Desk()
    desk.exchange.takes_ms = STOP_SIGN_AGE_MS
    desk.exchange.places = [lambda batch: _halting(desk, batch)]
    desk.place(requests(6), BATCH)

    assert len(desk.sent) == BATCH
    assert desk.execution.stopped is Reason.HALTED
    assert len(desk.dropped) == 4


def _halting(desk: Desk, batch: Sequence[OrderRequest]) -> BatchPlaceResult:
    desk.state.control = KillSwitch(halted=True)
    return all_placed(batch)


def test_the_kill_flag_is_not_read_again_while_the_last_look_is_young() -> None:
    desk = Desk()
    desk.exchange.takes_ms = STOP_SIGN_AGE_MS // 5
    desk.place(requests(10), BATCH)
    assert (len(desk.sent), desk.state.looks) == (10, 1)


def test_the_kill_flag_is_read_before_the_first_batch_and_costs_no_plan() -> None:
    desk = Desk()
    desk.state.control = KillSwitch(halted=True)
    desk.place(requests(3))
    assert (desk.diary, len(desk.dropped)) == ([], 3)
    assert desk.execution.stopped is Reason.HALTED


@pytest.mark.parametrize("session", [None, SESSION._replace(status=SessionStatus.CLOSING)])
def test_a_session_that_ended_meanwhile_stops_placing(session: object) -> None:
    desk = Desk()
    desk.state.session = session
    desk.place(requests(1))
    assert (desk.sent, desk.execution.stopped) == ([], Reason.STOPPED)


@pytest.mark.parametrize("bound", ["place_until_ms", "expires_ms"])
def test_deadline_and_lease_stop_before_the_next_batch(bound: str) -> None:
    desk = Desk(**{bound: TimeMs(START_MS + 2_000)})
    desk.exchange.takes_ms = 1_000
    desk.place(requests(8), BATCH)

    assert len(desk.sent) == 2 * BATCH
    assert desk.execution.stopped is Reason.DEADLINE
    assert len(desk.dropped) == 4


def test_a_wait_that_ends_past_the_deadline_sends_nothing() -> None:
    desk = Desk(place_until_ms=TimeMs(START_MS + 1_000))
    desk.place(requests(2), BATCH, [START_MS + 1_000])
    assert (desk.sent, desk.execution.stopped) == ([], Reason.DEADLINE)


def test_nothing_is_placed_after_the_time_that_its_plan_names() -> None:
    desk = Desk(place_until_ms=TimeMs(DEADLINE_MS + 2_000))
    desk.place(requests(2), BATCH, [DEADLINE_MS + 1_000])
    assert not desk.sent


@pytest.mark.parametrize("answer", [all_refused("too_many_requests"), first_refused("too_many_requests")])
def test_a_429_pushes_the_bucket_back_for_everyone_and_stops(answer: object) -> None:
    desk = Desk()
    desk.exchange.places, desk.exchange.takes_ms = [answer], 300
    desk.place(requests(6), BATCH)

    assert desk.limiter.pushed == [("write", START_MS + 300, 2_000)]
    assert (len(desk.sent), desk.execution.stopped) == (BATCH, Reason.BUDGET)
    assert [len(desk.facts.of(name)) for name in ("RATE_LIMIT", "RATE_LIMIT_BACKOFF")] == [1, 1]


def test_429s_in_a_row_are_counted_and_backed_off_from_exponentially_until_a_write_passes() -> None:
    desk = Desk()
    desk.limiter.hits = 2
    desk.exchange.places = [all_refused("too_many_requests"), all_placed, all_refused("too_many_requests")]
    for ticker in "ABC":
        desk.place([request(ticker)])
        desk.execution.stopped = None

    said = [(f["consecutive_hits"], f["backoff_seconds"]) for f in desk.facts.of("RATE_LIMIT_BACKOFF")]
    assert said == [(3, 8.0), (1, 2.0)]
    assert [fact["endpoint"] for fact in desk.facts.of("RATE_LIMIT")] == ["place", "place"]


@pytest.mark.parametrize("answer", [all_refused("too_many_requests"), all_placed])
def test_a_limiter_that_cannot_be_written_costs_no_record_of_what_became_of_the_orders(
    answer: object,
) -> None:
    desk = Desk()
    desk.limiter.broken = True
    desk.exchange.places = [answer]
    desk.place(requests(2), BATCH)

    assert len(desk.states()) == (2 if answer is all_placed else 0)
    assert [fact["why"] for fact in desk.facts.of("ERROR")] == ["limiter"]


@pytest.mark.parametrize("code", sorted(GROUP_TRIPPED))
def test_a_tripped_group_stops_placing(code: str) -> None:
    desk = Desk()
    desk.exchange.places = [first_refused(code)]
    desk.place(requests(6), BATCH)
    assert (len(desk.sent), desk.execution.stopped) == (BATCH, Reason.GROUP_TRIPPED)


def test_a_batch_without_any_answer_stops_placing() -> None:
    desk = Desk()
    desk.exchange.places = [all_placed, all_unknown]
    desk.place(requests(6), BATCH)
    assert (len(desk.sent), desk.execution.stopped) == (2 * BATCH, Reason.EXCHANGE_UNAVAILABLE)


@pytest.mark.parametrize("code", ["insufficient_balance", "MARKET_INACTIVE", "invalid_price"])
def test_an_order_refused_for_itself_does_not_stop_the_others(code: str) -> None:
    desk = Desk()
    desk.exchange.places = [first_refused(code)]
    desk.place(requests(4), BATCH)

    assert (len(desk.sent), desk.execution.stopped, desk.dropped) == (4, None, [])
    assert sorted(desk.states()) == ["new-M1-bid", "new-M3-bid"]


# --- what was not sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [all_refused("too_many_requests"), all_unknown, first_refused("order_group_triggered")]
)
def test_unsent_requests_leave_no_trace_in_the_journal_and_are_dropped(answer: object) -> None:
    desk = Desk()
    desk.exchange.places = [all_placed, answer]
    asked = [one.client_order_id for one in requests(7)]
    desk.place(requests(7), BATCH)

    assert desk.sent == asked[:4]
    assert desk.dropped == asked[4:]
    assert not desk.states().keys() & set(desk.dropped)


def test_what_no_send_time_is_left_for_is_dropped_and_never_planned() -> None:
    desk = Desk()
    desk.place(requests(7), BATCH, [START_MS, START_MS])
    assert (len(desk.sent), len(desk.dropped)) == (4, 3)
    assert desk.stored().keys() == set(desk.sent)


def test_every_request_is_sent_or_dropped_whatever_ends_placing() -> None:
    desk = Desk()
    desk.exchange.places = [all_placed, all_unknown]
    desk.place(requests(9), BATCH, [START_MS] * 3)
    assert sorted(desk.sent + desk.dropped) == sorted(one.client_order_id for one in requests(9))


def test_an_order_without_an_answer_is_held_from_when_it_was_sent() -> None:
    desk = Desk()
    desk.exchange.places, desk.exchange.takes_ms = [all_unknown], 700
    desk.place(requests(1))
    (held,) = desk.execution.journal.orders.values()
    assert (held.state, held.sent_ms) == (OrderState.PENDING_NEW, START_MS + 700)


# --- send times ----------------------------------------------------------------------------------------


def test_batches_wait_for_their_send_times() -> None:
    desk = Desk()
    times = [START_MS, START_MS + 800, START_MS + 3_000]
    desk.place(requests(6), BATCH, times)
    assert desk.exchange.sent_ms == times


def test_sends_that_need_refilled_tokens_are_due_later_by_the_longest_answer() -> None:
    """The exchange's bucket is full, and refills nothing, until the first write has reached it."""
    desk = Desk()
    desk.exchange.takes_ms = 300
    desk.place(requests(6), BATCH, [START_MS, START_MS + 500, START_MS + 1_000])
    assert desk.exchange.sent_ms == [START_MS, START_MS + 800, START_MS + 1_300]


def test_a_cancel_waits_for_its_tokens_and_without_a_time_rests_on() -> None:
    a, b, c = resting("A"), resting("B"), resting("C")
    desk = Desk(a, b, c)
    desk.cancel([a], [b], [c], at_ms=[START_MS, START_MS + 3_000])
    assert desk.exchange.sent_ms == [START_MS, START_MS + 3_000]
    assert desk.states()[c.client_order_id] is OrderState.LIVE


# --- cancels -------------------------------------------------------------------------------------------


def test_cancels_are_sent_although_placing_is_forbidden() -> None:
    a = resting("A")
    desk = Desk(a, place_until_ms=START_MS, expires_ms=START_MS)
    desk.state.control = KillSwitch(halted=True)
    desk.cancel([a])
    assert desk.states() == {a.client_order_id: OrderState.CLOSED}


def test_a_cancel_is_not_begun_after_the_deadline_and_leaves_its_order_live() -> None:
    a, b = resting("A"), resting("B")
    desk = Desk(a, b, deadline_ms=TimeMs(START_MS + 1_000))
    desk.exchange.takes_ms = 1_000
    desk.cancel([a], [b])
    assert desk.states() == {a.client_order_id: OrderState.CLOSED, b.client_order_id: OrderState.LIVE}
    assert desk.execution.stopped is Reason.DEADLINE


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (cancels_unknown, OrderState.PENDING_CHANGE),
        (cancels_refused("exchange_is_paused"), OrderState.LIVE),
        (cancels_refused("not_found"), OrderState.NOT_FOUND),
    ],
)
def test_a_cancel_that_is_not_confirmed_withholds_its_replacement(answer: object, state: OrderState) -> None:
    a = resting("A")
    desk = Desk(a)
    desk.exchange.cancels = answer
    desk.cancel([a])
    desk.place([request("A"), request("B")])

    assert desk.states()[a.client_order_id] is state
    assert desk.sent == [request("B").client_order_id]
    assert request("A").client_order_id not in desk.stored()


@pytest.mark.parametrize(("taken_off", "sent"), [(1_000, ["new-A-bid", "new-A-ask"]), (999, []), (0, [])])
def test_a_cancel_that_found_less_than_we_saw_withholds_both_sides_of_its_market(
    taken_off: int, sent: list[str]
) -> None:
    a = resting("A")
    desk = Desk(a)
    desk.exchange.cancels = reduced_by(taken_off)
    desk.cancel([a])
    desk.place([request("A"), request("A", Side.ASK), request("B")])

    assert desk.sent == [*sent, "new-B-bid"]
    assert desk.execution.journal.orders[a.client_order_id].unbooked == 1_000 - taken_off


def test_a_cancel_answered_404_withholds_both_sides_of_its_market() -> None:
    a = resting("A")
    desk = Desk(a)
    desk.exchange.cancels = cancels_refused("not_found")
    desk.cancel([a])
    desk.place([request("A"), request("A", Side.ASK), request("B")])
    assert desk.sent == ["new-B-bid"]


def test_a_stray_whose_cancel_is_not_confirmed_withholds_the_quote_of_its_side() -> None:
    orphan = resting("A")._replace(slot=Slot("A", Side.BID, ORPHAN_LEVEL))
    desk = Desk(orphan)
    desk.exchange.cancels = cancels_unknown
    desk.cancel([orphan])
    desk.place([request("A"), request("B")])
    assert desk.sent == ["new-B-bid"]


def test_a_429_on_a_cancel_pushes_the_bucket_back() -> None:
    a = resting("A")
    desk = Desk(a)
    desk.exchange.cancels = cancels_refused("too_many_requests")
    desk.cancel([a])
    assert [bucket for bucket, *_ in desk.limiter.pushed] == ["write"]


# --- decreases -----------------------------------------------------------------------------------------


def test_a_decrease_keeps_the_order_and_takes_off_what_it_must() -> None:
    a = resting("A")
    desk = Desk(a)
    desk.decrease(decrease(a, 400))
    after = desk.execution.journal.orders[a.client_order_id]
    assert (after.state, after.remaining, after.unbooked) == (OrderState.LIVE, 400, 0)
    assert desk.execution.decreased == 1


def test_decreases_stop_at_the_deadline_and_leave_the_rest_as_they_were() -> None:
    a, b = resting("A"), resting("B")
    desk = Desk(a, b, place_until_ms=TimeMs(START_MS + 1_000))
    desk.exchange.takes_ms = 1_000
    desk.decrease(decrease(a, 400), decrease(b, 400))
    assert (desk.execution.decreased, desk.execution.stopped) == (1, Reason.DEADLINE)
    assert desk.execution.journal.orders[b.client_order_id] == b


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (ChangeResult(Outcome.UNKNOWN, "unanswered"), OrderState.PENDING_CHANGE),
        (ChangeResult(Outcome.REFUSED, "not_found"), OrderState.NOT_FOUND),
        (ChangeResult(Outcome.REFUSED, "invalid_parameters"), OrderState.LIVE),
    ],
)
def test_a_decrease_that_failed_counts_as_none(answer: ChangeResult, state: OrderState) -> None:
    a = resting("A")
    desk = Desk(a)
    desk.exchange.decreases = [answer]
    desk.decrease(decrease(a, 400))
    assert (desk.states()[a.client_order_id], desk.execution.decreased) == (state, 0)


def test_a_decrease_answered_404_withholds_both_sides_of_its_market() -> None:
    a = resting("A")
    desk = Desk(a)
    desk.exchange.decreases = [ChangeResult(Outcome.REFUSED, "not_found")]
    desk.decrease(decrease(a, 400))
    desk.place([request("A", Side.ASK), request("B")])
    assert desk.sent == ["new-B-bid"]


def test_a_429_on_a_decrease_stops_the_others() -> None:
    a, b = resting("A"), resting("B")
    desk = Desk(a, b)
    desk.exchange.decreases = [ChangeResult(Outcome.REFUSED, "too_many_requests")] * 2
    desk.decrease(decrease(a, 400), decrease(b, 400))
    assert desk.diary[1:] == [f"decrease {a.client_order_id}"]


def test_a_decrease_that_left_less_than_it_asked_for_withholds_its_market() -> None:
    a = resting("A")
    desk = Desk(a)
    desk.exchange.decreases = [ChangeResult(Outcome.DONE, remaining=Count(100), ts_ms=START_MS)]
    desk.decrease(decrease(a, 400))
    desk.place([request("A", Side.ASK)])
    assert desk.execution.journal.orders[a.client_order_id].unbooked == 300
    assert not desk.sent


# --- facts ---------------------------------------------------------------------------------------------


def test_the_facts_tell_what_was_asked_and_what_became_of_it() -> None:
    a, b = resting("A"), resting("B")
    desk = Desk(a, b)
    desk.exchange.places = [first_refused("invalid_price")]
    desk.cancel([a], [b])
    desk.place([request("A"), request("B"), request("C")], BATCH)

    assert [fact["batch_size"] for fact in desk.facts.of("BATCH_CANCEL")] == [1, 1]
    assert [fact["total_batches"] for fact in desk.facts.of("BATCH_PLACE")] == [2, 2]
    (summary,) = desk.facts.of("BATCH_PLACE_SUMMARY")
    assert (summary["total_requested"], summary["total_succeeded"], summary["total_failed"]) == (3, 1, 2)
    (cancelled,) = desk.facts.of("BATCH_CANCEL_SUMMARY")
    assert (cancelled["total_succeeded"], cancelled["batches"]) == (2, 2)


def test_a_batch_tells_how_many_there_are_in_all() -> None:
    desk = Desk()
    desk.place(requests(5), BATCH)
    assert {fact["total_to_place"] for fact in desk.facts.of("BATCH_PLACE")} == {5}


def test_what_failed_is_counted_by_its_code_over_all_phases() -> None:
    a, b, c = resting("A"), resting("B"), resting("C")
    desk = Desk(a, b, c)
    desk.exchange.places = [first_refused("invalid_price"), all_unknown]
    desk.exchange.decreases = [ChangeResult(Outcome.REFUSED, "not_found")]
    desk.cancel([a, c])
    desk.decrease(decrease(b, 400))
    desk.place(requests(4), BATCH)

    tally = desk.execution.tally
    assert tally.codes == {"invalid_price": 1, "not_found": 1, "unanswered": 2}
    assert (tally.requested, tally.failed, tally.batches) == (7, 4, 1)
    assert tally.mostly_failed


@pytest.mark.parametrize(("failed", "warned"), [(0, False), (1, False), (2, False), (3, True)])
def test_more_than_half_of_a_batch_is_most_of_it(failed: int, warned: bool) -> None:
    tally = WriteTally().after_batch(100, []).after_batch(4, ["invalid_price"] * failed)
    assert tally.mostly_failed is warned


@pytest.mark.parametrize(("failed", "warned"), [(2, False), (3, True)])
def test_more_than_half_of_all_writes_is_most_of_them(failed: int, warned: bool) -> None:
    tally = WriteTally()
    for number in range(4):
        tally = tally.after(1, ["not_found"] if number < failed else [])
    assert tally.mostly_failed is warned


def test_a_whole_plan_within_its_time_is_carried_out() -> None:
    desk = Desk()
    desk.exchange.takes_ms = 100
    desk.place(requests(20), BATCH)
    assert (len(desk.sent), desk.dropped, desk.execution.stopped) == (20, [], None)
    assert set(desk.states().values()) == {OrderState.LIVE}
    assert desk.clock.at_ms < PLACE_UNTIL_MS
