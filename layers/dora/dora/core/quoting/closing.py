"""What a market's config comes to as its end draws near: smaller quotes, then only those that reduce.

    left    end - `stop_before_close_s` - now; the end is the close, or the expected end if that is earlier
    size    quote_size x ceil(4 left / taper) / 4 in whole contracts, one at least
    reduce  left <= reduce_before_close_s

In quarters, because each step is a decrease of every quote.
"""

from collections.abc import Mapping
from dataclasses import replace

from dora.core.config import MarketConfig
from dora.core.exchange.market import Market
from dora.core.units import CONTRACT, Count, TimeMs

STEPS = 4


def closing(market: Market, config: MarketConfig, now_ms: TimeMs) -> MarketConfig:
    """The config as it holds now; the same object where nothing is different."""
    left_ms = market.ends_ms - config.stop_before_close_s * 1000 - now_ms
    size, reduce_only = config.quote_size, config.reduce_only
    if left_ms < config.taper_s * 1000:
        steps = -(-STEPS * max(left_ms, 1) // (config.taper_s * 1000))
        size = min(size, max(Count(size * steps // STEPS // CONTRACT * CONTRACT), CONTRACT))
    if config.reduce_before_close_s and left_ms <= config.reduce_before_close_s * 1000:
        reduce_only = True
    if size == config.quote_size and reduce_only == config.reduce_only:
        return config
    return replace(config, quote_size=size, reduce_only=reduce_only)


def as_markets_end(
    wanted: Mapping[str, MarketConfig], markets: Mapping[str, Market], now_ms: TimeMs
) -> Mapping[str, MarketConfig]:
    """All configs as they hold now; the same mapping where none is different, as in most cycles."""
    ending: dict[str, MarketConfig] = {}
    for ticker, config in wanted.items():
        if config.taper_s or config.reduce_before_close_s:
            market = markets.get(ticker)
            if market is not None and (now := closing(market, config, now_ms)) is not config:
                ending[ticker] = now
    return {**wanted, **ending} if ending else wanted
