"""Scenario 83: the computation of one market raises, takes long, or returns nonsense, and costs it alone."""

from collections.abc import Callable, Mapping
from math import nan
from typing import Any

import pytest

from dora.core.config import DEFAULT_STRATEGY
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.registry import STRATEGIES
from dora.core.quoting.strategies.reservation import Reservation
from dora.core.quoting.strategy import StoredMemory
from dora.core.reasons import Reason
from dora.core.units import Price
from tests.battery.scene import SLOTS, Scene, scene
from tests.support.small_world import TICKERS, broken, resting, set_book
from tests.world import config_items

A, B, C = TICKERS
Answer = Any
Wrong = Callable[[Decision, Mapping[str, object]], Answer]


def raising(_decision: Decision, _memory: Mapping[str, object]) -> Answer:
    raise ValueError("odd value")


def endless(decision: Decision, memory: Mapping[str, object]) -> Answer:
    return endless(decision, memory)


def off_the_grid(decision: Decision, memory: Mapping[str, object]) -> Answer:
    targets = tuple(target._replace(price=Price(4_455)) for target in decision.targets)
    return decision._replace(targets=targets), memory


NONSENSE: dict[str, Wrong] = {
    "raises": raising,
    "never returns": endless,
    "nothing": lambda _decision, _memory: None,
    "another market": lambda decision, memory: (decision._replace(ticker=B), memory),
    "nan": lambda decision, memory: (decision._replace(fair_value=nan), memory),
    "off the grid": off_the_grid,
    "two in a slot": lambda d, memory: (d._replace(targets=(d.targets[0], d.targets[0])), memory),
    "nan in memory": lambda decision, _memory: (decision, {"fair": nan}),
}
"""Some of all that `tests/unit/core/quoting/test_strategy_answers.py` holds the answer of a strategy to."""


def spoil(monkeypatch: pytest.MonkeyPatch, wrong: Wrong) -> None:
    """From now on the strategy of one market answers like this; the others are quoted as ever."""

    class Spoilt(Reservation):
        def quote(self, inputs: QuoteInputs, memory: StoredMemory | None) -> Answer:
            decision, after = super().quote(inputs, memory)
            return wrong(decision, after) if inputs.market.ticker == A else (decision, after)

    monkeypatch.setitem(STRATEGIES, DEFAULT_STRATEGY, Spoilt())


def prices(stage: Scene, ticker: str) -> set[int]:
    return {
        price for (own, _), orders in resting(stage.world).items() for price, _ in orders if own == ticker
    }


@pytest.mark.parametrize("name", NONSENSE)
def test_scenario_83_a_market_whose_strategy_raises_or_returns_nonsense_costs_itself_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene() as stage:
        stage.run(1)
        before = {ticker: prices(stage, ticker) for ticker in TICKERS}
        spoil(monkeypatch, NONSENSE[name])
        for ticker in (B, C):
            set_book(stage.world, ticker, 4600, 4900)
        answers = stage.run(2)

        assert [answer["reason"] for answer in answers] == [Reason.COMPUTE_FAILED] * 2
        assert prices(stage, A) == before[A], "what rests is neither replaced nor pulled"
        assert all(prices(stage, ticker) != before[ticker] for ticker in (B, C))
        error, _again = stage.seen.facts("ERROR")
        assert (error["level"], error["market"]) == ("ERROR", A)
        said = [fact for fact in stage.seen.facts("DECISION_MADE") if fact["market"] == A][-1]
        assert (said["skip_reason"], said["decision_id"]) == (Reason.COMPUTE_FAILED, error["decision_id"])
        monkeypatch.undo()
        stage.run(1)
        stage.sound()


def test_scenario_83_quotes_of_a_market_that_cannot_be_computed_go_once_they_are_too_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Harmless as they are by their price: nobody has looked after them for the age limit."""
    short = {**config_items.GLOBAL, "max_unpriced_age_s": 150}
    with scene(globals=short) as stage:
        stage.run(1)
        before = prices(stage, A)
        spoil(monkeypatch, raising)
        stage.run(2)
        assert prices(stage, A) == before
        stage.run(1)

        assert prices(stage, A) == set()
        assert all(prices(stage, ticker) for ticker in (B, C))
        assert stage.world.exchange.stats.cancels_404 == 0
        monkeypatch.undo()
        stage.run(1)
        stage.sound()


def test_scenario_83_the_error_names_the_exception_and_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    with scene() as stage:
        spoil(monkeypatch, raising)
        stage.run(1)

        (error,) = stage.seen.facts("ERROR")
        assert error["why"] == "ValueError: odd value"
        assert resting(stage.world).keys() == {(t, side) for t in (B, C) for side in ("bid", "ask")}
        assert not broken(stage.world)


def test_scenario_83_a_market_that_computes_for_2_s_delays_the_others_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scene() as stage:

        def slow(decision: Decision, memory: Mapping[str, object]) -> Answer:
            stage.world.clock.advance_ms(2_000)
            return decision, memory

        spoil(monkeypatch, slow)
        answers = stage.run(3)

        assert [answer["status"] for answer in answers] == ["completed"] * 3
        assert answers[0]["placed"] == SLOTS
        stage.sound()
