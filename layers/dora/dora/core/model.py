"""The values the rooms hand to each other: frozen, exact, and without behaviour that decides."""

from dataclasses import dataclass, field
from enum import StrEnum

from dora.core.units import Count, Money, Price, PriceGrid, TimeMs


class Side(StrEnum):
    """The side of the one YES book: BID buys YES (sells NO), ASK sells YES (buys NO)."""

    BID = "bid"
    ASK = "ask"

    @property
    def sign(self) -> int:
        """+1 when a fill adds YES contracts, -1 when it adds NO contracts."""
        return 1 if self is Side.BID else -1


class MarketStatus(StrEnum):
    """The words of the exchange's market objects."""

    INITIALIZED = "initialized"
    INACTIVE = "inactive"
    ACTIVE = "active"
    CLOSED = "closed"
    DETERMINED = "determined"
    DISPUTED = "disputed"
    AMENDED = "amended"
    FINALIZED = "finalized"


class OrderStatus(StrEnum):
    """The words of the exchange's order rows; all but RESTING are terminal."""

    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """The place of one quote: a market, a side of it, and the level counted from the touch (0)."""

    ticker: str
    side: Side
    level: int = 0


# --- what the exchange says -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A market object. `plain` is true for a binary $1 market with default settlement bounds."""

    ticker: str
    event_ticker: str
    shard: int
    status: MarketStatus
    grid: PriceGrid
    open_ms: TimeMs
    close_ms: TimeMs
    plain: bool
    expected_expiration_ms: TimeMs | None = None
    fee_waiver_until_ms: TimeMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event. `exclusive`: at most one of its markets resolves yes, and collateral is returned for it."""

    event_ticker: str
    series_ticker: str
    exclusive: bool
    fee_type_override: str | None = None
    fee_multiplier_override_e4: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The fee terms of a series; the multiplier counts 1e-4."""

    ticker: str
    fee_type: str
    fee_multiplier_e4: int


@dataclass(frozen=True, slots=True)
class Level:
    """Resting contracts at one price."""

    price: Price
    count: Count


@dataclass(frozen=True, slots=True)
class Book:
    """A YES book, both sides best first. NO bids stand here as asks at the complement price."""

    ticker: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One row of an order list or a single-order read; a replica's view, dated by `updated_ms`."""

    order_id: str
    client_order_id: str
    ticker: str
    shard: int
    side: Side
    price: Price
    status: OrderStatus
    initial: Count
    remaining: Count
    filled: Count
    updated_ms: TimeMs
    group_id: str | None = None
    expires_ms: TimeMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One of our trades. `fee` is what the exchange charged, exactly."""

    fill_id: str
    order_id: str
    ticker: str
    shard: int
    side: Side
    price: Price
    count: Count
    is_taker: bool
    fee: Money
    at_ms: TimeMs


@dataclass(frozen=True, slots=True)
class Trade:
    """A public trade. `taken` is the side of the book that the taker's order met."""

    ticker: str
    taken: Side
    price: Price
    at_ms: TimeMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A market paid out. `value` is what one YES contract was worth, `revenue` what we received."""

    ticker: str
    shard: int
    value: Price
    revenue: Money
    fee: Money
    settled_ms: TimeMs


@dataclass(frozen=True, slots=True)
class ExchangePosition:
    """The exchange's own count of our net YES contracts in one unsettled market."""

    ticker: str
    shard: int
    net: Count


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """An exchange-side order group; `tripped` groups refuse every order."""

    group_id: str
    shard: int
    tripped: bool
    limit: Count


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """Whether a shard takes cancels (`exchange_active`) and orders (`trading_active`)."""

    shard: int
    exchange_active: bool
    trading_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the account may spend: tokens per second, bucket capacities, tokens per call."""

    tier: str
    read_rate: int
    read_capacity: int
    write_rate: int
    write_capacity: int
    default_cost: int = 10
    create_cost: int = 10
    cancel_cost: int = 2
    order_read_cost: int = 2


# --- what we want and send ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOrder:
    """A quote we want to rest."""

    slot: Slot
    price: Price
    count: Count
    edge: Price = Price(0)
    """Distance from fair value after fees: what a fill is expected to earn per contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """A create as it will be sent: always post-only, good till canceled, self-trade safe."""

    client_order_id: str
    slot: Slot
    shard: int
    price: Price
    count: Count
    group_id: str | None
    expires_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """A cancel as it will be sent, routed by market and shard."""

    order_id: str
    client_order_id: str
    ticker: str
    shard: int
    remaining: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class DecreaseRequest:
    """A decrease in place, which keeps the queue place: `remaining` after it."""

    order_id: str
    client_order_id: str
    ticker: str
    shard: int
    reduce_to: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendRequest:
    """A later expiry for a resting order; its price and its count, filled and resting, stay as they are."""

    order_id: str
    client_order_id: str
    ticker: str
    shard: int
    side: Side
    price: Price
    count: Count
    remaining: Count
    """What rests of it as far as we know; an answer that names none leaves it so."""
    expires_s: int


