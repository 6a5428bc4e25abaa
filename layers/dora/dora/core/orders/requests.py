"""What we want and send, and what became of it: frozen, exact, and without behaviour that decides."""

from enum import StrEnum
from typing import NamedTuple, NewType

from dora.core.exchange.market import Side, Slot
from dora.core.units import Count, Price, TimeMs


class TargetOrder(NamedTuple):
    """A quote we want to rest. A tuple, as are the other values that every cycle makes by the thousand."""

    slot: Slot
    price: Price
    count: Count  # type: ignore[assignment] # the exchange's word; nobody counts in a target
    edge: Price = Price(0)
    """Distance from fair value after fees: what a fill is expected to earn per contract."""


ApprovedOrder = NewType("ApprovedOrder", TargetOrder)
"""A quote that risk has seen: only `core/risk/caps.py` makes one, and the diff takes no other."""


class OrderRequest(NamedTuple):
    """A create as it will be sent: always post-only, good till canceled, self-trade safe."""

    client_order_id: str
    slot: Slot
    shard: int
    price: Price
    count: Count  # type: ignore[assignment] # the exchange's word; nobody counts in a request
    group_id: str | None
    expires_s: int


class CancelRequest(NamedTuple):
    """A cancel as it will be sent, routed by market and shard."""

    order_id: str
    client_order_id: str
    ticker: str
    shard: int
    remaining: Count


class DecreaseRequest(NamedTuple):
    """A decrease in place, which keeps the queue place: `remaining` after it."""

    order_id: str
    client_order_id: str
    ticker: str
    shard: int
    reduce_to: Count


class ExtendRequest(NamedTuple):
    """A later expiry for a resting order; its price and its count, filled and resting, stay as they are."""

    order_id: str
    client_order_id: str
    ticker: str
    shard: int
    side: Side
    price: Price
    count: Count  # type: ignore[assignment] # the exchange's word; nobody counts in a request
    remaining: Count
    """What rests of it as far as we know; an answer that names none leaves it so."""
    expires_s: int


PROBE_COUNT = Count(1)
"""Contracts of an id probe: the smallest count that any market takes."""


class IdProbeRequest(NamedTuple):
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


class PlacedOrder(NamedTuple):
    """The engine took our order. `remaining` may be 0: a 201 is not proof of a resting order."""

    request: OrderRequest
    order_id: str
    remaining: Count
    filled: Count
    ts_ms: TimeMs


class CancelledOrder(NamedTuple):
    """The engine took contracts off; less than the remaining we saw means the rest was filled unseen."""

    request: CancelRequest
    reduced_by: Count
    ts_ms: TimeMs


class FailedOrder(NamedTuple):
    """A create, cancel or decrease that was refused or whose fate is unknown; `code` says which of which."""

    request: OrderRequest | CancelRequest | DecreaseRequest
    code: str
    message: str
    outcome: Outcome


class ChangeResult(NamedTuple):
    """What became of one single write (a decrease, an extension): `remaining` when done, else why not."""

    outcome: Outcome
    code: str = ""
    message: str = ""
    remaining: Count = Count(0)
    ts_ms: TimeMs = TimeMs(0)


class BatchPlaceResult(NamedTuple):
    """Every order of one create batch, exactly once, under its outcome."""

    placed: tuple[PlacedOrder, ...] = ()
    failed: tuple[FailedOrder, ...] = ()
    unknown: tuple[FailedOrder, ...] = ()


class BatchCancelResult(NamedTuple):
    """Every order of one cancel batch, exactly once, under its outcome."""

    succeeded: tuple[CancelledOrder, ...] = ()
    failed: tuple[FailedOrder, ...] = ()
    unknown: tuple[FailedOrder, ...] = ()


class BatchPlaceSummary(NamedTuple):
    """All create batches of a cycle."""

    total_requested: int = 0
    total_succeeded: int = 0
    total_failed: int = 0
    total_unknown: int = 0
    batches: int = 0


class BatchCancelSummary(NamedTuple):
    """All cancel batches of a cycle."""

    total_requested: int = 0
    total_succeeded: int = 0
    total_failed: int = 0
    total_unknown: int = 0
    batches: int = 0
