"""A later expiry in place: an amend that changes nothing else, and so keeps the order's queue place.

It names the order's own price and whole count (filled and resting), which fills in between leave as they are.
An amend takes as many tokens as a create (10); a cancel and a create take 12 and the queue place.
"""

from dora.core.exchange.error_codes import NOT_FOUND
from dora.core.orders.journal import Journal, OrderState, TrackedOrder, kept_until
from dora.core.orders.requests import ChangeResult, ExtendRequest, Outcome
from dora.core.units import Count, TimeMs


def extension(order: TrackedOrder, expires_ms: TimeMs) -> ExtendRequest:
    """The amend that lets a live order rest until then."""
    return ExtendRequest(
        order_id=order.order_id or "",
        client_order_id=order.client_order_id,
        ticker=order.slot.ticker,
        shard=order.shard,
        side=order.slot.side,
        price=order.price,
        count=Count(order.count - order.reduced),
        remaining=order.remaining,
        expires_s=expires_ms // 1000,
    )


def fold_extended(journal: Journal, request: ExtendRequest, result: ChangeResult, sent_ms: TimeMs) -> Journal:
    """The journal after one amend. Unanswered, the later of the two expiries counts until a row tells."""
    order = journal.orders[request.client_order_id]
    gone = result.outcome is Outcome.REFUSED and result.code == NOT_FOUND
    if gone or (result.outcome is Outcome.DONE and not result.remaining):
        # Filled or canceled: only its own row says which.
        after = order._replace(state=OrderState.NOT_FOUND, sent_ms=sent_ms)
    elif result.outcome is Outcome.REFUSED:
        after = order
    elif result.outcome is Outcome.UNKNOWN:
        after = extended(order, request)._replace(state=OrderState.PENDING_CHANGE, sent_ms=sent_ms)
    else:
        after = extended(order, request)._replace(remaining=result.remaining, write_ms=result.ts_ms)
    return journal.with_orders([after])


def extended(order: TrackedOrder, request: ExtendRequest) -> TrackedOrder:
    """The order with the later of its own expiry and the one asked for."""
    return kept_until(order, TimeMs(request.expires_s * 1000))
