"""Never wrong about an order: the journal of everything we sent, and what our own requests' answers prove.

The journal holds one `TrackedOrder` for every order we sent and cannot yet forget, plus the `Plan`s of
cycles that did not finish. A plan is durable before its first request; its outcomes are folded into the
tracked orders when the cycle ends. A plan found at the start of a cycle was cut short: each of its intents
may have been sent until the plan's `until_ms`, so each becomes PENDING_NEW or PENDING_CHANGE.

    (plan) ──> PENDING_NEW ──seen──> LIVE ──cancel acknowledged──> CLOSED ──tombstone over──> forgotten
                  │               │ └─cancel or decrease unanswered─> PENDING_CHANGE ──a later row──> LIVE
                  │               └──cancel answered 404──> NOT_FOUND ──terminal row──> CLOSED
                  │                  any of them, its write not shown for 3 cycles──> NOT_FOUND
                  └──hold over, id probe granted and no other row listed──> CLOSED
                     or its own expiry over, or its group triggered
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from dora.core.exchange.account import Fill
from dora.core.exchange.error_codes import NOT_FOUND
from dora.core.exchange.market import Slot
from dora.core.orders.requests import (
    BatchCancelResult,
    BatchPlaceResult,
    CancelledOrder,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    ExtendRequest,
    FailedOrder,
    IdProbe,
    OrderRequest,
    Outcome,
    PlacedOrder,
)
from dora.core.units import Count, Price, TimeMs

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def _digest(text: str, length: int) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return "".join(_BASE32[(number >> (5 * i)) & 31] for i in range(length))


def order_prefix(bot: str, stage: str) -> str:
    """What every client order id of this bot starts with; other bots on the account have another."""
    return "d" + _digest(f"{bot}|{stage}", 7) + "-"


def client_order_id(prefix: str, session_id: str, cycle_id: str, slot: Slot, attempt: int = 0) -> str:
    """The same intent always has the same id, so a repeated cycle cannot place it twice."""
    text = f"{session_id}|{cycle_id}|{slot.ticker}|{slot.side}|{slot.level}|{attempt}"
    return prefix + _digest(text, 24)


def decision_id(cycle_id: str, ticker: str) -> str:
    """Names what one cycle decided for one market. Twelve characters; the same wherever it is worked out."""
    return _digest(f"{cycle_id}|{ticker}", 12)


class OrderState(StrEnum):
    """What we can prove about one of our orders."""

    PENDING_NEW = "unknown"
    LIVE = "live"
    PENDING_CHANGE = "changing"
    NOT_FOUND = "missing"
    CLOSED = "closed"


class NotedFills(NamedTuple):
    """The fills of one exchange id that the ledger holds: contracts, and which fills they are."""

    order_id: str
    booked: Count
    fill_ids: tuple[str, ...]


class TrackedOrder(NamedTuple):
    """One order of ours.

    Contracts always balance: count = remaining + reduced + filled, and `filled - booked` of them are
    fills we know of but have not yet seen in the list of fills.
    """

    client_order_id: str
    slot: Slot
    shard: int
    price: Price
    count: Count  # type: ignore[assignment] # the exchange's word; nobody counts in an order
    remaining: Count
    state: OrderState
    sent_ms: TimeMs
    """Latest time by our clock at which an unanswered request about it may have been signed."""
    order_id: str | None = None
    write_ms: TimeMs = TimeMs(0)
    """Engine time of our last acknowledged write, or of the row that first showed it."""
    reduced: Count = Count(0)
    booked: Count = Count(0)
    fill_ids: tuple[str, ...] = ()
    """The fills that make up `booked`."""
    group_id: str | None = None
    decision_id: str = ""
    """The decision that placed it; empty for an order that was found in no journal."""
    expires_ms: TimeMs | None = None
    """When the exchange takes it off by itself; None where nobody told us."""
    probe: IdProbe | None = None
    """What the engine said of its client order id, where its create was never answered."""
    probed_ms: TimeMs = TimeMs(0)
    """When it said so, by our clock."""
    unseen: int = 0
    """Cycles in a row whose reads should have shown our last acknowledged write to it, and did not."""
    released: NotedFills | None = None
    """Fills noted under an id that was taken for its own: they wait for the order a row shows under it."""

    @property
    def unbooked(self) -> Count:
        """Contracts filled for certain, whose fills the ledger does not hold yet."""
        return Count(max(self.count - self.reduced - self.remaining - self.booked, 0))

    @property
    def open(self) -> bool:
        """May rest on the exchange now or later."""
        return self.state is not OrderState.CLOSED

    def expires_by(self, when_ms: TimeMs) -> bool:
        """Whether its own expiry has come by then; it neither rests nor is accepted any more."""
        return self.expires_ms is not None and self.expires_ms <= when_ms


class Plan(NamedTuple):
    """The intents of one phase, durable before its first request. No request is signed after `until_ms`."""

    fence: int
    phase: str
    cycle_id: str
    until_ms: TimeMs
    places: tuple[OrderRequest, ...] = ()
    cancels: tuple[CancelRequest, ...] = ()
    decreases: tuple[DecreaseRequest, ...] = ()
    extends: tuple[ExtendRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Journal:
    """All tracked orders by client order id."""

    orders: Mapping[str, TrackedOrder] = field(default_factory=dict)
    _by_order_id: Mapping[str, TrackedOrder] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    def with_orders(self, changed: Iterable[TrackedOrder]) -> "Journal":
        """The journal with these orders replaced or added."""
        added = {order.client_order_id: order for order in changed}
        return Journal({**self.orders, **added}) if added else self

    def by_order_id(self) -> Mapping[str, TrackedOrder]:
        """Tracked orders whose exchange id is known. Worked out once: a journal never changes."""
        if self._by_order_id is None:
            known = {order.order_id: order for order in self.orders.values() if order.order_id}
            object.__setattr__(self, "_by_order_id", known)
            return known
        return self._by_order_id


def planned_order(request: OrderRequest, sent_ms: TimeMs, cycle_id: str) -> TrackedOrder:
    """A create as it stands from the moment its plan is durable: its fate unknown, counted in full."""
    return TrackedOrder(
        client_order_id=request.client_order_id,
        slot=request.slot,
        shard=request.shard,
        price=request.price,
        count=request.count,
        remaining=request.count,
        state=OrderState.PENDING_NEW,
        sent_ms=sent_ms,
        group_id=request.group_id,
        decision_id=decision_id(cycle_id, request.slot.ticker),
        expires_ms=TimeMs(request.expires_s * 1000),
    )


def fold_plans(journal: Journal, plans: Iterable[Plan]) -> Journal:
    """The journal after cycles that were cut short: every intent of theirs may have been carried out."""
    orders = dict(journal.orders)
    for plan in plans:
        for request in plan.places:
            sent = planned_order(request, plan.until_ms, plan.cycle_id)
            orders.setdefault(request.client_order_id, sent)
        changes: tuple[CancelRequest | DecreaseRequest | ExtendRequest, ...]
        changes = (*plan.cancels, *plan.decreases, *plan.extends)
        for change in changes:
            known = orders.get(change.client_order_id)
            if known is not None and known.state is OrderState.LIVE:
                changing = known._replace(state=OrderState.PENDING_CHANGE, sent_ms=plan.until_ms)
                expires_ms = change.expires_s * 1000 if isinstance(change, ExtendRequest) else 0
                orders[change.client_order_id] = kept_until(changing, TimeMs(expires_ms))
    return Journal(orders)


def kept_until(order: TrackedOrder, expires_ms: TimeMs) -> TrackedOrder:
    """The order with the later of its own expiry and this one, where it is known to have one."""
    if order.expires_ms is None:
        return order
    return order._replace(expires_ms=max(order.expires_ms, expires_ms))


# --- outcomes of our own writes ----------------------------------------------------------------


def _placed(order: TrackedOrder, placed: PlacedOrder) -> TrackedOrder:
    gone = order.count - placed.filled - placed.remaining
    return order._replace(
        state=OrderState.LIVE if placed.remaining else OrderState.CLOSED,
        order_id=placed.order_id,
        remaining=placed.remaining,
        reduced=Count(max(gone, 0)),
        write_ms=placed.ts_ms,
    )


def _cancelled(order: TrackedOrder, cancelled: CancelledOrder) -> TrackedOrder:
    """What the cancel did not take off was filled, seen or not."""
    return order._replace(
        state=OrderState.CLOSED,
        remaining=Count(0),
        reduced=Count(order.reduced + cancelled.reduced_by),
        write_ms=cancelled.ts_ms,
    )


def _cancel_refused(order: TrackedOrder, failed: FailedOrder, sent_ms: TimeMs) -> TrackedOrder:
    """A 404 does not say whether it was filled, cancelled or sought in the wrong place."""
    if failed.code == NOT_FOUND:
        return order._replace(state=OrderState.NOT_FOUND, sent_ms=sent_ms)
    return order


def fold_placed(journal: Journal, result: BatchPlaceResult, sent_ms: TimeMs) -> Journal:
    """The journal after one create batch: refused orders are forgotten, unknown ones held from `sent_ms`."""
    orders = dict(journal.orders)
    for placed in result.placed:
        key = placed.request.client_order_id
        orders[key] = _placed(orders[key], placed)
    for failed in result.failed:
        del orders[failed.request.client_order_id]
    for unknown in result.unknown:
        key = unknown.request.client_order_id
        orders[key] = orders[key]._replace(sent_ms=sent_ms)
    return Journal(orders)


def fold_cancelled(journal: Journal, result: BatchCancelResult, sent_ms: TimeMs) -> Journal:
    """The journal after one cancel batch."""
    orders = dict(journal.orders)
    for done in result.succeeded:
        key = done.request.client_order_id
        orders[key] = _cancelled(orders[key], done)
    for failed in result.failed:
        key = failed.request.client_order_id
        orders[key] = _cancel_refused(orders[key], failed, sent_ms)
    for unknown in result.unknown:
        key = unknown.request.client_order_id
        orders[key] = orders[key]._replace(state=OrderState.PENDING_CHANGE, sent_ms=sent_ms)
    return Journal(orders)


def fold_decreased(
    journal: Journal, request: DecreaseRequest, result: ChangeResult, sent_ms: TimeMs
) -> Journal:
    """The journal after one decrease. What the answer lacks beyond the decrease was filled."""
    order = journal.orders[request.client_order_id]
    if result.outcome is Outcome.UNKNOWN:
        return journal.with_orders([order._replace(state=OrderState.PENDING_CHANGE, sent_ms=sent_ms)])
    if result.outcome is Outcome.REFUSED:
        missing = result.code == NOT_FOUND
        state = OrderState.NOT_FOUND if missing else order.state
        return journal.with_orders(
            [order._replace(state=state, sent_ms=sent_ms if missing else order.sent_ms)]
        )
    cut = Count(order.remaining - request.reduce_to)
    after = order._replace(
        state=OrderState.LIVE if result.remaining else OrderState.CLOSED,
        remaining=result.remaining,
        reduced=Count(order.reduced + cut),
        write_ms=result.ts_ms,
    )
    return journal.with_orders([after])


def without(journal: Journal, requests: Iterable[OrderRequest]) -> Journal:
    """The journal without orders that were planned but never sent."""
    unsent = {request.client_order_id for request in requests}
    return Journal({key: order for key, order in journal.orders.items() if key not in unsent})


def note_fills(journal: Journal, fills: Iterable[Fill]) -> Journal:
    """The journal told which fills the ledger holds. Safe to repeat: a fill counts once per order."""
    known, noted = journal.by_order_id(), dict[str, TrackedOrder]()
    for fill in fills:
        order = noted.get(fill.order_id) or known.get(fill.order_id)
        if order is not None and fill.fill_id not in order.fill_ids:
            noted[fill.order_id] = order._replace(
                booked=Count(order.booked + fill.count), fill_ids=(*order.fill_ids, fill.fill_id)
            )
    return journal.with_orders(noted.values())
