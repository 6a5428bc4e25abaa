"""Closing a session: trigger first, then wait until no open orders remain; `closing` until that is proven."""

from dora.core.errors import ExchangeError
from dora.core.event_group import EventGroup
from dora.core.exchange.account import Limits
from dora.core.ports import Exchange, Ports
from dora.core.session import SessionGroup, SessionMetadata, SessionStatus
from dora.core.state import BotState
from dora.core.units import Count, Money, TimeMs, format_count, format_money
from dora.flow.session.open_order_check import TeardownLoop, resting_orders
from dora.flow.session.status import UNKNOWN, Response
from dora.flow.shared.session_groups import update_session

LEAVE_MS = 20_000
"""With this little time left the answer is `closing`, and the next call goes on."""
LOST = "no record of a session: its orders were found by the prefix of their client order ids"


def close(
    ports: Ports,
    session: SessionMetadata,
    events: tuple[EventGroup, ...] | None,
    limits: Limits | None,
    deadline_ms: int,
) -> Response:
    """Take a closing session to `closed`, or as far as time allows. Safe to repeat and to interrupt.

    Null in the answer is what was not found out: no complete list was read, or no order looked up by itself.
    `events` are the groups of single events; None: they could not be read, so all is taken off, but nothing
    is proven.
    """
    loop = _begin(ports, session, events or (), limits, deadline_ms)
    if ports.dry_run or loop.run_until_clear(settles=events is not None):
        return _closed(ports, loop.session)
    ports.facts.count("TeardownsUnfinished", 1)
    return {
        "status": "closing",
        "session_id": session.session_id,
        "reason": _paused(ports.exchange, loop.shards) or session.reason,
        **loop.left,
    }


def take_off(
    ports: Ports,
    session: SessionMetadata,
    events: tuple[EventGroup, ...],
    limits: Limits | None,
    deadline_ms: int,
) -> None:
    """All that a teardown does about orders, for one whose record could not be read or written."""
    if not ports.dry_run:
        loop = _begin(ports, session, events, limits, deadline_ms)
        loop.run_until_clear(settles=False)
        ports.facts.emit("ERROR", what="record of the teardown", untriggered=loop.untriggered)


def _begin(
    ports: Ports,
    session: SessionMetadata,
    events: tuple[EventGroup, ...],
    limits: Limits | None,
    deadline_ms: int,
) -> TeardownLoop:
    ports.exchange.until(TimeMs(max(deadline_ms, ports.clock.now_ms() + LEAVE_MS)))
    return TeardownLoop(ports, session, events, limits, deadline_ms - LEAVE_MS)


def lost_session(ports: Ports) -> SessionMetadata | None:
    """A record in place of one that is lost, when orders with our prefix rest: their groups are its groups.

    Nothing else on the account is touched: neither orders of another prefix nor groups without an order of
    ours. Raises ExchangeError when what rests could not be read.
    """
    rows = resting_orders(ports, None)
    if not rows:
        return None
    shards = {row.group_id: row.shard for row in rows if row.group_id}
    return SessionMetadata(
        session_id=f"lost-{ports.clock.now_ms()}",
        status=SessionStatus.ACTIVE,
        created_at_ms=ports.clock.now_ms(),
        contracts_limit=Count(0),
        order_groups=tuple(
            SessionGroup(group_id=group_id, shard=shard, tag=f"lost-{number}", burst_limit=Count(0))
            for number, (group_id, shard) in enumerate(sorted(shards.items()))
        ),
        use_order_groups=bool(shards),
    )


def _paused(exchange: Exchange, shards: set[int]) -> str:
    """Of the shards where something is left, those that take not even cancels, in words."""
    try:
        status = exchange.status()
    except ExchangeError:
        return ""
    paused = [str(s) for s in sorted(shards & status.keys()) if not status[s].exchange_active]
    return f"exchange paused on shard {', '.join(paused)}" if paused else ""


def _closed(ports: Ports, session: SessionMetadata) -> Response:
    now_ms = ports.clock.now_ms()
    summary = _summary(ports.state.load(), session, now_ms)
    closed = session._replace(status=SessionStatus.CLOSED, ended_at_ms=now_ms, summary=summary)
    ended = update_session(ports, session, lambda current: _closed_like(current, closed))
    ports.state.save_history(ended)
    ports.facts.emit("SESSION_CLOSED", session_id=session.session_id, **summary)
    return {
        "status": "closed",
        "session_id": session.session_id,
        "reason": session.reason,
        "resting": 0,
        "summary": summary,
    }


def _closed_like(current: SessionMetadata, closed: SessionMetadata) -> SessionMetadata:
    """Only triggers' answers may have been noted since, and only of this session."""
    if current.session_id != closed.session_id or current.status is SessionStatus.CLOSED:
        return current
    return closed._replace(order_groups=current.order_groups, rev=current.rev)


def _summary(state: BotState, session: SessionMetadata, now_ms: TimeMs) -> dict[str, str | int]:
    """What the ledger holds, every fill until no open orders remained in it.

    Of a session whose record was lost nobody knows when it began, nor how much had been traded before it.
    """
    positions, lost = state.positions.values(), not session.contracts_limit
    traded = state.traded - session.traded_at_start
    return {
        "duration_seconds": UNKNOWN if lost else (now_ms - session.created_at_ms) // 1000,
        "contracts": UNKNOWN if lost else format_count(Count(traded)),
        "open_positions": sum(1 for position in positions if position.net),
        "cash_flow_dollars": format_money(Money(sum(position.cash for position in positions))),
        "fees_dollars": format_money(Money(sum(position.fees for position in positions))),
    }
