"""The diff: what to keep, decrease, cancel and place in each slot, and in what order.

A decrease keeps the queue place and is used when only the size must fall. A replacement is placed only after
its cancel is confirmed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from dora.core.exchange.market import Slot
from dora.core.failures import told
from dora.core.orders.amend_expiry import extension
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.keeping import Rules, expiry_stands, is_due, why_replaced
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.requests import ApprovedOrder, DecreaseRequest, ExtendRequest
from dora.core.orders.slot_plan import SlotPlan, cancel_request, decrease_request
from dora.core.reasons import CancelReason, Reason

Wanted = Mapping[Slot, ApprovedOrder]
Live = Mapping[Slot, Sequence[TrackedOrder]]


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
    total, failed = _Diff(), dict[str, str]()
    for ticker, slots in sorted(_by_ticker(live, wanted).items()):
        slots.sort()
        try:
            known = ticker not in uncomputed
            kept = _as_wanted(slots, wanted, live, view, rules.get(ticker)) if known else _held(slots, live)
            if kept is None:
                total.join(_Diff().plan(slots, wanted, live, view, rules.get(ticker)))
            else:
                total.kept += kept
        except Exception as error:
            failed[ticker] = told(error)
            total.kept += _held(slots, live)
    return total.plan_with(failed)


def _live_by_slot(view: ReconciledOrders) -> dict[Slot, list[TrackedOrder]]:
    """Those of one slot by their names."""
    live: dict[Slot, list[TrackedOrder]] = {}
    resting = OrderState.LIVE
    for order in view.journal.orders.values():
        if order.state is resting:
            live.setdefault(order.slot, []).append(order)
    for orders in live.values():
        if len(orders) > 1:
            orders.sort(key=lambda order: order.client_order_id)
    return live


def _by_ticker(live: Live, wanted: Wanted) -> dict[str, list[Slot]]:
    slots: dict[str, list[Slot]] = {}
    for slot in live:
        slots.setdefault(slot.ticker, []).append(slot)
    for slot in wanted:
        if slot not in live:
            slots.setdefault(slot.ticker, []).append(slot)
    return slots


def _held(slots: Iterable[Slot], live: Live) -> list[TrackedOrder]:
    """Every order of these slots."""
    return [order for slot in slots for order in live.get(slot, ())]


def _as_wanted(
    slots: Sequence[Slot], wanted: Wanted, live: Live, view: ReconciledOrders, rules: Rules | None
) -> list[TrackedOrder] | None:
    """The orders of a market each of whose slots has one, exactly as wanted: most markets of most cycles.

    None where anything may be to do. Nothing is made for such a market but this list, which saves half
    of what `_Diff.plan` takes.
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
        if not expiry_stands(order, rules):
            return None
        kept.append(order)
    return kept


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
            cancels=tuple([cancel_request(order) for order in self.cancels]),
            places=tuple(self.places),
            withheld=tuple(self.withheld),
            extends=tuple(self.extends),
            why=self.why,
            failed=failed,
        )

    def plan(
        self, slots: Iterable[Slot], wanted: Wanted, live: Live, view: ReconciledOrders, rules: Rules | None
    ) -> "_Diff":
        """Itself, with every slot of one market, and a reason for each cancel."""
        for slot in slots:
            target, orders = wanted.get(slot), live.get(slot, ())
            if slot in view.frozen:
                self.withheld += [(slot, Reason.SLOT_UNRESOLVED)] if target else []
            elif target is None or rules is None:
                for order in orders:
                    self._cancel(order, CancelReason.NOT_WANTED)
            elif slot.ticker in view.blocked:
                keeper = self._keeper(orders, target, rules)
                self.kept += [keeper] if keeper else []
                self.withheld.append((slot, Reason.SLOT_UNRESOLVED))
            else:
                self._replace(orders, target, rules)
        return self

    def _replace(self, orders: Sequence[TrackedOrder], target: ApprovedOrder, rules: Rules) -> None:
        """Keep or decrease the first order that will do, and cancel the others; place where none will."""
        keeper = self._keeper(orders, target, rules)
        if keeper is None:
            self.places.append(target)
        elif keeper.remaining > target.count:
            self.decreases.append(decrease_request(keeper, target.count))
        else:
            self.kept.append(keeper)
            if rules.extend_to_ms is not None and is_due(keeper, rules):
                self.extends.append(extension(keeper, rules.extend_to_ms))

    def _keeper(
        self, orders: Sequence[TrackedOrder], target: ApprovedOrder, rules: Rules
    ) -> TrackedOrder | None:
        """The first order that will do; all others are cancelled."""
        keeper = None
        for order in orders:
            why = why_replaced(order, target, rules)
            if why is None and keeper is None:
                keeper = order
            else:
                self._cancel(order, why or CancelReason.DUPLICATE)
        return keeper

    def _cancel(self, order: TrackedOrder, why: CancelReason) -> None:
        self.cancels.append(order)
        self.why[order.client_order_id] = why
