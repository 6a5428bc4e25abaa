"""Markets as the exchange tells them: their objects, their books, and what is traded in them."""

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from dora.core.units import ONE_DOLLAR, Count, Price, PriceGrid, TimeMs


class Side(StrEnum):
    """The side of the one YES book: BID buys YES (sells NO), ASK sells YES (buys NO)."""

    BID = "bid"
    ASK = "ask"

    sign: int
    """+1 when a fill adds YES contracts, -1 when it adds NO contracts."""

    def __init__(self, word: str) -> None:
        self.sign = 1 if word == "bid" else -1


class MarketStatus(StrEnum):
    """The words of the exchange's market objects."""

    INITIALIZED = "initialized"
    INACTIVE = "inactive"
    ACTIVE = "active"
    CLOSED = "closed"
    DETERMINED = "determined"
    DISPUTED = "disputed"
    AMENDED = "amended"
    FINALIZED = "finalized"


class Slot(NamedTuple):
    """The place of one quote: a market, a side of it, and the level counted from the touch (0).

    A tuple, because slots are hashed and compared by the ten thousand in every cycle.
    """

    ticker: str
    side: Side
    level: int = 0


slot_of = lru_cache(maxsize=32_768, typed=True)(Slot)
"""The same slot again and again: 3,000 markets want the same ones in every cycle. By type as well, for a side
equals its word."""


class Market(NamedTuple):
    """A market object. `plain` is true for a binary $1 market with default settlement bounds."""

    ticker: str
    event_ticker: str
    shard: int
    status: MarketStatus
    grid: PriceGrid
    open_ms: TimeMs
    close_ms: TimeMs
    plain: bool
    expected_expiration_ms: TimeMs | None = None
    fee_waiver_until_ms: TimeMs | None = None
    result: str = ""
    """The exchange's word for how it ended; empty until it says so."""
    last_price: Price | None = None
    """Of its last trade, which may be long ago; None: there was none."""

    @property
    def ends_ms(self) -> TimeMs:
        """Many markets are decided long before their formal close: an earlier expected end counts."""
        expected = self.expected_expiration_ms
        return self.close_ms if expected is None or expected > self.close_ms else expected


class OpenMarket(NamedTuple):
    """A market as its series lists it, with what a person may choose markets by. None: not told."""

    market: Market
    bid: Price
    ask: Price
    """Best prices; 0 and $1 where there is none."""
    volume_24h: Count | None = None

    @property
    def spread(self) -> int | None:
        """None where a side is empty."""
        return self.ask - self.bid if 0 < self.bid < self.ask < ONE_DOLLAR else None


class Event(NamedTuple):
    """An event. `exclusive`: at most one of its markets resolves yes, and collateral is returned for it."""

    event_ticker: str
    series_ticker: str
    exclusive: bool
    fee_type_override: str | None = None
    fee_multiplier_override_e4: int | None = None


class Series(NamedTuple):
    """The fee terms of a series; the multiplier counts 1e-4."""

    ticker: str
    fee_type: str
    fee_multiplier_e4: int


class Level(NamedTuple):
    """Resting contracts at one price. A tuple: every cycle makes tens of thousands."""

    price: Price
    count: Count  # type: ignore[assignment] # the exchange's word; nobody counts in a level


class Book(NamedTuple):
    """A YES book, both sides best first. NO bids stand here as asks at the complement price."""

    ticker: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class Trade(NamedTuple):
    """A public trade. `maker_side` is the side of the book that the taker's order met."""

    ticker: str
    maker_side: Side
    price: Price
    at_ms: TimeMs
