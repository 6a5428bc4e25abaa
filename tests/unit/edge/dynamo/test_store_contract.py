"""What the ports promise of the state, held once against every storage that serves them."""

from collections.abc import Callable

import pytest

from dora.core.errors import LeaseLost, StateConflict, StateUnavailable
from dora.core.exchange.market import Event
from dora.core.orders.amend_expiry import extension
from dora.core.orders.journal import Journal
from dora.core.orders.requests import DecreaseRequest
from dora.core.orders.slot_plan import cancel_request
from dora.core.ports import StateStore
from dora.core.state import BotState, Changes, Cursors, KillSwitch, Progress, ReferenceData, RiskState
from dora.core.units import Count, Money, TimeMs
from tests.support.bookings import FIRST, PAYOUT
from tests.support.dynamo_values import (
    LIMITS,
    NOW_MS,
    event_group,
    journal,
    order,
    plan,
    session,
)
from tests.support.store_backings import Backing, Loss, take_fence

PROGRESS = Progress(cycle_id="cycle-1", completed_ms=TimeMs(NOW_MS), status="completed")

FENCED: dict[str, Callable[[StateStore, int], object]] = {
    "write_plan": lambda state, fence: state.write_plan(plan(fence, 3)),
    "book_fills": lambda state, fence: state.book(fence, FIRST),
    "book_settlement": lambda state, fence: state.book(fence, PAYOUT),
    "commit": lambda state, fence: state.commit(
        fence, Changes(journal=journal(3), cursors=Cursors(fills_ms=TimeMs(4)), progress=PROGRESS, summary={})
    ),
}
WRITES = FENCED | {
    "save_session": lambda state, _: state.save_session(session()),
    "save_history": lambda state, _: state.save_history(session(2)),
    "set_control": lambda state, _: state.set_control(KillSwitch(halted=True, at_ms=TimeMs(4))),
    "save_limits": lambda state, _: state.save_limits(LIMITS),
    "save_event_group": lambda state, _: state.save_event_group(event_group()),
}
READS: dict[str, Callable[[StateStore], object]] = {
    "load": lambda state: state.load(),
    "read_kill_switch": lambda state: state.read_kill_switch(),
    "emergency_state": lambda state: state.emergency_state(),
    "booked": lambda state: state.booked(["fill-1"]),
    "history": lambda state: state.history(3),
    "summary": lambda state: state.summary("cycle-1"),
    "payouts": lambda state: state.payouts(),
    "profit_rows": lambda state: state.profit_rows(),
    "event_groups": lambda state: state.event_groups(),
    "readable_event_groups": lambda state: state.readable_event_groups(),
}
Seen = tuple[BotState, frozenset[str], object, object, object]


def everything(state: StateStore) -> Seen:
    """All that the port shows."""
    booked = state.booked(["fill-1", "fill-2", "fill-3"])
    return state.load(), booked, state.history(9), state.profit_rows(), state.event_groups()


# --- fences and lost requests ------------------------------------------------------------------------


@pytest.mark.parametrize("name", FENCED)
def test_an_overtaken_run_writes_nothing_more(backing: Backing, name: str) -> None:
    old, state = take_fence(backing), backing.state()
    take_fence(backing, 2)

    with pytest.raises(LeaseLost, match=f"fence {old}"):
        FENCED[name](state, old)

    assert everything(state) == (BotState(), frozenset(), (), (), ())


@pytest.mark.parametrize("name", FENCED)
def test_nothing_fenced_is_written_without_a_lease(backing: Backing, name: str) -> None:
    with pytest.raises(LeaseLost):
        FENCED[name](backing.state(), 0)

    assert everything(backing.state()) == (BotState(), frozenset(), (), (), ())


@pytest.mark.parametrize("name", WRITES)
def test_a_lost_request_changes_nothing_and_may_be_repeated(backing: Backing, name: str) -> None:
    fence = take_fence(backing)
    before, state = everything(backing.state()), backing.state(lose="request")

    with pytest.raises(StateUnavailable):
        WRITES[name](state, fence)
    assert everything(state) == before

    assert WRITES[name](state, fence) is not False
    assert everything(state) != before


@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_answer_was_lost_stands_once_when_repeated(backing: Backing, name: str) -> None:
    fence = take_fence(backing)
    before, state = everything(backing.state()), backing.state(lose="answer")

    with pytest.raises(StateUnavailable):
        WRITES[name](state, fence)
    applied = everything(state)
    if name == "book_settlement":
        with pytest.raises(StateConflict):
            WRITES[name](state, fence)
    else:
        assert (WRITES[name](state, fence) is False) is (name == "book_fills")

    assert everything(state) == applied != before


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("lose", ["request", "answer"])
def test_a_read_that_failed_is_never_an_empty_answer(backing: Backing, name: str, lose: Loss) -> None:
    with pytest.raises(StateUnavailable):
        READS[name](backing.state(lose=lose))


# --- plans and commits -------------------------------------------------------------------------------


