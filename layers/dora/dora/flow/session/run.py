"""The session: started, watched, halted and torn down by hand or schedule. Needs no part of the cycle.

A session owns its order groups. A triggered group refuses every order and has none resting: that is the
fence a teardown stands on, and why it triggers before it looks. Teardown, watch and halt act before they read
anything that they do not need: journal, positions and configs may be broken, or a newer version's.
"""

from collections.abc import Callable

from dora.core.errors import DoraError, ExchangeError, StateError, TriggerInvalid
from dora.core.ports import Facts, Ports
from dora.core.reasons import Reason
from dora.core.risk.session_limit import contracts_matched, used_up
from dora.core.session import SessionAction, SessionCommand, SessionMetadata, SessionStatus
from dora.core.state import EmergencyState, KillSwitch
from dora.core.units import TimeMs
from dora.flow.session.credit import credit
from dora.flow.session.digest import digest
from dora.flow.session.start import start
from dora.flow.session.status import SILENCE_MS, UNKNOWN, Response, brief, refused, silent_ms, status
from dora.flow.session.teardown import LOST, close, lost_session, take_off
from dora.flow.shared.event_groups import readable, to_trigger
from dora.flow.shared.session_groups import (
    STOPPED,
    latch,
    rearm,
    trigger_again,
    untriggered,
    update_session,
)

CLOSING_WRITES_MS = 5_000
"""Kept of an invocation for what follows the exchange's last answer."""
WATCH_TRIGGERS_MS = 45_000
"""Longest time in which one watch triggers groups: the next one is due a minute after it."""


def run_command(ports: Ports, command: SessionCommand, session_id: str, remaining_ms: int) -> Response:
    """One action. `session_id` names a session that this call opens, if it opens one."""
    deadline_ms = ports.clock.now_ms() + remaining_ms
    ports.exchange.until(TimeMs(deadline_ms - CLOSING_WRITES_MS))
    actions: dict[SessionAction, Callable[[], Response]] = {
        SessionAction.START: lambda: start(ports, session_id),
        SessionAction.STATUS: lambda: status(ports, checks=command.checks),
        SessionAction.TEARDOWN: lambda: teardown(ports, reason=command.reason, deadline_ms=deadline_ms),
        SessionAction.HALT: lambda: halt(ports, command.reason, cancel=command.cancel),
        SessionAction.RESUME: lambda: resume(ports),
        SessionAction.RESET: lambda: reset(ports),
        SessionAction.DIGEST: lambda: digest(ports),
        SessionAction.CREDIT: lambda: _credit(ports, command),
        SessionAction.WATCH: lambda: watch(ports, deadline_ms=deadline_ms),
    }
    return actions[command.action]()


def _credit(ports: Ports, command: SessionCommand) -> Response:
    if command.credited is None:
        raise TriggerInvalid(f"{command.action} of nothing")
    return credit(ports, command.credited)


def teardown(ports: Ports, *, reason: str, deadline_ms: int) -> Response:
    """Trigger every group, then prove that nothing rests; `closing` until it is proven. Safe to repeat.

    Without a record of a session, orders with our prefix are torn down, and the groups they are in. A state
    that cannot be reached fails the teardown, but only after all has been taken off.
    """
    found = _found(ports, deadline_ms)
    session = found.session
    if session is None:
        session, reason = lost_session(ports), LOST
    if session is None:
        return {"status": "none", "reason": "there is no session, and no order with our prefix rests"}
    if found.unreadable:
        _report_unreadable(ports.facts, found)
    elif session.status not in (SessionStatus.CLOSING, SessionStatus.CLOSED):
        session = _closing(ports, session, found, reason or "teardown", deadline_ms)
    if session.status is SessionStatus.CLOSED:
        return brief(ports, session)
    return close(ports, session, readable(ports, found), found.limits, deadline_ms)


def _found(ports: Ports, deadline_ms: int) -> EmergencyState:
    try:
        return ports.state.emergency_state()
    except StateError:
        session = lost_session(ports)
        if session is not None:
            take_off(ports, session, (), None, deadline_ms)
        raise


def _closing(
    ports: Ports, session: SessionMetadata, found: EmergencyState, reason: str, deadline_ms: int
) -> SessionMetadata:
    """Recorded before the first trigger, so that whoever comes later goes on with it."""
    try:
        return update_session(ports, session, lambda current: _closing_like(current, reason))
    except StateError:
        take_off(ports, session, readable(ports, found) or (), found.limits, deadline_ms)
        raise


