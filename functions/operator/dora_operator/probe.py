"""A trial of the exchange with one small order deep in the book: what it does, and how soon reads show it.

A bid of two contracts at the lowest price of a market, in an order group of its own. Whatever happens on the
way, the group is triggered and deleted at the end, and the order's end is looked up.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dora.core.errors import ExchangeError
from dora.core.exchange.account import OrderStatus
from dora.core.exchange.market import Market, Side, Slot
from dora.core.orders.requests import CancelRequest, DecreaseRequest, ExtendRequest, OrderRequest, PlacedOrder
from dora.core.units import Count, TimeMs
from dora.edge.kalshi.client import KalshiExchange
from dora_operator.failures import OperatorError
from dora_operator.target import Clock

SIZE, SMALLER, GROUP_LIMIT = Count(200), Count(100), Count(1_000)
LIFE_S, LONGER_S = 600, 900
LOOK_MS, PATIENCE_MS = 250, 60_000
DEADLINE_MS = 300_000


@dataclass(frozen=True)
class Finding:
    """What one step showed."""

    step: str
    found: str
    milliseconds: int


class Probe:
    """One trial in one market."""

    def __init__(self, exchange: KalshiExchange, clock: Clock, market: Market, prefix: str) -> None:
        self._exchange, self._clock, self._market = exchange, clock, market
        self._key = f"{prefix}probe-{secrets.token_hex(8)}"
        self._group = ""
        self._order: PlacedOrder | None = None

    def run(self) -> Iterator[Finding]:
        """Step by step. Raises OperatorError where something may be left, after it tried to take it off."""
        self._exchange.until(TimeMs(self._clock.now_ms() + DEADLINE_MS))
        try:
            for step, act in self._steps():
                began_ms = self._clock.now_ms()
                try:
                    found = act()
                except ExchangeError as error:
                    found = f"{type(error).__name__}: {error}"
                yield Finding(step, found, self._clock.now_ms() - began_ms)
        finally:
            left = self._leave_nothing()
            if left:
                raise OperatorError(
                    f"the probe may have left something: {left}", "dora stop --direct takes it off"
                )

    def _steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "create an order group", self._make_group
        yield "place a deep post-only bid", self._place
        if self._order is None:
            return
        yield "until a list shows it", self._until_listed
        yield "decrease it in place", self._decrease
        yield "a later expiry in place", self._extend
        yield "the same client order id again", self._again
        yield "trigger the group", self._trigger
        yield "until its row says canceled", self._until_gone
        yield "a create into the triggered group", self._into_triggered
        yield "cancel what is gone", self._cancel

    def _make_group(self) -> str:
        self._group = self._exchange.create_group(self._market.shard, GROUP_LIMIT)
        return "made"

    def _request(self, key: str) -> OrderRequest:
        return OrderRequest(
            client_order_id=key,
            slot=Slot(self._market.ticker, Side.BID),
            shard=self._market.shard,
            price=self._market.grid.lowest,
            count=SIZE,
            group_id=self._group or None,
            expires_s=self._clock.now_ms() // 1000 + LIFE_S,
        )

    def _place(self) -> str:
        done = self._exchange.place([self._request(self._key)])
        self._order = next(iter(done.placed), None)
        return "placed" if self._order else _told((*done.failed, *done.unknown))

    def _again(self) -> str:
        done = self._exchange.place([self._request(self._key)])
        return "TAKEN TWICE" if done.placed else _told((*done.failed, *done.unknown))

    def _into_triggered(self) -> str:
        done = self._exchange.place([self._request(f"{self._key}-late")])
        return "TAKEN" if done.placed else _told((*done.failed, *done.unknown))

    @property
    def _placed(self) -> PlacedOrder:
        assert self._order is not None  # noqa: S101 # no step asks before it was placed
        return self._order

    def _until_listed(self) -> str:
        return self._until(lambda: self._key in self._ours())

    def _until_gone(self) -> str:
        return self._until(self._is_gone)

    def _is_gone(self) -> bool:
        row = self._exchange.order(self._placed.order_id)
        return row is not None and row.status is not OrderStatus.RESTING

    def _until(self, shown: Callable[[], bool]) -> str:
        until_ms = self._clock.now_ms() + PATIENCE_MS
        while self._clock.now_ms() < until_ms:
            if shown():
                return "shown"
            self._clock.sleep_ms(LOOK_MS)
        return f"not within {PATIENCE_MS // 1000} s"

    def _decrease(self) -> str:
        where = (self._placed.order_id, self._key, self._market.ticker, self._market.shard)
        order_id, key, ticker, shard = where
        done = self._exchange.decrease(
            DecreaseRequest(
                order_id=order_id, client_order_id=key, ticker=ticker, shard=shard, reduce_to=SMALLER
            )
        )
        return f"{done.outcome} {done.code}".strip()

    def _extend(self) -> str:
        request = self._placed.request
        done = self._exchange.extend(
            ExtendRequest(
                order_id=self._placed.order_id,
                client_order_id=self._key,
                ticker=self._market.ticker,
                shard=self._market.shard,
                side=Side.BID,
                price=request.price,
                count=SMALLER,
                remaining=SMALLER,
                expires_s=self._clock.now_ms() // 1000 + LONGER_S,
            )
        )
        return f"{done.outcome} {done.code}".strip()

    def _trigger(self) -> str:
        self._exchange.trigger_group(self._group, self._market.shard)
        return "triggered"

    def _cancel(self) -> str:
        request = CancelRequest(
            order_id=self._placed.order_id,
            client_order_id=self._key,
            ticker=self._market.ticker,
            shard=self._market.shard,
            remaining=SMALLER,
        )
        done = self._exchange.cancel([request])
        return "CANCELLED" if done.succeeded else _told((*done.failed, *done.unknown))

    def _leave_nothing(self) -> str:
        """Trigger once more, see that nothing of ours rests, delete the group. What is left, in words."""
        try:
            if self._group:
                self._exchange.trigger_group(self._group, self._market.shard)
            self._until(lambda: not self._ours())
            left = self._ours()
            if self._group and not left:
                self._exchange.delete_group(self._group, self._market.shard)
        except ExchangeError as error:
            return str(error)
        return ", ".join(left)

    def _ours(self) -> list[str]:
        rows = self._exchange.resting_orders().rows
        return [own.client_order_id for own in rows if own.client_order_id.startswith(self._key)]


def _told(failed: tuple[object, ...]) -> str:
    return "; ".join(f"{getattr(own, 'outcome', '')} {getattr(own, 'code', '')}".strip() for own in failed)
