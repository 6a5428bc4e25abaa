"""What stops a session by itself, and what arms it again: its order groups and its contract limit.

The exchange's group is a burst breaker over a rolling 15 s; how much a whole session may trade is ours to
count. A session latched at a limit stays so until a person's reset, but for one that a tripped group latched:
that one GLOBAL may have re-armed, a few times.
"""

from collections.abc import Iterable
from typing import NamedTuple

from dora.core.config import BY_EVENT, GlobalConfig
from dora.core.errors import ExchangeError, StateConflict, StateError
from dora.core.event_group import EventGroup, tripped_together
from dora.core.exchange.account import Limits, OrderGroup
from dora.core.orders.journal import Journal, TrackedOrder
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.risk.session_limit import contracts_matched, used_up
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.units import Count, TimeMs, format_count
from dora.flow.shared.event_groups import to_trigger
from dora.flow.shared.session_groups import (
    STOPPED,
    WITHOUT_GROUPS,
    degraded,
    keep_limits,
    latch,
    rearm,
    trigger_again,
    untriggered,
)
from dora.flow.shared.write_pace import WritePace

TOGETHER_MS = 300_000
"""Events that trip within so long of each other have tripped together."""
GROUPS_LAG_MS = 20_000
"""A list of order groups may be 15 s late: one begun this soon after a start or reset does not latch."""


class Seen(NamedTuple):
    """What a session's breakers go by. `globals_` None: there is no valid GLOBAL item."""

    globals_: GlobalConfig | None
    halted: bool
    traded: Count
    """Contracts ever traded, by the ledger."""
    groups: Iterable[OrderGroup] | None
    before: Journal
    """Our orders as the last cycle left them, to tell what a trip took off."""
    journal: Journal
    """Our orders as far as they are proven now."""
    began_ms: TimeMs
    """When the reads began that `groups` is one of."""
    limits: Limits | None
    until_ms: TimeMs
    """No trigger is waited for any longer."""
    events: tuple[EventGroup, ...] = ()
    """The order groups of single events."""


def check(ports: Ports, session: SessionMetadata | None, seen: Seen) -> SessionMetadata | None:
    """The session as it stands after its breakers. Safe to repeat: a latched session stays latched."""
    if session is None:
        return None
    if session.status in STOPPED:
        return _stopped(ports, session, seen)
    if session.status is not SessionStatus.ACTIVE:
        return session
    if degraded(ports, session):
        ports.facts.emit("WARNING", what="degraded session", why=WITHOUT_GROUPS)
    if _reached(session, seen) is None:
        return _kept_limits(ports, session, seen)
    return _latch_afresh(ports, session, seen)


def _reached(session: SessionMetadata, seen: Seen) -> tuple[Reason, list[str]] | None:
    """The limit that this session has reached, with the groups that it concerns."""
    tripped = _tripped(session, seen)
    if tripped:
        return Reason.GROUP_TRIPPED, tripped
    together = _tripped_together(session, seen)
    if together:
        return Reason.GROUP_TRIPPED, together
    if used_up(session, _matched(session, seen)):
        return Reason.SESSION_CAP, sorted(group.group_id for group in session.order_groups)
    return None


def _tripped(session: SessionMetadata, seen: Seen) -> list[str]:
    """Groups of ours that the list shows tripped, if it can be no older than what armed the session."""
    if seen.began_ms - session.live_since_ms < GROUPS_LAG_MS:
        return []
    ours = {group.group_id for group in session.order_groups}
    return sorted({group.group_id for group in seen.groups or () if group.tripped} & ours)


def _tripped_together(session: SessionMetadata, seen: Seen) -> list[str]:
    """Groups of events that tripped within minutes of each other, where they are enough to latch it."""
    if seen.globals_ is None or seen.globals_.group_by != BY_EVENT:
        return []
    since_ms = max(seen.began_ms - TOGETHER_MS, session.live_since_ms)
    own = [group for group in seen.events if group.session_id == session.session_id]
    if tripped_together(own, since_ms) < seen.globals_.event_trips_together:
        return []
    return sorted(group.group_id for group in own if tripped_together([group], since_ms))


def _stopped(ports: Ports, session: SessionMetadata, seen: Seen) -> SessionMetadata:
    """Armed again, if it may be; else every group whose trigger was not answered is triggered again.

    Neither after anybody's command since this cycle began: session and kill flag are read afresh.
    """
    arms = session.status is SessionStatus.LIMIT_REACHED and _rearms(ports, session, seen)
    if not arms and not untriggered(session) and not to_trigger(seen.events):
        return session
    control, current = ports.state.read_kill_switch()
    if current != session:
        return session
    if arms and not control.halted:
        return _rearm_by_itself(ports, session, seen.limits)
    return trigger_again(ports, session, seen.events, seen.limits, seen.until_ms)


