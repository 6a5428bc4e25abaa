"""Scenario 87: payouts of every kind, amended after they were paid."""

from typing import Any

import pytest

from tests.battery.ending_markets import HOUR_MS, A, B
from tests.battery.scene import Scene, fill, scene, unlike
from tests.simulator.account import Position
from tests.simulator.knobs import Knobs
from tests.support.small_world import broken, set_book

LISTED = (Knobs(), Knobs(amended_payout="replaced"))
RESULTS = [("yes", None), ("no", None), ("scalar", 3_700), ("void", None)]


def holding(stage: Scene) -> None:
    """Long in one market and short in another, a part of each closed again."""
    stage.run(1)
    for ticker, side in ((A, "bid"), (B, "ask")):
        fill(stage.world, ticker, side)
        set_book(stage.world, ticker)
    stage.run(2)
    for ticker, side in ((A, "ask"), (B, "bid")):
        fill(stage.world, ticker, side, 333)
    stage.run(1)


def judged(stage: Scene) -> None:
    """The books of both markets are the exchange's own, to the millionth of a dollar."""
    books = stage.world.bot.books()
    assert books is not None
    account = stage.world.member.accounts[0]
    for ticker in (A, B):
        own, theirs = books.ledgers[ticker], account.positions[ticker]
        assert (own.net, own.cost, own.realised) == figures(theirs), ticker
        assert (own.fees, own.volume, own.paid) == (theirs.fees_e6, theirs.traded_e6, theirs.revenue_e6)
    assert not broken(stage.world)


def figures(own: Position) -> tuple[int, int, int]:
    return own.position_e2, own.cost_e6, own.realized_e6


def said(stage: Scene, event_type: str) -> list[tuple[Any, Any]]:
    return [(fact["market"], fact["result"]) for fact in stage.seen.facts(event_type)]


@pytest.mark.parametrize("knobs", LISTED, ids=unlike)
@pytest.mark.parametrize(("result", "value_e4"), RESULTS)
def test_scenario_87_a_payout_is_booked_once_and_corrected_when_it_is_amended(
    knobs: Knobs, result: str, value_e4: int | None
) -> None:
    with scene(knobs) as stage:
        holding(stage)
        for ticker in (A, B):
            stage.world.exchange.settle(ticker, result, value_e4)
        stage.run(2)
        judged(stage)
        told = said(stage, "MARKET_SETTLED")

        stage.world.clock.advance_ms(6 * HOUR_MS)
        other = "no" if result == "yes" else "yes"
        for ticker in (A, B):
            stage.world.exchange.amend_result(ticker, other)
        stage.run(3)
        judged(stage)

        assert sorted(told) == sorted(said(stage, "MARKET_SETTLED")) == [(A, result), (B, result)]
        assert sorted(said(stage, "SETTLEMENT_AMENDED")) == [(A, other), (B, other)]
        assert stage.seen.facts("ERROR") == []


def test_scenario_87_a_market_leaves_the_state_a_day_later_and_comes_back_for_an_amendment() -> None:
    with scene() as stage:
        holding(stage)
        for ticker in (A, B):
            stage.world.exchange.settle(ticker, "yes")
        stage.run(2)
        before = stage.world.status()
        stage.world.clock.advance_ms(26 * HOUR_MS)
        stage.run(2)
        books = stage.world.bot.books()
        assert books is not None
        assert books.retired == {A, B}
        judged(stage)

        stage.world.exchange.amend_result(A, "no")
        stage.run(2)
        judged(stage)

        assert [fact["markets"] for fact in stage.seen.facts("MARKETS_READMITTED")] == [A]
        after = stage.world.status()
        assert (after["contracts_matched"], after["fees_dollars"]) == (
            before["contracts_matched"],
            before["fees_dollars"],
        )
        assert stage.seen.facts("UNEXPLAINED_CASH") == []


def test_scenario_87_an_amendment_may_be_amended_back() -> None:
    with scene() as stage:
        holding(stage)
        stage.world.exchange.settle(A, "yes")
        stage.run(2)
        for result in ("no", "yes", "void"):
            stage.world.exchange.amend_result(A, result)
            stage.run(2)
            judged(stage)

        assert [result for _, result in said(stage, "SETTLEMENT_AMENDED")] == ["no", "yes", "void"]