def test_a_plan_may_be_repeated_but_never_overwrites_another(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    state.write_plan(plan(fence, 2))
    state.write_plan(plan(fence, 2))

    with pytest.raises(StateConflict, match="plan 1#place"):
        state.write_plan(plan(fence, 3))

    assert state.load().plans == (plan(fence, 2),)


def test_a_plan_comes_back_with_intents_of_every_kind(backing: Backing) -> None:
    fence, state, held = take_fence(backing), backing.state(), order(1)
    cut = DecreaseRequest(
        order_id="order-1",
        client_order_id=held.client_order_id,
        ticker="KXA-0",
        shard=1,
        reduce_to=Count(100),
    )
    kinds = plan(fence, 2)._replace(
        cancels=(cancel_request(held),),
        decreases=(cut,),
        extends=(extension(held, TimeMs(NOW_MS)),),
    )
    state.write_plan(kinds)

    assert state.load().plans == (kinds,)


def test_plans_come_in_the_order_of_fences_and_phases(backing: Backing) -> None:
    state, plans = backing.state(), []
    for tick in (1, 2):
        fence = take_fence(backing, tick)
        plans += [plan(fence, phase="cancel"), plan(fence, phase="place")]
        for own in reversed(plans[-2:]):
            state.write_plan(own)

    assert state.load().plans == tuple(plans)


def test_a_journal_takes_in_every_plan_that_stands_when_it_is_committed(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    state.write_plan(plan(fence, 2, phase="cancel"))
    state.write_plan(plan(fence, 3, phase="place"))
    before = state.load()
    changes = Changes(journal=journal(2), progress=PROGRESS)
    with pytest.raises(LeaseLost):
        state.commit(fence + 1, changes)
    assert state.load() == before

    state.commit(fence, changes)

    assert state.load() == BotState(journal=journal(2), progress=PROGRESS)


def test_a_commit_without_a_journal_leaves_plans_alone(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    state.write_plan(plan(fence, 2))

    state.commit(fence, Changes(progress=PROGRESS, memory={}))

    assert state.load().plans == (plan(fence, 2),)


def test_a_commit_comes_back_whole_and_in_order(backing: Backing) -> None:
    event = Event(event_ticker="KXA-E", series_ticker="KXA", exclusive=True)
    facts = {"KXB-E": event._replace(event_ticker="KXB-E"), "KXA-E": event}
    written = Journal().with_orders(order(number) for number in (2, 0, 1))
    reference = ReferenceData(learned_ms=TimeMs(3), events=facts, listings={"KXB": (), "KXA": ("KXA-1",)})
    memory: dict[str, dict[str, object]] = {
        "KXB-1": {"fair": [1, None, {"z": True}]},
        "KXA-1": {"pair": (1, 2)},
    }
    cursors = Cursors(fills_ms=TimeMs(1), settlements_ms=TimeMs(2))
    risk = RiskState(reducing="daily_loss", reducing_ms=TimeMs(3), profit_since=Money(-4), equity_low=True)

    backing.state().commit(
        take_fence(backing),
        Changes(
            journal=written,
            memory=memory,
            cursors=cursors,
            progress=PROGRESS,
            risk=risk,
            reference=reference,
        ),
    )

    loaded = backing.state().load()
    assert loaded.memory == {"KXB-1": {"fair": [1, None, {"z": True}]}, "KXA-1": {"pair": [1, 2]}}
    assert loaded._replace(memory={}) == BotState(
        journal=journal(3), cursors=cursors, progress=PROGRESS, risk=risk, reference=reference
    )
    assert list(loaded.journal.orders) == sorted(written.orders)
    assert list(loaded.memory) == ["KXA-1", "KXB-1"]
    assert (list(loaded.reference.events), list(loaded.reference.listings)) == (
        ["KXA-E", "KXB-E"],
        ["KXA", "KXB"],
    )


def test_a_commit_leaves_alone_what_it_does_not_name(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    state.save_limits(LIMITS)
    latched = RiskState(reducing="loss_since")
    state.commit(fence, Changes(journal=journal(5), memory={"KXA-1": {"a": 1}}, risk=latched))

    state.commit(fence, Changes(cursors=Cursors(fills_ms=TimeMs(9))))

    loaded = state.load()
    assert loaded.risk == backing.state().load().risk == latched
    assert (loaded.journal, loaded.limits, loaded.memory) == (journal(5), LIMITS, {"KXA-1": {"a": 1}})


def test_what_a_caller_changes_after_a_commit_is_not_stored(backing: Backing) -> None:
    state, inner = backing.state(), {"pairs": [1]}
    state.commit(take_fence(backing), Changes(memory={"KXA-1": inner}))

    inner["pairs"].append(2)

    assert state.load().memory == {"KXA-1": {"pairs": [1]}}


def test_a_summary_needs_the_progress_it_is_kept_under(backing: Backing) -> None:
    with pytest.raises(ValueError, match="summary"):
        backing.state().commit(take_fence(backing), Changes(summary={"placed": 1}))


def test_the_record_of_a_cycle_is_read_by_its_id(backing: Backing) -> None:
    state, fence = backing.state(), take_fence(backing)
    state.commit(fence, Changes(progress=PROGRESS, summary={"placed": 4, "reason": ""}))

    assert state.summary(PROGRESS.cycle_id) == {"placed": 4, "reason": ""}
    assert state.summary("another") is None
    assert backing.state("alpha#dry").summary(PROGRESS.cycle_id) is None


def test_a_dry_run_keeps_its_state_apart(backing: Backing) -> None:
    fence = take_fence(backing, pk="alpha#dry")
    dry = backing.state("alpha#dry")
    dry.commit(fence, Changes(journal=journal(2)))
    dry.book(fence, FIRST)

    assert everything(backing.state()) == (BotState(), frozenset(), (), (), ())
