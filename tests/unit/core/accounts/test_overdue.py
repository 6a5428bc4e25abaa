"""Capital that waits for a payout is listed, the most of it first."""

import pytest

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.overdue import OVERDUE_MS, OverduePayout, overdue_payouts
from dora.core.accounts.settlement import settle
from dora.core.exchange.market import MarketStatus
from dora.core.units import TimeMs
from tests.support.account_cases import FLAT, bid, booked, settled
from tests.support.examples import NOW, TICKER, contracts, dollars, market

HELD = booked([bid("0.44", "10")])
LATE = market(close_ms=TimeMs(NOW - OVERDUE_MS), status=MarketStatus.DETERMINED)


def test_a_market_that_was_not_paid_two_days_after_its_close_is_listed_with_its_capital() -> None:
    assert overdue_payouts([HELD], {TICKER: LATE}, NOW) == (
        OverduePayout(TICKER, MarketStatus.DETERMINED, LATE.close_ms, contracts("10"), dollars("4.4")),
    )


@pytest.mark.parametrize("ledger", [FLAT, settle(HELD, settled("1"))])
def test_a_flat_or_paid_market_waits_for_nothing(ledger: MarketLedger) -> None:
    assert overdue_payouts([ledger], {TICKER: LATE}, NOW) == ()


def test_before_the_two_days_are_over_or_where_the_market_is_not_known_nothing_is_listed() -> None:
    assert overdue_payouts([HELD], {TICKER: LATE._replace(close_ms=TimeMs(LATE.close_ms + 1))}, NOW) == ()
    assert overdue_payouts([HELD], {}, NOW) == ()


def test_the_most_capital_stands_first() -> None:
    small = booked([bid("0.10", "1")])._replace(ticker="A")
    found = overdue_payouts([small, HELD], {"A": LATE, TICKER: LATE}, NOW)
    assert [late.ticker for late in found] == [TICKER, "A"]