PROBE_COUNT = Count(1)
"""Contracts of an id probe: the smallest count that any market takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdProbeRequest:
    """Asks the engine for a client order id whose create was never answered.

    Sent as the smallest order there is, immediate-or-cancel, at the outermost price of the grid: whatever
    becomes of it, nothing rests, the id is spent, and some order has it for everybody to see.
    """

    client_order_id: str
    slot: Slot
    shard: int
    price: Price
    group_id: str | None


class IdProbe(StrEnum):
    """What the engine answered an id probe. GRANTED: no order had the id then. TAKEN: it was spent before."""

    GRANTED = "granted"
    TAKEN = "taken"


class Outcome(StrEnum):
    """What became of a write. Unknown is a state of its own, never a kind of refusal."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """The engine took our order. `remaining` may be 0: a 201 is not proof of a resting order."""

    request: OrderRequest
    order_id: str
    remaining: Count
    filled: Count
    ts_ms: TimeMs


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledOrder:
    """The engine took contracts off; less than the remaining we saw means the rest was filled unseen."""

    request: CancelRequest
    reduced_by: Count
    ts_ms: TimeMs


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOrder:
    """A create, cancel or decrease that was refused or whose fate is unknown; `code` says which of which."""

    request: OrderRequest | CancelRequest | DecreaseRequest
    code: str
    message: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What became of one single write (a decrease, an extension): `remaining` when done, else why not."""

    outcome: Outcome
    code: str = ""
    message: str = ""
    remaining: Count = Count(0)
    ts_ms: TimeMs = TimeMs(0)


@dataclass(frozen=True, slots=True)
class BatchPlaceResult:
    """Every order of one create batch, exactly once, under its outcome."""

    placed: tuple[PlacedOrder, ...] = ()
    failed: tuple[FailedOrder, ...] = ()
    unknown: tuple[FailedOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchCancelResult:
    """Every order of one cancel batch, exactly once, under its outcome."""

    succeeded: tuple[CancelledOrder, ...] = ()
    failed: tuple[FailedOrder, ...] = ()
    unknown: tuple[FailedOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchPlaceSummary:
    """All create batches of a cycle."""

    total_requested: int = 0
    total_succeeded: int = 0
    total_failed: int = 0
    total_unknown: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True)
class BatchCancelSummary:
    """All cancel batches of a cycle."""

    total_requested: int = 0
    total_succeeded: int = 0
    total_failed: int = 0
    total_unknown: int = 0
    batches: int = 0


# --- the session ---------------------------------------------------------------------------------


class SessionStatus(StrEnum):
    """A session's life; only ACTIVE quotes."""

    STARTING = "starting"
    ACTIVE = "active"
    LIMIT_REACHED = "limit_reached"
    HALTED = "halted"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGroup:
    """One order group of a session: the shard and strategy tag it serves, and its burst limit."""

    group_id: str
    shard: int
    tag: str
    burst_limit: Count
    tripped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMetadata:
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
    summary: dict[str, str | int] = field(default_factory=dict)
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
