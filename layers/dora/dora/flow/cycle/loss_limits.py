"""What stops the bot by itself for what it has lost: in a day, over longer, and by what is left.

A limit that is reached sets the kill flag, which only a `resume` lifts; near it no new risk is taken.
The figures that this is told from are stored with the cycle's outcome, the kill flag at once.
"""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.calendar import exchange_day
from dora.core.config import GlobalConfig
from dora.core.exchange.snapshot import Snapshot
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.risk.equity import equity
from dora.core.risk.standing import (
    Standing,
    counted_from,
    halts,
    is_low,
    latches,
    lost_percent,
    reduces,
    resumed,
)
from dora.core.state import BotState, KillSwitch, Progress, RiskState
from dora.core.units import Money, Price, format_money
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.shared.accounting import Accounts


class DayStart(NamedTuple):
    """One day of the exchange, and the profit with which it began."""

    day: str
    profit: Money


class LossCheck(NamedTuple):
    """How the bot stands after this cycle's profit.

    `lost_percent`: of the limit of loss that is nearest; None where nobody states one. `reducing`: why no new
    risk is taken.
    """

    control: KillSwitch
    day: DayStart
    state: RiskState
    lost_percent: int | None = None
    reducing: Reason | None = None


def check_losses(
    ports: Ports, loaded: LoadedState, accounts: Accounts, marks: Mapping[str, Price], snapshot: Snapshot
) -> LossCheck:
    """The kill flag, set when a limit is reached, and how the day began.

    Without a valid GLOBAL item nothing is placed, and nobody is halted for a limit that nobody chose. Profit
    that came with positions taken over in this cycle was made or lost before the bot knew of them: the day,
    and what losses are counted from, begin with it. Safe to repeat: a kill flag that is set stays as it is.
    """
    state, limits = loaded.state, loaded.configs.globals_
    profit, entered = accounts.profit(marks), accounts.entered_profit(marks)
    today = exchange_day(ports.clock.now_ms())
    day = _day_start(state.progress, today, profit, entered)
    risk = resumed(state.risk, state.control)
    risk = risk._replace(profit_since=Money(risk.profit_since + entered)) if risk.since else risk
    if limits is None:
        return LossCheck(state.control, day, risk)
    worth = _equity(limits, loaded, accounts, marks, snapshot)
    standing = Standing(
        now_ms=ports.clock.now_ms(),
        profit=profit,
        day_lost=Money(day.profit - profit),
        equity=worth,
        all_marked=accounts.unmarked(marks) == 0,
    )
    risk = counted_from(risk, limits, today, profit, _before(ports, risk, limits, today))
    control = _halted(ports, state, halts(risk, limits, standing), standing, risk)
    risk = _latched(ports, risk, latches(risk, limits, standing), standing)
    risk = risk._replace(equity_low=is_low(limits, standing))
    lost = lost_percent(risk, limits, standing)
    return LossCheck(control, day, risk, lost, reduces(risk, limits, standing))


def _day_start(before: Progress, today: str, profit: Money, entered: Money) -> DayStart:
    return DayStart(today, Money(before.day_profit + entered) if before.day == today else profit)


def _equity(
    limits: GlobalConfig,
    loaded: LoadedState,
    accounts: Accounts,
    marks: Mapping[str, Price],
    snapshot: Snapshot,
) -> Money | None:
    """Only where a floor asks for it."""
    if not limits.equity_floor:
        return None
    positions, events = accounts.positions.values(), loaded.reference.events
    return equity(snapshot.cash, positions, marks, snapshot.markets, events)


def _before(ports: Ports, risk: RiskState, limits: GlobalConfig, today: str) -> Money:
    """Profit made before the configured day, by the rows: read once, when the day is new."""
    since = limits.loss_since
    if not since or since == risk.since or since > today:
        return Money(0)
    return Money(sum(row.profit for row in ports.state.profit_rows() if row.day < since))


def _halted(
    ports: Ports, state: BotState, why: Reason | None, standing: Standing, risk: RiskState
) -> KillSwitch:
    if why is None or state.control.halted:
        return state.control
    lost = standing.day_lost if why is Reason.DAILY_LOSS else risk.profit_since - standing.profit
    worth = "" if standing.equity is None else format_money(standing.equity)
    return halt(ports, why, lost_dollars=format_money(Money(lost)), equity_dollars=worth)


def halt(ports: Ports, why: Reason, **told: object) -> KillSwitch:
    """The kill flag, set for this reason, unless somebody has set it since the cycle began: that stands."""
    control, _ = ports.state.read_kill_switch()
    if control.halted:
        return control
    halted = KillSwitch(halted=True, reason=why.value, at_ms=ports.clock.now_ms())
    ports.state.set_control(halted)
    ports.facts.emit("RISK_HALT", reason=why, **told)
    return halted


def _latched(ports: Ports, risk: RiskState, why: Reason | None, standing: Standing) -> RiskState:
    if why is None or risk.reducing:
        return risk
    lost = format_money(standing.day_lost)
    ports.facts.emit("WARNING", what="no new risk is taken until a resume", reason=why, day_lost_dollars=lost)
    return risk._replace(reducing=why.value, reducing_ms=standing.now_ms)
