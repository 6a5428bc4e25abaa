"""Facts about orders whose fate became proven."""

from collections.abc import Sequence

from dora.core.orders.reconciliation import Resolution
from dora.core.ports import Facts
from dora.core.units import format_count, format_price


def resolved(facts: Facts, resolutions: Sequence[Resolution]) -> None:
    """`ORDER_ADOPTED` for orders found without an intent, `ORDER_RESOLVED` for what became proven."""
    for found in resolutions:
        order = found.order
        facts.emit(
            "ORDER_RESOLVED" if found.was else "ORDER_ADOPTED",
            market=order.slot.ticker,
            order_id=order.order_id or "",
            client_order_id=order.client_order_id,
            decision_id=order.decision_id,
            side=order.slot.side,
            price=format_price(order.price),
            size=format_count(order.remaining),
            was=found.was or "",
            state=order.state,
            evidence=found.evidence,
        )
