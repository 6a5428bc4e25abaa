"""The session: its record, its order groups, and what may be asked of the session function."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from dora.core.empty import EMPTY
from dora.core.units import Count, Money, TimeMs


class SessionStatus(StrEnum):
    """A session's life; only ACTIVE quotes."""

    STARTING = "starting"
    ACTIVE = "active"
    LIMIT_REACHED = "limit_reached"
    CLOSING = "closing"
    CLOSED = "closed"


class SessionGroup(NamedTuple):
    """One order group of a session: the shard and strategy tag it serves, and its burst limit."""

    group_id: str
    shard: int
    tag: str
    burst_limit: Count
    tripped: bool = False


class SessionMetadata(NamedTuple):
    """The record of one session. `rev` counts its writes: every write is conditional on it."""

    session_id: str
    status: SessionStatus
    created_at_ms: TimeMs
    contracts_limit: Count
    order_groups: tuple[SessionGroup, ...] = ()
    use_order_groups: bool = True
    traded_at_start: Count = Count(0)
    """Contracts the ledger had ever seen traded when the session began: its own count starts there."""
    limit_reached_at_ms: TimeMs | None = None
    """When it was last latched at a limit."""
    resets: int = 0
    """How often it was re-armed by itself; what a person resets does not count."""
    ends_at_ms: TimeMs | None = None
    """When the last of its orders expires. None in records from before sessions had an end."""
    reason: str = ""
    ended_at_ms: TimeMs | None = None
    summary: Mapping[str, str | int] = EMPTY
    rev: int = 0
    armed_at_ms: TimeMs | None = None
    """When its latest start or reset was answered. None in records from before that was kept."""

    @property
    def live_since_ms(self) -> TimeMs:
        """The latest command that lets it trade: reads from before say nothing of it."""
        return max(self.created_at_ms, self.armed_at_ms or self.created_at_ms)

    def group_for(self, shard: int, tag: str) -> SessionGroup | None:
        """The group that orders of this shard and strategy tag must carry."""
        return next((g for g in self.order_groups if (g.shard, g.tag) == (shard, tag)), None)


class SessionAction(StrEnum):
    """The actions, as they stand in events."""

    START = "start"
    STATUS = "status"
    TEARDOWN = "teardown"
    HALT = "halt"
    RESUME = "resume"
    RESET = "reset"
    WATCH = "watch"
    DIGEST = "digest"
    CREDIT = "credit"


class Credited(NamedTuple):
    """What a person saw the exchange credit for a program in a market."""

    program: str
    market: str
    amount: Money


class SessionCommand(NamedTuple):
    """One session action, with the reason its author gave.

    `checks` asks a status for the preflight too; `cancel` has a halt take resting quotes off.
    """

    action: SessionAction
    reason: str = ""
    checks: bool = False
    cancel: bool = False
    credited: Credited | None = None
    """Of `credit` alone."""
