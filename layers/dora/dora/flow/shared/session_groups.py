"""The order groups of a session: triggered when it is stopped, armed again, held to the burst limit.

A session's record says of each group whether its trigger was answered (`tripped`). In a session that is
latched, closing or closed a group that did not answer is triggered again by every cycle and every watch.
Groups of single events are items of their own (`event_groups`) and triggered with the session's.
"""

from collections.abc import Callable, Iterable

from dora.core.config import GlobalConfig
from dora.core.errors import ExchangeError, RateLimited, StateConflict, StateError
from dora.core.event_group import EventGroup
from dora.core.exchange.account import Limits
from dora.core.exchange.pacing import GROUP_COST
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.session import SessionGroup, SessionMetadata, SessionStatus
from dora.core.units import Count
from dora.flow.shared.event_groups import note_triggered, to_trigger
from dora.flow.shared.group_trigger import GroupTrigger
from dora.flow.shared.reported import Reported
from dora.flow.shared.write_pace import WritePace

STOPPED = (SessionStatus.LIMIT_REACHED, SessionStatus.CLOSING, SessionStatus.CLOSED)
"""No order may rest in, or come to, a group of a session in one of these."""
TRIGGER_BACK_MS = 20_000
"""Longest time for triggering the groups again after a reset that failed half way."""
WITHOUT_GROUPS = (
    "the session runs without order groups (use_order_groups is false): no burst breaker, no trigger that "
    "takes every order off at once, no fence against late orders after a teardown"
)
"""Said at the start, in the status and by every cycle."""

Change = Callable[[SessionMetadata], SessionMetadata]


def degraded(ports: Ports, session: SessionMetadata) -> bool:
    """Whether it runs without the exchange's own fence. A dry run sends nothing and needs none."""
    return not session.use_order_groups and not ports.dry_run


def update_session(ports: Ports, session: SessionMetadata, change: Change) -> SessionMetadata:
    """Store what `change` makes of the session, or of what somebody else wrote in between.

    A change that changes nothing is not stored. Raises StateError. Safe to repeat: as the change is.
    """
    wanted = change(session)
    if wanted == session:
        return session
    try:
        return ports.state.save_session(wanted)
    except StateConflict:
        found = ports.state.emergency_state()
        if found.session is None or found.unreadable:
            raise
        wanted = change(found.session)
        return found.session if wanted == found.session else ports.state.save_session(wanted)


# --- triggering --------------------------------------------------------------------------------------


def untriggered(session: SessionMetadata) -> tuple[SessionGroup, ...]:
    """Groups of a stopped session whose trigger has not been answered."""
    return tuple(g for g in session.order_groups if not g.tripped) if session.status in STOPPED else ()


def latch(
    ports: Ports,
    session: SessionMetadata,
    events: Iterable[EventGroup],
    reason: Reason,
    limits: Limits | None,
    until_ms: int,
) -> SessionMetadata:
    """Trigger every group, those of single events too; the session as it is to be stored, latched at a limit.

    Safe to repeat.
    """
    unanswered = _trigger(ports, session.order_groups, events, WritePace(ports, limits), until_ms)
    groups = (group._replace(tripped=group.group_id not in unanswered) for group in session.order_groups)
    return session._replace(
        status=SessionStatus.LIMIT_REACHED,
        reason=reason.value,
        limit_reached_at_ms=ports.clock.now_ms(),
        order_groups=tuple(groups),
    )


def trigger_again(
    ports: Ports,
    session: SessionMetadata,
    events: Iterable[EventGroup],
    limits: Limits | None,
    until_ms: int,
) -> SessionMetadata:
    """Trigger the groups of a stopped session that have not answered yet, and record those that now have."""
    unanswered = _trigger(ports, untriggered(session), events, WritePace(ports, limits), until_ms)
    return record_answers(ports, session, {group.group_id for group in session.order_groups} - unanswered)


def _trigger(
    ports: Ports,
    groups: Iterable[SessionGroup],
    events: Iterable[EventGroup],
    pace: WritePace,
    until_ms: int,
) -> set[str]:
    """Ids of those that have not answered. What those of events answered is recorded."""
    open_events = to_trigger(events)
    trigger = GroupTrigger(ports, (*groups, *open_events), pace)
    trigger.run(until_ms)
    note_triggered(ports, open_events, trigger)
    return {group.group_id for group in trigger.untriggered}


