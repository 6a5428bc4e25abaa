"""Lists the markets of a recording on an exchange of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .clock import Clock
from .exchange import Exchange
from .knobs import Knobs
from .tape import Recording


def build_exchange(
    recording: Recording,
    *,
    clock: Clock,
    knobs: Knobs,
    tickers: Iterable[str],
    start_ms: int,
    shards: int = 1,
    seed: int = 0,
) -> Exchange:
    """An exchange that lists these markets. Older recordings know no shards: with `shards` above 1 their
    events are dealt over so many, in order of event ticker.

    Raises:
        KeyError: a ticker that the recording does not know.
        ValueError: a market that is closed at the start, so that nobody can trade it.
    """
    exchange = Exchange(clock=clock, knobs=knobs, seed=seed)
    markets = [recording.markets[ticker] for ticker in sorted(tickers)]
    events = sorted({market.event_ticker for market in markets})
    for market in markets:
        if market.close_ms <= start_ms:
            raise ValueError(f"{market.ticker} closes before the start")
        shard = events.index(market.event_ticker) % shards if shards > 1 else market.shard
        exchange.add_market(replace(market, shard=shard))
    return exchange
