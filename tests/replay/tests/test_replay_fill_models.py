"""Each fill model's rule, to the contract."""

import pytest

from dora.core.exchange.market import Side
from dora.core.units import Count, Price
from tests.replay.fill_models import (
    ENDLESS,
    INFERRED,
    MODELS,
    OPTIMISTIC,
    PESSIMISTIC,
    FillModel,
    Rest,
    displayed,
    fallen,
)
from tests.replay.tape import changes_of
from tests.replay.tapes import Best, quote, trade
from tests.simulator.tape import Quote

ASK: Best = (50, 100)


def bid(cents: int, contracts: int = 10) -> Rest:
    return Rest(Side.BID, Price(cents * 100), Count(contracts * 100), Count(0))


def joined(model: FillModel, rest: Rest, *quotes: Quote, printed: bool = False) -> list[int]:
    """What fills, in contracts, as the quotes after the first one come; at the first one the order joins."""
    model.joins(rest, quotes[0])
    return [model.changed(rest, change, printed) // 100 for change in changes_of(quotes)[1:]]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("ask", [40, 39])
def test_an_order_that_the_other_side_meets_or_passes_fills_whole(model: FillModel, ask: int) -> None:
    assert joined(model, bid(40), quote(0, (40, 500), ASK), quote(1, None, (ask, 1))) == [10]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_asks_are_the_mirror_of_bids(model: FillModel) -> None:
    rest = Rest(Side.ASK, Price(6_000), Count(1_000), Count(0))
    assert joined(model, rest, quote(0, (50, 1), (60, 500)), quote(1, (60, 1), None)) == [10]


@pytest.mark.parametrize("model", [PESSIMISTIC, INFERRED], ids=lambda model: model.name)
def test_an_other_side_one_tick_away_fills_nobody(model: FillModel) -> None:
    assert joined(model, bid(40), quote(0, (40, 500), ASK), quote(1, (40, 500), (41, 1))) == [0]


def test_the_pessimist_gets_nothing_of_what_falls_at_the_touch() -> None:
    gone = joined(
        PESSIMISTIC, bid(40), quote(0, (40, 5), ASK), quote(1, (40, 1), ASK), quote(2, (38, 9), ASK)
    )
    assert gone == [0, 0]


def test_the_pessimist_stands_behind_all_that_is_displayed_whenever_it_came() -> None:
    rest = bid(40)
    joined(PESSIMISTIC, rest, quote(0, (40, 5), ASK), quote(1, (40, 80), ASK))
    assert rest.ahead == 8_000
    assert PESSIMISTIC.traded(rest, trade(2, 40, 80, buys_yes=False)) == 0
    assert PESSIMISTIC.traded(rest, trade(3, 40, 4, buys_yes=False)) == 400


def test_without_a_size_the_pessimist_stands_behind_everything() -> None:
    rest = bid(40)
    PESSIMISTIC.joins(rest, quote(0, (40, None), ASK))
    assert rest.ahead == ENDLESS
    assert PESSIMISTIC.traded(rest, trade(1, 40, 100_000, buys_yes=False)) == 0


def test_a_tenth_of_what_falls_was_trades_and_serves_who_stood_ahead_first() -> None:
    rest = bid(40)
    quotes = [quote(0, (40, 40), ASK), quote(1, (40, 240), ASK), quote(2, (40, 40), ASK)]
    # 20 of the 200 that fell were trades: they served 20 of the 40 ahead.
    assert joined(INFERRED, rest, *quotes) == [0, 0]
    assert rest.ahead == 2_000
    # All 40 fall and the touch steps back: 4 trades, 16 still ahead.
    assert joined(INFERRED, bid(40), quote(3, (40, 40), ASK), quote(4, (39, 9), ASK)) == [0]


def test_nobody_stands_ahead_who_is_not_displayed_any_more() -> None:
    rest = bid(40)
    quotes = [
        quote(0, (40, 100), ASK),
        quote(1, (40, 2), ASK),
        quote(2, (40, 62), ASK),
        quote(3, (40, 12), ASK),
    ]
    # 9 of 98 traded, but at most 2 are left ahead; of the next 50 that fall 5 trade: those 2, then 3 of ours.
    assert joined(INFERRED, rest, *quotes) == [0, 0, 3]


def test_a_fall_at_a_touch_behind_an_order_reaches_the_order_first() -> None:
    assert joined(INFERRED, bid(42), quote(0, (40, 50), ASK), quote(1, (40, 20), ASK)) == [3]


def test_trades_of_less_than_a_contract_wait_for_the_rest_of_it() -> None:
    quotes = [quote(0, (40, 50), ASK), *(quote(n, (40, 50 - 5 * n), ASK) for n in (1, 2, 3, 4))]
    assert joined(INFERRED, bid(42), *quotes) == [0, 1, 0, 1]


def test_a_fall_at_a_better_touch_reaches_nobody_behind_it() -> None:
    for model in (INFERRED, OPTIMISTIC):
        assert joined(model, bid(38), quote(0, (40, 50), ASK), quote(1, (40, 10), ASK)) == [0]


def test_a_touch_that_steps_forward_is_no_fall() -> None:
    for model in (INFERRED, OPTIMISTIC):
        assert joined(model, bid(40), quote(0, (40, 50), ASK), quote(1, (41, 5), ASK)) == [0]


def test_where_prints_are_recorded_they_are_the_inferred_trades() -> None:
    rest = bid(42)
    assert joined(INFERRED, rest, quote(0, (40, 50), ASK), quote(1, (40, 10), ASK), printed=True) == [0]
    assert INFERRED.traded(rest, trade(2, 42, 4, buys_yes=False)) == 400


def test_the_optimist_is_first_in_line_and_takes_all_that_falls() -> None:
    rest = bid(40)
    assert joined(OPTIMISTIC, rest, quote(0, (40, 50), ASK), quote(1, (40, 43), ASK)) == [7]
    assert rest.ahead == 0


def test_without_sizes_the_optimist_fills_when_the_touch_steps_back() -> None:
    sizeless: Best = (40, None)
    assert joined(OPTIMISTIC, bid(40), quote(0, sizeless, ASK), quote(1, sizeless, (51, None))) == [0]
    assert joined(OPTIMISTIC, bid(40), quote(0, sizeless, ASK), quote(1, (39, None), ASK)) == [10]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("buys_yes", [True, False])
def test_a_print_through_an_order_fills_by_its_count(model: FillModel, buys_yes: bool) -> None:
    rest = bid(40)
    model.joins(rest, quote(0, (40, 500), ASK))
    assert model.traded(rest, trade(1, 39, 4, buys_yes=buys_yes)) == 400
    assert model.traded(rest, trade(2, 39, 40, buys_yes=buys_yes)) == 600


def test_a_print_at_the_price_of_a_taker_on_our_own_side_fills_nobody() -> None:
    rest = bid(40)
    OPTIMISTIC.joins(rest, quote(0, (40, 500), ASK))
    assert OPTIMISTIC.traded(rest, trade(1, 40, 4, buys_yes=True)) == 0
    assert OPTIMISTIC.traded(rest, trade(1, 40, 4, buys_yes=False)) == 400


@pytest.mark.parametrize(
    ("cents", "shown"),
    [(41, 0), (40, 5_000), (39, ENDLESS)],
    ids=["inside the touch nobody", "at the touch its size", "behind it nobody knows"],
)
def test_what_is_displayed_at_a_price(cents: int, shown: int) -> None:
    assert displayed(bid(cents), quote(0, (40, 50), ASK)) == shown


def test_nothing_falls_where_nothing_was_known_before() -> None:
    (first,) = changes_of([quote(0, (40, 50), ASK)])
    assert fallen(bid(40), first) == 0
