"""What the ports promise of lease, session and kill flag, held once against every storage."""

from itertools import count

import pytest

from dora.core.errors import StateConflict, StateUnavailable
from dora.core.event_group import Trip
from dora.core.state import KillSwitch, LeaseGrant, LeaseRefused
from dora.core.units import TimeMs
from tests.support.dynamo_values import NOW_MS, event_group, session
from tests.support.store_backings import Backing, Loss

_fresh = count()


# --- lease -------------------------------------------------------------------------------------------


def acquire(
    backing: Backing, owner: str, tick: int, now: int | None = None, lose: Loss = "none"
) -> LeaseGrant | LeaseRefused:
    """A lease of 50 ms from `now` (the tick's time by default)."""
    at = tick if now is None else now
    return backing.lease(lose=lose).acquire(
        owner=owner, tick_ms=TimeMs(tick), now_ms=TimeMs(at), expires_ms=TimeMs(at + 50)
    )


def granted(backing: Backing, owner: str, tick: int) -> LeaseGrant:
    grant = acquire(backing, owner, tick)
    assert isinstance(grant, LeaseGrant)
    return grant


def test_a_held_lease_is_refused_until_it_expires_and_then_fenced_higher(backing: Backing) -> None:
    assert acquire(backing, "a", 100) == LeaseGrant(1, TimeMs(150))

    assert acquire(backing, "b", 110, now=149) == LeaseRefused("lease_held")
    assert acquire(backing, "a", 110, now=149) == LeaseRefused("lease_held")
    assert acquire(backing, "b", 110, now=150) == LeaseGrant(2, TimeMs(200))


def test_a_released_lease_is_free_at_once_and_a_release_may_be_repeated(backing: Backing) -> None:
    first = granted(backing, "a", 100)

    backing.lease().release(first)
    backing.lease().release(first)

    assert acquire(backing, "b", 101) == LeaseGrant(2, TimeMs(151))


@pytest.mark.parametrize("tick", [100, 99])
def test_a_tick_already_seen_is_refused_in_every_state(backing: Backing, tick: int) -> None:
    first = granted(backing, "a", 100)
    assert acquire(backing, "b", tick) == LeaseRefused("tick_seen")
    assert acquire(backing, "b", tick, now=1_000) == LeaseRefused("tick_seen")

    backing.lease().release(first)

    assert acquire(backing, "b", tick) == LeaseRefused("tick_seen")
    assert acquire(backing, "a", 100) == LeaseRefused("tick_seen")


def test_a_late_release_does_not_free_a_newer_lease(backing: Backing) -> None:
    old = granted(backing, "a", 100)
    acquire(backing, "b", 110, now=160)

    backing.lease().release(old)

    assert acquire(backing, "c", 170) == LeaseRefused("lease_held")


def test_a_grant_whose_answer_was_lost_is_found_again_by_its_owner_alone(backing: Backing) -> None:
    with pytest.raises(StateUnavailable):
        acquire(backing, "a", 100, lose="answer")

    assert acquire(backing, "b", 100) == LeaseRefused("tick_seen")
    assert acquire(backing, "a", 100) == LeaseGrant(1, TimeMs(150))


def test_a_lease_whose_request_was_lost_is_nobodys(backing: Backing) -> None:
    with pytest.raises(StateUnavailable):
        acquire(backing, "a", 100, lose="request")

    assert acquire(backing, "b", 100) == LeaseGrant(1, TimeMs(150))


# --- session and kill flag ---------------------------------------------------------------------------


def test_a_session_is_stored_under_the_next_revision(backing: Backing) -> None:
    state = backing.state()

    first = state.save_session(session())
    second = state.save_session(first._replace(reason="why"))

    assert (first.rev, second.rev) == (1, 2)
    assert state.load().session == second == state.read_kill_switch()[1]


@pytest.mark.parametrize("rev", [0, 2])
def test_a_session_somebody_else_wrote_is_not_overwritten(backing: Backing, rev: int) -> None:
    state = backing.state()
    first = state.save_session(session())

    with pytest.raises(StateConflict, match=f"revision {rev}"):
        state.save_session(session(rev, session_id="s2"))

    assert state.load().session == first


def test_a_session_that_finds_itself_stored_has_succeeded(backing: Backing) -> None:
    assert backing.state().save_session(session()) == backing.state().save_session(session())


def test_a_session_of_a_revision_that_never_was_is_refused(backing: Backing) -> None:
    with pytest.raises(StateConflict):
        backing.state().save_session(session(3))


def test_past_sessions_come_newest_first_each_in_its_latest_revision(backing: Backing) -> None:
    state = backing.state()
    for number in (2, 1, 3):
        state.save_history(session(3, f"s{number}", NOW_MS + number))
    with pytest.raises(StateConflict):
        state.save_history(session(2, "s2", NOW_MS + 2))
    state.save_history(session(4, "s1", NOW_MS + 1))

    assert [(own.session_id, own.rev) for own in state.history(9)] == [("s3", 3), ("s2", 3), ("s1", 4)]
    assert [own.session_id for own in state.history(2)] == ["s3", "s2"]
    assert state.history(0) == ()


def test_an_event_group_that_somebody_else_wrote_is_not_overwritten(backing: Backing) -> None:
    state = backing.state()
    first = state.save_event_group(event_group())

    for rev in (0, 2):
        with pytest.raises(StateConflict, match=f"s1#EV-1 is no longer at revision {rev}"):
            state.save_event_group(event_group(rev=rev, triggered=True))

    assert first == event_group(rev=1)
    assert state.event_groups() == (first,)


def test_event_groups_are_kept_by_session_and_event_until_they_are_dropped(backing: Backing) -> None:
    state = backing.state()
    asked = state.save_event_group(event_group(group_id=""))
    other = state.save_event_group(event_group(session_id="s0", trips=(Trip(at_ms=TimeMs(5)),)))

    assert state.event_groups() == (other, asked)
    assert state.readable_event_groups() == (other, asked)

    state.drop_event_group(asked)
    state.drop_event_group(asked)
    assert state.event_groups() == (other,)


def test_a_resume_never_undoes_a_later_halt_but_a_halt_always_stands(backing: Backing) -> None:
    state = backing.state()
    later = KillSwitch(halted=True, reason="later", at_ms=TimeMs(5))
    state.set_control(later)
    with pytest.raises(StateConflict, match="CONTROL"):
        state.set_control(KillSwitch(at_ms=TimeMs(4)))
    assert (state.read_kill_switch(), state.load().control) == ((later, None), later)

    state.set_control(KillSwitch(at_ms=TimeMs(5)))
    assert not state.read_kill_switch()[0].halted

    state.set_control(KillSwitch(halted=True, reason="slow clock", at_ms=TimeMs(1)))
    assert state.read_kill_switch()[0].reason == "slow clock"
