"""How things stand, in one answer: the session, what rests and is held, tokens, and why nothing is quoted.

All but the checks comes from our own state, so it can be asked at any time and costs the exchange nothing.
What only the exchange knows is shown as of the last finished cycle. What is not known is null or "unknown".
"""

from collections.abc import Iterable, Mapping

from dora.core.accounts.ledger import Position
from dora.core.calendar import format_time
from dora.core.errors import StateError
from dora.core.event_group import EventGroup
from dora.core.orders.journal import OrderState, fold_plans
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.risk.error_rate import is_cooling
from dora.core.risk.gates import GateInputs, closed_switches
from dora.core.risk.rests import RESTS, read_rests, resting_now, standing
from dora.core.risk.session_limit import contracts_free, contracts_matched
from dora.core.risk.standing import mode_of, resumed
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.state import BotState
from dora.core.units import Count, Money, TimeMs, format_count, format_money
from dora.flow.session.preflight import inspect
from dora.flow.shared.event_groups import to_trigger
from dora.flow.shared.reported import Reported
from dora.flow.shared.session_groups import STOPPED, WITHOUT_GROUPS, degraded, untriggered

Response = dict[str, object]
Record = Mapping[str, object]

UNKNOWN = "unknown"
NOBODY_TOLD = "nobody is told: deploy with AlarmEmail"

SILENCE_MS = 3 * 60_000
"""A session this long without a finished cycle is pulled off the market by the watch."""
FOUND_BY_CYCLES = (Reason.AUTH_REFUSED, Reason.READ_UNKNOWN, Reason.READ_STALE, Reason.CLOCK_SKEW)


def status(ports: Ports, *, checks: bool = False) -> Response:
    """How things stand; with `checks` also what a preflight finds on the exchange. Changes nothing."""
    state = ports.state.load()
    state = state._replace(journal=fold_plans(state.journal, state.plans))
    events = _event_groups(ports, state.session)
    record = ports.state.summary(state.progress.cycle_id) if state.progress.cycle_id else None
    return {
        **(brief(ports, state.session) if state.session else {"status": "none"}),
        **_contracts(state, events),
        **_events(events),
        "halted": state.control.halted,
        **({"halt_reason": state.control.reason} if state.control.halted else {}),
        **_risk(ports.clock.now_ms(), state, record or {}),
        "why_not_quoting": [str(reason) for reason in why_not_quoting(ports, state, record or {})],
        "alarms": "told" if ports.notices else NOBODY_TOLD,
        **_last_cycle(ports.clock.now_ms(), state, record or {}),
        **_orders(state),
        **_money(state.positions.values(), record or {}),
        "cash": _named(record or {}, "cash_"),
        "overdue": _named(record or {}, "overdue_"),
        "tokens": _tokens(ports, state),
        **({"findings": inspect(ports, state).findings} if checks else {}),
    }


def why_not_quoting(ports: Ports, state: BotState, record: Record) -> list[Reason]:
    """Every reason that keeps the whole bot from placing, most restrictive first; none: it may place.

    The switches are those of the cycle, asked of the same state; `record` is the last finished cycle's.
    """
    standing = GateInputs(
        globals_=ports.configs.load().globals_,
        control=state.control,
        session=state.session,
        account_known=True,
        reads_stale=False,
        auth_refused=False,
        skew_ms=0,
        max_skew_ms=0,
        status={},
        cash={},
        groups=(),
        now_ms=ports.clock.now_ms(),
        writes_cooling=is_cooling(resumed(state.risk, state.control), ports.clock.now_ms()),
    )
    reasons = list(closed_switches(standing))
    undecided = not record.get("markets")
    reasons += [reason for reason in FOUND_BY_CYCLES if undecided and record.get("reason") == reason]
    if _is_silent(ports.clock.now_ms(), state):
        reasons.append(Reason.SILENT)
    return reasons + ([Reason.DRY_RUN] if ports.dry_run else [])


def _risk(now_ms: TimeMs, state: BotState, record: Record) -> Response:
    """What may be placed, and which markets rest for the refusals they met."""
    latched = resumed(state.risk, state.control).reducing
    why = latched or record.get("reducing")
    rests = standing(read_rests(state.memory.get(RESTS, {})), now_ms, state.control.at_ms)
    return {
        "risk": str(mode_of(state.control, reducing=bool(why))),
        **({"risk_reason": why} if why and not state.control.halted else {}),
        "refused_markets": [
            {"market": name, "code": rest.code, "until": format_time(TimeMs(rest.until_ms))}
            for name, rest in sorted(resting_now(rests, now_ms).items())
        ],
    }


def silent_ms(now_ms: TimeMs, completed_ms: TimeMs, session: SessionMetadata) -> int:
    """Time since a cycle finished, or since the session was opened, started again or reset."""
    return now_ms - max(completed_ms, session.live_since_ms)


def _is_silent(now_ms: TimeMs, state: BotState) -> bool:
    session = state.session
    if session is None or session.status is not SessionStatus.ACTIVE:
        return False
    return silent_ms(now_ms, state.progress.completed_ms, session) >= SILENCE_MS


def brief(ports: Ports, session: SessionMetadata) -> Response:
    """The session in a few words."""
    return {
        "status": str(session.status),
        "session_id": session.session_id,
        "reason": session.reason,
        "contracts_limit": format_limit(session.contracts_limit),
        **({"ends_at": format_time(session.ends_at_ms)} if session.ends_at_ms is not None else {}),
        "order_groups": {f"{g.shard}/{g.tag}": g.group_id for g in session.order_groups},
        **({"degraded": WITHOUT_GROUPS} if degraded(ports, session) else {}),
        **({"summary": dict(session.summary)} if session.summary else {}),
    }


