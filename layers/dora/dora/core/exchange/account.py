"""Our account as the exchange tells it: orders, fills, settlements, positions, groups, and its limits."""

from dataclasses import dataclass, replace
from enum import StrEnum

from dora.core.exchange.market import Side
from dora.core.units import Count, Money, Price, TimeMs

ALL = 100
"""Percent."""


class OrderStatus(StrEnum):
    """The words of the exchange's order rows; all but RESTING are terminal."""

    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One of our trades. `fee` is what the exchange charged, exactly."""

    fill_id: str
    order_id: str
    ticker: str
    shard: int
    side: Side
    price: Price
    count: Count
    is_taker: bool
    fee: Money
    at_ms: TimeMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
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


@dataclass(frozen=True, slots=True)
class ExchangePosition:
    """The exchange's own count of our net YES contracts in one unsettled market. None: not told."""

    ticker: str
    shard: int
    net: Count
    cost: Money | None = None
    """Of these contracts on their own leg."""
    updated_ms: TimeMs | None = None
    """When the row last changed."""


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """An exchange-side order group; `tripped` groups refuse every order."""

    group_id: str
    shard: int
    tripped: bool
    limit: Count


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """Whether a shard takes cancels (`exchange_active`) and orders (`trading_active`)."""

    shard: int
    exchange_active: bool
    trading_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
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
        return replace(
            self,
            read_rate=max(self.read_rate * percent // ALL, 1),
            read_capacity=max(self.read_capacity * percent // ALL, self.default_cost),
            write_rate=max(self.write_rate * percent // ALL, 1),
            write_capacity=max(self.write_capacity * percent // ALL, self.create_cost),
        )
