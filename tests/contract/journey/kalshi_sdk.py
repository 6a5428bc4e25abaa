"""The life led with PyPI `kalshi-sdk`, a client by people who have nothing to do with the exchange.

Its group calls take no shard (an older dialect), so groups live on shard 0 here.
"""

from decimal import Decimal

from kalshi import KalshiClient
from kalshi.errors import KalshiError
from kalshi.models.orders import (
    AmendOrderV2Request,
    BatchCancelOrdersV2Request,
    BatchCancelOrdersV2RequestOrder,
    BatchCreateOrdersV2Request,
    CreateOrderV2Request,
    DecreaseOrderV2Request,
)

from .steps import Cancelled, Group, Placed, Wanted


def _create(wanted: Wanted) -> CreateOrderV2Request:
    return CreateOrderV2Request(
        ticker=wanted.ticker,
        client_order_id=wanted.client_order_id,
        side=wanted.side,
        count=wanted.count,
        price=wanted.price,
        time_in_force="good_till_canceled",
        self_trade_prevention_type="taker_at_cross",
        post_only=wanted.post_only,
        order_group_id=wanted.group_id,
    )


class KalshiSdk:
    """See `steps.Client`."""

    def __init__(self, base_url: str, key_id: str, private_pem: str) -> None:
        self._client = KalshiClient(
            base_url=base_url, key_id=key_id, private_key=private_pem, max_retries=0, timeout=10
        )
        self._orders, self._groups = self._client.orders, self._client.order_groups

    def place(self, wanted: Wanted) -> Placed:
        made = self._orders.create_v2(request=_create(wanted))
        return Placed(order_id=made.order_id, filled=made.fill_count, remaining=made.remaining_count)

    def place_batch(self, wanted: list[Wanted]) -> list[Placed]:
        request = BatchCreateOrdersV2Request(orders=[_create(each) for each in wanted])
        return [
            Placed(code=str(entry.error["code"]))
            if entry.error
            else Placed(order_id=entry.order_id, filled=entry.fill_count, remaining=entry.remaining_count)
            for entry in self._orders.batch_create_v2(request=request).orders
        ]

    def amend(self, order_id: str, wanted: Wanted) -> Decimal:
        request = AmendOrderV2Request(
            ticker=wanted.ticker,
            side=wanted.side,
            price=wanted.price,
            count=wanted.count,
            client_order_id=wanted.client_order_id,
            updated_client_order_id=f"{wanted.client_order_id}-amended",
        )
        return self._orders.amend_v2(order_id, request=request).remaining_count

    def decrease(self, order_id: str, ticker: str, to: Decimal) -> Decimal:
        request = DecreaseOrderV2Request(reduce_to=to, market_ticker=ticker)
        return self._orders.decrease_v2(order_id, request=request).remaining_count

    def cancel(self, order_id: str, ticker: str) -> Decimal:
        return self._orders.cancel_v2(order_id, market_ticker=ticker).reduced_by

    def cancel_batch(self, orders: list[tuple[str, str]]) -> list[Cancelled]:
        entries = [
            BatchCancelOrdersV2RequestOrder(order_id=order_id, market_ticker=ticker)
            for order_id, ticker in orders
        ]
        answer = self._orders.batch_cancel_v2(request=BatchCancelOrdersV2Request(orders=entries))
        return [
            Cancelled(reduced_by=entry.reduced_by, code=str((entry.error or {}).get("code", "")))
            for entry in answer.orders
        ]

    def status(self, order_id: str) -> str:
        return self._orders.get(order_id).status

    def resting(self, ticker: str) -> list[str]:
        return [order.order_id for order in self._orders.list(ticker=ticker, status="resting").items]

    def create_group(self, limit: int) -> str:
        return self._groups.create(contracts_limit=limit).order_group_id

    def groups(self) -> list[str]:
        return [group.id for group in self._groups.list()]

    def group(self, group_id: str) -> Group:
        group = self._groups.get(group_id)
        return Group(
            limit=group.contracts_limit, tripped=group.is_auto_cancel_enabled, order_ids=tuple(group.orders)
        )

    def trigger(self, group_id: str) -> None:
        self._groups.trigger(group_id)

    def reset(self, group_id: str) -> None:
        self._groups.reset(group_id)

    def limit(self, group_id: str, limit: int) -> None:
        self._groups.update_limit(group_id, contracts_limit=limit)

    def delete(self, group_id: str) -> None:
        self._groups.delete(group_id)

    def fills(self, ticker: str) -> list[tuple[str, Decimal, Decimal]]:
        found = self._client.portfolio.fills(ticker=ticker).items
        return [(fill.order_id, fill.count, fill.yes_price) for fill in found]

    def position(self, ticker: str) -> Decimal:
        (held,) = self._client.portfolio.positions(ticker=ticker).market_positions
        return held.position

    def balance(self) -> Decimal:
        return self._client.portfolio.balance().balance_dollars

    def refusal(self, error: Exception) -> int:
        if not isinstance(error, KalshiError) or error.status_code is None:
            raise error
        return error.status_code
