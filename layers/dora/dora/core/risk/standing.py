"""How the bot stands: ACTIVE, REDUCING or HALTED, and what it keeps of losses and failures to tell.

    HALTED    the kill flag: set by a person, or by a limit of loss. `resume` lifts it
    REDUCING  latched near a limit of loss, until a `resume`; for a cycle, while profit is not known
    ACTIVE    neither

What latches holds from the cycle that finds it, and falls again after a `resume` while its cause stands.
"""

from enum import StrEnum
from typing import NamedTuple

from dora.core.config import GlobalConfig
from dora.core.reasons import Reason
from dora.core.state import KillSwitch, RiskState
from dora.core.units import Money, TimeMs

PERCENT = 100
HIGH = "high"
"""What losses are counted from where no date is given: the highest profit so far."""


class RiskMode(StrEnum):
    """What may be placed: anything within the caps, only what lowers a worst case, or nothing."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class Standing(NamedTuple):
    """A cycle's figures. `equity` None: not every position could be priced, or cash was not read."""

    now_ms: TimeMs
    profit: Money
    day_lost: Money
    """Lost since the exchange's midnight; below zero where it was won."""
    equity: Money | None
    all_marked: bool
    """Whether every open position has a price: else `profit` takes it at its worst."""


def mode_of(control: KillSwitch, *, reducing: bool) -> RiskMode:
    """The most restrictive that holds."""
    if control.halted:
        return RiskMode.HALTED
    return RiskMode.REDUCING if reducing else RiskMode.ACTIVE


def resumed(state: RiskState, control: KillSwitch) -> RiskState:
    """The state after a person's `resume`: whatever latched before it is over."""
    if control.halted or control.at_ms < max(state.reducing_ms, state.tripped_ms):
        return state
    return state._replace(reducing="", reducing_ms=TimeMs(0), tripped_ms=TimeMs(0), cool_until_ms=TimeMs(0))


def counted_from(
    state: RiskState, limits: GlobalConfig, today: str, profit: Money, before: Money
) -> RiskState:
    """The state with the profit that losses are counted from.

    `before`: profit made before the configured day, which matters where that day is new to the state.
    """
    since = limits.loss_since or HIGH
    if since != HIGH and since > today:
        return state._replace(since="", profit_since=profit)
    if since != state.since:
        return state._replace(since=since, profit_since=profit if since == HIGH else before)
    if since == HIGH and profit > state.profit_since:
        return state._replace(profit_since=profit)
    return state


def halts(state: RiskState, limits: GlobalConfig, standing: Standing) -> Reason | None:
    """The limit of loss that is reached, by which the bot halts itself."""
    if standing.day_lost >= limits.max_daily_loss:
        return Reason.DAILY_LOSS
    if state.profit_since - standing.profit >= limits.max_loss_since:
        return Reason.LOSS_SINCE
    low = is_low(limits, standing)
    return Reason.EQUITY_FLOOR if low and state.equity_low else None


def is_low(limits: GlobalConfig, standing: Standing) -> bool:
    """Whether equity is below its floor; a second cycle in a row that says so halts."""
    return standing.equity is not None and standing.equity < limits.equity_floor


def lost_percent(state: RiskState, limits: GlobalConfig, standing: Standing) -> int:
    """What is lost of the limit of loss that is nearest, in percent of it; 0 where all is won."""
    since = state.profit_since - standing.profit
    both = (standing.day_lost, limits.max_daily_loss), (since, limits.max_loss_since)
    return max(max(lost, 0) * PERCENT // limit for lost, limit in both)


def latches(state: RiskState, limits: GlobalConfig, standing: Standing) -> Reason | None:
    """The limit of loss that is so near that no new risk is taken from now on."""
    near = limits.reduce_at
    if standing.day_lost * PERCENT >= limits.max_daily_loss * near:
        return Reason.DAILY_LOSS
    lost = state.profit_since - standing.profit
    return Reason.LOSS_SINCE if lost * PERCENT >= limits.max_loss_since * near else None


def reduces(state: RiskState, limits: GlobalConfig, standing: Standing) -> Reason | None:
    """Why no new risk is taken in this cycle."""
    if state.reducing:
        return Reason(state.reducing)
    if is_low(limits, standing):
        return Reason.EQUITY_FLOOR
    unknown = not standing.all_marked or (limits.equity_floor > 0 and standing.equity is None)
    return Reason.PROFIT_UNKNOWN if unknown else None
