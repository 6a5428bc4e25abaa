"""Orders of ours and rows of them, for tests of the evidence."""

from dora.core.exchange.account import Order, OrderStatus
from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import (
    OrderState,
    TrackedOrder,
    order_prefix,
)
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.units import Count, Price, TimeMs

PREFIX = order_prefix("bot", "local")


SLOT = Slot("KXA-1", Side.BID)


HOLD_MS, TOMBSTONE_MS = 62_000, 1_800_000


WRITE, LATER = TimeMs(1_000_000), TimeMs(1_060_000)


def tracked(state: OrderState = OrderState.LIVE, **changes: object) -> TrackedOrder:
    order = TrackedOrder(
        client_order_id=PREFIX + "one",
        slot=SLOT,
        shard=0,
        price=Price(4400),
        count=Count(1000),
        remaining=Count(1000),
        state=state,
        sent_ms=WRITE,
        order_id=None if state is OrderState.PENDING_NEW else "o-1",
        write_ms=TimeMs(0) if state is OrderState.PENDING_NEW else WRITE,
        group_id="g-1",
    )
    return order._replace(**changes)


def row(status: OrderStatus = OrderStatus.RESTING, **changes: object) -> Order:
    found = Order(
        order_id="o-1",
        client_order_id=PREFIX + "one",
        ticker=SLOT.ticker,
        shard=0,
        side=SLOT.side,
        price=Price(4400),
        status=status,
        initial=Count(1000),
        remaining=Count(1000) if status is OrderStatus.RESTING else Count(0),
        filled=Count(1000) if status is OrderStatus.EXECUTED else Count(0),
        updated_ms=WRITE,
        group_id="g-1",
    )
    return found._replace(**changes)


def only(view: ReconciledOrders) -> TrackedOrder:
    (order,) = view.journal.orders.values()
    return order
