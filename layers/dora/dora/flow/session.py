"""The session: started, watched, halted and torn down by hand or schedule. Needs no part of the cycle.

A session owns its order groups. A triggered group refuses every order and has none resting: that is the
fence a teardown stands on, and why it triggers before it looks.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from dora.core.errors import ExchangeError, StateConflict, StateError
from dora.core.ledger import Position
from dora.core.model import SessionGroup, SessionMetadata, SessionStatus
from dora.core.ports import BotState, Control, Outside
from dora.core.reasons import Reason
from dora.core.session import SessionAction, SessionCommand
from dora.core.units import Count, Money, TimeMs, format_count, format_money
from dora.flow import breakers
from dora.flow.preflight import Preflight, inspect
from dora.flow.teardown import close

Answer = dict[str, object]

WATCH_SILENCE_MS = 3 * 60_000
"""A session this long without a finished cycle is pulled off the market."""
OLD_GROUP_MS = 24 * 3_600_000
CLOSING_WRITES_MS = 5_000
"""Kept of an invocation for what follows the exchange's last answer."""


def run_command(outside: Outside, command: SessionCommand, session_id: str, remaining_ms: int) -> Answer:
    """One action. `session_id` names a session that this call opens, if it opens one."""
    deadline_ms = outside.clock.now_ms() + remaining_ms
    outside.exchange.until(TimeMs(deadline_ms - CLOSING_WRITES_MS))
    actions: dict[SessionAction, Callable[[], Answer]] = {
        SessionAction.START: lambda: start(outside, session_id),
        SessionAction.STATUS: lambda: status(outside, checks=command.checks),
        SessionAction.TEARDOWN: lambda: teardown(outside, reason=command.reason, deadline_ms=deadline_ms),
        SessionAction.HALT: lambda: halt(outside, command.reason),
        SessionAction.RESUME: lambda: resume(outside),
        SessionAction.RESET: lambda: reset(outside),
        SessionAction.WATCH: lambda: watch(outside, deadline_ms=deadline_ms),
    }
    return actions[command.action]()


def start(outside: Outside, session_id: str) -> Answer:
    """Open a session, or add to the open one the groups it lacks. Safe to repeat: an orphan holds no order.

    Every finding of the preflight is returned at once; with any that forbids trading nothing is opened.
    """
    state = outside.state.load()
    session = state.session
    if session is not None and session.status in (SessionStatus.CLOSING, SessionStatus.LIMIT_REACHED):
        fix = "tear it down" if session.status is SessionStatus.CLOSING else "reset it, or tear it down"
        return _refused(session, f"session is {session.status} ({session.reason}): {fix} first")
    checks = inspect(outside, state)
    if checks.blockers:
        return {"status": "refused", "reason": "preflight", "findings": checks.findings}
    if not outside.dry_run:
        _clean_up(outside)
    if session is None or session.status is SessionStatus.CLOSED:
        session = _open(outside, state, session, session_id, checks)
    return _activate(outside, session, checks)


def _open(
    outside: Outside, state: BotState, previous: SessionMetadata | None, session_id: str, checks: Preflight
) -> SessionMetadata:
    fresh = SessionMetadata(
        session_id=session_id,
        status=SessionStatus.STARTING,
        created_at_ms=outside.clock.now_ms(),
        contracts_limit=checks.globals_.session_contract_limit,
        use_order_groups=checks.globals_.use_order_groups and not outside.dry_run,
        traded_at_start=Count(sum(position.traded for position in state.positions.values())),
        rev=previous.rev if previous else 0,
    )
    outside.state.save_limits(checks.limits)
    return outside.state.save_session(fresh)


def _activate(outside: Outside, session: SessionMetadata, checks: Preflight) -> Answer:
    """One group for each shard and strategy tag in use, recorded one by one."""
    wanted = checks.tags if session.use_order_groups else ()
    for shard, tag in wanted:
        if session.group_for(shard, tag) is not None:
            continue
        try:
            group_id = outside.exchange.create_group(shard, checks.globals_.group_burst_limit)
        except ExchangeError as error:
            return _refused(session, f"order group for shard {shard}: {error}; start again")
        group = SessionGroup(
            group_id=group_id, shard=shard, tag=tag, burst_limit=checks.globals_.group_burst_limit
        )
        session = outside.state.save_session(replace(session, order_groups=(*session.order_groups, group)))
    if session.status is not SessionStatus.ACTIVE:
        session = outside.state.save_session(replace(session, status=SessionStatus.ACTIVE, reason=""))
        outside.facts.emit("SESSION_INITIALIZED", **_brief(session))
    return {**_brief(session), "findings": checks.findings}


def _clean_up(outside: Outside) -> None:
    """Delete the groups of sessions closed long ago: the exchange's list of groups has no pages."""
    now_ms = outside.clock.now_ms()
    try:
        listed = {group.group_id for group in outside.exchange.order_groups()}
    except ExchangeError as error:
        outside.facts.emit("ERROR", what="list of order groups", why=str(error))
        return
    for past in outside.state.history(20):
        if past.ended_at_ms is None or now_ms - past.ended_at_ms < OLD_GROUP_MS:
            continue
        for group in past.order_groups:
            if group.group_id in listed:
                _delete(outside, group)


def _delete(outside: Outside, group: SessionGroup) -> None:
    try:
        outside.exchange.delete_group(group.group_id, group.shard)
    except ExchangeError as error:
        outside.facts.emit("ERROR", what=f"deletion of group {group.group_id}", why=str(error))


