"""The obvious version of `dora.core.orders.diff.plan_slots`, to compare the fast one with."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TypeVar

from dora.core.exchange.market import Slot
from dora.core.failures import told
from dora.core.orders.amend_expiry import extension
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.keeping import Rules
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.requests import ApprovedOrder, DecreaseRequest, ExtendRequest
from dora.core.orders.slot_plan import SlotPlan, cancel_request
from dora.core.reasons import CancelReason, Reason
from dora.core.units import CONTRACT, Count, TimeMs

Item = TypeVar("Item")


def plan_slots(
    targets: Iterable[ApprovedOrder],
    view: ReconciledOrders,
    rules: Mapping[str, Rules],
    uncomputed: Collection[str] = (),
) -> SlotPlan:
    """The diff of wanted and live orders. Pure; the order of its inputs does not matter."""
    wanted = {target.slot: target for target in targets}
    live = _live_by_slot(view)
    parts: list[_SlotDiff] = []
    failed: dict[str, str] = {}
    for ticker, group in groupby(sorted(wanted.keys() | live.keys()), key=lambda slot: slot.ticker):
        slots = list(group)
        try:
            known = ticker not in uncomputed
            parts += (
                _plan_market(slots, wanted, live, view, rules.get(ticker)) if known else _held(slots, live)
            )
        except Exception as error:
            failed[ticker] = told(error)
            parts += _held(slots, live)
    places = [place for part in parts for place in part.places]
    places.sort(key=lambda p: (p.slot.level, -p.edge, p.slot))
    return SlotPlan(
        kept=tuple(order for part in parts for order in part.kept),
        decreases=tuple(order for part in parts for order in part.decreases),
        cancels=tuple(cancel_request(order) for part in parts for order in part.cancels),
        places=tuple(places),
        withheld=tuple(entry for part in parts for entry in part.withheld),
        extends=tuple(request for part in parts for request in part.extends),
        why={key: reason for part in parts for key, reason in part.why.items()},
        failed=failed,
    )


@dataclass(frozen=True, slots=True)
class _SlotDiff:
    kept: tuple[TrackedOrder, ...] = ()
    decreases: tuple[DecreaseRequest, ...] = ()
    cancels: tuple[TrackedOrder, ...] = ()
    places: tuple[ApprovedOrder, ...] = ()
    withheld: tuple[tuple[Slot, Reason], ...] = ()
    extends: tuple[ExtendRequest, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)


def _held(slots: Iterable[Slot], live: Mapping[Slot, tuple[TrackedOrder, ...]]) -> list[_SlotDiff]:
    return [_SlotDiff(kept=live.get(slot, ())) for slot in slots]


def _plan_market(
    slots: Iterable[Slot],
    wanted: Mapping[Slot, ApprovedOrder],
    live: Mapping[Slot, tuple[TrackedOrder, ...]],
    view: ReconciledOrders,
    rules: Rules | None,
) -> list[_SlotDiff]:
    """Every slot of one market, with a reason for each cancel."""
    parts = []
    for slot in slots:
        target = wanted.get(slot)
        part = _plan_slot(slot, target, live.get(slot, ()), view, rules)
        why = {order.client_order_id: _why_cancel(order, target, rules) for order in part.cancels}
        parts.append(replace(part, why=why))
    return parts


def _live_by_slot(view: ReconciledOrders) -> dict[Slot, tuple[TrackedOrder, ...]]:
    live = [order for order in view.journal.orders.values() if order.state is OrderState.LIVE]
    live.sort(key=lambda order: (order.slot, order.client_order_id))
    return {slot: tuple(orders) for slot, orders in groupby(live, key=lambda order: order.slot)}


def _plan_slot(
    slot: Slot,
    target: ApprovedOrder | None,
    live: Sequence[TrackedOrder],
    view: ReconciledOrders,
    rules: Rules | None,
) -> _SlotDiff:
    if slot in view.frozen:
        return _SlotDiff(withheld=((slot, Reason.SLOT_UNRESOLVED),) if target else ())
    if target is None or rules is None:
        return _SlotDiff(cancels=tuple(live))
    keeper = next((order for order in live if _keeps(order, target, rules)), None)
    others = tuple(order for order in live if order is not keeper)
    if slot.ticker in view.blocked:
        kept = (keeper,) if keeper else ()
        return _SlotDiff(kept=kept, cancels=others, withheld=((slot, Reason.SLOT_UNRESOLVED),))
    if keeper is None:
        return _SlotDiff(cancels=others, places=(target,))
    if keeper.remaining > target.count:
        return _SlotDiff(decreases=(_decrease(keeper, target.count),), cancels=others)
    return _SlotDiff(kept=(keeper,), cancels=others, extends=_extends(keeper, rules))


def _extends(order: TrackedOrder, rules: Rules) -> tuple[ExtendRequest, ...]:
    due = _runs_out(order, rules) or order.client_order_id in rules.early
    if rules.extend_to_ms is None or not due:
        return ()
    return (extension(order, rules.extend_to_ms),)


def _runs_out(order: TrackedOrder, rules: Rules) -> bool:
    return order.expires_by(TimeMs(rules.renew_before_ms - 1))


def _expiry_keeps(order: TrackedOrder, rules: Rules) -> bool:
    if _runs_out(order, rules) and rules.extend_to_ms is None:
        return False
    return rules.gone_by_ms is None or order.expires_ms is None or order.expires_ms <= rules.gone_by_ms


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
