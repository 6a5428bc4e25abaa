"""What a cycle is to do with its slots: the result of the diff, from which budget and brakes take away."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.empty import EMPTY
from dora.core.exchange.market import Slot
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import ApprovedOrder, CancelRequest, DecreaseRequest, ExtendRequest
from dora.core.reasons import CancelReason, Reason
from dora.core.units import Count


class SlotPlan(NamedTuple):
    """The diff of all slots. `places` come most urgent first and may need a cancel of their slot first."""

    kept: tuple[TrackedOrder, ...]
    decreases: tuple[DecreaseRequest, ...]
    cancels: tuple[CancelRequest, ...]
    places: tuple[ApprovedOrder, ...]
    withheld: tuple[tuple[Slot, Reason], ...]
    extends: tuple[ExtendRequest, ...] = ()
    """Of the kept ones: those that are to rest longer."""
    why: Mapping[str, str] = EMPTY
    """Why each cancel is sent, by client order id."""
    failed: Mapping[str, str] = EMPTY
    """Markets whose diff could not be computed, and why: their orders are kept."""

    @property
    def writes(self) -> int:
        """How many orders would be written."""
        return len(self.decreases) + len(self.cancels) + len(self.places) + len(self.extends)


def with_cancels(plan: SlotPlan, orders: Iterable[TrackedOrder], why: CancelReason) -> SlotPlan:
    """The plan, which takes these orders off as well, and asks nothing else of them."""
    planned = {request.client_order_id for request in plan.cancels}
    wanted = {order.client_order_id: order for order in orders if order.client_order_id not in planned}
    added = (cancel_request(order) for _, order in sorted(wanted.items()))
    return plan._replace(
        kept=tuple(order for order in plan.kept if order.client_order_id not in wanted),
        decreases=tuple(r for r in plan.decreases if r.client_order_id not in wanted),
        cancels=(*plan.cancels, *added),
        extends=tuple(r for r in plan.extends if r.client_order_id not in wanted),
        why={**plan.why, **dict.fromkeys(wanted, why)},
    )


def slot_key(slot: Slot) -> str:
    """A slot as one word, for records."""
    return f"{slot.ticker}|{slot.side}|{slot.level}"


def cancel_request(order: TrackedOrder) -> CancelRequest:
    """The cancel of a live order, routed by its market and shard."""
    return CancelRequest(
        order_id=order.order_id or "",
        client_order_id=order.client_order_id,
        ticker=order.slot.ticker,
        shard=order.shard,
        remaining=order.remaining,
    )


def decrease_request(order: TrackedOrder, count: Count) -> DecreaseRequest:
    """The decrease of a live order to so many contracts."""
    return DecreaseRequest(
        order_id=order.order_id or "",
        client_order_id=order.client_order_id,
        ticker=order.slot.ticker,
        shard=order.shard,
        reduce_to=count,
    )
