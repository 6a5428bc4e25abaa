"""The life led with PyPI `kalshi-python-sync`, the exchange's own client, generated from its document.

Requests and replies are pydantic models there, so a reply of a wrong type raises. Its calls take the
fields of a body as keywords.
"""

from decimal import Decimal

from kalshi_python_sync import Configuration, KalshiClient
from kalshi_python_sync.exceptions import ApiException

from .steps import Cancelled, Group, Placed, Wanted

SHARD_OF_GROUPS = 0


def _create(wanted: Wanted) -> dict[str, object]:
    body: dict[str, object] = {
        "ticker": wanted.ticker,
        "client_order_id": wanted.client_order_id,
        "side": wanted.side,
        "count": f"{wanted.count:.2f}",
        "price": f"{wanted.price:.4f}",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
        "post_only": wanted.post_only,
    }
    return body | ({"order_group_id": wanted.group_id} if wanted.group_id else {})


class Official:
    """See `steps.Client`."""

    def __init__(self, base_url: str, key_id: str, private_pem: str) -> None:
        configuration = Configuration(host=base_url, retries=0)
        configuration.api_key_id = key_id
        configuration.private_key_pem = private_pem
        self._client = KalshiClient(configuration)

    def place(self, wanted: Wanted) -> Placed:
        made = self._client.create_order_v2(**_create(wanted))
        return Placed(
            order_id=made.order_id, filled=Decimal(made.fill_count), remaining=Decimal(made.remaining_count)
        )

    def place_batch(self, wanted: list[Wanted]) -> list[Placed]:
        answer = self._client.batch_create_orders_v2(orders=[_create(each) for each in wanted])
        return [
            Placed(code=entry.error.code)
            if entry.error
            else Placed(
                order_id=entry.order_id,
                filled=Decimal(entry.fill_count),
                remaining=Decimal(entry.remaining_count),
            )
            for entry in answer.orders
        ]

    def amend(self, order_id: str, wanted: Wanted) -> Decimal:
        answer = self._client.amend_order_v2(
            order_id,
            ticker=wanted.ticker,
            side=wanted.side,
            price=f"{wanted.price:.4f}",
            count=f"{wanted.count:.2f}",
            client_order_id=wanted.client_order_id,
            updated_client_order_id=f"{wanted.client_order_id}-amended",
        )
        return Decimal(answer.remaining_count)

    def decrease(self, order_id: str, ticker: str, to: Decimal) -> Decimal:
        answer = self._client.decrease_order_v2(order_id, reduce_to=f"{to:.2f}", market_ticker=ticker)
        return Decimal(answer.remaining_count)

    def cancel(self, order_id: str, ticker: str) -> Decimal:
        return Decimal(self._client.cancel_order_v2(order_id, market_ticker=ticker).reduced_by)

    def cancel_batch(self, orders: list[tuple[str, str]]) -> list[Cancelled]:
        entries = [{"order_id": order_id, "market_ticker": ticker} for order_id, ticker in orders]
        return [
            Cancelled(reduced_by=Decimal(entry.reduced_by), code=entry.error.code if entry.error else "")
            for entry in self._client.batch_cancel_orders_v2(orders=entries).orders
        ]

    def status(self, order_id: str) -> str:
        return str(self._client.get_order(order_id).order.status.value)

    def resting(self, ticker: str) -> list[str]:
        return [order.order_id for order in self._client.get_orders(ticker=ticker, status="resting").orders]

    def create_group(self, limit: int) -> str:
        made = self._client.create_order_group(contracts_limit=limit, exchange_index=SHARD_OF_GROUPS)
        return str(made.order_group_id)

    def groups(self) -> list[str]:
        return [group.id for group in self._client.get_order_groups().order_groups]

    def group(self, group_id: str) -> Group:
        group = self._client.get_order_group(group_id)
        return Group(
            limit=Decimal(group.contracts_limit_fp),
            tripped=group.is_auto_cancel_enabled,
            order_ids=tuple(group.orders),
        )

    def trigger(self, group_id: str) -> None:
        self._client.trigger_order_group(group_id, exchange_index=SHARD_OF_GROUPS, body={})

    def reset(self, group_id: str) -> None:
        self._client.reset_order_group(group_id, exchange_index=SHARD_OF_GROUPS, body={})

    def limit(self, group_id: str, limit: int) -> None:
        self._client.update_order_group_limit(group_id, exchange_index=SHARD_OF_GROUPS, contracts_limit=limit)

    def delete(self, group_id: str) -> None:
        self._client.delete_order_group(group_id, exchange_index=SHARD_OF_GROUPS)

    def fills(self, ticker: str) -> list[tuple[str, Decimal, Decimal]]:
        found = self._client.get_fills(ticker=ticker).fills
        return [(fill.order_id, Decimal(fill.count_fp), Decimal(fill.yes_price_dollars)) for fill in found]

    def position(self, ticker: str) -> Decimal:
        (held,) = self._client.get_positions(ticker=ticker).market_positions
        return Decimal(held.position_fp)

    def balance(self) -> Decimal:
        return Decimal(self._client.get_balance().balance_dollars)

    def refusal(self, error: Exception) -> int:
        if not isinstance(error, ApiException) or error.status is None:
            raise error
        return int(error.status)
