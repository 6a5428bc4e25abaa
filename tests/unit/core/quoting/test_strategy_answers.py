"""What a strategy answers is held to its type and its market before anything is reckoned with it."""

from collections.abc import Callable, Mapping
from math import nan
from typing import Any

import pytest
from hypothesis import given

from dora.core.errors import DoraError, StrategyInvalid
from dora.core.exchange.market import Side, Slot
from dora.core.quoting.checked import checked
from dora.core.quoting.decision import Decision
from dora.core.quoting.strategies.reservation import Reservation
from dora.core.reasons import Reason
from dora.core.units import Count, Price
from tests.support.examples import TICKER, config
from tests.support.quoting_cases import Situation, inputs, situations, warm

quote = Reservation().quote

OTHER = "KXSNOW-26NOV21-T1"
Answer = Any
Wrong = Callable[[Decision, Mapping[str, object]], Answer]


def with_target(**changes: Any) -> Wrong:
    """The strategy's answer, its first target another."""

    def wrong(decision: Decision, memory: Mapping[str, object]) -> Answer:
        first, *others = decision.targets
        return decision._replace(targets=(first._replace(**changes), *others)), memory

    return wrong


def with_decision(**changes: Any) -> Wrong:
    return lambda decision, memory: (decision._replace(**changes), memory)


def with_memory(memory: Any) -> Wrong:
    return lambda decision, _: (decision, memory)


NONSENSE: dict[str, Wrong] = {
    "nothing": lambda _decision, _memory: None,
    "a number": lambda _decision, _memory: 7,
    "no memory": lambda decision, _memory: decision,
    "another type": lambda _decision, memory: ("quotes", memory),
    "another market": with_decision(ticker=OTHER),
    "nan": with_decision(fair_value=nan),
    "infinite": with_decision(half_spread=10**400),
    "a text for a figure": with_decision(reservation_price="0.45"),
    "a list of targets": lambda decision, memory: (decision._replace(targets=list(decision.targets)), memory),
    "something for a target": with_decision(targets=("bid",)),
    "a slot of another market": with_target(slot=Slot(OTHER, Side.BID)),
    "a side that is none": with_target(slot=Slot(TICKER, "bid ")),
    "a level that is not configured": with_target(slot=Slot(TICKER, Side.BID, 5)),
    "a level of strays": with_target(slot=Slot(TICKER, Side.BID, -1)),
    "a text for a price": with_target(price="0.45"),
    "a float for a price": with_target(price=4500.0),
    "a flag for a price": with_target(price=True),
    "a price off the grid": with_target(price=Price(4_455)),
    "a price of zero": with_target(price=Price(0)),
    "a dollar": with_target(price=Price(10_000)),
    "a huge price": with_target(price=Price(10**30)),
    "a float for a count": with_target(count=10.0),
    "no contracts": with_target(count=Count(0)),
    "fewer than none": with_target(count=Count(-300)),
    "a thousand million contracts": with_target(count=Count(10**11)),
    "nan for an edge": with_target(edge=nan),
    "two in one slot": lambda d, memory: (d._replace(targets=(d.targets[0], d.targets[0])), memory),
    "targets that are skipped": with_decision(skip=Reason.NO_EDGE),
    "a skip that is no reason": with_decision(skip="tired", targets=()),
    "a reason that is none": with_decision(dropped=((Slot(TICKER, Side.BID), "tired"),)),
    "half a reason": with_decision(dropped=(Slot(TICKER, Side.BID),)),
    "a memory that is a list": with_memory([1, 2]),
    "nan in memory": with_memory({"fair": nan}),
    "an object in memory": with_memory({"fair": object()}),
    "a huge int in memory": with_memory({"fair": 10**5_000}),
    "a huge memory": with_memory({"fair": "x" * 100_000}),
    "numbers for names": with_memory({1: 1}),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_before_it_is_reckoned_with(name: str) -> None:
    asked = inputs()
    with pytest.raises((DoraError, TypeError, ValueError, OverflowError)):
        checked(NONSENSE[name](*quote(asked, warm())), asked)


def test_a_quote_too_far_inside_the_touch_is_refused_whatever_the_strategy() -> None:
    led = inputs(config=config(max_improve_ticks=1))
    (decision, after), (inside, _) = quote(led, warm()), quote(inputs(), warm())
    assert checked((decision, after), led) == (decision, after)
    with pytest.raises(StrategyInvalid, match="max_improve_ticks"):
        checked((inside, after), led)


@given(situations(most_levels=3))
def test_whatever_the_maker_answers_holds(situation: Situation) -> None:
    asked, memory = situation
    answer = quote(asked, memory)

    assert checked(answer, asked) == answer
