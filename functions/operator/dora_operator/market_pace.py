"""How fast markets move, and what is paid to their makers: what `suggest` asks beside prices and volume."""

from collections.abc import Collection, Mapping
from itertools import pairwise

from dora.core.errors import ExchangeError
from dora.core.units import ONE_DOLLAR, Money, TimeMs, parse_price
from dora.core.zones import DAY_MS
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.transport import Call
from dora.edge.kalshi.wire import JsonObject

MINUTES = 120
"""How far back a market's moves are looked at."""
PROGRAM_PAGES = 5


def moves(exchange: KalshiExchange, ticker: str, now_ms: TimeMs) -> float | None:
    """Dollars that the middle of the book moved in a minute, on average of the last two hours.

    None: the exchange did not say, or told of fewer than two minutes.
    """
    end_s = now_ms // 1000
    span = [("start_ts", end_s - MINUTES * 60), ("end_ts", end_s), ("period_interval", 1)]
    series = ticker.partition("-")[0]
    call = Call("GET", "/series/{}/markets/{}/candlesticks", (series, ticker), span)
    try:
        mids = [mid for row in exchange.read(call).rows("candlesticks") if (mid := _mid(row)) is not None]
    except ExchangeError:
        return None
    steps = [abs(after - before) for before, after in pairwise(mids)]
    return sum(steps) / MINUTES if steps else None


def _mid(candle: JsonObject) -> float | None:
    """At its end; None where a side is empty."""
    bid, ask = (candle.row(side).field("close_dollars", parse_price) for side in ("yes_bid", "yes_ask"))
    return (bid + ask) / 2 / ONE_DOLLAR if 0 < bid < ask < ONE_DOLLAR else None


def pools(exchange: KalshiExchange, tickers: Collection[str], now_ms: TimeMs) -> Mapping[str, Money] | None:
    """Dollars a day that programs pay to all makers of a market together; None: the exchange did not say."""
    try:
        programs = exchange.incentive_programs(tickers, PROGRAM_PAGES)
    except ExchangeError:
        return None
    found: dict[str, Money] = {}
    for own in programs:
        if own.start_ms <= now_ms < own.end_ms:
            daily = own.reward * DAY_MS // (own.end_ms - own.start_ms)
            found[own.ticker] = Money(found.get(own.ticker, 0) + daily)
    return found
