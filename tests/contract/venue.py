"""A small exchange in real time, as foreign clients need it: they sign with the machine's own clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.simulator.clock import WallClock
from tests.simulator.exchange import Exchange
from tests.simulator.model import MarketSpec
from tests.simulator.server import serve
from tests.world.keys import ApiKey, KeyKind, fresh_key

HOUR_MS = 3_600_000
CASH_E6 = 1_000_000_000
NEAR, FAR = "RAIN-A", "COIN-A"
SHARDS = {NEAR: 0, FAR: 2}
"""The markets and where they live."""
BIDS, ASKS = ((4000, 10_000),), ((6000, 10_000),)
"""Everybody else, in each market: (price 1e-4 $, count 0.01 contract)."""


@dataclass(frozen=True)
class Venue:
    """The exchange, where it listens, and a key of its one member."""

    exchange: Exchange
    url: str
    key: ApiKey


@contextmanager
def open_venue(kind: KeyKind = "ed25519") -> Iterator[Venue]:
    """Two markets on two shards, with somebody on both sides, and a member with money on both."""
    clock = WallClock()
    exchange, key = Exchange(clock=clock, seed=1), fresh_key(kind)
    for ticker, shard in SHARDS.items():
        exchange.add_market(_market(ticker, shard, clock.now_ms()))
        exchange.set_background_book(ticker, BIDS, ASKS)
    cash = dict.fromkeys(SHARDS.values(), CASH_E6)
    exchange.add_member(key_id=key.key_id, public_key_pem=key.public_pem, cash_e6=cash, tier="advanced")
    server = serve(exchange)
    try:
        yield Venue(exchange, server.url, key)
    finally:
        server.stop()
        clock.stop()


def _market(ticker: str, shard: int, now_ms: int) -> MarketSpec:
    series = ticker.partition("-")[0]
    return MarketSpec(
        ticker=ticker,
        event_ticker=f"{series}-1",
        series_ticker=series,
        open_ms=now_ms - HOUR_MS,
        close_ms=now_ms + HOUR_MS,
        shard=shard,
    )
