"""Facts of an execution: what was sent, what became of it. Field names are an API of the saved queries."""

from collections.abc import Mapping, Sequence

from dora.core.danger import Exposed
from dora.core.freshness import INVISIBLE
from dora.core.journal import Journal, TrackedOrder
from dora.core.ledger import Drift
from dora.core.model import (
    BatchCancelResult,
    BatchCancelSummary,
    BatchPlaceResult,
    BatchPlaceSummary,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    ExtendRequest,
    FailedOrder,
    OrderRequest,
)
from dora.core.ports import Facts
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.reconciliation import Resolution
from dora.core.units import format_count, format_price

METRICS = {
    "OrdersPlaced": "placed",
    "OrdersCancelled": "cancelled",
    "OrdersFailed": "failed",
    "OrdersUnknown": "unknown",
    "OrdersDropped": "dropped",
    "Fills": "fills",
    "PositionDrift": "drift",
    "MarketsQuoted": "markets_quoted",
    "CycleDurationMs": "duration_ms",
}
"""Metric names and the fields of the cycle record they come from."""


def batch_cancel(
    facts: Facts, batch: Sequence[CancelRequest], number: int, batches: Sequence[Sequence[CancelRequest]]
) -> None:
    """`BATCH_CANCEL`, before it is sent."""
    facts.emit(
        "BATCH_CANCEL",
        batch_number=number + 1,
        total_batches=len(batches),
        batch_size=len(batch),
        total_to_cancel=sum(map(len, batches)),
        orders="; ".join(f"{r.ticker} {r.order_id} {format_count(r.remaining)}" for r in batch),
    )


def batch_place(
    facts: Facts, batch: Sequence[OrderRequest], number: int, batches: Sequence[Sequence[OrderRequest]]
) -> None:
    """`BATCH_PLACE`, before it is sent."""
    facts.emit(
        "BATCH_PLACE",
        batch_number=number + 1,
        total_batches=len(batches),
        batch_size=len(batch),
        total_to_place=sum(map(len, batches)),
        orders="; ".join(map(_line, batch)),
    )


def _line(request: OrderRequest) -> str:
    price, count = format_price(request.price), format_count(request.count)
    return f"{request.slot.ticker} {request.slot.side} {price} {count} {request.client_order_id}"


def cancelled(
    facts: Facts, so_far: BatchCancelSummary, result: BatchCancelResult, number: int, before: Journal
) -> BatchCancelSummary:
    """One `ORDER_CANCELLED` or `BATCH_CANCEL_FAILED` for each order; the running totals."""
    for done in result.succeeded:
        facts.emit(
            "ORDER_CANCELLED",
            market=done.request.ticker,
            order_id=done.request.order_id,
            client_order_id=done.request.client_order_id,
            size=format_count(done.request.remaining),
            reduced_by=format_count(done.reduced_by),
        )
    for failed in (*result.failed, *result.unknown):
        _failed(facts, "BATCH_CANCEL_FAILED", failed, number, before.orders[failed.request.client_order_id])
    asked = len(result.succeeded) + len(result.failed) + len(result.unknown)
    return BatchCancelSummary(
        total_requested=so_far.total_requested + asked,
        total_succeeded=so_far.total_succeeded + len(result.succeeded),
        total_failed=so_far.total_failed + len(result.failed),
        total_unknown=so_far.total_unknown + len(result.unknown),
        batches=so_far.batches + 1,
    )


def placed(
    facts: Facts, so_far: BatchPlaceSummary, result: BatchPlaceResult, number: int, before: Journal
) -> BatchPlaceSummary:
    """One `ORDER_PLACED` or `BATCH_PLACE_FAILED` for each order; the running totals."""
    for done in result.placed:
        facts.emit(
            "ORDER_PLACED",
            market=done.request.slot.ticker,
            order_id=done.order_id,
            client_order_id=done.request.client_order_id,
            side=done.request.slot.side,
            price=format_price(done.request.price),
            size=format_count(done.remaining),
        )
    for failed in (*result.failed, *result.unknown):
        _failed(facts, "BATCH_PLACE_FAILED", failed, number, before.orders[failed.request.client_order_id])
    asked = len(result.placed) + len(result.failed) + len(result.unknown)
    return BatchPlaceSummary(
        total_requested=so_far.total_requested + asked,
        total_succeeded=so_far.total_succeeded + len(result.placed),
        total_failed=so_far.total_failed + len(result.failed),
        total_unknown=so_far.total_unknown + len(result.unknown),
        batches=so_far.batches + 1,
    )


def decreased(facts: Facts, request: DecreaseRequest, result: ChangeResult) -> None:
    """`ORDER_DECREASED`, whatever became of it."""
    facts.emit(
        "ORDER_DECREASED",
        market=request.ticker,
        order_id=request.order_id,
        client_order_id=request.client_order_id,
        size=format_count(request.reduce_to),
        outcome=result.outcome,
        error_code=result.code,
    )


def extended(facts: Facts, request: ExtendRequest, result: ChangeResult) -> None:
    """`ORDER_EXTENDED`, whatever became of it."""
    facts.emit(
        "ORDER_EXTENDED",
        market=request.ticker,
        order_id=request.order_id,
        client_order_id=request.client_order_id,
        expires_s=request.expires_s,
        outcome=result.outcome,
        error_code=result.code,
    )


