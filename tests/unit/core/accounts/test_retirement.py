"""Markets that are over leave the state, and every total stays as it was."""

import pytest
from hypothesis import given

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.retirement import QUIET_MS, is_totals, may_retire, readmit, retire, totals_of
from dora.core.accounts.settlement import book_late_fill, settle
from dora.core.exchange.account import Fill
from dora.core.exchange.market import MarketStatus
from dora.core.units import Money, TimeMs
from tests.support.account_cases import ask, bid, booked, histories, settled
from tests.support.examples import NOW, dollars

HELD = booked([bid("0.44", "10")])
PAID = settle(HELD, settled("1", "yes", after_ms=1))
CLOSED = booked([ask("0.5", "10", after_ms=1)], HELD)
NONE = totals_of({}, 0)


@pytest.mark.parametrize(
    ("ledger", "status", "quiet_ms", "expected"),
    [
        (PAID, MarketStatus.FINALIZED, QUIET_MS, True),
        (PAID, MarketStatus.FINALIZED, QUIET_MS - 1, False),
        (PAID, None, QUIET_MS, True),
        (PAID._replace(marked=Money(1)), MarketStatus.FINALIZED, QUIET_MS, False),
        (CLOSED, MarketStatus.FINALIZED, QUIET_MS, True),
        (CLOSED, None, QUIET_MS, True),
        (CLOSED, MarketStatus.ACTIVE, QUIET_MS, False),
        (HELD, MarketStatus.FINALIZED, QUIET_MS + 1, False),
        (retire(NONE, PAID), None, QUIET_MS, False),
    ],
)
def test_a_flat_market_leaves_once_it_is_over_and_quiet(
    ledger: MarketLedger, status: MarketStatus | None, quiet_ms: int, expected: bool
) -> None:
    assert may_retire(ledger, status, TimeMs(NOW + 1 + quiet_ms)) is expected


@given(histories())
def test_totals_hold_all_that_a_market_held(fills: list[Fill]) -> None:
    paid = settle(booked(fills), settled("0.3", "scalar"))
    totals = retire(NONE, paid)
    assert (totals.fills, totals.traded, totals.volume) == (paid.fills, paid.traded, paid.volume)
    assert (totals.realised, totals.fees, totals.movement) == (paid.realised, paid.fees, paid.movement)
    assert (totals.position.cash, totals.position.traded) == (paid.cash, paid.traded)
    assert readmit(totals, paid) == NONE


def test_the_totals_of_a_shard_are_found_among_its_books_and_are_no_market() -> None:
    totals = retire(NONE, PAID)
    assert totals_of({totals.ticker: totals}, 0) == totals
    assert totals_of({totals.ticker: totals}, 2).fills == 0
    assert (is_totals(totals.ticker), is_totals(PAID.ticker)) == (True, False)


def test_a_market_comes_back_for_a_late_fill_and_leaves_again() -> None:
    totals = retire(NONE, PAID)
    late = book_late_fill(PAID, bid("0.50", "2", "0.01", after_ms=1))
    totals = retire(readmit(totals, PAID), late)
    assert (totals.realised, totals.realised - totals.fees) == (dollars("6.6"), dollars("6.59"))
