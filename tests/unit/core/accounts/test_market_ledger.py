"""What the books of a market say: cost, profit, and what they moved of the balance."""

from hypothesis import given

from dora.core.accounts.market_ledger import BookedEvent
from dora.core.exchange.account import Fill
from dora.core.units import CONTRACT, Count, Price, TimeMs
from tests.reference.positions import apply_fills
from tests.support.account_cases import FLAT, MARKS, ask, booked, histories
from tests.support.examples import NOW, TICKER, cents, contracts, dollars


def test_selling_first_buys_no_contracts_at_a_dollar_less_the_price() -> None:
    short = booked([ask("0.46", "3", "0.013041")])
    assert (short.net, short.cost, short.average_cost) == (
        contracts("-3"),
        dollars("1.62"),
        dollars("0.54"),
    )
    assert short.movement == dollars("-1.633041")
    assert short.unrealised(cents("0.40")) == dollars("0.18")


@given(histories(), MARKS)
def test_realised_unrealised_and_fees_are_the_profit_at_every_mark(fills: list[Fill], mark: Price) -> None:
    after = booked(fills)
    assert after.realised + after.unrealised(mark) - after.fees == after.profit(mark)
    assert after.movement == after.realised - after.cost - after.fees


@given(histories())
def test_the_position_is_the_one_that_cash_flow_alone_comes_to(fills: list[Fill]) -> None:
    assert booked(fills).position == apply_fills({TICKER: FLAT.position}, fills).get(TICKER, FLAT.position)


@given(histories())
def test_the_average_cost_is_the_cost_of_a_contract_rounded_down(fills: list[Fill]) -> None:
    after = booked(fills)
    assert 0 <= after.cost * CONTRACT - after.average_cost * abs(after.net) <= abs(after.net)
    assert FLAT.average_cost == 0


def test_an_entry_stands_after_every_fill_of_its_own_millisecond() -> None:
    fill, entry, later = (
        BookedEvent(TimeMs(NOW + after), states, Count(1), 1)
        for after, states in ((0, False), (0, True), (1, False))
    )
    assert fill.place < entry.place < later.place
