"""Average cost in whole millionths: what is rounded off stays with the contracts that are left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.basis import FLAT, Basis, after_trade, cost_in_yes
from dora.core.units import Count, Money, Price
from tests.simulator.account import Position
from tests.support.account_cases import COUNTS, PRICES

SIGNED = st.tuples(COUNTS, st.sampled_from([1, -1])).map(lambda drawn: Count(drawn[0] * drawn[1]))


@pytest.mark.parametrize(
    ("before", "signed", "price", "after"),
    [
        (FLAT, 1_000, 4_400, (1_000, 4_400_000)),
        (FLAT, -1_000, 4_400, (-1_000, 5_600_000)),
        ((1_000, 4_400_000), -400, 9_000, (600, 2_640_000)),
        ((-1_000, 5_600_000), 1_500, 4_000, (500, 2_000_000)),
        ((3, 10), -1, 5_000, (2, 7)),
        ((2, 7), -1, 5_000, (1, 4)),
        ((1, 4), -1, 5_000, (0, 0)),
    ],
)
def test_a_fill_closes_at_average_cost_and_opens_at_its_own_price(
    before: tuple[int, int], signed: int, price: int, after: tuple[int, int]
) -> None:
    basis = Basis(Count(before[0]), Money(before[1]))
    assert after_trade(basis, Count(signed), Price(price)) == after


@given(st.lists(st.tuples(SIGNED, PRICES), max_size=20))
def test_it_is_the_exchange_s_own_cost_and_no_part_of_it_is_lost(fills: list[tuple[Count, Price]]) -> None:
    theirs, basis, cash = Position(), FLAT, 0
    for signed, price in fills:
        theirs.trade("bid" if signed > 0 else "ask", price, abs(signed))
        basis = after_trade(basis, signed, price)
        cash -= signed * price
        assert basis == (theirs.position_e2, theirs.cost_e6)
        assert cash + cost_in_yes(basis) == theirs.realized_e6
