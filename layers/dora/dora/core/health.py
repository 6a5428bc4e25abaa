"""What alarms go by: figures of one cycle that are 0 while all is well."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.exchange.account import Limits, ShardStatus
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.write_tally import WriteTally
from dora.core.reasons import Reason
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.state import KillSwitch
from dora.core.units import Money, TimeMs

UNRESOLVED_MS = 3 * 60_000
"""Three cycles: by then a read has mostly told what became of a write."""

HALTED_BY_RISK = frozenset(
    {
        Reason.DAILY_LOSS.value,
        Reason.LOSS_SINCE.value,
        Reason.EQUITY_FLOOR.value,
        Reason.EXTERNAL_ACTIVITY.value,
    }
)
"""Reasons of a kill flag that the bot set itself."""

CLOSED_BY_A_PERSON = frozenset(
    {
        Reason.HALTED,
        Reason.TRADING_DISABLED,
        Reason.NO_SESSION,
        Reason.SESSION_NOT_ACTIVE,
        Reason.CONFIG_MISSING,
    }
)
"""Under these nobody expects quotes, or an alarm of its own says why there are none."""


class Health(NamedTuple):
    """One cycle's figures, as its record names them."""

    write_tokens: int
    """What its writes cost."""
    stopped_by: str
    """What stopped the bot and waits for a person; "": nothing did, or a person."""
    orders_unresolved: int
    writes_failed_percent: int
    quotes_missing: bool
    day_profit: Money
    loss_limit_percent: int | None
    """What is lost of the limit of loss that is nearest; None: nobody states one."""
    worst_loss_cap: Money
    """`max_total_loss_dollars`."""


def stopped_by(session: SessionMetadata | None, control: KillSwitch, *, key_refused: bool) -> str:
    """What the bot was stopped by that waits for a person; "": by nothing, or by a person."""
    if key_refused:
        return Reason.AUTH_REFUSED.value
    if control.halted and control.reason in HALTED_BY_RISK:
        return control.reason
    if session is not None and session.status is SessionStatus.LIMIT_REACHED:
        return session.reason or session.status.value
    return ""


def unresolved(orders: Iterable[TrackedOrder], now_ms: TimeMs) -> int:
    """Orders of ours whose last write is three cycles old and whose fate is not known yet."""
    unproven = (o for o in orders if o.state not in (OrderState.LIVE, OrderState.CLOSED))
    return sum(1 for order in unproven if now_ms - max(order.sent_ms, order.write_ms) > UNRESOLVED_MS)


def tokens_of(cancels: int, creates: int, changes: int, limits: Limits) -> int:
    """What so many writes cost on this account."""
    return cancels * limits.cancel_cost + creates * limits.create_cost + changes * limits.default_cost


def failed_percent(tally: WriteTally) -> int:
    """Of the orders that this cycle's writes named, how many were refused or not answered; 0 of none."""
    return tally.failed * 100 // tally.requested if tally.requested else 0


def quotes_missing(
    *, wanted: int, quoted: int, blocked_by: Reason | None, status: Mapping[int, ShardStatus] | None
) -> bool:
    """Whether nothing is quoted although it should be: markets are enabled, and the exchange trades.

    An exchange whose status could not be read may trade.
    """
    if not wanted or quoted or blocked_by in CLOSED_BY_A_PERSON:
        return False
    return not status or any(shard.exchange_active and shard.trading_active for shard in status.values())
