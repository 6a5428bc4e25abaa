"""What stops the bot by itself, and what arms it again: order groups, the session's contract limit, the day.

The exchange's group is a burst breaker over a rolling 15 s; how much a whole session may trade is ours to
count. A session latched at a limit stays so until a person's reset, but for one that a tripped group latched:
that one GLOBAL may have re-armed, a few times.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dora.core.calendar import exchange_day
from dora.core.config import GlobalConfig
from dora.core.errors import ExchangeError, StateConflict, StateError
from dora.core.journal import Journal, TrackedOrder
from dora.core.model import OrderGroup, SessionGroup, SessionMetadata, SessionStatus
from dora.core.pacing import GROUP_COST
from dora.core.ports import BotState, Control, Outside
from dora.core.reasons import Reason
from dora.core.session_limit import contracts_matched, used_up
from dora.core.units import Count, Money, format_count, format_money

WITHOUT_GROUPS = (
    "the session runs without order groups (use_order_groups is false): no burst breaker, no trigger that "
    "takes every order off at once, no fence against late orders after a teardown"
)
"""Said at the start, in the status and by every cycle."""


@dataclass(frozen=True, slots=True)
class DayStart:
    """One day of the exchange, and the profit with which it began."""

    day: str
    profit: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
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


def check(outside: Outside, session: SessionMetadata | None, seen: Seen) -> SessionMetadata | None:
    """The session as it stands after its breakers. Safe to repeat: a latched session stays latched."""
    if session is None:
        return None
    if session.status is SessionStatus.LIMIT_REACHED and _rearms(outside, session, seen):
        return _rearm_by_itself(outside, session)
    if session.status is not SessionStatus.ACTIVE:
        return session
    if degraded(outside, session):
        outside.facts.emit("WARNING", what="degraded session", why=WITHOUT_GROUPS)
    ours = {group.group_id for group in session.order_groups}
    tripped = {group.group_id for group in seen.groups or () if group.tripped} & ours
    if tripped:
        return _latch(outside, session, Reason.GROUP_TRIPPED, seen, sorted(tripped))
    if used_up(session, _matched(session, seen)):
        return _latch(outside, session, Reason.SESSION_CAP, seen, sorted(ours))
    if seen.globals_ is None:
        return session
    return _kept_limits(outside, session, seen.globals_.group_burst_limit)


def _matched(session: SessionMetadata, seen: Seen) -> Count:
    return contracts_matched(session, seen.traded, seen.journal.orders.values())


def degraded(outside: Outside, session: SessionMetadata) -> bool:
    """Whether it runs without the exchange's own fence. A dry run sends nothing and needs none."""
    return not session.use_order_groups and not outside.dry_run


# --- latching ---------------------------------------------------------------------------------------


def _latch(
    outside: Outside, session: SessionMetadata, reason: Reason, seen: Seen, group_ids: list[str]
) -> SessionMetadata:
    """Trigger what is not triggered yet, then latch."""
    latched = latched_at_limit(outside, session, reason)
    for group_id in group_ids or [""]:
        outside.facts.emit(
            "ORDER_GROUP_LIMIT_REACHED",
            order_group_id=group_id,
            reason=reason,
            contracts_matched=format_count(_matched(session, seen)),
            orders_cancelled=_taken_off(seen, group_id),
        )
    if outside.dry_run:
        return latched
    try:
        return outside.state.save_session(latched)
    except StateConflict as error:
        outside.facts.emit("ERROR", what="latching the session", why=str(error))
        return latched


def latched_at_limit(outside: Outside, session: SessionMetadata, reason: Reason) -> SessionMetadata:
    """The session with its groups triggered, as it is to be stored. Safe to repeat."""
    unheard = trigger_groups(outside, session)
    groups = [replace(group, tripped=group.group_id not in unheard) for group in session.order_groups]
    return replace(
        session,
        status=SessionStatus.LIMIT_REACHED,
        reason=reason.value,
        limit_reached_at_ms=outside.clock.now_ms(),
        order_groups=tuple(groups),
    )


def _taken_off(seen: Seen, group_id: str) -> int:
    """Orders of ours that rested in the group and were not filled: a late read shows them resting still."""
    rested = [o for o in seen.before.orders.values() if o.open and o.group_id == group_id]
    after = seen.journal.orders
    return sum(1 for order in rested if _left_over(order, after.get(order.client_order_id)))


def _left_over(order: TrackedOrder, after: TrackedOrder | None) -> bool:
    return after is not None and (after.open or after.reduced > order.reduced)


def trigger_groups(outside: Outside, session: SessionMetadata) -> tuple[str, ...]:
    """Trigger every group of a session; returns those that did not answer, each reported."""
    failed = []
    for group in session.order_groups if not outside.dry_run else ():
        try:
            outside.exchange.trigger_group(group.group_id, group.shard)
        except ExchangeError as error:
            failed.append(group.group_id)
            outside.facts.emit("ERROR", what=f"trigger of group {group.group_id}", why=str(error))
    return tuple(failed)


