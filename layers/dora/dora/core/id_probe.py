"""The order that asks the engine whether a client order id is free."""

from dora.core.journal import TrackedOrder
from dora.core.model import ClaimRequest, Market, MarketStatus, Side


def claim_request(order: TrackedOrder, market: Market | None, group_id: str | None) -> ClaimRequest | None:
    """At the price of the grid that is least likely to trade; None where the market takes no orders."""
    if market is None or market.status is not MarketStatus.ACTIVE:
        return None
    return ClaimRequest(
        client_order_id=order.client_order_id,
        slot=order.slot,
        shard=order.shard,
        price=market.grid.lowest if order.slot.side is Side.BID else market.grid.highest,
        group_id=group_id,
    )
