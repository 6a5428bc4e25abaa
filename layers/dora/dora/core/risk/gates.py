"""May we place at all, and on which shards? Every switch is asked; the most restrictive one wins."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.config import GlobalConfig
from dora.core.empty import EMPTY
from dora.core.exchange.account import OrderGroup, ShardStatus
from dora.core.orders.expiry import is_over
from dora.core.reasons import Reason
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.state import KillSwitch
from dora.core.units import Money, TimeMs

GROUP_SETTLES_MS = 60_000
"""A group is readable only some seconds after a start made it; one not listed later than this is gone."""

PULLS_QUOTES = frozenset(
    {
        Reason.HALTED,
        Reason.TRADING_DISABLED,
        Reason.NO_SESSION,
        Reason.SESSION_NOT_ACTIVE,
        Reason.SESSION_OVER,
        Reason.CONFIG_MISSING,
    }
)
"""Reasons under which our resting orders are cancelled as well, unless GLOBAL says otherwise."""


class Permission(NamedTuple):
    """`blocked_by` forbids every placement; `shards` forbids those of one shard. None and absent allow.

    `pulls`: what rests is cancelled as well.
    """

    blocked_by: Reason | None = None
    shards: Mapping[int, Reason] = EMPTY
    cancel_resting: bool = False
    reducing: Reason | None = None
    """Why only orders are placed that lower a worst case."""


class GateInputs(NamedTuple):
    """What the switches are asked of. `account_known`: all a placement rests on was read completely.

    A shard that `cash` lacks is unknown, not without cash.
    """

    globals_: GlobalConfig | None
    control: KillSwitch
    session: SessionMetadata | None
    account_known: bool
    reads_stale: bool
    auth_refused: bool
    skew_ms: int
    max_skew_ms: int
    status: Mapping[int, ShardStatus]
    cash: Mapping[int, Money]
    groups: Iterable[OrderGroup]
    now_ms: TimeMs
    writes_cooling: bool = False
    reducing: Reason | None = None


def may_place(standing: GateInputs, shards: Iterable[int]) -> Permission:
    """The verdict for the whole cycle and for each of these shards."""
    blocked_by = next(iter(closed_switches(standing)), None)
    if blocked_by is not None:
        return Permission(blocked_by, cancel_resting=blocked_by in PULLS_QUOTES and _may_pull(standing))
    verdicts = {shard: _shard(standing, shard) for shard in shards}
    barred = {shard: reason for shard, reason in verdicts.items() if reason is not None}
    return Permission(None, barred, reducing=standing.reducing)


def _may_pull(standing: GateInputs) -> bool:
    """GLOBAL may leave resting quotes where they are; who halts may have them taken off all the same."""
    configured = standing.globals_ is None or standing.globals_.cancel_on_halt
    return configured or (standing.control.halted and standing.control.cancel)


def closed_switches(standing: GateInputs) -> tuple[Reason, ...]:
    """Every reason that forbids all placements now, most restrictive first; none: the bot may trade."""
    checks = (
        (standing.globals_ is None, Reason.CONFIG_MISSING),
        (standing.control.halted, Reason.HALTED),
        (standing.globals_ is not None and not standing.globals_.trading_enabled, Reason.TRADING_DISABLED),
        (standing.session is None, Reason.NO_SESSION),
        (
            standing.session is not None and standing.session.status is not SessionStatus.ACTIVE,
            Reason.SESSION_NOT_ACTIVE,
        ),
        (standing.session is not None and is_over(standing.session, standing.now_ms), Reason.SESSION_OVER),
        (standing.auth_refused, Reason.AUTH_REFUSED),
        (not standing.account_known, Reason.READ_UNKNOWN),
        (standing.reads_stale, Reason.READ_STALE),
        (abs(standing.skew_ms) > standing.max_skew_ms, Reason.CLOCK_SKEW),
        (standing.writes_cooling, Reason.ERROR_RATE),
    )
    return tuple(reason for forbidden, reason in checks if forbidden)


def trades(status: ShardStatus | None) -> bool:
    """Whether a shard takes and matches orders; None: its status is not known."""
    return status is not None and status.exchange_active and status.trading_active


def _shard(standing: GateInputs, shard: int) -> Reason | None:
    if not trades(standing.status.get(shard)):
        return Reason.SHARD_CLOSED
    if shard not in standing.cash:
        return Reason.READ_UNKNOWN
    return Reason.SHARD_UNFUNDED if standing.cash[shard] <= 0 else _group(standing, shard)


def _group(standing: GateInputs, shard: int) -> Reason | None:
    session = standing.session
    if session is None or not session.use_order_groups:
        return None
    ours = {group.group_id for group in session.order_groups if group.shard == shard}
    if not ours:
        return Reason.SHARD_WITHOUT_GROUP
    listed = {group.group_id: group for group in standing.groups}
    if any(listed[group_id].tripped for group_id in ours & listed.keys()):
        return Reason.GROUP_TRIPPED
    young = standing.now_ms - session.live_since_ms < GROUP_SETTLES_MS
    return None if young or ours <= listed.keys() else Reason.SHARD_WITHOUT_GROUP
