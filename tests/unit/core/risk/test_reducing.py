"""While no new risk may be taken, only orders pass that lower what is at stake."""

from typing import Any

import pytest
from hypothesis import given

from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState
from dora.core.orders.requests import TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.caps import apply_caps
from dora.core.risk.facts import RiskFacts
from dora.core.units import Count
from tests.reference.caps import worst_cases
from tests.support.examples import EVENT, TICKER, config, contracts, dollars, event, limits, target
from tests.support.risk_cases import OTHER, facts, kept, order, position, situations

BID, ASK = Slot(TICKER, Side.BID), Slot(TICKER, Side.ASK)
BOTH = [target(Side.BID, "0.45", "10"), target(Side.ASK, "0.55", "10")]
ROOMY = {"max_event_loss": dollars("10000"), "max_total_loss": dollars("10000")}


def switched(how: str) -> dict[str, Any]:
    """The three ways into it: by the cycle, by GLOBAL, by the market's item."""
    if how == "cycle":
        return {"reducing": True}
    if how == "global":
        return {"limits": limits(**ROOMY, reduce_only=True)}
    return {"configs": {TICKER: config(max_position=contracts("100"), reduce_only=True)}}


@pytest.mark.parametrize("how", ["cycle", "global", "market"])
def test_a_flat_market_gets_no_quote(how: str) -> None:
    result = apply_caps(BOTH, facts(**switched(how)))
    assert result.kept == ()
    assert dict(result.refused) == {BID: Reason.REDUCING, ASK: Reason.REDUCING}


@pytest.mark.parametrize("how", ["cycle", "global", "market"])
@pytest.mark.parametrize(("net", "left"), [("11", "10"), ("10", "10"), ("9", "9")])
def test_a_long_position_may_be_sold_to_zero_and_no_further(how: str, net: str, left: str) -> None:
    result = apply_caps(BOTH, facts(positions={TICKER: position(net, "-3")}, **switched(how)))
    assert kept(result) == {ASK: contracts(left)}
    assert result.refused == ((BID, Reason.REDUCING),)
    assert result.cut == (((ASK, Reason.REDUCING),) if left == "9" else ())


def test_a_short_position_may_be_bought_back() -> None:
    result = apply_caps(BOTH, facts(positions={TICKER: position("-4", "2")}, reducing=True))
    assert kept(result) == {BID: contracts("4")}


def test_a_resting_quote_that_opens_is_wanted_no_longer() -> None:
    resting = order(Side.BID, "0.45", "10")
    result = apply_caps(BOTH[:1], facts(orders=(resting,), reducing=True))
    assert (result.kept, result.refused) == ((), ((BID, Reason.REDUCING),))


def test_a_resting_quote_that_closes_stays_and_one_too_large_is_cut_in_place() -> None:
    resting = order(Side.ASK, "0.55", "10")
    for net, left in (("10", "10"), ("6", "6")):
        held = facts(orders=(resting,), positions={TICKER: position(net, "-3")}, reducing=True)
        assert kept(apply_caps(BOTH[1:], held)) == {ASK: contracts(left)}


def test_an_order_of_unknown_fate_may_close_the_position_already() -> None:
    lost = order(Side.ASK, "0.56", "7", state=OrderState.PENDING_NEW)
    held = facts(orders=(lost,), positions={TICKER: position("10", "-3")}, reducing=True)
    assert kept(apply_caps(BOTH[1:], held)) == {ASK: contracts("3")}


def test_a_position_that_the_exchange_counts_smaller_is_closed_as_far_as_both_agree() -> None:
    held = facts(positions={TICKER: position("10", "-3")}, drift={TICKER: contracts("-6")}, reducing=True)
    assert kept(apply_caps(BOTH[1:], held)) == {ASK: contracts("4")}


def test_half_of_a_spread_that_guards_the_other_half_is_not_closed_alone() -> None:
    """Sold in both markets of an exclusive event: at most one of them can cost its dollar."""
    pair = {ticker: position("-10", "4", ticker=ticker, shard=0) for ticker in (TICKER, OTHER)}
    held = facts(positions=pair, events={EVENT: event(exclusive=True)}, reducing=True)
    result = apply_caps(BOTH[:1], held)
    assert (result.kept, result.refused) == ((), ((BID, Reason.REDUCING),))


@given(situations())
def test_no_sequence_of_targets_raises_a_worst_case_or_turns_a_position(
    situation: tuple[list[TargetOrder], RiskFacts],
) -> None:
    wanted, given_facts = situation
    given_facts = given_facts._replace(reducing=True)
    before, nothing = worst_cases(given_facts), apply_caps([], given_facts)
    result = apply_caps(wanted, given_facts)
    assert result.total_loss <= nothing.total_loss
    for one in result.kept:
        slot, worst = one.slot, before[one.slot.ticker]
        live = sum(claim.count for claim in worst.live.get(slot, ()))
        others = worst.most(slot.side) - live
        assert Count(others + one.count) <= 0