def _closing_like(current: SessionMetadata, reason: str) -> SessionMetadata:
    if current.status is SessionStatus.CLOSED:
        return current
    return current._replace(status=SessionStatus.CLOSING, reason=reason)


def _report_unreadable(facts: Facts, found: EmergencyState) -> None:
    facts.emit("ERROR", what="record of the session", why=found.unreadable)


def halt(ports: Ports, reason: str, *, cancel: bool = False) -> Response:
    """Stop placing before the next batch, whatever else is set. Safe to repeat.

    `cancel` takes resting quotes off in the next cycle, also where GLOBAL's `cancel_on_halt` would not.
    """
    why = reason or "halted by hand"
    ports.state.set_control(KillSwitch(halted=True, cancel=cancel, reason=why, at_ms=ports.clock.now_ms()))
    ports.facts.emit("RISK_HALT", reason=why)
    return _done(ports, {"halted": True, "halt_reason": why})


def resume(ports: Ports) -> Response:
    """Lift the halt. A session that is not active stays so. Safe to repeat."""
    ports.state.set_control(KillSwitch(at_ms=ports.clock.now_ms()))
    return _done(ports, {"halted": False})


def _done(ports: Ports, what: Response) -> Response:
    """The status after a command that is in force, whether or not the status can be read."""
    try:
        return status(ports)
    except DoraError as error:
        ports.facts.emit("ERROR", what="status", why=str(error))
        return {"status": "unknown", **what, "message": str(error)}


def reset(ports: Ports) -> Response:
    """Re-arm a session that reached a limit; one ended by its contract limit needs a higher limit first.

    Counts for nothing but itself: neither matched contracts nor the resets of the bot's own begin anew.
    """
    state = ports.state.load()
    session = state.session
    if session is None or session.status is not SessionStatus.LIMIT_REACHED:
        return refused(session, "only a session in limit_reached can be reset")
    globals_ = ports.configs.load().globals_
    limit = globals_.session_contract_limit if globals_ else session.contracts_limit
    raised = session._replace(contracts_limit=limit)
    if used_up(raised, contracts_matched(raised, state.traded, state.journal.orders.values())):
        return refused(session, "the session's contract limit is used up: raise session_contract_limit")
    try:
        return brief(ports, rearm(ports, session, raised, state.limits))
    except ExchangeError as error:
        return refused(session, f"{error}; reset again")


def watch(ports: Ports, *, deadline_ms: int) -> Response:
    """On a schedule of its own: what a stopped session left undone, and an active one that fell silent.

    Groups whose trigger was not answered are triggered again, and a closing session is closed. An active
    session is pulled off the market when cycles stopped finishing. Safe to repeat.
    """
    found = ports.state.emergency_state()
    session, until_ms = found.session, ports.clock.now_ms() + WATCH_TRIGGERS_MS
    if session is None:
        return {"status": "idle"}
    events = readable(ports, found)
    if session.status is SessionStatus.CLOSING:
        return close(ports, session, events, found.limits, deadline_ms)
    if session.status in STOPPED and (untriggered(session) or to_trigger(events or ())):
        return _triggered(ports, found, trigger_again(ports, session, events or (), found.limits, until_ms))
    if session.status in STOPPED and events is None:
        return {"status": UNKNOWN, "untriggered": None}
    if session.status is not SessionStatus.ACTIVE:
        return {"status": "idle"}
    if found.unreadable:
        _report_unreadable(ports.facts, found)
    silent_s = silent_ms(ports.clock.now_ms(), found.completed_ms, session) // 1000
    if silent_s * 1000 < SILENCE_MS:
        return {"status": "ok", "silent_seconds": silent_s}
    ports.facts.emit("HEARTBEAT", status="silent", silent_seconds=silent_s)
    latched = latch(ports, session, events or (), Reason.SILENT, found.limits, until_ms)
    if not found.unreadable:
        update_session(ports, session, lambda current: _latched_like(current, latched))
    return _triggered(ports, found, latched, silent_seconds=silent_s)


def _triggered(ports: Ports, found: EmergencyState, session: SessionMetadata, **more: object) -> Response:
    """Null: which groups have not answered is not known."""
    events, open_ids = readable(ports, found), [group.group_id for group in untriggered(session)]
    open_ids += [group.group_id for group in to_trigger(events or ())]
    return {"status": "triggered", **more, "untriggered": None if events is None else open_ids}


def _latched_like(current: SessionMetadata, latched: SessionMetadata) -> SessionMetadata:
    """What somebody else has made of the session in the meantime stands, unless it is active still."""
    if current.session_id != latched.session_id or current.status is not SessionStatus.ACTIVE:
        return current
    return latched._replace(rev=current.rev)
