"""What one cycle saw and decided, and what came of it: one value, enough to decide the same again.

An order that stands in `Seen.orders` is named elsewhere by its place there (from 0), which takes less room
than its ids. Books stand as deep as quoting looks.
"""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.accounts.ledger import Position
from dora.core.config import GlobalConfig, MarketConfig, SeriesConfig
from dora.core.empty import EMPTY
from dora.core.event_choice import EventBrake
from dora.core.exchange.account import Limits, Order
from dora.core.exchange.market import Slot, Trade
from dora.core.exchange.public_data import PublicData
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.journal import Plan, TrackedOrder
from dora.core.orders.requests import ApprovedOrder, CancelRequest, DecreaseRequest, ExtendRequest
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.risk.gates import Permission
from dora.core.session import SessionMetadata
from dora.core.state import Cursors, KillSwitch, Progress, ReferenceData
from dora.core.units import TimeMs


class Loaded(NamedTuple):
    """Configs as parsed and state as loaded, as far as `Seen` does not hold them already.

    `orders` and `positions` are those that this cycle's reads changed or dropped, as they were before;
    `new_orders` and `new_positions` those that came to be known by them.
    """

    globals_: GlobalConfig | None
    series: tuple[SeriesConfig, ...]
    """With their templates' values as texts."""
    problems: tuple[str, ...]
    orders: tuple[TrackedOrder, ...]
    new_orders: tuple[int, ...]
    plans: tuple[Plan, ...]
    positions: tuple[Position, ...]
    new_positions: tuple[str, ...]
    cursors: Cursors
    progress: Progress
    control: KillSwitch
    limits: Limits | None
    """The key's; `Seen.limits` are this bot's share."""


class Seen(NamedTuple):
    """All that the decisions were made from, after reconciliation and booking."""

    now_ms: TimeMs
    globals_: GlobalConfig
    wanted: Mapping[str, MarketConfig]
    reference: ReferenceData
    snapshot: Snapshot
    orders: Mapping[str, TrackedOrder]
    """The journal, by client order id; without what had ended before and of which no read showed anything."""
    shown: tuple[int, ...]
    """Those of which a row was read that is not older than our last write to them."""
    external: tuple[Order, ...]
    frozen: frozenset[Slot]
    blocked: frozenset[str]
    positions: Mapping[str, Position]
    permission: Permission
    memory: Mapping[str, Mapping[str, object]]
    session: SessionMetadata | None
    limits: Limits
    triggered: frozenset[str]
    """Groups that were triggered in this cycle or before."""
    events: Mapping[str, EventBrake] | None = None
    """How each event stands; None: orders are not grouped by event."""


class Asked(NamedTuple):
    """What had to be asked of others while the plan was made."""

    tapes: Mapping[str, tuple[Trade, ...]] | None = None
    """Public trades by market; None: nobody looked."""
    since_ms: TimeMs = TimeMs(0)
    """From when on they count."""
    tokens: int | None = None
    """Write tokens that could be spent; None: nothing was bought."""
    most_places: int | None = None
    """The largest number of placements with a send time; None: all that the tokens buy."""


class Decided(NamedTuple):
    """Targets with their reasons, and the plan as far as it was paid for."""

    decisions: tuple[Decision, ...]
    failed: Mapping[str, str]
    """Markets of which something could not be computed, and why."""
    kept: tuple[int, ...]
    decreases: tuple[DecreaseRequest, ...]
    extends: tuple[ExtendRequest, ...]
    cancels: tuple[CancelRequest, ...]
    places: tuple[ApprovedOrder, ...]
    withheld: tuple[tuple[Slot, Reason], ...]
    why: Mapping[str, str]
    """Why each cancel is sent, by client order id."""


class Done(NamedTuple):
    """What was sent and what came of it."""

    orders: tuple[TrackedOrder, ...]
    """Every order that was written to, as its answer left it."""
    codes: Mapping[str, int]
    """Of writes that were refused or not answered."""
    stopped: Reason | None
    """What ended the writes early."""
    record: Mapping[str, object] = EMPTY
    """The `CYCLE` line."""


class CycleRecord(NamedTuple):
    """One cycle. Without `loaded` and `seen` it tells what was decided and not from what."""

    cycle_id: str
    began_ms: TimeMs
    dry_run: bool
    loaded: Loaded | None
    seen: Seen | None
    asked: Asked
    decided: Decided
    done: Done
    public: PublicData | None = None
    """Where it was recorded."""
