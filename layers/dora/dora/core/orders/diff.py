"""The diff: what to keep, decrease, cancel and place in each slot, and in what order.

Queue place is money, so an order that is slightly off or partly filled stays. A decrease keeps the queue
place and is used when only the size must fall. A replacement is placed only after its cancel is confirmed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from dora.core.config import MarketConfig
from dora.core.exchange.market import Slot
from dora.core.failures import told
from dora.core.orders.amend_expiry import extension
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.requests import ApprovedOrder, CancelRequest, DecreaseRequest, ExtendRequest
from dora.core.reasons import CancelReason, Reason
from dora.core.units import CONTRACT, Count, PriceGrid, TimeMs

Item = TypeVar("Item")


class Rules(NamedTuple):
    """What one market's diff goes by."""

    grid: PriceGrid
    config: MarketConfig
    renew_before_ms: TimeMs = TimeMs(0)
    """Orders that expire sooner are renewed: a new one would rest longer."""
    extend_to_ms: TimeMs | None = None
    """The expiry that they are given in place; None: they are replaced."""
    gone_by_ms: TimeMs | None = None
    """When the market is not quoted next: an order that was to rest into that is replaced."""
    early: frozenset[str] = frozenset()
    """Client order ids of orders that are given their later expiry although there is time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPlan:
    """The diff of all slots. `places` come most urgent first and may need a cancel of their slot first."""

    kept: tuple[TrackedOrder, ...]
    decreases: tuple[DecreaseRequest, ...]
    cancels: tuple[CancelRequest, ...]
    places: tuple[ApprovedOrder, ...]
    withheld: tuple[tuple[Slot, Reason], ...]
    extends: tuple[ExtendRequest, ...] = ()
    """Of the kept ones: those that are to rest longer."""
    why: Mapping[str, str] = field(default_factory=dict)
    """Why each cancel is sent, by client order id."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Markets whose diff could not be computed, and why: their orders are kept."""

    @property
    def writes(self) -> int:
        """How many orders would be written."""
        return len(self.decreases) + len(self.cancels) + len(self.places) + len(self.extends)


def plan_slots(
    targets: Iterable[ApprovedOrder],
    view: ReconciledOrders,
    rules: Mapping[str, Rules],
    uncomputed: Collection[str] = (),
) -> SlotPlan:
    """The diff of wanted and live orders. Pure; the order of its inputs does not matter.

    Places come inner levels first, which fill first although they earn less. Of `uncomputed` markets nobody
    knows what is wanted: their orders are kept, as are those of a market whose diff raises.
    """
    wanted = {target.slot: target for target in targets}
    live = _live_by_slot(view)
    slots: dict[str, list[Slot]] = {}
    for slot in (*live, *(slot for slot in wanted if slot not in live)):
        slots.setdefault(slot.ticker, []).append(slot)
    total, failed = _Diff(), dict[str, str]()
    for ticker, own in sorted(slots.items()):
        own.sort()
        try:
            known = ticker not in uncomputed
            kept = _as_wanted(own, wanted, live, view, rules.get(ticker)) if known else _held(own, live)
            if kept is None:
                total.join(_Diff().plan(own, wanted, live, view, rules.get(ticker)))
            else:
                total.kept += kept
        except Exception as error:
            failed[ticker] = told(error)
            total.kept += _held(own, live)
    return total.plan_with(failed)


def _held(slots: Iterable[Slot], live: Mapping[Slot, Sequence[TrackedOrder]]) -> list[TrackedOrder]:
    """Every order of these slots."""
    return [order for slot in slots for order in live.get(slot, ())]


