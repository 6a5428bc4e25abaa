"""The order that asks the engine whether a client order id is free."""

from dora.core.exchange.book import best_ask, best_bid
from dora.core.exchange.market import Book, Market, MarketStatus, Side
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import IdProbeRequest
from dora.core.units import Price


def id_probe_request(
    order: TrackedOrder, market: Market | None, book: Book | None, group_id: str | None
) -> IdProbeRequest | None:
    """At the outermost price of the grid; None where the market takes no orders, or the probe might trade."""
    if market is None or book is None or market.status is not MarketStatus.ACTIVE:
        return None
    price = market.grid.lowest if order.slot.side is Side.BID else market.grid.highest
    if _may_trade(order.slot.side, price, market, book):
        return None
    return IdProbeRequest(
        client_order_id=order.client_order_id,
        slot=order.slot,
        shard=order.shard,
        price=price,
        group_id=group_id,
    )


def _may_trade(side: Side, price: Price, market: Market, book: Book) -> bool:
    """Whether the opposite best is within one tick of that price: it moves while the probe is on its way."""
    if side is Side.BID:
        ask = best_ask(book)
        return ask is not None and ask <= market.grid.above(price)
    bid = best_bid(book)
    return bid is not None and bid >= market.grid.below(price)
