"""The session: started, watched, halted and torn down by hand or schedule. Needs no part of the cycle.

A session owns its order groups. A triggered group refuses every order and has none resting: that is the
fence a teardown stands on, and why it triggers before it looks.
"""

from collections.abc import Callable
from dataclasses import replace

from dora.core.errors import ExchangeError, StateConflict, StateError
from dora.core.model import SessionMetadata, SessionStatus
from dora.core.ports import Control, Outside
from dora.core.reasons import Reason
from dora.core.session import SessionAction, SessionCommand
from dora.core.session_limit import contracts_matched, used_up
from dora.core.units import Count, TimeMs
from dora.flow import breakers
from dora.flow.opening import start
from dora.flow.status import SILENCE_MS, Answer, brief, refused, silent_ms, status
from dora.flow.teardown import LOST, close, lost_session

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
        SessionAction.HALT: lambda: halt(outside, command.reason, cancel=command.cancel),
        SessionAction.RESUME: lambda: resume(outside),
        SessionAction.RESET: lambda: reset(outside),
        SessionAction.WATCH: lambda: watch(outside, deadline_ms=deadline_ms),
    }
    return actions[command.action]()


def teardown(outside: Outside, *, reason: str, deadline_ms: int) -> Answer:
    """Trigger every group, then prove that nothing rests; `closing` until it is proven. Safe to repeat.

    Without a record of a session, orders with our prefix are torn down, and the groups they are in. A state
    that takes no writes fails the teardown, but the groups are triggered first.
    """
    session = outside.state.load().session
    if session is None:
        session, reason = lost_session(outside), LOST
    if session is None:
        return {"status": "none", "reason": "there is no session, and no order with our prefix rests"}
    if session.status is SessionStatus.CLOSED:
        return brief(outside, session)
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


def halt(outside: Outside, reason: str, *, cancel: bool = False) -> Answer:
    """Stop placing before the next batch, whatever else is set. Safe to repeat.

    `cancel` takes resting quotes off in the next cycle, also where GLOBAL's `cancel_on_halt` would not.
    """
    why = reason or "halted by hand"
    outside.state.set_control(Control(halted=True, cancel=cancel, reason=why, at_ms=outside.clock.now_ms()))
    outside.facts.emit("RISK_HALT", reason=why)
    return status(outside)


def resume(outside: Outside) -> Answer:
    """Lift the halt. A session that is not active stays so. Safe to repeat."""
    outside.state.set_control(Control(at_ms=outside.clock.now_ms()))
    return status(outside)


def reset(outside: Outside) -> Answer:
    """Re-arm a session that reached a limit; one ended by its contract limit needs a higher limit first.

    Counts for nothing but itself: neither matched contracts nor the resets of the bot's own begin anew.
    """
    state = outside.state.load()
    session = state.session
    if session is None or session.status is not SessionStatus.LIMIT_REACHED:
        return refused(session, "only a session in limit_reached can be reset")
    globals_ = outside.configs.load().globals_
    limit = globals_.session_contract_limit if globals_ else session.contracts_limit
    raised = replace(session, contracts_limit=limit)
    traded = Count(sum(position.traded for position in state.positions.values()))
    if used_up(raised, contracts_matched(raised, traded, state.journal.orders.values())):
        return refused(session, "the session's contract limit is used up: raise session_contract_limit")
    try:
        return brief(outside, breakers.rearm(outside, session, raised))
    except ExchangeError as error:
        return refused(session, f"{error}; reset again")


def watch(outside: Outside, *, deadline_ms: int) -> Answer:
    """On a schedule of its own: pull an active session off the market when cycles stopped finishing."""
    state = outside.state.load()
    session = state.session
    if session is not None and session.status is SessionStatus.CLOSING:
        return close(outside, session, deadline_ms)
    if session is None or session.status is not SessionStatus.ACTIVE:
        return {"status": "idle"}
    silent_s = silent_ms(outside, state, session) // 1000
    if silent_s * 1000 < SILENCE_MS:
        return {"status": "ok", "silent_seconds": silent_s}
    outside.facts.emit("HEARTBEAT", status="silent", silent_seconds=silent_s)
    latched = breakers.latched_at_limit(outside, session, Reason.SILENT)
    _save(outside, latched, lambda current: _latched_like(current, latched))
    unheard = [group.group_id for group in latched.order_groups if not group.tripped]
    return {"status": "triggered", "silent_seconds": silent_s, "untriggered": unheard}


def _latched_like(current: SessionMetadata, latched: SessionMetadata) -> SessionMetadata:
    """What somebody else has made of the session in the meantime stands, unless it is active still."""
    if current.session_id != latched.session_id or current.status is not SessionStatus.ACTIVE:
        return current
    return replace(latched, rev=current.rev)


def _save(
    outside: Outside, session: SessionMetadata, again: Callable[[SessionMetadata], SessionMetadata]
) -> SessionMetadata:
    """Save; when a cycle wrote the session in between, apply the same change to what it wrote."""
    try:
        return outside.state.save_session(session)
    except StateConflict:
        current = outside.state.load().session
        if current is None:
            return session
        wanted = again(current)
        return current if wanted == current else outside.state.save_session(wanted)