def _as_wanted(
    slots: Sequence[Slot],
    wanted: Mapping[Slot, ApprovedOrder],
    live: Mapping[Slot, Sequence[TrackedOrder]],
    view: ReconciledOrders,
    rules: Rules | None,
) -> list[TrackedOrder] | None:
    """The orders of a market each of whose slots has one, exactly as wanted: most markets of most cycles.

    None where anything may be to do.
    """
    if rules is None or slots[0].ticker in view.blocked:
        return None
    kept = []
    for slot in slots:
        target, orders = wanted.get(slot), live.get(slot, ())
        if target is None or len(orders) != 1 or slot in view.frozen:
            return None
        order = orders[0]
        if order.price != target.price or order.remaining != target.count:
            return None
        if _runs_out(order, rules) or _overstays(order, rules) or order.client_order_id in rules.early:
            return None
        kept.append(order)
    return kept


def with_cancels(plan: SlotPlan, orders: Iterable[TrackedOrder], why: CancelReason) -> SlotPlan:
    """The plan, which takes these orders off as well, and asks nothing else of them."""
    planned = {request.client_order_id for request in plan.cancels}
    wanted = {order.client_order_id: order for order in orders if order.client_order_id not in planned}
    added = (cancel_request(order) for _, order in sorted(wanted.items()))
    return replace(
        plan,
        kept=tuple(order for order in plan.kept if order.client_order_id not in wanted),
        decreases=tuple(r for r in plan.decreases if r.client_order_id not in wanted),
        cancels=(*plan.cancels, *added),
        extends=tuple(r for r in plan.extends if r.client_order_id not in wanted),
        why={**plan.why, **dict.fromkeys(wanted, why)},
    )


def slot_key(slot: Slot) -> str:
    """A slot as one word, for records."""
    return f"{slot.ticker}|{slot.side}|{slot.level}"


def _live_by_slot(view: ReconciledOrders) -> dict[Slot, list[TrackedOrder]]:
    live: dict[Slot, list[TrackedOrder]] = {}
    for order in view.journal.orders.values():
        if order.state is OrderState.LIVE:
            live.setdefault(order.slot, []).append(order)
    for orders in live.values():
        if len(orders) > 1:
            orders.sort(key=lambda order: order.client_order_id)
    return live


class _Diff:
    """What becomes of some slots, as it is worked out."""

    __slots__ = ("cancels", "decreases", "extends", "kept", "places", "why", "withheld")

    def __init__(self) -> None:
        self.kept: list[TrackedOrder] = []
        self.decreases: list[DecreaseRequest] = []
        self.cancels: list[TrackedOrder] = []
        self.places: list[ApprovedOrder] = []
        self.withheld: list[tuple[Slot, Reason]] = []
        self.extends: list[ExtendRequest] = []
        self.why: dict[str, str] = {}

    def join(self, other: "_Diff") -> None:
        """Add what became of other slots."""
        self.kept += other.kept
        self.decreases += other.decreases
        self.cancels += other.cancels
        self.places += other.places
        self.withheld += other.withheld
        self.extends += other.extends
        self.why |= other.why

    def plan_with(self, failed: Mapping[str, str]) -> SlotPlan:
        """All of it as the plan of a cycle."""
        self.places.sort(key=lambda place: (place.slot.level, -place.edge, place.slot))
        return SlotPlan(
            kept=tuple(self.kept),
            decreases=tuple(self.decreases),
            cancels=tuple(cancel_request(order) for order in self.cancels),
            places=tuple(self.places),
            withheld=tuple(self.withheld),
            extends=tuple(self.extends),
            why=self.why,
            failed=failed,
        )

    def plan(
        self,
        slots: Iterable[Slot],
        wanted: Mapping[Slot, ApprovedOrder],
        live: Mapping[Slot, Sequence[TrackedOrder]],
        view: ReconciledOrders,
        rules: Rules | None,
    ) -> "_Diff":
        """Itself, with every slot of one market, and a reason for each cancel."""
        for slot in slots:
            target, orders = wanted.get(slot), live.get(slot, ())
            if slot in view.frozen:
                self.withheld += [(slot, Reason.SLOT_UNRESOLVED)] if target else []
            elif target is None or rules is None:
                self._cancel(orders, target, rules)
            elif slot.ticker in view.blocked:
                keeper = next((order for order in orders if _keeps(order, target, rules)), None)
                self.kept += [keeper] if keeper else []
                self._cancel([order for order in orders if order is not keeper], target, rules)
                self.withheld.append((slot, Reason.SLOT_UNRESOLVED))
            else:
                self._replace(orders, target, rules)
        return self

    def _replace(self, orders: Sequence[TrackedOrder], target: ApprovedOrder, rules: Rules) -> None:
        """Keep or decrease the first order that will do, and cancel the others; place where none will."""
        keeper = next((order for order in orders if _keeps(order, target, rules)), None)
        self._cancel([order for order in orders if order is not keeper], target, rules)
        if keeper is None:
            self.places.append(target)
        elif keeper.remaining > target.count:
            self.decreases.append(_decrease(keeper, target.count))
        else:
            self.kept.append(keeper)
            self.extends += _extends(keeper, rules)

    def _cancel(
        self, orders: Iterable[TrackedOrder], target: ApprovedOrder | None, rules: Rules | None
    ) -> None:
        for order in orders:
            self.cancels.append(order)
            self.why[order.client_order_id] = _why_cancel(order, target, rules)


