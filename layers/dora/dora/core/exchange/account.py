"""Our account as the exchange tells it: orders, fills, settlements, positions, groups, and its limits."""

from enum import StrEnum
from typing import NamedTuple

from dora.core.exchange.market import Side
from dora.core.units import Count, Money, Price, TimeMs

ALL = 100
"""Percent."""


class OrderStatus(StrEnum):
    """The words of the exchange's order rows; all but RESTING are terminal."""

    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"


class Order(NamedTuple):
    """One row of an order list or a single-order read; a replica's view, dated by `updated_ms`."""

    order_id: str
    client_order_id: str
    ticker: str
    shard: int
    side: Side
    price: Price
    status: OrderStatus
    initial: Count
    remaining: Count
    filled: Count
    updated_ms: TimeMs
    group_id: str | None = None
    expires_ms: TimeMs | None = None


class Fill(NamedTuple):
    """One of our trades. `fee` is what the exchange charged, exactly."""

    fill_id: str
    order_id: str
    ticker: str
    shard: int
    side: Side
    price: Price
    count: Count  # type: ignore[assignment] # the exchange's word; nobody counts in a fill
    is_taker: bool
    fee: Money
    at_ms: TimeMs


class Settlement(NamedTuple):
    """A market paid out. `value` is what one YES contract was worth, `revenue` what we received.

    `result` is the exchange's word for it; empty where only the value is known.
    """

    ticker: str
    shard: int
    value: Price
    revenue: Money
    fee: Money
    settled_ms: TimeMs
    result: str = ""


class ExchangePosition(NamedTuple):
    """The exchange's own count of our net YES contracts in one unsettled market. None: not told."""

    ticker: str
    shard: int
    net: Count
    cost: Money | None = None
    """Of these contracts on their own leg."""
    updated_ms: TimeMs | None = None
    """When the row last changed."""


class OrderGroup(NamedTuple):
    """An exchange-side order group; `tripped` groups refuse every order."""

    group_id: str
    shard: int
    tripped: bool
    limit: Count


class ShardStatus(NamedTuple):
    """Whether a shard takes cancels (`exchange_active`) and orders (`trading_active`)."""

    shard: int
    exchange_active: bool
    trading_active: bool


class Limits(NamedTuple):
    """What the account may spend: tokens per second, bucket capacities, tokens per call."""

    tier: str
    read_rate: int
    read_capacity: int
    write_rate: int
    write_capacity: int
    default_cost: int = 10
    create_cost: int = 10
    cancel_cost: int = 2
    order_read_cost: int = 2

    def share(self, percent: int) -> "Limits":
        """This part of the rates and capacities, for one of several bots that use the key."""
        if percent == ALL:
            return self
        return self._replace(
            read_rate=max(self.read_rate * percent // ALL, 1),
            read_capacity=max(self.read_capacity * percent // ALL, self.default_cost),
            write_rate=max(self.write_rate * percent // ALL, 1),
            write_capacity=max(self.write_capacity * percent // ALL, self.create_cost),
        )
