"""Which open markets of a series are quoted: its filters, and at most so many strikes of each event.

What is quoted already is held to half the volume and twice the spread, and counts as nearer to the money by
5 cents, so that a market at the edge of a filter is not taken up and dropped every ten minutes.

Speed is in no listing. A market that is found is read without a quote for `warm_up_minutes` first; one that
moves too fast by then makes room for another and is read on, until it is slow enough or fits no more.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from dora.core.config import SeriesConfig
from dora.core.exchange.market import MarketStatus, OpenMarket
from dora.core.quoting.memory import PERCENT, speed_of
from dora.core.quoting.strategy import StoredMemory
from dora.core.units import ONE_DOLLAR, TimeMs

STAY = 2
INCUMBENT_EDGE = 500
"""5 cents."""
NOT_READ: Mapping[str, float] = MappingProxyType({})


def chosen(
    series: SeriesConfig,
    listed: Iterable[OpenMarket],
    before: Collection[str],
    now_ms: TimeMs,
    speeds: Mapping[str, float] = NOT_READ,
) -> tuple[str, ...]:
    """The tickers, those that close first first, and after them those that are too fast and read on.

    `before`: what was chosen at the last look. `speeds`: by ticker, as a multiple of the half-spread, of what
    has been read for long enough.
    """
    fit = [one for one in listed if _fits(series, one, one.market.ticker in before, now_ms)]
    fast = {one.market.ticker for one in fit if _too_fast(series, speeds.get(one.market.ticker))}
    kept = [*_strikes(series, [one for one in fit if one.market.ticker not in fast], before)]
    read = [one for one in fit if one.market.ticker in fast]
    return (*_first(kept, series.max_markets), *_first(read, series.max_markets))


def speeds_of(
    memory: Mapping[str, StoredMemory], minutes: Mapping[str, int], now_ms: TimeMs
) -> dict[str, float]:
    """By ticker, the speeds of the markets that were read for so many minutes, up to now."""
    known = {ticker: speed_of(memory.get(ticker), own, now_ms) for ticker, own in minutes.items()}
    return {ticker: speed for ticker, speed in known.items() if speed is not None}


def _first(markets: list[OpenMarket], most: int) -> Iterator[str]:
    markets.sort(key=lambda one: (one.market.close_ms, one.market.ticker))
    yield from (one.market.ticker for one in markets[:most])


def _too_fast(series: SeriesConfig, speed: float | None) -> bool:
    return speed is not None and 0 < series.fastest_percent < speed * PERCENT


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
