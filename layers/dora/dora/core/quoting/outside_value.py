"""A fair value that comes from outside, by a market's config: an anchor, or a gate; too old, neither."""

from dora.core.calendar import named_time_ms
from dora.core.config import MarketConfig
from dora.core.exchange.market import Side
from dora.core.quoting.fair_value import FairValue
from dora.core.units import ONE_DOLLAR, Price, TimeMs

ANCHOR, STALE = "config", "book; config is stale"
"""Sources of a fair value."""


def anchored(seen: FairValue, config: MarketConfig, now_ms: TimeMs) -> FairValue:
    """The book's fair value, or the configured one in its place; the touch stays the book's."""
    if not config.fair_value:
        return seen
    if not _fresh(config, now_ms):
        return seen._replace(source=STALE)
    return (
        seen if config.fair_value_gate else seen._replace(value=config.fair_value / ONE_DOLLAR, source=ANCHOR)
    )


def fights(side: Side, best: Price, config: MarketConfig, now_ms: TimeMs) -> bool:
    """Whether the best quote of a side is worse than the configured fair value by more than the gate."""
    if not (config.fair_value and config.fair_value_gate) or not _fresh(config, now_ms):
        return False
    return side.sign * (best - config.fair_value) > config.fair_value_gate


def _fresh(config: MarketConfig, now_ms: TimeMs) -> bool:
    until_ms = named_time_ms("fair_value_until", config.fair_value_until)
    return until_ms is not None and now_ms < until_ms
