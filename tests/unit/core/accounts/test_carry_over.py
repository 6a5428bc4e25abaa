"""What was booked before costs were kept goes on, exactly."""

import pytest
from hypothesis import given

from dora.core.accounts.booking import book_fill
from dora.core.accounts.carry_over import carry_over, cost_of
from dora.core.accounts.ledger import Position
from dora.core.accounts.posting import EXTERNAL, post_settlement
from dora.core.accounts.settlement import book_late_fill, settle
from dora.core.exchange.account import ExchangePosition, Fill
from dora.core.units import Count, Money, Price
from tests.reference.positions import apply_fills, apply_settlement
from tests.support.account_cases import MARKS, ask, bid, booked, histories, settled
from tests.support.examples import NOW, TICKER, dollars


@given(histories(), MARKS)
def test_cash_fees_and_profit_stay_and_later_events_are_booked_as_ever(
    fills: list[Fill], mark: Price
) -> None:
    before = apply_fills({}, fills).get(TICKER, Position(ticker=TICKER, shard=0))
    right = booked(fills)
    carried = carry_over(before, right.cost, NOW)
    assert carried.ledger.profit(mark) == before.profit(mark)
    assert carried.ledger.realised == carried.row.realised == right.realised
    assert (carried.row.fees, carried.row.traded) == (right.fees, right.traded)

    later = bid("0.31", "3.17", "0.02", after_ms=60_000)
    after, expected = book_fill(carried.ledger, later), book_fill(right, later)
    assert (after.net, after.cash, after.cost, after.fees) == (
        expected.net,
        expected.cash,
        expected.cost,
        expected.fees,
    )


def test_later_fills_may_come_in_any_order() -> None:
    (held,) = apply_fills({}, [bid("0.40", "10")]).values()
    carried = carry_over(held, dollars("4"), NOW).ledger
    fills = [bid("0.50", "10", after_ms=60_000), ask("0.60", "5", after_ms=120_000)]
    assert booked(fills, carried) == booked([*reversed(fills)], carried)
    assert booked(fills, carried).realised == dollars("0.75")


def test_a_settled_market_is_not_paid_again() -> None:
    (held,) = apply_fills({}, [bid("0.40", "10")]).values()
    paid = apply_settlement(held, settled("1"))
    carried = carry_over(paid, Money(0), NOW, settled("1")).ledger
    assert (carried.settled, carried.realised) == (True, dollars("6"))
    assert post_settlement(carried, settled("1", "yes"), EXTERNAL, NOW).row.empty
    assert settle(carried, settled("0", "no", after_ms=90_000)).realised == dollars("6")
    assert book_late_fill(carried, bid("0.40", "1")).realised == dollars("6.6")
    with pytest.raises(ValueError, match="nothing says how"):
        carry_over(paid, Money(0), NOW)


@given(histories(), histories())
def test_older_books_go_on_from_what_a_version_without_them_booked(
    first: list[Fill], more: list[Fill]
) -> None:
    older, both = booked(first), [*first, *more]
    position = apply_fills({TICKER: Position(ticker=TICKER, shard=0)}, both).get(TICKER, older.position)
    carried = carry_over(position, booked(both).cost, NOW, before=older)
    assert carried.ledger.position == position
    assert carried.row.profit == booked(both).realised - booked(both).fees - (older.realised - older.fees)
    assert carried.ledger.fills == older.fills


def test_the_cost_is_the_exchange_s_of_the_same_count_or_else_what_the_contracts_brought_in() -> None:
    (held,) = apply_fills({}, [ask("0.40", "10")]).values()
    row = ExchangePosition(TICKER, 0, held.net, cost=dollars("6.5"))
    assert cost_of(held, {TICKER: row}) == dollars("6.5")
    assert cost_of(held, {TICKER: ExchangePosition(TICKER, 0, held.net)}) == dollars("6")
    assert cost_of(held, {TICKER: ExchangePosition(TICKER, 0, Count(5), cost=dollars("3"))}) == dollars("6")
