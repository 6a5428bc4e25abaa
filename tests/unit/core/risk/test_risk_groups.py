"""Events that a person put in one risk group share a limit of their worst loss."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState
from dora.core.orders.requests import TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.caps import apply_caps
from dora.core.risk.facts import RiskFacts
from dora.core.units import Money
from tests.support.examples import EVENT, TICKER, config, contracts, dollars, limits, target
from tests.support.risk_cases import OTHER, THIRD, facts, kept, order, position, situations

BID = Slot(TICKER, Side.BID)
SNOW = Slot(THIRD, Side.BID)
ROOMY = {"max_event_loss": dollars("10000"), "max_total_loss": dollars("10000")}


def grouped(most: str, **changes: Any) -> RiskFacts:
    """Two events of one group, which may lose so much together."""
    configs = {
        ticker: config(ticker=ticker, max_position=contracts("100"), risk_group="city")
        for ticker in (TICKER, OTHER, THIRD)
    }
    values: dict[str, Any] = {"configs": configs} | changes
    return facts(limits=limits(**ROOMY, max_risk_group_loss=dollars(most)), **values)


PAIR = [target(Side.BID, "0.45", "10", edge=2), target(Side.BID, "0.45", "10", ticker=THIRD, edge=1)]


@pytest.mark.parametrize(("most", "left"), [("9.000001", "10"), ("9", "10"), ("8.999999", "9")])
def test_a_group_may_lose_exactly_its_limit_over_all_its_events(most: str, left: str) -> None:
    result = apply_caps(PAIR, grouped(most))
    assert kept(result) == {BID: contracts("10"), SNOW: contracts(left)}
    assert result.cut == (((SNOW, Reason.RISK_GROUP_CAP),) if left == "9" else ())


def test_events_of_no_group_and_of_another_one_take_no_room_from_it() -> None:
    alone = config(ticker=TICKER, max_position=contracts("100"))
    other = config(ticker=THIRD, max_position=contracts("100"), risk_group="elsewhere")
    given_facts = grouped("4.50", configs={TICKER: alone, THIRD: other})
    assert kept(apply_caps(PAIR, given_facts)) == {BID: contracts("10"), SNOW: contracts("10")}


def test_an_order_of_unknown_fate_counts_in_its_group() -> None:
    lost = order(Side.BID, "0.40", "10", ticker=THIRD, state=OrderState.PENDING_NEW)
    result = apply_caps(PAIR[:1], grouped("7.15", orders=(lost,)))
    assert kept(result) == {BID: contracts("7")}
    assert result.cut == ((BID, Reason.RISK_GROUP_CAP),)


def test_the_way_out_stays_open_in_a_group_above_its_limit() -> None:
    given_facts = grouped("1", positions={TICKER: position("50", "-30")})
    result = apply_caps([target(Side.ASK, "0.55", "10"), PAIR[1]], given_facts)
    assert kept(result) == {Slot(TICKER, Side.ASK): contracts("10")}
    assert result.refused == ((SNOW, Reason.RISK_GROUP_CAP),)


@given(situations(), st.integers(0, 40))
def test_no_sequence_of_targets_passes_the_limit_of_a_group(
    situation: tuple[list[TargetOrder], RiskFacts], most: int
) -> None:
    """Both of its markets are of one event, so the group's loss is the event's."""
    wanted, given_facts = situation
    limit = Money(most * 500_000)
    given_facts = given_facts._replace(
        limits=replace(given_facts.limits, max_risk_group_loss=limit, **ROOMY),
        configs={t: replace(own, risk_group="city") for t, own in given_facts.configs.items()},
    )
    before = apply_caps([], given_facts).event_losses[EVENT]
    assert apply_caps(wanted, given_facts).event_losses[EVENT] <= max(limit, before)
