"""Which placements may be sent once all cancels of a cycle are folded."""

from collections.abc import Collection, Iterable

from dora.core.orders.journal import Journal, OrderState
from dora.core.orders.reconciliation import ORPHAN_LEVEL
from dora.core.orders.requests import OrderRequest


def cleared(
    requests: Iterable[OrderRequest], journal: Journal, surprised: Collection[str]
) -> list[OrderRequest]:
    """Without those whose slot still holds an order, or whose market may have filled unseen (`surprised`).

    An orphan holds every slot of its side, and a missing order its whole market.
    """
    orders = journal.orders.values()
    held = {order.slot for order in orders if order.open}
    orphans = {(slot.ticker, slot.side) for slot in held if slot.level == ORPHAN_LEVEL}
    barred = {*surprised, *(o.slot.ticker for o in orders if o.state is OrderState.NOT_FOUND)}
    return [
        request
        for request in requests
        if request.slot not in held
        and (request.slot.ticker, request.slot.side) not in orphans
        and request.slot.ticker not in barred
    ]
