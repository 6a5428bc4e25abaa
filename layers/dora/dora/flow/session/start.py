"""Opening a session: the preflight, its order groups, and the groups of old sessions out of the way."""

from dora.core.errors import ExchangeError, StateError
from dora.core.event_group import EventGroup
from dora.core.exchange.pacing import GROUP_COST
from dora.core.orders.expiry import session_end_ms
from dora.core.ports import Ports
from dora.core.session import SessionGroup, SessionMetadata, SessionStatus
from dora.core.state import BotState
from dora.flow.session.preflight import Preflight, inspect
from dora.flow.session.status import Response, brief, refused
from dora.flow.shared.account_limits import share_of, tell_limiter
from dora.flow.shared.group_trigger import AnyGroup
from dora.flow.shared.reported import Reported
from dora.flow.shared.session_groups import WITHOUT_GROUPS, degraded, keep_limits
from dora.flow.shared.write_pace import WritePace

OLD_GROUP_MS = 24 * 3_600_000
"""Groups of sessions that closed longer ago than this are deleted."""
MOST_DELETIONS = 50
"""Of one start, which pays for each with write tokens; the next start deletes the next ones."""


def start(ports: Ports, session_id: str) -> Response:
    """Open a session, or bring the open one in line with the configs: groups it lacks, burst limits.

    Every finding of the preflight is returned at once; with any that forbids trading nothing is opened.
    Its hours begin anew. Safe to repeat: a group whose create was not answered is made again, and the orphan
    holds no order.
    """
    state = ports.state.load()
    session = state.session
    if session is not None and session.status in (SessionStatus.CLOSING, SessionStatus.LIMIT_REACHED):
        fix = "tear it down" if session.status is SessionStatus.CLOSING else "reset it, or tear it down"
        return refused(session, f"session is {session.status} ({session.reason}): {fix} first")
    checks = inspect(ports, state)
    if checks.blockers:
        return {"status": "refused", "reason": "preflight", "findings": checks.findings}
    tell_limiter(ports.limiter, checks.limits, checks.globals_, ports.prefix)
    pace = WritePace(ports, share_of(checks.limits, checks.globals_))
    if not ports.dry_run:
        _clean_up(ports, session, pace)
    if session is None or session.status is SessionStatus.CLOSED:
        session = _open(ports, state, session, session_id, checks)
    else:
        now_ms = ports.clock.now_ms()
        ends_at_ms = session_end_ms(now_ms, checks.globals_)
        session = ports.state.save_session(session._replace(ends_at_ms=ends_at_ms, armed_at_ms=now_ms))
    return _activate(ports, session, checks, pace)


def _open(
    ports: Ports, state: BotState, previous: SessionMetadata | None, session_id: str, checks: Preflight
) -> SessionMetadata:
    fresh = SessionMetadata(
        session_id=session_id,
        status=SessionStatus.STARTING,
        created_at_ms=ports.clock.now_ms(),
        ends_at_ms=session_end_ms(ports.clock.now_ms(), checks.globals_),
        contracts_limit=checks.globals_.session_contract_limit,
        use_order_groups=checks.globals_.use_order_groups and not ports.dry_run,
        traded_at_start=state.traded,
        rev=previous.rev if previous else 0,
    )
    ports.state.save_limits(checks.limits)
    return ports.state.save_session(fresh)


def _activate(ports: Ports, session: SessionMetadata, checks: Preflight, pace: WritePace) -> Response:
    """One group for each shard and strategy tag in use, with its tag's limit, recorded one by one."""
    session = keep_limits(ports, session, checks.globals_, pace)
    for shard, tag in checks.tags if session.use_order_groups else ():
        if session.group_for(shard, tag) is not None:
            continue
        limit = checks.globals_.burst_limit_of(tag)
        pace.wait(GROUP_COST)
        try:
            group_id = ports.exchange.create_group(shard, limit)
        except ExchangeError as error:
            return refused(session, f"order group for shard {shard}: {error}; start again")
        group = SessionGroup(group_id=group_id, shard=shard, tag=tag, burst_limit=limit)
        session = ports.state.save_session(session._replace(order_groups=(*session.order_groups, group)))
    pace.charge()
    if session.status is not SessionStatus.ACTIVE:
        armed = session._replace(status=SessionStatus.ACTIVE, reason="", armed_at_ms=ports.clock.now_ms())
        session = ports.state.save_session(armed)
        ports.facts.emit("SESSION_INITIALIZED", **brief(ports, session))
    if degraded(ports, session):
        ports.facts.emit("WARNING", what="degraded session", why=WITHOUT_GROUPS)
    return {**brief(ports, session), "findings": checks.findings}


def _clean_up(ports: Ports, session: SessionMetadata | None, pace: WritePace) -> None:
    """Delete the groups of sessions closed long ago: the exchange's list of groups has no pages."""
    now_ms = ports.clock.now_ms()
    listed: set[str] | None = None
    with Reported(ports.facts, "list of order groups", ExchangeError):
        listed = {group.group_id for group in ports.exchange.order_groups().rows}
    if listed is None:
        return
    old: list[AnyGroup] = [
        group
        for past in ports.state.history(20)
        if past.ended_at_ms is not None and now_ms - past.ended_at_ms >= OLD_GROUP_MS
        for group in past.order_groups
        if group.group_id in listed
    ]
    old += _old_events(ports, session, now_ms)
    for group in old[:MOST_DELETIONS]:
        if group.group_id in listed:
            pace.wait(GROUP_COST)
            with Reported(ports.facts, f"deletion of group {group.group_id}", ExchangeError):
                ports.exchange.delete_group(group.group_id, group.shard)
        elif isinstance(group, EventGroup):
            ports.state.drop_event_group(group)


def _old_events(ports: Ports, session: SessionMetadata | None, now_ms: int) -> list[EventGroup]:
    """Groups of single events of former sessions, long enough after anything was done about them.

    Their items are dropped by the first start that finds them listed no longer.
    """
    open_id = session.session_id if session and session.status is not SessionStatus.CLOSED else ""
    found: tuple[EventGroup, ...] = ()
    with Reported(ports.facts, "order groups of single events", StateError):
        found = ports.state.event_groups()
    return [
        group
        for group in found
        if group.session_id != open_id
        and now_ms - max(group.asked_ms, group.armed_ms, group.rests_since_ms) >= OLD_GROUP_MS
    ]
