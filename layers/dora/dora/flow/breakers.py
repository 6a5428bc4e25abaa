"""What stops the bot by itself: a tripped order group, the session's contract limit, the day's loss.

The exchange's group is a burst breaker over a rolling 15 s; how much a whole session may trade is ours to
count, from booked fills.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dora.core.calendar import exchange_day
from dora.core.errors import ExchangeError, StateConflict
from dora.core.model import OrderGroup, SessionMetadata, SessionStatus
from dora.core.ports import BotState, Control, Outside
from dora.core.reasons import Reason
from dora.core.units import Count, Money, format_count, format_money


@dataclass(frozen=True, slots=True)
class DayStart:
    """One day of the exchange, and the profit with which it began."""

    day: str
    profit: Money


def check(
    outside: Outside,
    session: SessionMetadata | None,
    traded: Count,
    groups: Iterable[OrderGroup] | None,
) -> SessionMetadata | None:
    """The session as it stands after its breakers. Safe to repeat: only an active session changes."""
    if session is None or session.status is not SessionStatus.ACTIVE:
        return session
    ours = {group.group_id for group in session.order_groups}
    tripped = [group.group_id for group in groups or () if group.tripped and group.group_id in ours]
    matched = Count(traded - session.traded_at_start)
    if tripped:
        return _latch(outside, session, Reason.GROUP_TRIPPED, matched, tripped)
    if matched >= session.contracts_limit:
        return _latch(outside, session, Reason.SESSION_CAP, matched, sorted(ours))
    return session


def _latch(
    outside: Outside, session: SessionMetadata, reason: Reason, matched: Count, group_ids: list[str]
) -> SessionMetadata:
    """Trigger what is not triggered yet, then latch: only a person's reset makes the session active again."""
    trigger_groups(outside, session)
    latched = replace(session, status=SessionStatus.LIMIT_REACHED, reason=reason.value)
    for group_id in group_ids:
        outside.facts.emit(
            "ORDER_GROUP_LIMIT_REACHED",
            order_group_id=group_id,
            reason=reason,
            contracts_matched=format_count(matched),
        )
    if outside.dry_run:
        return latched
    try:
        return outside.state.save_session(latched)
    except StateConflict as error:
        outside.facts.emit("ERROR", what="latching the session", why=str(error))
        return latched


def check_day(
    outside: Outside, state: BotState, profit: Money, max_daily_loss: Money
) -> tuple[Control, DayStart]:
    """The kill flag, set when the exchange's day has lost its limit, and how that day began.

    Latched: only a person's `resume` lifts it, and it falls again while the day's loss stands.
    """
    today = exchange_day(outside.clock.now_ms())
    before = state.progress
    began = DayStart(today, before.day_profit if before.day == today else profit)
    lost = Money(began.profit - profit)
    if state.control.halted or lost < max_daily_loss:
        return state.control, began
    halted = Control(halted=True, reason=Reason.DAILY_LOSS.value, at_ms=outside.clock.now_ms())
    outside.state.set_control(halted)
    outside.facts.emit("RISK_HALT", reason=Reason.DAILY_LOSS, lost_dollars=format_money(lost))
    return halted, began


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
