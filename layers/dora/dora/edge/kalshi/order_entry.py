"""Writes. Each is sent exactly once; its outcome is reported, never guessed."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from dora.core.errors import ExchangeError, RateLimited
from dora.core.orders.requests import (
    BatchCancelResult,
    BatchPlaceResult,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    ExtendRequest,
    IdProbe,
    IdProbeRequest,
    OrderRequest,
)
from dora.core.units import Count
from dora.edge.kalshi import wire_orders, write_results
from dora.edge.kalshi.transport import Call, Transport
from dora.edge.kalshi.wire import JsonObject, name
from dora.edge.kalshi.wire_markets import BATCH_ROUTE, ORDERS_ROUTE

_GROUP_ROUTE = "/portfolio/order_groups/{}"


class OrderWrites(Transport):
    """Orders report outcomes as data; order groups raise, for a group has no state of its own to track."""

    def place(self, requests: Sequence[OrderRequest]) -> BatchPlaceResult:
        """One create batch. Never raises for what happened to an order: that is in the result.

        Safe to repeat: yes, because a client order id is taken once; the repeat says it exists.
        """
        if not requests:
            return BatchPlaceResult()
        entries = [wire_orders.create_body(request, self._subaccount) for request in requests]
        try:
            answer = self.send(Call("POST", BATCH_ROUTE, body={"orders": entries}))
            return write_results.placed_result(requests, answer)
        except ExchangeError as error:
            return write_results.placed_failure(requests, error)

    def cancel(self, requests: Sequence[CancelRequest]) -> BatchCancelResult:
        """One cancel batch, on the same terms.

        Safe to repeat: no, because the repeat answers 404 and hides how much the first one took off.
        """
        if not requests:
            return BatchCancelResult()
        entries = [wire_orders.cancel_body(request, self._subaccount) for request in requests]
        try:
            answer = self.send(Call("DELETE", BATCH_ROUTE, body={"orders": entries}))
            return write_results.cancelled_result(requests, answer)
        except ExchangeError as error:
            return write_results.cancelled_failure(requests, error)

    def decrease(self, request: DecreaseRequest) -> ChangeResult:
        """Take contracts off one order in place.

        Safe to repeat: yes, because it names the count to reach, not the count to take.
        """
        read = partial(write_results.decreased, request)
        return self._change("decrease", request.order_id, wire_orders.decrease_body(request), read)

    def extend(self, request: ExtendRequest) -> ChangeResult:
        """Give one order a later expiry in place.

        Safe to repeat: yes, because it names the expiry, price and count that the order is to have.
        """
        read = partial(write_results.extended, request)
        return self._change("amend", request.order_id, wire_orders.extend_body(request), read)

    def _change(
        self,
        action: str,
        order_id: str,
        body: wire_orders.RequestBody,
        read: Callable[[JsonObject], ChangeResult],
    ) -> ChangeResult:
        call = Call("POST", f"{ORDERS_ROUTE}/{{}}/{action}", (order_id,), self._of_us, body)
        try:
            return read(self.send(call))
        except ExchangeError as error:
            return write_results.outcome_of(error)

    def probe_id(self, request: IdProbeRequest) -> IdProbe | None:
        """Spend a client order id whose create was never answered, and learn whether it was spent before.

        Raises RateLimited: the engine was not asked. None for every other answer that does not say.

        Safe to repeat: yes, because nothing comes to rest; a repeat after a lost answer says `TAKEN`, and
        the probe itself is then the order of that id, cancelled.
        """
        call = Call("POST", ORDERS_ROUTE, body=wire_orders.id_probe_body(request, self._subaccount))
        try:
            return write_results.id_probed(request, self.send(call))
        except RateLimited:
            raise
        except ExchangeError as error:
            return write_results.id_not_probed(error)

    # --- order groups ------------------------------------------------------------------------------

    def create_group(self, shard: int, limit: Count) -> str:
        """A new order group's id.

        Safe to repeat: no, because every answered create makes a group, and an unanswered one may have.
        """
        body = wire_orders.limit_body(limit) | {"subaccount": self._subaccount, "exchange_index": shard}
        answer = self.send(Call("POST", "/portfolio/order_groups/create", body=body))
        return answer.field("order_group_id", name)

    def trigger_group(self, group_id: str, shard: int) -> None:
        """Cancel the group's orders, refuse new ones. Safe to repeat: yes, because tripped stays tripped."""
        self._change_group("PUT", "/trigger", group_id, shard, {})

    def reset_group(self, group_id: str, shard: int) -> None:
        """Re-arm the group. Safe to repeat: no, because it would also undo a trip in between."""
        self._change_group("PUT", "/reset", group_id, shard, {})

    def delete_group(self, group_id: str, shard: int) -> None:
        """Cancel the group's orders and forget it. Safe to repeat: yes, because the repeat answers 404."""
        self._change_group("DELETE", "", group_id, shard)

    def limit_group(self, group_id: str, shard: int, limit: Count) -> None:
        """Set the burst limit. Safe to repeat: yes, because it sets a value."""
        self._change_group("PUT", "/limit", group_id, shard, wire_orders.limit_body(limit))

    def _change_group(
        self, method: str, action: str, group_id: str, shard: int, body: Mapping[str, object] | None = None
    ) -> None:
        params = [*self._of_us, ("exchange_index", shard)]
        self.send(Call(method, _GROUP_ROUTE + action, (group_id,), params, body))
