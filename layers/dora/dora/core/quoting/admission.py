"""Whether a market is quoted at all, whatever its strategy: what its object and its config say."""

from dora.core.config import MarketConfig
from dora.core.exchange.fees import FeeTerms
from dora.core.exchange.market import Market, MarketStatus
from dora.core.reasons import Reason
from dora.core.units import TimeMs


def not_admitted(
    market: Market, config: MarketConfig, fees: FeeTerms | None, now_ms: TimeMs
) -> Reason | None:
    """Why no strategy is asked for this market; None: one is. `fees` None: not known for certain."""
    if market.status is not MarketStatus.ACTIVE:
        return Reason.MARKET_NOT_ACTIVE
    if not market.plain:
        return Reason.MARKET_UNSUPPORTED
    left_ms = market.ends_ms - now_ms
    if left_ms < config.close_guard_s * 1000 or left_ms < config.stop_before_close_s * 1000:
        return Reason.NEAR_CLOSE
    return Reason.FEES_UNKNOWN if fees is None else None
