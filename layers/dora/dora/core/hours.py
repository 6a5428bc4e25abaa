"""When one market may be quoted: its blackouts, the end that its config sets, the exchange's maintenance."""

from functools import lru_cache
from typing import NamedTuple

from dora.core.blackouts import MAINTENANCE, outlook
from dora.core.calendar import quote_end_ms
from dora.core.config import MarketConfig
from dora.core.reasons import Reason
from dora.core.units import TimeMs

LEAST_LIFE_MS = 60_000
"""No order is wanted that would rest for less: it might arrive after its expiry, and then is refused."""


class Hours(NamedTuple):
    """Why nothing is quoted now, until when, and when orders must be gone that are placed now."""

    why: Reason | None = None
    until_ms: TimeMs | None = None
    """None: for good, or nothing holds."""
    gone_by_ms: TimeMs | None = None


def hours(config: MarketConfig, now_ms: TimeMs) -> Hours:
    """What holds in this market now. Each begins a minute early: no order would rest for long enough."""
    always = _maintenance(now_ms)
    if always.why is not None or not (config.blackouts or config.quote_until):
        return always
    gone_by = [] if always.gone_by_ms is None else [always.gone_by_ms]
    if config.quote_until:
        end_ms = quote_end_ms(config.quote_until, config.ticker)
        if end_ms is None or end_ms - now_ms < LEAST_LIFE_MS:
            return Hours(Reason.QUOTE_UNTIL)
        gone_by.append(end_ms)
    if config.blackouts:
        found = outlook(config.blackouts, now_ms, LEAST_LIFE_MS)
        if found.until_ms is not None:
            return Hours(Reason.BLACKOUT, found.until_ms)
        gone_by += [] if found.next_ms is None else [found.next_ms]
    return Hours(gone_by_ms=min(gone_by, default=None))


@lru_cache(maxsize=8)
def _maintenance(now_ms: TimeMs) -> Hours:
    found = outlook(MAINTENANCE, now_ms, LEAST_LIFE_MS)
    if found.until_ms is not None:
        return Hours(Reason.MAINTENANCE, found.until_ms)
    return Hours(gone_by_ms=found.next_ms)