def triggered(session: SessionMetadata | None, groups: Iterable[OrderGroup] | None) -> frozenset[str]:
    """Groups of a stopped session in which nothing rests: they answered their trigger.

    One that the exchange does not list may be gone without it, so it is left out.
    """
    if session is None or session.status not in STOPPED:
        return frozenset()
    answered = {group.group_id for group in session.order_groups if group.tripped}
    return frozenset(answered if groups is None else answered & {group.group_id for group in groups})


def _matched(session: SessionMetadata, seen: Seen) -> Count:
    return contracts_matched(session, seen.traded, seen.journal.orders.values())


# --- latching ---------------------------------------------------------------------------------------


def _latch_afresh(ports: Ports, session: SessionMetadata, seen: Seen) -> SessionMetadata | None:
    """Latched, unless the session as it is stored by now has reached nothing: a reset may have come between.

    A session that cannot be read afresh is latched as it was: better triggered twice than never.
    """
    try:
        _, current = ports.state.read_kill_switch()
    except StateError as error:
        ports.facts.emit("ERROR", what="read of the session before a latch", why=str(error))
        current = session
    if current is None or current.status is not SessionStatus.ACTIVE:
        return current
    reached = _reached(current, seen)
    return current if reached is None else _latch(ports, current, *reached, seen)


def _latch(
    ports: Ports, session: SessionMetadata, reason: Reason, group_ids: list[str], seen: Seen
) -> SessionMetadata:
    """Trigger what is not triggered yet, then latch."""
    latched = latch(ports, session, seen.events, reason, seen.limits, seen.until_ms)
    for group_id in group_ids or [""]:
        taken = _taken_off(seen, group_id)
        ports.facts.emit(
            "ORDER_GROUP_LIMIT_REACHED",
            order_group_id=group_id,
            reason=reason,
            contracts_matched=format_count(_matched(session, seen)),
            orders_cancelled=len(taken),
            orders=taken,
        )
    if ports.dry_run:
        return latched
    try:
        return ports.state.save_session(latched)
    except StateConflict as error:
        ports.facts.emit("ERROR", what="latching the session", why=str(error))
        return latched


def _taken_off(seen: Seen, group_id: str) -> list[str]:
    """Client order ids of ours that rested in the group and were not filled.

    A late read shows them resting still.
    """
    rested = [o for o in seen.before.orders.values() if o.open and o.group_id == group_id]
    after = seen.journal.orders
    left = (order for order in rested if _left_over(order, after.get(order.client_order_id)))
    return sorted(order.client_order_id for order in left)


def _left_over(order: TrackedOrder, after: TrackedOrder | None) -> bool:
    return after is not None and (after.open or after.reduced > order.reduced)


# --- arming again -----------------------------------------------------------------------------------


def _rearms(ports: Ports, session: SessionMetadata, seen: Seen) -> bool:
    """Only what a tripped group latched, only so often, and not before it has cooled down."""
    configured, since_ms = seen.globals_, session.limit_reached_at_ms
    if configured is None or since_ms is None or not configured.auto_reset_on_limit:
        return False
    return (
        session.reason == Reason.GROUP_TRIPPED
        and not seen.halted
        and not used_up(session, _matched(session, seen))
        and session.resets < configured.auto_reset_max
        and ports.clock.now_ms() - since_ms >= configured.auto_reset_cooldown_s * 1000
    )


def _rearm_by_itself(ports: Ports, session: SessionMetadata, limits: Limits | None) -> SessionMetadata:
    """Active again, or latched still: what did not work is tried again by the next cycle.

    This cycle then takes no group for triggered: a reset may have armed any of them.
    """
    try:
        return rearm(ports, session, session._replace(resets=session.resets + 1), limits)
    except (ExchangeError, StateConflict) as error:
        ports.facts.emit("ERROR", what="reset of the session", why=str(error))
        groups = tuple(group._replace(tripped=False) for group in session.order_groups)
        return session._replace(order_groups=groups)


def _kept_limits(ports: Ports, session: SessionMetadata, seen: Seen) -> SessionMetadata:
    """The burst limits of GLOBAL; the cycle goes on with what is recorded when somebody else is writing."""
    try:
        if seen.globals_ is None:
            return session
        return keep_limits(ports, session, seen.globals_, WritePace(ports, seen.limits))
    except StateConflict as error:
        ports.facts.emit("ERROR", what="record of the burst limits", why=str(error))
        return session
