"""How long an order may rest by itself: the dead man's rule, should nobody be left to take it off."""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.exchange.market import Market
from dora.core.failures import told
from dora.core.hours import LEAST_LIFE_MS, Hours, hours
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


class Timetable(NamedTuple):
    """By ticker, a market's hours, when an order placed there now expires; or why that could not be told."""

    hours: dict[str, Hours]
    expires_ms: dict[str, TimeMs]
    failed: dict[str, str]


def timetable(
    markets: Mapping[str, Market],
    configs: Mapping[str, MarketConfig],
    globals_: GlobalConfig,
    session: SessionMetadata | None,
    now_ms: TimeMs,
) -> Timetable:
    """The times of every configured market that is known, once a cycle: more than one step goes by them."""
    found, latest_ms = Timetable({}, {}, {}), _latest_ms(globals_, session, now_ms)
    for ticker in markets.keys() & configs.keys():
        try:
            config = configs[ticker]
            now = hours(config, now_ms)
            found.expires_ms[ticker] = _expires_ms(markets[ticker], config, now, latest_ms)
            found.hours[ticker] = now
        except Exception as error:
            found.failed[ticker] = told(error)
    return found


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
    return _expires_ms(market, config, hours(config, now_ms), _latest_ms(globals_, session, now_ms))


def _expires_ms(market: Market, config: MarketConfig, now: Hours, latest_ms: int | None) -> TimeMs:
    end_ms = market.close_ms - config.close_guard_s * 1000
    if config.stop_before_close_s:
        end_ms = min(end_ms, market.ends_ms - config.stop_before_close_s * 1000)
    if now.gone_by_ms is not None and now.gone_by_ms < end_ms:
        end_ms = now.gone_by_ms
    if latest_ms is not None and latest_ms < end_ms:
        end_ms = latest_ms
    return TimeMs(end_ms // 1000 * 1000)


def _latest_ms(globals_: GlobalConfig, session: SessionMetadata | None, now_ms: TimeMs) -> int | None:
    """The latest that any order placed now may rest; None where nothing bounds it."""
    ends_ms = None if session is None else session.ends_at_ms
    if not globals_.order_life_s:
        return ends_ms
    life_ms = now_ms + globals_.order_life_s * 1000
    return life_ms if ends_ms is None else min(ends_ms, life_ms)


def too_short(expires_ms: TimeMs, now_ms: TimeMs) -> bool:
    """Whether an order that expires then is not worth placing or extending any more."""
    return expires_ms - now_ms < LEAST_LIFE_MS
