"""A row is the difference of the books after and before an event."""

from hypothesis import given

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow, RowKey, by_market, in_all, row_between
from dora.core.exchange.account import Fill
from dora.core.units import Money
from tests.support.account_cases import FLAT, ask, bid, booked, histories
from tests.support.examples import TICKER, dollars

KEY = RowKey("2026-11-20", TICKER, "reservation", "s1")
HELD = booked([bid("0.40", "10")])
SOLD = booked([ask("0.50", "4", "0.01", after_ms=1)], HELD)


def test_what_is_closed_by_trading_and_what_is_paid_out_stand_apart() -> None:
    traded, paid = row_between(HELD, SOLD, KEY), row_between(HELD, SOLD, KEY, by_payout=True)
    assert (traded.realised, traded.settlement) == (dollars("0.4"), 0)
    assert (paid.realised, paid.settlement) == (0, dollars("0.4"))
    assert traded.profit == paid.profit == dollars("0.39")
    assert traded.key == KEY


def test_marks_and_credits_are_profit_and_estimates_are_not() -> None:
    moved = HELD._replace(marked=dollars("0.7"), rewards=dollars("2"))
    row = row_between(HELD, moved, KEY)._replace(rewards_estimated=dollars("9"))
    assert (row.unrealised, row.rewards, row.profit) == (dollars("0.7"), dollars("2"), dollars("2.7"))


def test_a_row_is_empty_when_every_figure_is_zero() -> None:
    assert row_between(HELD, HELD, KEY).empty
    assert not row_between(HELD, HELD, KEY)._replace(rewards_estimated=Money(1)).empty


@given(histories())
def test_the_rows_of_all_steps_add_up_to_the_row_of_the_whole_way(fills: list[Fill]) -> None:
    books: list[MarketLedger] = [booked(fills[:count]) for count in range(len(fills) + 1)]
    total = ProfitRow(**KEY._asdict())
    for before, after in zip(books, books[1:], strict=False):
        total = total.plus(row_between(before, after, KEY))
    assert total == row_between(FLAT, books[-1], KEY)


def test_rows_are_summed_by_market_and_in_all() -> None:
    made = [
        ProfitRow(day=day, ticker=ticker, strategy=strategy, session_id="s", fees=Money(fee))
        for day, ticker, strategy, fee in (
            ("2026-11-21", "B", "x", 1),
            ("2026-11-20", "B", "x", 2),
            ("2026-11-20", "A", "x", 4),
            ("2026-11-20", "A", "y", 8),
        )
    ]
    markets = by_market(made)
    assert [(row.day, row.ticker, row.fees) for row in markets] == [
        ("2026-11-20", "A", 12),
        ("2026-11-20", "B", 2),
        ("2026-11-21", "B", 1),
    ]
    assert [(row.day, row.fees) for row in in_all(markets)] == [("2026-11-20", 14), ("2026-11-21", 1)]