def record_answers(
    ports: Ports, session: SessionMetadata, group_ids: set[str] | frozenset[str]
) -> SessionMetadata:
    """Note in a stopped session's record which of its groups have answered their trigger.

    A record that cannot be written costs a repeated trigger, so that is only reported. Safe to repeat: yes.
    """

    def noted(current: SessionMetadata) -> SessionMetadata:
        if current.session_id != session.session_id or current.status not in STOPPED:
            return current
        groups = (g._replace(tripped=g.tripped or g.group_id in group_ids) for g in current.order_groups)
        return current._replace(order_groups=tuple(groups))

    with Reported(ports.facts, "record of the triggered groups", StateError):
        return update_session(ports, session, noted)
    return noted(session)


# --- arming again ------------------------------------------------------------------------------------


def rearm(
    ports: Ports, session: SessionMetadata, armed: SessionMetadata, limits: Limits | None
) -> SessionMetadata:
    """Reset every group of a latched session, then store it as `armed`, active.

    The groups are recorded as not triggered before the first reset: whoever comes after an invocation that
    died in between triggers them again. Raises an ExchangeError or StateError, with the groups triggered
    again: the session is latched still, or somebody is closing it, and its groups are the fence that a
    teardown stands on. Safe to repeat: yes, a reset sets a group to one state.
    """
    groups = tuple(group._replace(tripped=False) for group in session.order_groups)
    marked = ports.state.save_session(session._replace(order_groups=groups))
    pace = WritePace(ports, limits)
    try:
        _reset(ports, groups, pace)
        stored = ports.state.save_session(
            armed._replace(
                status=SessionStatus.ACTIVE,
                reason="",
                limit_reached_at_ms=None,
                order_groups=groups,
                armed_at_ms=ports.clock.now_ms(),
                rev=marked.rev,
            )
        )
    except (ExchangeError, StateError) as error:
        _trigger_back(ports, marked, pace, error)
        raise
    for group in groups:
        ports.facts.emit("GROUP_RESET", order_group_id=group.group_id, resets=armed.resets)
    return stored


def _reset(ports: Ports, groups: tuple[SessionGroup, ...], pace: WritePace) -> None:
    for group in groups if not ports.dry_run else ():
        pace.wait(GROUP_COST)
        ports.exchange.reset_group(group.group_id, group.shard)
    pace.charge()


def _trigger_back(ports: Ports, marked: SessionMetadata, pace: WritePace, error: Exception) -> None:
    """A group that does not answer stays recorded as not triggered: the next cycle or watch triggers it."""
    if isinstance(error, RateLimited):
        pace.emptied("reset_group")
    unanswered = _trigger(ports, marked.order_groups, (), pace, ports.clock.now_ms() + TRIGGER_BACK_MS)
    record_answers(ports, marked, {group.group_id for group in marked.order_groups} - unanswered)


# --- burst limits ------------------------------------------------------------------------------------


def keep_limits(
    ports: Ports, session: SessionMetadata, settings: GlobalConfig, pace: WritePace
) -> SessionMetadata:
    """Bring each group's burst limit to its tag's configured one; each is recorded once the exchange has it.

    After a 429 the others keep theirs until the next time. Lowering a limit may trip its group, which is
    found like any trip. Safe to repeat: yes, it sets a value.
    Raises StateConflict when somebody wrote the session in between; then all of it is done again.
    """
    groups = tuple(
        _with_limit(ports, group, settings.burst_limit_of(group.tag), pace) for group in session.order_groups
    )
    pace.charge()
    if groups == session.order_groups:
        return session
    return ports.state.save_session(session._replace(order_groups=groups))


def _with_limit(ports: Ports, group: SessionGroup, burst_limit: Count, pace: WritePace) -> SessionGroup:
    if group.burst_limit == burst_limit or ports.dry_run or pace.limited:
        return group
    pace.wait(GROUP_COST)
    try:
        ports.exchange.limit_group(group.group_id, group.shard, burst_limit)
    except ExchangeError as error:
        ports.facts.emit("ERROR", what=f"burst limit of group {group.group_id}", why=str(error))
        if isinstance(error, RateLimited):
            pace.emptied("limit_group")
        return group
    return group._replace(burst_limit=burst_limit)