def cancel_summary(facts: Facts, summary: BatchCancelSummary) -> None:
    """`BATCH_CANCEL_SUMMARY`."""
    facts.emit("BATCH_CANCEL_SUMMARY", **_totals(summary))


def place_summary(facts: Facts, summary: BatchPlaceSummary) -> None:
    """`BATCH_PLACE_SUMMARY`."""
    facts.emit("BATCH_PLACE_SUMMARY", **_totals(summary))


def rate_limited(facts: Facts, endpoint: str, hits: int, backoff_ms: int) -> None:
    """`RATE_LIMIT` and the `RATE_LIMIT_BACKOFF` it led to."""
    facts.emit("RATE_LIMIT", endpoint=endpoint, consecutive_hits=hits)
    facts.emit(
        "RATE_LIMIT_BACKOFF", endpoint=endpoint, consecutive_hits=hits, backoff_seconds=backoff_ms / 1000
    )


def budget_low(facts: Facts, dropped: int, stopped: Reason | None) -> None:
    """`BUDGET_LOW`: placements that did not fit, and what ended the placing; they are first next time."""
    facts.emit("BUDGET_LOW", dropped=dropped, reason=stopped or Reason.BUDGET)


def resolved(facts: Facts, resolutions: Sequence[Resolution]) -> None:
    """`ORDER_ADOPTED` for orders found without an intent, `ORDER_RESOLVED` for what became proven."""
    for found in resolutions:
        order = found.order
        facts.emit(
            "ORDER_RESOLVED" if found.was else "ORDER_ADOPTED",
            market=order.slot.ticker,
            order_id=order.order_id or "",
            client_order_id=order.client_order_id,
            side=order.slot.side,
            price=format_price(order.price),
            size=format_count(order.remaining),
            was=found.was or "",
            state=order.state,
            evidence=found.evidence,
        )


def overlooked(facts: Facts, orders: Sequence[TrackedOrder]) -> None:
    """An `ERROR` where a list of resting orders, said to be complete, lacked orders that rest."""
    if orders:
        ids = [order.order_id for order in orders]
        facts.emit("ERROR", what="list of resting orders", why="it lacks orders that rest", orders=ids)


def invisible(facts: Facts, orders: Sequence[TrackedOrder]) -> None:
    """An `ERROR` for each order that rests by its last answer, and that no read shows."""
    for order in orders:
        facts.emit(
            "ERROR",
            what="order that no read shows",
            why=INVISIBLE,
            market=order.slot.ticker,
            order_id=order.order_id or "",
            client_order_id=order.client_order_id,
        )


def protected(facts: Facts, found: Exposed, why: Reason) -> None:
    """A `WARNING` where quotes are taken off while their markets are not computed."""
    if found.orders:
        facts.emit(
            "WARNING",
            what="quotes cancelled that nobody may replace",
            reason=why,
            dangerous=len(found.dangerous),
            unpriced=len(found.unpriced),
            orders=[order.order_id for order in found.orders],
        )


def cycle(
    facts: Facts, record: Mapping[str, object], news: Sequence[Decision], drift: Sequence[Drift]
) -> None:
    """`DECISION_MADE` for each changed decision, `POSITION_DRIFT`, the `CYCLE` record, and the metrics."""
    for decision in news:
        facts.emit(
            "DECISION_MADE",
            market=decision.ticker,
            target_count=len(decision.targets),
            skip_reason=decision.skip or "",
            fair_value=decision.fair_value,
            fair_value_source=decision.fair_value_source,
            reservation_price=decision.reservation_price,
            targets="; ".join(
                f"{t.slot.side} {format_price(t.price)} {format_count(t.count)}" for t in decision.targets
            ),
            clip_reasons="; ".join(f"{slot.side} {why}" for slot, why in decision.dropped),
        )
    for gap in drift:
        facts.emit(
            "POSITION_DRIFT", market=gap.ticker, ours=format_count(gap.ours), theirs=format_count(gap.theirs)
        )
    facts.emit("CYCLE", **record)
    facts.count("CyclesCompleted", 1)
    for name, field in METRICS.items():
        value = record[field]
        facts.count(name, value if isinstance(value, int) else 0)


def _totals(summary: BatchCancelSummary | BatchPlaceSummary) -> dict[str, object]:
    return {
        "total_requested": summary.total_requested,
        "total_succeeded": summary.total_succeeded,
        "total_failed": summary.total_failed,
        "total_unknown": summary.total_unknown,
        "batches": summary.batches,
    }


def _failed(facts: Facts, event_type: str, failed: FailedOrder, number: int, order: TrackedOrder) -> None:
    facts.emit(
        event_type,
        market=order.slot.ticker,
        client_order_id=failed.request.client_order_id,
        order_id=order.order_id or "",
        side=order.slot.side,
        price=format_price(order.price),
        size=format_count(order.remaining),
        error_code=failed.code,
        error_msg=failed.message,
        outcome=failed.outcome,
        batch_number=number + 1,
    )
