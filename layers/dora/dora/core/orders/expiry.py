"""How long an order may rest by itself: the dead man's rule, should nobody be left to take it off."""

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.exchange.market import Market
from dora.core.hours import LEAST_LIFE_MS, hours
from dora.core.session import SessionMetadata
from dora.core.units import TimeMs

RENEW_MS = 150_000
"""An order that would expire sooner is renewed: two cycles and a half, so that its quote does not vanish."""
QUIET_MS = 180_000
"""Nothing is quoted this close to the session's end, where no renewal could gain anything."""


def session_end_ms(now_ms: TimeMs, globals_: GlobalConfig) -> TimeMs:
    """The end of a session that is started now."""
    return TimeMs(now_ms + globals_.session_hours * 3_600_000)


def is_over(session: SessionMetadata, now_ms: TimeMs) -> bool:
    """Whether its end is so near that it quotes nothing more. A session of an older record has no end."""
    return session.ends_at_ms is not None and now_ms >= session.ends_at_ms - QUIET_MS


def expires_ms(
    market: Market,
    config: MarketConfig,
    globals_: GlobalConfig,
    session: SessionMetadata | None,
    now_ms: TimeMs,
) -> TimeMs:
    """When an order placed now expires, to the whole second, as the exchange wants it.

    The first of: the market's close less its guard, its end less `stop_before_close_s`, the next time in
    which it is not quoted, the session's end, and the longest life of an order.
    """
    end_ms = market.close_ms - config.close_guard_s * 1000
    if config.stop_before_close_s:
        end_ms = min(end_ms, market.ends_ms - config.stop_before_close_s * 1000)
    gone_by_ms = hours(config, now_ms).gone_by_ms
    if gone_by_ms is not None:
        end_ms = min(end_ms, gone_by_ms)
    if session is not None and session.ends_at_ms is not None:
        end_ms = min(end_ms, session.ends_at_ms)
    if globals_.order_life_s:
        end_ms = min(end_ms, now_ms + globals_.order_life_s * 1000)
    return TimeMs(end_ms // 1000 * 1000)


def too_short(expires_ms: TimeMs, now_ms: TimeMs) -> bool:
    """Whether an order that expires then is not worth placing or extending any more."""
    return expires_ms - now_ms < LEAST_LIFE_MS
