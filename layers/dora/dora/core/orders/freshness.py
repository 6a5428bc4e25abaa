"""Whether the reads are fresh enough to place on, judged write by write.

A write that the engine acknowledged must show in the reads sooner or later: a resting order in the list or in
its single-order read, a canceled one by no longer standing in the list as it was before. The account-wide
stamp cannot say it: it is approximate, and runs ahead of a shard or an endpoint.
"""

from collections.abc import Mapping

from dora.core.exchange.account import Order, OrderStatus
from dora.core.orders.evidence import Evidence, hold_is_over
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders, Resolution
from dora.core.orders.row_names import named_rows
from dora.core.units import TimeMs

UNSEEN_CYCLES = 3
"""For so many cycles a write that no read shows closes placement everywhere, then in its market alone."""
INVISIBLE = f"its last write not shown by any read for {UNSEEN_CYCLES} cycles"


def judge_writes(
    view: ReconciledOrders,
    evidence: Evidence,
    *,
    now_ms: TimeMs,
    max_age_ms: int,
    hold_ms: int,
    refused_ms: int = 0,
) -> ReconciledOrders:
    """The view with its `unseen` orders: those whose last acknowledged write is older than `max_age_ms`.

    `refused_ms`: when a 429 was met last. Nobody is sure that it answered the only copy of its request, so
    what it refused is placed again only on reads that show every write acknowledged until then.

    Where the reads have moved on past such a write for `UNSEEN_CYCLES`, its order alone is invisible and
    becomes missing: its market rests until a row shows it. Where they have not, all reads are behind.
    Nothing is judged by an incomplete list. Not to be repeated with the same reads: it counts cycles.
    """
    if evidence.resting is None:
        return view
    rows, closed = named_rows(view.journal, evidence.rows), OrderState.CLOSED
    reads_ms = max([evidence.as_of_ms, *(row.updated_ms for row in evidence.rows)])
    unseen = [
        order._replace(unseen=order.unseen + 1)
        for key, order in view.journal.orders.items()
        if (now_ms - order.write_ms > max_age_ms or order.write_ms <= refused_ms)
        and (order.state is not closed or key in rows)
        and _is_unseen(order, rows.get(key), evidence)
    ]
    invisible = {
        order.client_order_id: _missing(order)
        for order in unseen
        if order.unseen >= UNSEEN_CYCLES
        and reads_ms >= order.write_ms
        and hold_is_over(order, evidence.began_ms, hold_ms)
    }
    counted = {order.client_order_id: order for order in unseen} | invisible
    changed = [*counted.values(), *_seen_again(view, rows, counted)]
    return _with_missing(
        view._replace(journal=view.journal.with_orders(changed), unseen=tuple(unseen)), invisible
    )


def _is_unseen(order: TrackedOrder, row: Order | None, evidence: Evidence) -> bool:
    """A look-up that failed or was not made is no look: it neither shows a write nor hides it."""
    if order.state is OrderState.CLOSED:
        return row is not None and row.status is OrderStatus.RESTING and row.updated_ms < order.write_ms
    if order.state not in (OrderState.LIVE, OrderState.PENDING_CHANGE) or order.expires_by(evidence.began_ms):
        return False
    if row is None:
        return order.order_id in evidence.looked_up
    return row.updated_ms < order.write_ms


def _missing(order: TrackedOrder) -> TrackedOrder:
    """A row that is not older than its last write ends it; such a row may be of the write itself."""
    sent_ms = TimeMs(min(order.sent_ms, order.write_ms - 1))
    return order._replace(state=OrderState.NOT_FOUND, sent_ms=sent_ms, unseen=0)


def _seen_again(
    view: ReconciledOrders, rows: Mapping[str, Order], unseen: Mapping[str, TrackedOrder]
) -> list[TrackedOrder]:
    return [
        order._replace(unseen=0)
        for key, order in view.journal.orders.items()
        if order.unseen and key not in unseen and (key in rows or not order.open)
    ]


def _with_missing(view: ReconciledOrders, invisible: Mapping[str, TrackedOrder]) -> ReconciledOrders:
    before = {order.client_order_id: order for order in view.unseen}
    return view._replace(
        frozen=view.frozen | {order.slot for order in invisible.values()},
        blocked=view.blocked | {order.slot.ticker for order in invisible.values()},
        invisible=tuple(invisible.values()),
        resolutions=(
            *view.resolutions,
            *(Resolution(order, before[key].state, INVISIBLE) for key, order in invisible.items()),
        ),
    )