def format_limit(limit: Count) -> str:
    """A limit in contracts. A record that stands for a lost one has none: no limit can be set to 0."""
    return format_count(limit) if limit else UNKNOWN


def refused(session: SessionMetadata | None, why: str) -> Response:
    """Nothing was changed, and why."""
    return {"status": "refused", "reason": why, **({"session_id": session.session_id} if session else {})}


def _event_groups(ports: Ports, session: SessionMetadata | None) -> tuple[EventGroup, ...] | None:
    """Those of this session; None, which is reported: they could not be read."""
    if session is None:
        return ()
    with Reported(ports.facts, "order groups of single events", StateError):
        found = ports.state.event_groups() if ports.state.emergency_state().event_groups else ()
        return tuple(group for group in found if group.session_id == session.session_id)
    return None


def _events(events: tuple[EventGroup, ...] | None) -> Response:
    """The events that have order groups of their own, and those of them that rest, since when.

    Null: which there are is not known.
    """
    if events is None:
        return {"event_groups": None, "events_resting": None}
    if not events:
        return {}
    resting = [group for group in events if not group.armed]
    return {
        "event_groups": len(events),
        "events_resting": {
            group.event: {
                "order_group_id": group.group_id,
                "since": format_time(group.rests_since_ms or group.asked_ms),
                "trips_today": len(group.trips),
            }
            for group in resting
        },
    }


def _contracts(state: BotState, events: tuple[EventGroup, ...] | None) -> Response:
    """The session's own count, its groups as recorded, and its resets.

    Where the record was lost, so was what the session had matched before it, and its limit.
    """
    session = state.session
    if session is None:
        return {}
    count = (session, state.traded, tuple(state.journal.orders.values()))
    lost = not session.contracts_limit
    return {
        "contracts_matched": UNKNOWN if lost else format_count(contracts_matched(*count)),
        "contracts_free": UNKNOWN if lost else format_count(contracts_free(*count)),
        "resets": session.resets,
        "groups": [
            {
                "order_group_id": group.group_id,
                "shard": group.shard,
                "tag": group.tag,
                "burst_limit": format_limit(group.burst_limit),
                "tripped": group.tripped,
            }
            for group in session.order_groups
        ],
        "untriggered": None if events is None else _untriggered(session, events),
    }


def _untriggered(session: SessionMetadata, events: tuple[EventGroup, ...]) -> list[str]:
    """Groups of a stopped session that have not answered their trigger."""
    open_events = to_trigger(events) if session.status in STOPPED else ()
    own = [group.group_id for group in untriggered(session)]
    return own + [group.group_id for group in open_events]


def _last_cycle(now_ms: TimeMs, state: BotState, record: Record) -> Response:
    """When it was, what it came to, and how many markets and slots it left out for which reason."""
    done = state.progress
    ago_s = (now_ms - done.completed_ms) // 1000 if done.cycle_id else None
    return {
        "last_cycle": done.cycle_id,
        "last_cycle_status": done.status,
        "last_cycle_reason": record.get("reason"),
        "stopped_by": record.get("stopped_by"),
        "quotes_missing": _flag(record, "quotes_missing"),
        "orders_unresolved": record.get("orders_unresolved"),
        "writes_failed_percent": record.get("writes_failed_percent"),
        "loss_limit_percent": record.get("loss_limit_percent"),
        "drift": record.get("drift"),
        "orders_of_others": record.get("orders_of_others"),
        "dropped": record.get("dropped"),
        "last_cycle_seconds_ago": ago_s,
        "markets_quoted": record.get("markets_quoted"),
        "markets_not_quoted": _named(record, "skipped_"),
        "slots_not_quoted": _named(record, "slots_"),
        "slots_cut": _named(record, "cut_"),
    }


def _flag(record: Record, name: str) -> bool | None:
    found = record.get(name)
    return None if found is None else bool(found)


def _named(record: Record, prefix: str) -> dict[str, object] | None:
    """The fields whose names begin so. None where no cycle has left a record."""
    if not record:
        return None
    return {name.removeprefix(prefix): n for name, n in record.items() if name.startswith(prefix)}


def _orders(state: BotState) -> Response:
    open_orders = [order for order in state.journal.orders.values() if order.open]
    return {
        "open_orders": len(open_orders),
        "resting_contracts": format_count(Count(sum(order.remaining for order in open_orders))),
        "unproven_orders": sum(1 for order in open_orders if order.state is not OrderState.LIVE),
        "unfinished_plans": len(state.plans),
    }


def _money(positions: Iterable[Position], record: Record) -> Response:
    """Cash flow and fees are the ledger's; profit counts open positions at the last cycle's marks."""
    held = list(positions)
    return {
        "positions": {p.ticker: format_count(p.net) for p in held if p.net},
        "cash_flow_dollars": format_money(Money(sum(p.cash for p in held))),
        "fees_dollars": format_money(Money(sum(p.fees for p in held))),
        "pnl_dollars": record.get("pnl_dollars"),
        "positions_unmarked": record.get("positions_unmarked"),
    }


def _tokens(ports: Ports, state: BotState) -> Response | str:
    """What each bucket holds now; a limiter that cannot be read keeps nobody from seeing the rest."""
    if state.limits is None:
        return f"{UNKNOWN}: the first start learns the account's limits"
    ports.limiter.configure(state.limits)
    shards = {group.shard for group in state.session.order_groups} if state.session else set()
    buckets = ["read", "balance", "write", *(f"write#{shard}" for shard in sorted(shards - {0}))]
    now_ms = ports.clock.now_ms()
    try:
        return {bucket: ports.limiter.level(bucket, now_ms) for bucket in buckets}
    except StateError as error:
        return f"{UNKNOWN}: {error}"
