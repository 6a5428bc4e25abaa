"""By how many ticks the best quote of each side stands before, or behind, the best one of others."""

from typing import Any

from dora.core.exchange.market import Side
from dora.core.quoting.decision import Decision
from dora.core.quoting.improvement import with_improvement
from tests.support.examples import DECI_GRID, TICKER, book, cents, contracts, market, target
from tests.support.quoting_cases import inputs

BOOK = book([("0.45", "10"), ("0.44", "10")], [("0.50", "10")])


def improvements(decision: Decision, **asked: Any) -> tuple[int | None, int | None]:
    told = with_improvement(decision, inputs(**{"book": BOOK, **asked}))
    return told.bid_improvement, told.ask_improvement


def quoted(bid: str, ask: str) -> Decision:
    return Decision(TICKER, (target(Side.BID, bid, "5"), target(Side.ASK, ask, "5")))


def test_ticks_inside_the_touch_count_up_and_behind_it_down() -> None:
    assert improvements(quoted("0.46", "0.49")) == (1, 1)
    assert improvements(quoted("0.45", "0.50")) == (0, 0)
    assert improvements(quoted("0.43", "0.53")) == (-2, -3)


def test_the_touch_is_of_others() -> None:
    own = ((Side.BID, cents("0.45"), contracts("10")),)
    assert improvements(quoted("0.45", "0.50"), own=own) == (1, 0)


def test_ticks_are_those_of_the_market() -> None:
    decision = Decision(TICKER, (target(Side.BID, "0.041", "5"),))
    fine = book([("0.04", "10")], [("0.06", "10")])
    assert improvements(decision, book=fine, market=market(grid=DECI_GRID)) == (1, None)


def test_nothing_is_said_where_nobody_else_rests_or_nothing_is_wanted() -> None:
    assert improvements(quoted("0.45", "0.50"), book=book([], [("0.50", "10")])) == (None, 0)
    assert improvements(Decision(TICKER)) == (None, None)
