"""The audit of the bot's books (I9) recounts the exchange's own fills and sees every wrong figure."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.world.books import best_match

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
    return SimpleNamespace(trade=trade, order=SimpleNamespace(side=side), fee_e6=FEE_E6, at_ms=at_ms)


def settlement(result: str) -> Any:
    return SimpleNamespace(market=SimpleNamespace(ticker="KXA-1"), result=result)


FILLS = [fill(100, "bid", 4_000, 1_000), fill(200, "ask", 4_500, 400)]
RIGHT = Booked(net=600, cash=-4_000_000 + 1_800_000, fees=2 * FEE_E6, traded=1_400)


def test_right_books_have_no_disagreement() -> None:
    assert best_match({"KXA-1": RIGHT}, FILLS, [], since_ms=200) == {}


@pytest.mark.parametrize("figure", ["net", "cash", "fees", "traded"])
def test_any_figure_wrong_by_one_unit_is_seen(figure: str) -> None:
    wrong = replace(RIGHT, **{figure: getattr(RIGHT, figure) + 1})
    assert list(best_match({"KXA-1": wrong}, FILLS, [], since_ms=200)) == ["KXA-1"]


def test_a_market_that_the_bot_does_not_know_is_a_disagreement() -> None:
    assert list(best_match({}, FILLS, [], since_ms=200)) == ["KXA-1"]


def test_a_fill_of_the_running_cycle_may_be_booked_or_not() -> None:
    earlier = Booked(net=1_000, cash=-4_000_000, fees=FEE_E6, traded=1_000)
    for booked in (earlier, RIGHT):
        assert best_match({"KXA-1": booked}, FILLS, [], since_ms=150) == {}
    assert best_match({"KXA-1": earlier}, FILLS, [], since_ms=200) != {}


def test_a_settled_market_is_flat_and_was_paid() -> None:
    paid = replace(RIGHT, net=0, cash=RIGHT.cash + 6_000_000, settled=True)
    assert best_match({"KXA-1": paid}, FILLS, [settlement("yes")], since_ms=200) == {}
    assert best_match({"KXA-1": paid}, FILLS, [settlement("no")], since_ms=200) != {}
