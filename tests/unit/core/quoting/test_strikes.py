"""Of an event's markets only the best are quoted for their programs."""

from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision
from dora.core.quoting.strategies.incentive import IncentiveSettings
from dora.core.quoting.strikes import best_strikes
from dora.core.reasons import Reason
from dora.core.units import Count, Price
from tests.support.examples import config, market

EVENTS = {"A": "E", "B": "E", "C": "E", "D": "OTHER"}
MARKETS = {ticker: market(ticker=ticker, event_ticker=event) for ticker, event in EVENTS.items()}
TWO = {t: config(ticker=t, settings=IncentiveSettings(strikes_per_event=2)) for t in EVENTS}


def quoted(ticker: str, rate: int) -> Decision:
    sides = [TargetOrder(Slot(ticker, side), Price(4_000), Count(2_000)) for side in Side]
    return Decision(ticker, tuple(sides), reward_rate=rate, reward_floor=Count(1_000))


def test_those_that_leave_most_per_dollar_are_quoted_and_the_others_say_so() -> None:
    given = [quoted("A", 10), quoted("B", 30), quoted("C", 20), quoted("D", 1)]
    found = best_strikes(given, MARKETS, TWO, (), {})
    assert [own.skip for own in found] == [Reason.EVENT_FULL, None, None, None]
    assert found[1:] == given[1:]


def test_one_that_rests_already_makes_room_for_one_twice_as_good_only() -> None:
    near = [quoted("A", 11), quoted("B", 20), quoted("C", 20)]
    far = [quoted("A", 9), quoted("B", 20), quoted("C", 20)]
    assert [own.skip for own in best_strikes(near, MARKETS, TWO, {"A"}, {})] == [
        None,
        None,
        Reason.EVENT_FULL,
    ]
    assert [own.skip for own in best_strikes(far, MARKETS, TWO, {"A"}, {})] == [Reason.EVENT_FULL, None, None]


def test_what_is_held_in_one_that_is_left_out_is_still_closed() -> None:
    given = [quoted("A", 10), quoted("B", 30), quoted("C", 20)]
    (left, *_) = best_strikes(given, MARKETS, TWO, (), {"A": Count(500)})
    assert [(own.slot.side, own.count) for own in left.targets] == [(Side.ASK, 500)]
    assert left.dropped == ((Slot("A", Side.BID), Reason.EVENT_FULL),)
    assert (left.skip, left.reward_rate, left.reward_floor) == (None, 0, 0)


def test_markets_of_other_strategies_are_left_alone() -> None:
    given = [Decision(ticker, reward_rate=0) for ticker in EVENTS]
    assert best_strikes(given, MARKETS, {}, (), {}) == given
