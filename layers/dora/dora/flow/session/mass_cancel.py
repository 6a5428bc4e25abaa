"""Cancels of a teardown: what no triggered group takes off, in batches, at the pace of the write bucket."""

from collections.abc import Callable, Iterable, Sequence

from dora.core.exchange.account import Order
from dora.core.exchange.error_codes import NOT_FOUND, RATE_LIMITED
from dora.core.orders.requests import BatchCancelResult, CancelRequest
from dora.core.ports import Ports
from dora.flow.shared.backoff import Backoff
from dora.flow.shared.write_pace import WritePace

ASK_AGAIN_MS = 15_000
"""A cancel that was not answered is repeated when a row shows the order this much later."""


class MassCancel:
    """Cancels rows once each. `ended` holds the ids of orders whose cancel the engine acknowledged.

    A cancel that was answered 404 found nothing: it is repeated only for a row that is newer than it.
    """

    def __init__(self, ports: Ports, pace: WritePace) -> None:
        self._ports, self._pace = ports, pace
        self._share = 1
        """Batches are cut to this part of the largest while somebody else drains the bucket."""
        self._again = Backoff(ports.clock)
        self._waiting: dict[str, Order] = {}
        self._sent_ms: dict[str, int] = {}
        self._not_found_ms: dict[str, int] = {}
        self.results: tuple[BatchCancelResult, ...] = ()
        """What the cancels came to, for the journal; whoever has recorded them clears this."""
        self.ended: frozenset[str] = frozenset()

    def add(self, rows: Iterable[Order]) -> None:
        """Rows to be cancelled, unless that is done, or under way."""
        since_ms = self._ports.clock.now_ms() - ASK_AGAIN_MS
        for row in rows:
            asked = self._sent_ms.get(row.client_order_id, since_ms) > since_ms
            if not asked and row.order_id not in self.ended and not self._found_nothing(row):
                self._waiting[row.client_order_id] = row

    def _found_nothing(self, row: Order) -> bool:
        return row.updated_ms <= self._not_found_ms.get(row.client_order_id, -1)

    def busy(self, wanted: Callable[[Order], bool]) -> bool:
        """Whether anything is left to cancel of what is still wanted off."""
        self._waiting = {key: row for key, row in self._waiting.items() if wanted(row)}
        return bool(self._waiting)

    def cancel_some(self, until_ms: int) -> None:
        """One batch, as soon as the bucket can pay for it; not at all if that is after `until_ms`."""
        cost, capacity = self._pace.limits.cancel_cost, self._pace.limits.write_capacity
        size = max(capacity // (cost * self._share), 1)
        batch = [cancel_of(row) for row in list(self._waiting.values())[:size]]
        tokens = min(len(batch) * cost, capacity)
        due_ms = max(self._again.due_ms, self._pace.due_ms(tokens))
        self._ports.clock.sleep_ms(max(min(due_ms, until_ms) - self._ports.clock.now_ms(), 0))
        if due_ms <= until_ms:
            self._pace.spend(tokens)
            self._send(batch)
            self._pace.charge()

    def _send(self, batch: Sequence[CancelRequest]) -> None:
        for request in batch:
            del self._waiting[request.client_order_id]
            self._sent_ms[request.client_order_id] = self._ports.clock.now_ms()
        result = self._ports.exchange.cancel(batch)
        self.results += (result,)
        self.ended |= {done.request.order_id for done in result.succeeded}
        for order in result.failed:
            asked_ms = self._sent_ms.pop(order.request.client_order_id)
            if order.code == NOT_FOUND:
                self._not_found_ms[order.request.client_order_id] = asked_ms
        self._keep_pace(result)

    def _keep_pace(self, result: BatchCancelResult) -> None:
        """After a 429 later, and smaller."""
        if RATE_LIMITED.isdisjoint(order.code for order in result.failed):
            self._share = max(self._share // 2, 1)
            self._again.passed()
            if result.succeeded:
                self._pace.passed()
        else:
            limits = self._pace.limits
            self._share = min(2 * self._share, limits.write_capacity // limits.cancel_cost)
            self._pace.emptied("cancel")
            self._again.failed()


def cancel_of(row: Order) -> CancelRequest:
    """The cancel of an order as a list shows it, routed by its market and shard."""
    return CancelRequest(
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        ticker=row.ticker,
        shard=row.shard,
        remaining=row.remaining,
    )