def status(outside: Outside, *, checks: bool = False) -> Answer:
    """How things stand, from state alone; with `checks` also what a preflight finds on the exchange."""
    state = outside.state.load()
    traded = sum(position.traded for position in state.positions.values())
    session = state.session
    answer: Answer = {
        **(_brief(session) if session else {"status": "none"}),
        "halted": state.control.halted,
        "last_cycle": state.progress.cycle_id,
        "last_cycle_status": state.progress.status,
        "open_orders": sum(1 for order in state.journal.orders.values() if order.open),
        "unfinished_plans": len(state.plans),
        **_money(state.positions.values()),
    }
    if session is not None:
        answer["contracts_matched"] = format_count(Count(traded - session.traded_at_start))
    if checks:
        answer["findings"] = inspect(outside, state).findings
    return answer


def teardown(outside: Outside, *, reason: str, deadline_ms: int) -> Answer:
    """Trigger every group, then prove that nothing rests; `closing` until it is proven. Safe to repeat.

    A state that takes no writes fails the teardown, but the groups are triggered first.
    """
    session = outside.state.load().session
    if session is None:
        return {"status": "none", "reason": "there is no session to tear down"}
    if session.status is SessionStatus.CLOSED:
        return _brief(session)
    if session.status is not SessionStatus.CLOSING:
        wanted = replace(session, status=SessionStatus.CLOSING, reason=reason or "teardown")
        try:
            session = _save(
                outside, wanted, lambda s: replace(s, status=SessionStatus.CLOSING, reason=wanted.reason)
            )
        except StateError:
            breakers.trigger_groups(outside, session)
            raise
    return close(outside, session, deadline_ms)


def halt(outside: Outside, reason: str) -> Answer:
    """Stop placing before the next batch, whatever else is set. Safe to repeat."""
    outside.state.set_control(
        Control(halted=True, reason=reason or "halted by hand", at_ms=outside.clock.now_ms())
    )
    outside.facts.emit("RISK_HALT", reason=reason or "halted by hand")
    return status(outside)


def resume(outside: Outside) -> Answer:
    """Lift the halt. A session that is not active stays so. Safe to repeat."""
    outside.state.set_control(Control(at_ms=outside.clock.now_ms()))
    return status(outside)


def reset(outside: Outside) -> Answer:
    """Re-arm a session that reached a limit; one ended by its contract limit needs a higher limit first."""
    state = outside.state.load()
    session = state.session
    if session is None or session.status is not SessionStatus.LIMIT_REACHED:
        return _refused(session, "only a session in limit_reached can be reset")
    globals_ = outside.configs.load().globals_
    limit = globals_.session_contract_limit if globals_ else session.contracts_limit
    traded = sum(position.traded for position in state.positions.values())
    if traded - session.traded_at_start >= limit:
        return _refused(session, "the session's contract limit is used up: raise session_contract_limit")
    for group in session.order_groups:
        try:
            outside.exchange.reset_group(group.group_id, group.shard)
        except ExchangeError as error:
            return _refused(session, f"reset of group {group.group_id}: {error}; reset again")
        outside.facts.emit("GROUP_RESET", order_group_id=group.group_id)
    armed = replace(session, status=SessionStatus.ACTIVE, reason="", contracts_limit=limit)
    return _brief(outside.state.save_session(armed))


def watch(outside: Outside, *, deadline_ms: int) -> Answer:
    """On a schedule of its own: pull an active session off the market when cycles stopped finishing."""
    state = outside.state.load()
    session = state.session
    if session is not None and session.status is SessionStatus.CLOSING:
        return close(outside, session, deadline_ms)
    if session is None or session.status is not SessionStatus.ACTIVE:
        return {"status": "idle"}
    silent_ms = outside.clock.now_ms() - max(state.progress.completed_ms, session.created_at_ms)
    if silent_ms < WATCH_SILENCE_MS:
        return {"status": "ok", "silent_seconds": silent_ms // 1000}
    outside.facts.emit("HEARTBEAT", status="silent", silent_seconds=silent_ms // 1000)
    failed = breakers.trigger_groups(outside, session)
    latched = replace(session, status=SessionStatus.LIMIT_REACHED, reason=Reason.GROUP_TRIPPED.value)
    _save(outside, latched, lambda s: replace(s, status=SessionStatus.LIMIT_REACHED))
    return {"status": "triggered", "silent_seconds": silent_ms // 1000, "untriggered": list(failed)}


def _save(
    outside: Outside, session: SessionMetadata, again: Callable[[SessionMetadata], SessionMetadata]
) -> SessionMetadata:
    """Save; when a cycle wrote the session in between, apply the same change to what it wrote."""
    try:
        return outside.state.save_session(session)
    except StateConflict:
        current = outside.state.load().session
        return outside.state.save_session(again(current)) if current else session


def _refused(session: SessionMetadata | None, why: str) -> Answer:
    return {"status": "refused", "reason": why, **({"session_id": session.session_id} if session else {})}


def _brief(session: SessionMetadata) -> Answer:
    return {
        "status": str(session.status),
        "session_id": session.session_id,
        "reason": session.reason,
        "contracts_limit": format_count(session.contracts_limit),
        "order_groups": {f"{g.shard}/{g.tag}": g.group_id for g in session.order_groups},
        **({"summary": dict(session.summary)} if session.summary else {}),
    }


def _money(positions: Iterable[Position]) -> Answer:
    held = list(positions)
    return {
        "positions": {p.ticker: format_count(p.net) for p in held if p.net},
        "cash_flow_dollars": format_money(Money(sum(p.cash for p in held))),
        "fees_dollars": format_money(Money(sum(p.fees for p in held))),
    }
