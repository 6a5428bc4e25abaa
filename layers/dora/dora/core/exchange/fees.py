"""What a fill costs: 0.07 x multiplier x contracts x price x (1 - price) for a taker, less for a maker.

The trade fee is rounded up to 1e-6 $. After it the exchange rounds the change of the balance down to a
whole cent (members with direct access: 1e-4 $), so that a small fill costs more than its fee. It pays the
excess back in whole cents per order; quoting does not count on that.
"""

from dataclasses import dataclass

from dora.core.exchange.market import Event, Market, Series, Side
from dora.core.units import ONE_DOLLAR, Count, Money, Price, TimeMs, value_of

CENT = Money(10_000)

_TAKER_RATE_E4 = 700
_MAKER_RATE_E4 = {
    "quadratic": 0,
    "quadratic_with_maker_fees": 175,
    "quadratic_with_combo_maker_fees": 350,
}
_TO_MONEY = 10**12
"""Rates count 1e-8, contracts 1e-2 and the two prices 1e-4 each; money counts 1e-6."""


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """Taker and maker rates at a multiplier, in 1e-8, and the step the balance is kept in."""

    taker_rate_e8: int
    maker_rate_e8: int
    balance_step: Money = CENT


FREE = FeeTerms(0, 0)


def fee_terms(series: Series | None, event: Event | None, market: Market, at_ms: TimeMs) -> FeeTerms | None:
    """The terms of one market at a time, or None when they are not known for certain: do not quote it.

    Each override of the event replaces the word of the series; a waiver that still runs makes both rates 0.
    """
    if series is None or event is None or event.series_ticker != series.ticker:
        return None
    kind = series.fee_type if event.fee_type_override is None else event.fee_type_override
    override = event.fee_multiplier_override_e4
    multiplier = series.fee_multiplier_e4 if override is None else override
    if kind not in _MAKER_RATE_E4 or multiplier < 0:
        return None
    if market.fee_waiver_until_ms is not None and at_ms < market.fee_waiver_until_ms:
        return FREE
    return FeeTerms(_TAKER_RATE_E4 * multiplier, _MAKER_RATE_E4[kind] * multiplier)


def maker_fee(terms: FeeTerms, price: Price, count: Count) -> Money:
    """The trade fee of a resting order's fill, rounded up to 1e-6 $."""
    return _trade_fee(terms.maker_rate_e8, price, count)


def taker_fee(terms: FeeTerms, price: Price, count: Count) -> Money:
    """The trade fee of a fill that took liquidity, rounded up to 1e-6 $."""
    return _trade_fee(terms.taker_rate_e8, price, count)


def maker_fee_per_contract(terms: FeeTerms, price: Price, count: Count, side: Side) -> Price:
    """What a maker fill of `count` costs per contract, balance rounding included, rounded up to 1e-4 $."""
    fee = maker_fee(terms, price, count)
    spent = side.sign * value_of(price, count) + fee
    excess = -spent % terms.balance_step
    return Price(_ceil_div(fee + excess, count))


def _trade_fee(rate_e8: int, price: Price, count: Count) -> Money:
    return Money(_ceil_div(rate_e8 * count * price * (ONE_DOLLAR - price), _TO_MONEY))


def _ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
