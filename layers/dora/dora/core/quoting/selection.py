"""Which open markets of a series are quoted: its filters, and at most so many strikes of each event.

What is quoted already is held to half the volume and twice the spread, and counts as nearer to the money by
5 cents, so that a market at the edge of a filter is not taken up and dropped every ten minutes.
"""

from collections.abc import Collection, Iterable, Iterator

from dora.core.config import SeriesConfig
from dora.core.exchange.market import MarketStatus, OpenMarket
from dora.core.units import ONE_DOLLAR, TimeMs

STAY = 2
INCUMBENT_EDGE = 500
"""5 cents."""


def chosen(
    series: SeriesConfig, listed: Iterable[OpenMarket], before: Collection[str], now_ms: TimeMs
) -> tuple[str, ...]:
    """The tickers, those that close first first. `before`: what was chosen at the last look."""
    fit = [one for one in listed if _fits(series, one, one.market.ticker in before, now_ms)]
    kept = list(_strikes(series, fit, before))
    kept.sort(key=lambda one: (one.market.close_ms, one.market.ticker))
    return tuple(one.market.ticker for one in kept[: series.max_markets])


def _fits(series: SeriesConfig, one: OpenMarket, quoted: bool, now_ms: TimeMs) -> bool:
    """A market whose volume or spread is not told passes no filter that asks for it."""
    market, left_ms = one.market, one.market.close_ms - now_ms
    if market.status is not MarketStatus.ACTIVE or not market.plain or left_ms > series.max_life_s * 1000:
        return False
    if left_ms < series.min_life_s * 1000:  # It only gets less: what is quoted would stay to its close.
        return False
    ease = STAY if quoted else 1
    if series.min_volume and (one.volume_24h is None or one.volume_24h * ease < series.min_volume):
        return False
    spread = one.spread
    return series.widest_spread >= ONE_DOLLAR or (
        spread is not None and spread <= series.widest_spread * ease
    )


def _strikes(
    series: SeriesConfig, fit: Iterable[OpenMarket], before: Collection[str]
) -> Iterator[OpenMarket]:
    """The strikes of each event that are nearest to the money; 0 for all."""
    if not series.strikes_per_event:
        yield from fit
        return
    events: dict[str, list[OpenMarket]] = {}
    for one in fit:
        events.setdefault(one.market.event_ticker, []).append(one)
    for strikes in events.values():
        strikes.sort(key=lambda one: (_distance(one, one.market.ticker in before), one.market.ticker))
        yield from strikes[: series.strikes_per_event]


def _distance(one: OpenMarket, quoted: bool) -> int:
    """Twice the distance of its mid from 50 cents; a market without two sides is the furthest."""
    if one.spread is None:
        return 2 * ONE_DOLLAR
    return abs(one.bid + one.ask - ONE_DOLLAR) - (2 * INCUMBENT_EDGE if quoted else 0)
