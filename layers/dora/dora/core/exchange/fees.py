"""What a fill costs: 0.07 x multiplier x contracts x price x (1 - price) for a taker, less for a maker.

The trade fee is rounded up to 1e-6 $. After it the exchange rounds the change of the balance down to a
whole cent (members with direct access: 1e-4 $), so that a small fill costs more than its fee. It pays the
excess back in whole cents per order; quoting does not count on that.
"""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.exchange.market import Event, Market, Series, Side
from dora.core.failures import told
from dora.core.units import ONE_DOLLAR, Count, Money, Price, TimeMs

CENT = Money(10_000)

_TAKER_RATE_E4 = 700
_MAKER_RATE_E4 = {
    "quadratic": 0,
    "quadratic_with_maker_fees": 175,
    "quadratic_with_combo_maker_fees": 350,
}
_TO_MONEY = 10**12
"""Rates count 1e-8, contracts 1e-2 and the two prices 1e-4 each; money counts 1e-6."""


class FeeTerms(NamedTuple):
    """Taker and maker rates at a multiplier, in 1e-8, and the step the balance is kept in."""

    taker_rate_e8: int
    maker_rate_e8: int
    balance_step: Money = CENT


FREE = FeeTerms(0, 0)


def fee_terms(series: Series | None, event: Event | None, market: Market, at_ms: TimeMs) -> FeeTerms | None:
    """The terms of one market at a time, or None when they are not known for certain: do not quote it."""
    return _waived(_event_terms(series, event), market, at_ms)


class MarketFees(NamedTuple):
    """What fills cost, by ticker: terms that are known for certain, and why some could not be made."""

    known: dict[str, FeeTerms]
    failed: dict[str, str]


def market_fees(
    markets: Mapping[str, Market], events: Mapping[str, Event], series: Mapping[str, Series], at_ms: TimeMs
) -> MarketFees:
    """The terms of all these markets at a time. Markets of one event share theirs, but for a waiver."""
    found, by_event = MarketFees({}, {}), dict[str, FeeTerms | None]()
    for ticker, market in markets.items():
        name = market.event_ticker
        try:
            if name not in by_event:
                event = events.get(name)
                by_event[name] = _event_terms(series.get(event.series_ticker) if event else None, event)
            terms = _waived(by_event[name], market, at_ms)
            if terms is not None:
                found.known[ticker] = terms
        except Exception as error:
            found.failed[ticker] = told(error)
    return found


def _waived(terms: FeeTerms | None, market: Market, at_ms: TimeMs) -> FeeTerms | None:
    """The terms of a market whose event has these: a waiver that still runs makes both rates 0."""
    waiver_ms = market.fee_waiver_until_ms
    return FREE if terms is not None and waiver_ms is not None and at_ms < waiver_ms else terms


def _event_terms(series: Series | None, event: Event | None) -> FeeTerms | None:
    """The terms of an event's markets but for their waivers, None when they are not known for certain.

    Each override of the event replaces the word of the series.
    """
    if series is None or event is None or event.series_ticker != series.ticker:
        return None
    kind = series.fee_type if event.fee_type_override is None else event.fee_type_override
    override = event.fee_multiplier_override_e4
    multiplier = series.fee_multiplier_e4 if override is None else override
    if kind not in _MAKER_RATE_E4 or multiplier < 0:
        return None
    return FeeTerms(_TAKER_RATE_E4 * multiplier, _MAKER_RATE_E4[kind] * multiplier)


def maker_fee(terms: FeeTerms, price: Price, count: Count) -> Money:
    """The trade fee of a resting order's fill, rounded up to 1e-6 $."""
    return Money(_trade_fee(terms.maker_rate_e8, price, count))


def taker_fee(terms: FeeTerms, price: Price, count: Count) -> Money:
    """The trade fee of a fill that took liquidity, rounded up to 1e-6 $."""
    return Money(_trade_fee(terms.taker_rate_e8, price, count))


def maker_fee_per_contract(terms: FeeTerms, price: Price, count: Count, side: Side) -> int:
    """What a maker fill of `count` costs per contract, balance rounding included, rounded up to 1e-4 $."""
    rate_e8 = terms.maker_rate_e8
    fee = _trade_fee(rate_e8, price, count) if rate_e8 != 0 else 0
    spent = fee + side.sign * price * count
    return -(-(fee + -spent % terms.balance_step) // count)


def _trade_fee(rate_e8: int, price: Price, count: Count) -> int:
    return -(-rate_e8 * count * price * (ONE_DOLLAR - price) // _TO_MONEY)