def _extends(order: TrackedOrder, rules: Rules) -> tuple[ExtendRequest, ...]:
    due = _runs_out(order, rules) or order.client_order_id in rules.early
    if rules.extend_to_ms is None or not due:
        return ()
    return (extension(order, rules.extend_to_ms),)


def _runs_out(order: TrackedOrder, rules: Rules) -> bool:
    return order.expires_ms is not None and order.expires_ms < rules.renew_before_ms


def _overstays(order: TrackedOrder, rules: Rules) -> bool:
    latest_ms = rules.gone_by_ms
    return latest_ms is not None and order.expires_ms is not None and order.expires_ms > latest_ms


def _expiry_keeps(order: TrackedOrder, rules: Rules) -> bool:
    if rules.extend_to_ms is None and _runs_out(order, rules):
        return False
    return not _overstays(order, rules)


def _keeps(order: TrackedOrder, target: ApprovedOrder, rules: Rules) -> bool:
    if not _expiry_keeps(order, rules):
        return False
    return _price_keeps(order, target, rules) and _size_keeps(order, target, rules)


def _why_cancel(order: TrackedOrder, target: ApprovedOrder | None, rules: Rules | None) -> CancelReason:
    if target is None or rules is None:
        return CancelReason.NOT_WANTED
    if not _expiry_keeps(order, rules):
        return CancelReason.RENEWED
    if not _price_keeps(order, target, rules):
        return CancelReason.REPRICED
    return CancelReason.DUPLICATE if _size_keeps(order, target, rules) else CancelReason.RESIZED


def _price_keeps(order: TrackedOrder, target: ApprovedOrder, rules: Rules) -> bool:
    """Within the tolerance; a quote more eager than its target must still earn the least edge."""
    if abs(rules.grid.ticks_between(order.price, target.price)) > rules.config.price_tolerance_ticks:
        return False
    eager = (order.price - target.price) * order.slot.side.sign
    return eager <= 0 or target.edge - eager >= rules.config.min_edge


def _size_keeps(order: TrackedOrder, target: ApprovedOrder, rules: Rules) -> bool:
    """Partly filled quotes stay until little is left, or less than one contract where more is wanted."""
    if order.remaining >= target.count:
        return True
    share = order.remaining * 100 >= target.count * rules.config.refill_below
    return share and order.remaining >= min(CONTRACT, target.count)


def _decrease(order: TrackedOrder, count: Count) -> DecreaseRequest:
    return DecreaseRequest(
        order_id=order.order_id or "",
        client_order_id=order.client_order_id,
        ticker=order.slot.ticker,
        shard=order.shard,
        reduce_to=count,
    )


def cancel_request(order: TrackedOrder) -> CancelRequest:
    """The cancel of a live order, routed by its market and shard."""
    return CancelRequest(
        order_id=order.order_id or "",
        client_order_id=order.client_order_id,
        ticker=order.slot.ticker,
        shard=order.shard,
        remaining=order.remaining,
    )


def split(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Batches of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
