"""What is quoted: configs, the open markets of configured series, and the slow facts about both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from dora.core.config import MarketConfig, SeriesConfig
from dora.core.config_items import market_of
from dora.core.errors import ExchangeError
from dora.core.exchange.market import Market, Series
from dora.core.exchange.pacing import READ_COST
from dora.core.orders.batches import split
from dora.core.ports import Ports
from dora.core.quoting.selection import chosen, speeds_of
from dora.core.quoting.strategy import StoredMemory
from dora.core.state import Configs, ReferenceData
from dora.core.units import TimeMs
from dora.flow.shared.fee_changes import FeeChanges, announced, with_changes
from dora.flow.shared.reads import await_tokens
from dora.flow.shared.reported import Reported

LISTING_AGE_MS = 10 * 60_000
REFERENCE_AGE_MS = 60 * 60_000
EVENTS_PER_CALL = 100
SERIES_AT_ONCE = 10
"""Reads of fee terms between two looks at the token bucket."""


def wanted_markets(
    configs: Configs, reference: ReferenceData, held: Collection[str] = ()
) -> dict[str, MarketConfig]:
    """Configured markets by ticker: open markets of a series by its template, MARKET# items over them.

    What is `held` of a series' other markets is drained: its template quotes the way out, and nothing more.
    """
    wanted: dict[str, MarketConfig] = {}
    for series in configs.series.values():
        if series.enabled:
            for ticker in reference.listings.get(series.ticker, ()):
                wanted[ticker] = market_of(series, ticker)
            left = [t for t in held if t.startswith(f"{series.ticker}-") and t not in wanted]
            wanted |= {t: replace(market_of(series, t), reduce_only=True) for t in left if series.drain}
    wanted |= configs.markets
    broken = {problem.where.removeprefix("MARKET#") for problem in configs.problems}
    return {ticker: config for ticker, config in wanted.items() if ticker not in broken}


def strategies_of(wanted: Mapping[str, MarketConfig]) -> dict[str, str]:
    """By ticker, the name of the strategy that quotes it."""
    return {ticker: config.strategy for ticker, config in wanted.items()}


def refresh_listings(
    ports: Ports,
    configs: Configs,
    reference: ReferenceData,
    memory: Mapping[str, StoredMemory],
    *,
    force: bool = False,
) -> ReferenceData:
    """The open markets of each enabled series, looked up every ten minutes; a failed look keeps the list.

    `memory`: of the markets, which says how fast those are that were read since the last look.
    """
    now_ms = ports.clock.now_ms()
    enabled = [series for series in configs.series.values() if series.enabled]
    missing = any(series.ticker not in reference.listings for series in enabled)
    if not enabled or not (force or missing or now_ms - reference.listed_ms >= LISTING_AGE_MS):
        return reference
    listings = dict(reference.listings)
    for series in enabled:
        await_tokens(ports, "read", [READ_COST])
        with Reported(ports.facts, f"listing of series {series.ticker}", ExchangeError):
            markets = ports.exchange.open_markets(series.ticker)
            before = listings.get(series.ticker, ())
            speeds = _speeds(series, before, memory, now_ms)
            listings[series.ticker] = chosen(series, markets, before, now_ms, speeds)
    return reference._replace(listings=listings, listed_ms=now_ms)


def _speeds(
    series: SeriesConfig, tickers: Collection[str], memory: Mapping[str, StoredMemory], now_ms: TimeMs
) -> dict[str, float]:
    """By ticker, of those that were read for as long as the template asks for before a quote."""
    if not series.fastest_percent:
        return {}
    minutes = {ticker: market_of(series, ticker).warm_up_minutes for ticker in tickers}
    return speeds_of(memory, minutes, now_ms)


def refresh_reference_data(
    ports: Ports, reference: ReferenceData, markets: Mapping[str, Market], before: FeeChanges
) -> tuple[ReferenceData, FeeChanges]:
    """Events, fee terms and their announced changes: of new markets at once, of all hourly.

    Unknown stays unknown: where the changes could not be read, so are the terms that they may change.
    """
    now_ms = ports.clock.now_ms()
    events = {market.event_ticker for market in markets.values()}
    if now_ms - reference.learned_ms >= REFERENCE_AGE_MS:
        reference = reference._replace(learned_ms=now_ms, events={}, series={})
    known = {ticker: event for ticker, event in reference.events.items() if ticker in events}
    for part in split(sorted(events - known.keys()), EVENTS_PER_CALL):
        await_tokens(ports, "read", [READ_COST])
        with Reported(ports.facts, f"events {part[0]} and {len(part) - 1} more", ExchangeError):
            known |= ports.exchange.events(part)
    new = _terms(ports, sorted({event.series_ticker for event in known.values()} - reference.series.keys()))
    terms = {**reference.series, **new}
    learned_ms = reference.learned_ms
    changes = announced(ports, terms, before, learned_ms=learned_ms, new=new) if terms else before
    if changes is None:
        stale = before.read_ms < learned_ms
        return reference._replace(events=known, series={} if stale else reference.series), before
    return with_changes(reference._replace(events=known, series=terms), changes, now_ms), changes


def _terms(ports: Ports, missing: Sequence[str]) -> dict[str, Series]:
    """The fee terms of these series, as far as they can be read."""
    terms: dict[str, Series] = {}
    for part in split(missing, SERIES_AT_ONCE):
        await_tokens(ports, "read", [READ_COST] * len(part))
        for ticker in part:
            with Reported(ports.facts, f"fee terms of series {ticker}", ExchangeError):
                terms[ticker] = ports.exchange.series(ticker)
    return terms
