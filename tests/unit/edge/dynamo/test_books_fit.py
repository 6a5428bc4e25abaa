"""The values of the books are plain enough to be stored, and a market's fits one write unit."""

from typing import Any

import pytest
from hypothesis import given

from dora.core.accounts.booking import RECENT, book_fill, enter_position
from dora.core.accounts.cash_tie import CashBooks, CashRead, tie_cash
from dora.core.accounts.drift import DriftWatch, PositionSnapshot, review_drift
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import EXTERNAL, post_fill
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.settlement import settle
from dora.core.exchange.account import Fill
from dora.core.units import Count, Money, TimeMs
from dora.edge.dynamo.codec import attribute, plain_of
from dora.edge.dynamo.serde import from_plain, to_plain
from tests.support.account_cases import FLAT, ask, bid, booked, entry, histories, settled
from tests.support.examples import NOW, TICKER, dollars

WRITE_UNIT = 1_024
LONGEST_TICKER = "KXMVESPORTSMULTIGAMEEXTENDED-S2026FFFFFFFFFFFF-FFFFFFFFFFF"
FULL = booked([bid("0.4321", "1234.56", "1.234567", after_ms=12_345 * n) for n in range(1, 2 * RECENT)])
HELD = {TICKER: booked([bid("0.40", "10")])}
DRIFT = review_drift(HELD, PositionSnapshot(TimeMs(NOW + 3_600_000), {}), {}, first=True)
READ = CashRead(at_ms=NOW, known_ms=NOW, balances={0: dollars("1"), 2: dollars("2")}, movements={}, fills=3)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (MarketLedger, settle(enter_position(FULL, entry("-30", "16.8", after_ms=500_000)), settled("1"))),
        (ProfitRow, post_fill(FLAT, ask("0.4", "2", "0.01"), EXTERNAL).row),
        (CashBooks, tie_cash(CashBooks(), READ).books),
        (DriftWatch, DRIFT.watches[TICKER]),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else "",
)
def test_a_value_reads_back_as_it_was_stored(kind: type, value: Any) -> None:
    stored = {name: attribute(entry) for name, entry in to_plain(value).items()}
    assert from_plain(kind, {name: plain_of(entry) for name, entry in stored.items()}) == value


@given(histories())
def test_books_that_were_stored_in_between_go_on_the_same(fills: list[Fill]) -> None:
    ledger = FLAT
    for one in fills:
        ledger = from_plain(MarketLedger, to_plain(book_fill(ledger, one)))
    assert ledger == booked(fills)


def test_a_market_s_books_fit_one_write_unit() -> None:
    entered = enter_position(FULL, entry("-30000.01", "16800.123456", after_ms=500_000, opening=True))
    entered = enter_position(entered, entry("-29999.01", "16799.123456", after_ms=600_000))
    full = settle(entered, settled("0.37", "scalar", after_ms=700_000))
    plain = to_plain(full) | {"ticker": LONGEST_TICKER, "rewards": Money(123_456_789), "marked": Count(1)}
    keys = len("pk") + len("dora-production") + len("sk") + len(f"POSITION#2#{LONGEST_TICKER}") + len("v") + 2
    assert len(full.recent) == RECENT
    assert keys + _size(plain) <= WRITE_UNIT


def _size(plain: Any) -> int:
    """Bytes as DynamoDB counts them: half a byte a digit, one for each entry and three for each container."""
    match plain:
        case bool():
            return 1
        case int():
            return (len(str(abs(plain))) + 1) // 2 + 1 + (plain < 0)
        case str():
            return len(plain)
        case dict():
            return 3 + sum(len(name) + _size(value) + 1 for name, value in plain.items())
    return 3 + sum(_size(value) + 1 for value in plain)