# --- arming again -----------------------------------------------------------------------------------


def rearm(outside: Outside, session: SessionMetadata, armed: SessionMetadata) -> SessionMetadata:
    """Reset every group of a latched session, then store it as `armed`, active.

    Raises an ExchangeError or StateError, with the groups triggered again: the session is latched still, or
    somebody is closing it, and its groups are the fence that a teardown stands on. Safe to repeat: yes, a
    reset sets a group to one state.
    """
    groups = tuple(replace(group, tripped=False) for group in session.order_groups)
    active = replace(
        armed, status=SessionStatus.ACTIVE, reason="", limit_reached_at_ms=None, order_groups=groups
    )
    try:
        for group in groups if not outside.dry_run else ():
            outside.exchange.reset_group(group.group_id, group.shard)
        stored = outside.state.save_session(active)
    except (ExchangeError, StateError):
        trigger_groups(outside, session)
        raise
    for group in groups:
        outside.facts.emit("GROUP_RESET", order_group_id=group.group_id, resets=armed.resets)
    return stored


def _rearms(outside: Outside, session: SessionMetadata, seen: Seen) -> bool:
    """Only what a tripped group latched, only so often, and not before it has cooled down."""
    configured, since_ms = seen.globals_, session.limit_reached_at_ms
    if configured is None or since_ms is None or not configured.auto_reset_on_limit:
        return False
    return (
        session.reason == Reason.GROUP_TRIPPED
        and not seen.halted
        and not used_up(session, _matched(session, seen))
        and session.resets < configured.auto_reset_max
        and outside.clock.now_ms() - since_ms >= configured.auto_reset_cooldown_s * 1000
    )


def _rearm_by_itself(outside: Outside, session: SessionMetadata) -> SessionMetadata:
    """Active again, or as it was: what did not work is tried again by the next cycle."""
    try:
        return rearm(outside, session, replace(session, resets=session.resets + 1))
    except (ExchangeError, StateConflict) as error:
        outside.facts.emit("ERROR", what="reset of the session", why=str(error))
        return session


# --- burst limits -----------------------------------------------------------------------------------


def keep_limits(outside: Outside, session: SessionMetadata, burst_limit: Count) -> SessionMetadata:
    """Bring the groups' burst limits to the configured one; each is recorded once the exchange has it.

    Lowering a limit may trip its group, which is found like any trip. Safe to repeat: yes, it sets a value.
    Raises StateConflict when somebody wrote the session in between; then all of it is done again.
    """
    groups = tuple(_with_limit(outside, group, burst_limit) for group in session.order_groups)
    if groups == session.order_groups:
        return session
    return outside.state.save_session(replace(session, order_groups=groups))


def _with_limit(outside: Outside, group: SessionGroup, burst_limit: Count) -> SessionGroup:
    if group.burst_limit == burst_limit or outside.dry_run:
        return group
    outside.limiter.charge("write", GROUP_COST, outside.clock.now_ms())
    try:
        outside.exchange.limit_group(group.group_id, group.shard, burst_limit)
    except ExchangeError as error:
        outside.facts.emit("ERROR", what=f"burst limit of group {group.group_id}", why=str(error))
        return group
    return replace(group, burst_limit=burst_limit)


def _kept_limits(outside: Outside, session: SessionMetadata, burst_limit: Count) -> SessionMetadata:
    """For a cycle, which goes on with what is recorded when somebody else is writing the session."""
    try:
        return keep_limits(outside, session, burst_limit)
    except StateConflict as error:
        outside.facts.emit("ERROR", what="record of the burst limits", why=str(error))
        return session


# --- the day ----------------------------------------------------------------------------------------


def check_day(
    outside: Outside, state: BotState, profit: Money, max_daily_loss: Money | None
) -> tuple[Control, DayStart]:
    """The kill flag, set when the exchange's day has lost its limit, and how that day began.

    `max_daily_loss` None: no valid GLOBAL item states one. Nothing is placed then, and nobody is halted for
    a limit that nobody chose.

    Latched: only a person's `resume` lifts it, and it falls again while the day's loss stands.
    """
    today = exchange_day(outside.clock.now_ms())
    before = state.progress
    began = DayStart(today, before.day_profit if before.day == today else profit)
    lost = Money(began.profit - profit)
    if state.control.halted or max_daily_loss is None or lost < max_daily_loss:
        return state.control, began
    halted = Control(halted=True, reason=Reason.DAILY_LOSS.value, at_ms=outside.clock.now_ms())
    outside.state.set_control(halted)
    outside.facts.emit("RISK_HALT", reason=Reason.DAILY_LOSS, lost_dollars=format_money(lost))
    return halted, began
