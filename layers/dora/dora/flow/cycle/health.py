"""The figures that alarms go by, taken from what a cycle saw, decided and sent."""

from typing import NamedTuple

from dora.core.exchange.account import Limits
from dora.core.exchange.snapshot import Snapshot
from dora.core.health import (
    Health,
    failed_percent,
    quotes_missing,
    stopped_by,
    tokens_of,
    unresolved,
)
from dora.core.reasons import Reason
from dora.core.session import SessionMetadata
from dora.core.units import Money, TimeMs
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.cycle.execute import Execution
from dora.flow.cycle.inputs import Choice
from dora.flow.cycle.loss_limits import LossCheck


class Stop(NamedTuple):
    """What may have stopped the bot: session and losses after the breakers, and the first switch."""

    session: SessionMetadata | None
    losses: LossCheck
    blocked_by: Reason | None


def health(
    loaded: LoadedState,
    snapshot: Snapshot,
    stop: Stop,
    day_profit: Money,
    choice: Choice,
    execution: Execution,
    now_ms: TimeMs,
) -> Health:
    """`day_profit`: since the exchange's day began."""
    return Health(
        write_tokens=_tokens(execution, loaded.limits),
        stopped_by=stopped_by(stop.session, stop.losses.control, key_refused=snapshot.auth_refused),
        orders_unresolved=unresolved(execution.journal.orders.values(), now_ms),
        writes_failed_percent=failed_percent(execution.tally),
        quotes_missing=quotes_missing(
            wanted=sum(1 for config in loaded.wanted.values() if config.enabled),
            quoted=sum(1 for decision in choice.decisions if decision.targets),
            blocked_by=stop.blocked_by,
            status=snapshot.status,
        ),
        day_profit=day_profit,
        loss_limit_percent=stop.losses.lost_percent,
        worst_loss_cap=loaded.globals_.max_total_loss,
    )


def _tokens(execution: Execution, limits: Limits) -> int:
    """Changes in place are what is neither a cancel nor a placement."""
    cancels, creates = execution.cancels.total_requested, execution.places.total_requested
    return tokens_of(cancels, creates, execution.tally.requested - cancels - creates, limits)
