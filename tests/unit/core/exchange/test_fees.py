"""Fees are exact, rounded against us, and unknown when anything about them is."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.fees import (
    FREE,
    FeeTerms,
    fee_terms,
    maker_fee,
    maker_fee_per_contract,
    market_fees,
    taker_fee,
)
from dora.core.exchange.market import Side
from dora.core.units import Count, Price, TimeMs
from tests.reference.quoting import cost_per_contract
from tests.support.examples import NOW, cents, contracts, dollars, event, market, series

WITH_MAKER_FEES = FeeTerms(7_000_000, 1_750_000)
PRICES = st.integers(1, 9_999).map(Price)
COUNTS = st.integers(1, 1_000_000).map(Count)
_RATES = st.integers(0, 20_000_000)
TERMS = st.builds(FeeTerms, _RATES, _RATES, st.just(FREE.balance_step))


def _terms(fee_type: str = "quadratic_with_maker_fees", **overrides: object) -> FeeTerms | None:
    return fee_terms(series(fee_type), event(**overrides), market(), NOW)


@pytest.mark.parametrize(
    ("fee_type", "maker_rate_e8"),
    [
        ("quadratic", 0),
        ("quadratic_with_maker_fees", 1_750_000),
        ("quadratic_with_combo_maker_fees", 3_500_000),
    ],
)
def test_each_known_fee_type_has_its_maker_rate(fee_type: str, maker_rate_e8: int) -> None:
    assert _terms(fee_type) == FeeTerms(7_000_000, maker_rate_e8)


@pytest.mark.parametrize("fee_type", ["flat", "", "Quadratic", "cubic"])
def test_an_unknown_fee_type_has_no_terms(fee_type: str) -> None:
    assert _terms(fee_type) is None
    assert _terms("quadratic", fee_type_override=fee_type) is None


def test_terms_are_unknown_without_series_or_event_or_when_they_do_not_belong_together() -> None:
    assert fee_terms(None, event(), market(), NOW) is None
    assert fee_terms(series(), None, market(), NOW) is None
    assert fee_terms(series(), event(series_ticker="KXOTHER"), market(), NOW) is None


def test_a_negative_multiplier_is_not_believed() -> None:
    assert _terms(fee_multiplier_override_e4=-1) is None


def test_the_event_overrides_type_and_multiplier_each_by_itself() -> None:
    assert _terms(fee_type_override="quadratic") == FeeTerms(7_000_000, 0)
    assert _terms(fee_multiplier_override_e4=5_000) == FeeTerms(3_500_000, 875_000)
    assert _terms(fee_multiplier_override_e4=0) == FREE


def test_a_waiver_is_free_until_it_ends() -> None:
    waived = market(fee_waiver_until_ms=NOW)
    rules = series("quadratic_with_maker_fees")
    assert fee_terms(rules, event(), waived, TimeMs(NOW - 1)) == FREE
    assert fee_terms(rules, event(), waived, NOW) == WITH_MAKER_FEES


def test_a_waiver_does_not_make_an_unknown_type_known() -> None:
    waived = market(fee_waiver_until_ms=TimeMs(NOW + 1))
    assert fee_terms(series("flat"), event(), waived, NOW) is None


def test_the_fees_of_many_markets_are_those_of_each_by_itself() -> None:
    events = {"A": event(event_ticker="A"), "B": event(event_ticker="B", fee_type_override="flat")}
    until = {"A-1": None, "A-2": NOW, "A-3": TimeMs(NOW + 1), "B-1": None, "C-1": None}
    markets = {
        ticker: market(ticker=ticker, event_ticker=ticker[0], fee_waiver_until_ms=until_ms)
        for ticker, until_ms in until.items()
    }
    terms = series("quadratic_with_maker_fees")
    fees = market_fees(markets, events, {terms.ticker: terms}, NOW)
    each = {t: fee_terms(terms, events.get(own.event_ticker), own, NOW) for t, own in markets.items()}
    assert fees.known == {ticker: found for ticker, found in each.items() if found is not None}
    assert fees.known == {"A-1": WITH_MAKER_FEES, "A-2": WITH_MAKER_FEES, "A-3": FREE}
    assert fees.failed == {}


def test_a_market_whose_fees_raise_says_why_and_costs_itself_alone() -> None:
    markets = {"A": market(ticker="A", fee_waiver_until_ms="noon"), "B": market(ticker="B")}
    fees = market_fees(markets, {event().event_ticker: event()}, {series().ticker: series()}, NOW)
    assert (fees.known.keys(), fees.failed.keys()) == ({"B"}, {"A"})
    assert fees.failed["A"].startswith("TypeError")


def test_a_fill_that_the_exchange_charged_is_charged_the_same() -> None:
    assert maker_fee(WITH_MAKER_FEES, cents("0.46"), contracts("3")) == dollars("0.013041")
    assert taker_fee(WITH_MAKER_FEES, cents("0.50"), contracts("100")) == dollars("1.75")


@given(TERMS, PRICES, COUNTS)
def test_the_trade_fee_is_the_formula_rounded_up_to_a_millionth(
    terms: FeeTerms, price: Price, count: Count
) -> None:
    p = Decimal(price).scaleb(-4)
    exact = Decimal(terms.maker_rate_e8).scaleb(-8) * Decimal(count).scaleb(-2) * p * (1 - p)
    rounded = exact.quantize(Decimal("0.000001"), ROUND_CEILING)
    assert Decimal(maker_fee(terms, price, count)).scaleb(-6) == rounded


@pytest.mark.parametrize(
    ("price", "count", "per_contract"),
    [
        ("0.50", "1", "0.01"),
        ("0.50", "10", "0.005"),
        ("0.50", "100", "0.0044"),
        ("0.05", "1", "0.01"),
        ("0.05", "10", "0.001"),
        ("0.05", "100", "0.0009"),
    ],
)
def test_small_fills_are_the_expensive_ones(price: str, count: str, per_contract: str) -> None:
    fee = maker_fee_per_contract(WITH_MAKER_FEES, cents(price), contracts(count), Side.BID)
    assert fee == cents(per_contract)


def test_balance_rounding_costs_even_where_the_fee_is_zero() -> None:
    assert maker_fee_per_contract(FREE, cents("0.123"), contracts("1"), Side.BID) == cents("0.007")
    assert maker_fee_per_contract(FREE, cents("0.123"), contracts("1"), Side.ASK) == cents("0.003")
    assert maker_fee_per_contract(FREE, cents("0.12"), contracts("1"), Side.BID) == 0


@given(TERMS, st.sampled_from(Side), PRICES, COUNTS)
def test_the_cost_per_contract_covers_the_change_of_the_balance(
    terms: FeeTerms, side: Side, price: Price, count: Count
) -> None:
    fee = Decimal(maker_fee(terms, price, count)).scaleb(-6)
    traded = Decimal(-side.sign * price * count).scaleb(-6)
    change = (traded - fee).quantize(Decimal("0.01"), ROUND_FLOOR)
    whole_cost = (traded - change) / Decimal(count).scaleb(-2)
    found = maker_fee_per_contract(terms, price, count, side)
    per_contract = Decimal(found).scaleb(-4)
    assert found == cost_per_contract(terms, price, count, side)
    assert 0 <= per_contract - whole_cost < Decimal("0.0001")
