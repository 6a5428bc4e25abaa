"""Live orders and what a diff of them names."""

from collections.abc import Iterable

from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.slot_plan import SlotPlan, slot_key
from dora.core.units import Count, Price, TimeMs, parse_count, parse_price
from tests.support.examples import TICKER

BID, ASK = Slot(TICKER, Side.BID), Slot(TICKER, Side.ASK)


def order(slot: Slot, price: Price, remaining: Count, name: str = "") -> TrackedOrder:
    key = name or slot_key(slot)
    return TrackedOrder(
        client_order_id=key,
        slot=slot,
        shard=1,
        price=price,
        count=remaining,
        remaining=remaining,
        state=OrderState.LIVE,
        sent_ms=TimeMs(0),
        order_id=f"o-{key}",
    )


def live(price: str, count: str, slot: Slot = BID, name: str = "") -> TrackedOrder:
    return order(slot, parse_price(price), parse_count(count), name)


def view(
    orders: Iterable[TrackedOrder], frozen: Iterable[Slot] = (), blocked: Iterable[str] = ()
) -> ReconciledOrders:
    return ReconciledOrders(
        journal=Journal({order.client_order_id: order for order in orders}),
        external=(),
        frozen=frozenset(frozen),
        blocked=frozenset(blocked),
        resolutions=(),
    )


def names(plan: SlotPlan) -> tuple[list[str], list[str], list[str], list[str]]:
    """Client ids kept, decreased and cancelled, and the slots placed."""
    return (
        [kept.client_order_id for kept in plan.kept],
        [cut.client_order_id for cut in plan.decreases],
        [gone.client_order_id for gone in plan.cancels],
        [slot_key(place.slot) for place in plan.places],
    )
