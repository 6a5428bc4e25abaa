"""The log of one phase of an execution: what was sent, why, and what became of it.

Each entry carries the decision it follows from, which is this cycle's for its market, also for an order that
an earlier decision placed. Field names are an API of the saved queries.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dora.core.orders.journal import Journal, decision_id
from dora.core.orders.requests import (
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
from dora.core.units import Count, format_count, format_price

UNKNOWN = "-"
"""In a line of orders: what is not known yet."""
NEW = "new"
"""Why an order is placed in a slot of which this cycle cancelled none."""


class Entries(NamedTuple):
    """Writes a phase's facts. `journal` is as it stood when the phase began; `why` is by client order id."""

    facts: Facts
    cycle_id: str
    journal: Journal
    why: Mapping[str, str]

    def batch_cancel(
        self, batch: Sequence[CancelRequest], number: int, batches: Sequence[Sequence[CancelRequest]]
    ) -> None:
        """`BATCH_CANCEL`, before it is sent."""
        self.facts.emit(
            "BATCH_CANCEL",
            batch_number=number + 1,
            total_batches=len(batches),
            batch_size=len(batch),
            total_to_cancel=sum(map(len, batches)),
            orders="; ".join(self._line(request.client_order_id) for request in batch),
        )

    def batch_place(
        self, batch: Sequence[OrderRequest], number: int, batches: Sequence[Sequence[OrderRequest]]
    ) -> None:
        """`BATCH_PLACE`, before it is sent."""
        self.facts.emit(
            "BATCH_PLACE",
            batch_number=number + 1,
            total_batches=len(batches),
            batch_size=len(batch),
            total_to_place=sum(map(len, batches)),
            orders="; ".join(self._line(request.client_order_id) for request in batch),
        )

    def _line(self, key: str) -> str:
        """Market, side, price, contracts, client order id, order id, decision id, reason."""
        order, why = self.journal.orders[key], self.why.get(key, UNKNOWN)
        price, count = format_price(order.price), format_count(order.remaining)
        slot, decision = order.slot, self._decision(order.slot.ticker)
        return f"{slot.ticker} {slot.side} {price} {count} {key} {order.order_id or UNKNOWN} {decision} {why}"

    def _decision(self, ticker: str) -> str:
        return decision_id(self.cycle_id, ticker)

    def cancelled(
        self, so_far: BatchCancelSummary, result: BatchCancelResult, number: int
    ) -> BatchCancelSummary:
        """One `BATCH_CANCELLED` with what was taken off each order, one `BATCH_CANCEL_FAILED` for each other.

        Returns the running totals.
        """
        taken = [
            (done.request.client_order_id, done.request.order_id, done.reduced_by)
            for done in result.succeeded
        ]
        self._answered("BATCH_CANCELLED", number, taken)
        for failed in (*result.failed, *result.unknown):
            self._failed("BATCH_CANCEL_FAILED", failed, number)
        asked = len(result.succeeded) + len(result.failed) + len(result.unknown)
        return BatchCancelSummary(
            total_requested=so_far.total_requested + asked,
            total_succeeded=so_far.total_succeeded + len(result.succeeded),
            total_failed=so_far.total_failed + len(result.failed),
            total_unknown=so_far.total_unknown + len(result.unknown),
            batches=so_far.batches + 1,
        )

    def placed(self, so_far: BatchPlaceSummary, result: BatchPlaceResult, number: int) -> BatchPlaceSummary:
        """One `BATCH_PLACED` with what rests of each order, and one `BATCH_PLACE_FAILED` for each other.

        Returns the running totals.
        """
        rest = [(done.request.client_order_id, done.order_id, done.remaining) for done in result.placed]
        self._answered("BATCH_PLACED", number, rest)
        for failed in (*result.failed, *result.unknown):
            self._failed("BATCH_PLACE_FAILED", failed, number)
        asked = len(result.placed) + len(result.failed) + len(result.unknown)
        return BatchPlaceSummary(
            total_requested=so_far.total_requested + asked,
            total_succeeded=so_far.total_succeeded + len(result.placed),
            total_failed=so_far.total_failed + len(result.failed),
            total_unknown=so_far.total_unknown + len(result.unknown),
            batches=so_far.batches + 1,
        )

    def _answered(self, event_type: str, number: int, orders: Sequence[tuple[str, str, Count]]) -> None:
        """Client order id, order id and contracts of each; the rest stands in the line of its batch."""
        if orders:
            lines = "; ".join(f"{key} {order_id} {format_count(count)}" for key, order_id, count in orders)
            self.facts.emit(event_type, batch_number=number + 1, orders=lines)

    def decreased(self, request: DecreaseRequest, result: ChangeResult) -> None:
        """`ORDER_DECREASED`, whatever became of it."""
        self.facts.emit(
            "ORDER_DECREASED",
            market=request.ticker,
            order_id=request.order_id,
            client_order_id=request.client_order_id,
            decision_id=self._decision(request.ticker),
            size=format_count(request.reduce_to),
            outcome=result.outcome,
            error_code=result.code,
        )

    def extended(self, request: ExtendRequest, result: ChangeResult) -> None:
        """`ORDER_EXTENDED`, whatever became of it."""
        self.facts.emit(
            "ORDER_EXTENDED",
            market=request.ticker,
            order_id=request.order_id,
            client_order_id=request.client_order_id,
            decision_id=self._decision(request.ticker),
            expires_s=request.expires_s,
            outcome=result.outcome,
            error_code=result.code,
        )

    def _failed(self, event_type: str, failed: FailedOrder, number: int) -> None:
        order = self.journal.orders[failed.request.client_order_id]
        self.facts.emit(
            event_type,
            market=order.slot.ticker,
            client_order_id=failed.request.client_order_id,
            order_id=order.order_id or "",
            decision_id=self._decision(order.slot.ticker),
            reason=self.why.get(order.client_order_id, ""),
            side=order.slot.side,
            price=format_price(order.price),
            size=format_count(order.remaining),
            error_code=failed.code,
            error_msg=failed.message,
            outcome=failed.outcome,
            batch_number=number + 1,
        )
