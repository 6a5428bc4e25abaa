"""Cancels of a teardown: what no triggered group takes off, in batches, at the pace of the write bucket."""

from collections.abc import Callable, Iterable

from dora.core.errors import StateError
from dora.core.model import BatchCancelResult, CancelRequest, Limits, Order
from dora.core.ports import Outside
from dora.flow.execution import RATE_LIMITED
from dora.flow.fence import Backoff
from dora.flow.preflight import NO_LIMITS

ASK_AGAIN_MS = 15_000
"""A cancel that was answered 404, or not at all, is repeated when a row shows the order this much later."""


class Sweep:
    """Cancels rows once each. `ended` holds the ids of orders whose cancel the engine acknowledged."""

    def __init__(self, outside: Outside) -> None:
        self._out = outside
        self._limits: Limits | None = None
        self._share = 1
        """Batches are cut to this part of the largest while somebody else drains the bucket."""
        self._pace = Backoff(outside.clock)
        self._waiting: dict[str, Order] = {}
        self._asked_ms: dict[str, int] = {}
        self.ended: frozenset[str] = frozenset()

    def add(self, rows: Iterable[Order]) -> None:
        """Rows to be cancelled, unless that is done, or under way."""
        since_ms = self._out.clock.now_ms() - ASK_AGAIN_MS
        for row in rows:
            name = row.client_order_id
            if row.order_id not in self.ended and self._asked_ms.get(name, since_ms) <= since_ms:
                self._waiting[name] = row

    def busy(self, wanted: Callable[[Order], bool]) -> bool:
        """Whether anything is left to cancel of what is still wanted off."""
        self._waiting = {key: row for key, row in self._waiting.items() if wanted(row)}
        return bool(self._waiting)

    def cancel_some(self, until_ms: int) -> None:
        """One batch, as soon as the bucket can pay for it; not at all if that is after `until_ms`."""
        now_ms = self._out.clock.now_ms()
        self._out.clock.sleep_ms(max(min(self._pace.due_ms, until_ms) - now_ms, 0))
        if not self._pace.due:
            return
        limits = self._known_limits()
        size = max(limits.write_capacity // (limits.cancel_cost * self._share), 1)
        batch = [_request(row) for row in list(self._waiting.values())[:size]]
        for request in batch:
            del self._waiting[request.client_order_id]
            self._asked_ms[request.client_order_id] = self._out.clock.now_ms()
        result = self._out.exchange.cancel(batch)
        self._note(result)
        self._keep_pace(result, len(batch) * limits.cancel_cost, limits)

    def _note(self, result: BatchCancelResult) -> None:
        self.ended |= {done.request.order_id for done in result.succeeded}
        for order in result.failed:
            if order.code != "not_found":
                self._asked_ms.pop(order.request.client_order_id, None)

    def _keep_pace(self, result: BatchCancelResult, tokens: int, limits: Limits) -> None:
        """The next batch when the bucket has refilled; after a 429 later, and smaller."""
        if RATE_LIMITED.isdisjoint(order.code for order in result.failed):
            self._share = max(self._share // 2, 1)
            self._pace.passed(-(-tokens * 1_000 // limits.write_rate))
        else:
            self._share = min(2 * self._share, limits.write_capacity // limits.cancel_cost)
            self._pace.failed()

    def _known_limits(self) -> Limits:
        """Of a state that cannot be read the smallest account's: a teardown does not wait for it."""
        if self._limits is None:
            try:
                self._limits = self._out.state.load().limits or NO_LIMITS
            except StateError:
                self._limits = NO_LIMITS
        return self._limits


def _request(row: Order) -> CancelRequest:
    return CancelRequest(
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        ticker=row.ticker,
        shard=row.shard,
        remaining=row.remaining,
    )
