"""The audit of the bot's books (I9) recounts the exchange's own fills and sees every wrong figure."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.world.books import Recount, best_match

FEE_E6 = 1_234


@dataclass(frozen=True)
class Booked:
    net: int
    cash: int
    fees: int
    traded: int
    settled: bool = False


def fill(at_ms: int, side: str, price_e4: int, count_e2: int) -> Any:
    trade = SimpleNamespace(ticker="KXA-1", price_e4=price_e4, count_e2=count_e2)
    order = SimpleNamespace(side=side, account=SimpleNamespace(number=0))
    return SimpleNamespace(trade=trade, order=order, fee_e6=FEE_E6, at_ms=at_ms)


def settlement(result: str) -> Any:
    value_e4 = 10_000 if result == "yes" else 0
    return SimpleNamespace(
        market=SimpleNamespace(ticker="KXA-1"), result=result, value_e4=value_e4, revenue_e6=0
    )


FILLS = [fill(100, "bid", 4_000, 1_000), fill(200, "ask", 4_500, 400)]
RIGHT = Booked(net=600, cash=-4_000_000 + 1_800_000, fees=2 * FEE_E6, traded=1_400)


def test_right_books_have_no_disagreement() -> None:
    assert best_match({"KXA-1": RIGHT}, Recount(FILLS).since(200), []) == {}


@pytest.mark.parametrize("figure", ["net", "cash", "fees", "traded"])
def test_any_figure_wrong_by_one_unit_is_seen(figure: str) -> None:
    wrong = replace(RIGHT, **{figure: getattr(RIGHT, figure) + 1})
    assert list(best_match({"KXA-1": wrong}, Recount(FILLS).since(200), [])) == ["KXA-1"]


def test_a_market_that_the_bot_does_not_know_is_a_disagreement() -> None:
    assert list(best_match({}, Recount(FILLS).since(200), [])) == ["KXA-1"]


def test_a_fill_of_the_running_cycle_may_be_booked_or_not() -> None:
    earlier = Booked(net=1_000, cash=-4_000_000, fees=FEE_E6, traded=1_000)
    for booked in (earlier, RIGHT):
        assert best_match({"KXA-1": booked}, Recount(FILLS).since(150), []) == {}
    assert best_match({"KXA-1": earlier}, Recount(FILLS).since(200), []) != {}


def test_a_settled_market_is_flat_and_was_paid() -> None:
    paid = replace(RIGHT, net=0, cash=RIGHT.cash + 6_000_000, settled=True)
    assert best_match({"KXA-1": paid}, Recount(FILLS).since(200), [settlement("yes")]) == {}
    assert best_match({"KXA-1": paid}, Recount(FILLS).since(200), [settlement("no")]) != {}


def test_fills_that_a_torn_list_lacked_may_be_missing_from_the_books_but_no_earlier_ones() -> None:
    later_only = Booked(net=-400, cash=1_800_000, fees=FEE_E6, traded=400)
    booked = {"KXA-1": later_only}
    assert best_match(booked, Recount(FILLS).since(50, torn=True), []) == {}
    assert best_match(booked, Recount(FILLS).since(50), []) != {}
    assert best_match(booked, Recount(FILLS).since(100, torn=True), []) != {}


def test_a_recount_goes_on_where_it_left_off_and_starts_again_when_asked_for_an_earlier_moment() -> None:
    fills = FILLS[:1]
    recount = Recount(fills)
    assert recount.since(100) == Recount(FILLS[:1]).since(100)
    fills.append(FILLS[1])
    for since_ms in (150, 200, 250, 100, 50):
        assert recount.since(since_ms) == Recount(FILLS).since(since_ms)


def test_fills_of_another_subaccount_are_not_counted() -> None:
    other = fill(300, "bid", 4_000, 100)
    other.order.account.number = 1
    for since_ms in (50, 300):
        assert Recount([other]).since(since_ms) == {}
