"""What holds for one order by itself: its size, its cost, and the collars around its price."""

from typing import Any

import pytest
from hypothesis import given

from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState
from dora.core.orders.requests import TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.caps import apply_caps
from dora.core.risk.facts import RiskFacts
from dora.core.units import ONE_DOLLAR, Price
from tests.support.examples import TICKER, cents, contracts, dollars, limits, market, target
from tests.support.risk_cases import facts, kept, order, situations

BID, ASK = Slot(TICKER, Side.BID), Slot(TICKER, Side.ASK)
ROOMY = {"max_event_loss": dollars("10000"), "max_total_loss": dollars("10000")}


def bounded(**changes: Any) -> RiskFacts:
    return facts(limits=limits(**{**ROOMY, **changes}))


@pytest.mark.parametrize(("size", "left"), [("11", "10"), ("10", "10"), ("9", "9")])
def test_an_order_may_be_exactly_as_large_as_allowed(size: str, left: str) -> None:
    result = apply_caps([target(Side.BID, "0.45", "10")], bounded(max_order_size=contracts(size)))
    assert kept(result) == {BID: contracts(left)}
    assert result.cut == (((BID, Reason.ORDER_SIZE),) if left == "9" else ())


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("cost", "left"), [("4.500001", "10"), ("4.50", "10"), ("4.499999", "9")])
def test_an_order_may_cost_exactly_as_much_as_allowed(side: Side, cost: str, left: str) -> None:
    wanted = target(side, "0.45" if side is Side.BID else "0.55", "10")
    result = apply_caps([wanted], bounded(max_order_cost=dollars(cost)))
    assert kept(result) == {wanted.slot: contracts(left)}
    assert result.cut == (((wanted.slot, Reason.ORDER_COST),) if left == "9" else ())


def test_an_order_that_costs_too_much_with_a_single_contract_is_refused() -> None:
    result = apply_caps([target(Side.BID, "0.45", "10")], bounded(max_order_cost=dollars("0.44")))
    assert (result.kept, result.refused) == ((), ((BID, Reason.ORDER_COST),))


def test_an_order_of_unknown_fate_in_the_slot_leaves_one_orders_limit_as_it_is() -> None:
    lost = order(Side.BID, "0.44", "10", state=OrderState.PENDING_NEW)
    given_facts = facts(orders=(lost,), limits=limits(**ROOMY, max_order_size=contracts("10")))
    assert kept(apply_caps([target(Side.BID, "0.45", "10")], given_facts)) == {BID: contracts("10")}


def test_a_resting_order_that_is_larger_than_allowed_by_now_is_cut_as_well() -> None:
    given_facts = facts(
        orders=(order(Side.BID, "0.45", "10"),), limits=limits(**ROOMY, max_order_size=contracts("4"))
    )
    result = apply_caps([target(Side.BID, "0.45", "10")], given_facts)
    assert kept(result) == {BID: contracts("4")}
    assert result.cut == ((BID, Reason.ORDER_SIZE),)


@pytest.mark.parametrize("rests", [False, True])
@pytest.mark.parametrize(
    ("side", "price", "why"),
    [
        (Side.BID, "0.54", None),
        (Side.BID, "0.55", None),
        (Side.BID, "0.56", Reason.PRICE_COLLAR),
        (Side.ASK, "0.46", None),
        (Side.ASK, "0.45", None),
        (Side.ASK, "0.44", Reason.PRICE_COLLAR),
        (Side.BID, "0.01", None),
        (Side.ASK, "0.99", None),
    ],
)
def test_a_price_may_lie_exactly_at_the_collar(
    side: Side, price: str, why: Reason | None, rests: bool
) -> None:
    given_facts = facts(
        limits=limits(**ROOMY, price_collar=cents("0.05")),
        fair={TICKER: cents("0.50")},
        orders=(order(side, price, "10"),) if rests else (),
    )
    result = apply_caps([target(side, price, "10")], given_facts)
    assert result.refused == (((Slot(TICKER, side), why),) if why else ())


@pytest.mark.parametrize(
    ("side", "price", "why"),
    [
        (Side.BID, "0.60", None),
        (Side.BID, "0.61", Reason.TRADE_COLLAR),
        (Side.ASK, "0.40", None),
        (Side.ASK, "0.39", Reason.TRADE_COLLAR),
    ],
)
def test_the_last_trade_has_a_collar_of_its_own(side: Side, price: str, why: Reason | None) -> None:
    given_facts = facts(
        limits=limits(**ROOMY, trade_collar=cents("0.10")),
        markets={TICKER: market(last_price=cents("0.50"))},
    )
    result = apply_caps([target(side, price, "10")], given_facts)
    assert result.refused == (((Slot(TICKER, side), why),) if why else ())


@given(situations())
def test_nothing_that_is_kept_is_larger_or_further_off_than_allowed(
    situation: tuple[list[TargetOrder], RiskFacts],
) -> None:
    wanted, given_facts = situation
    strict = {"max_order_size": contracts("5"), "max_order_cost": dollars("2"), "price_collar": cents("0.1")}
    fair = dict.fromkeys(given_facts.markets, Price(ONE_DOLLAR // 2))
    changed = {name: getattr(given_facts.limits, name) for name in ("max_event_loss", "max_total_loss")}
    given_facts = facts(
        **{name: getattr(given_facts, name) for name in ("configs", "events", "positions", "orders")},
        limits=limits(**changed, **strict),
        fair=fair,
    )
    for one in apply_caps(wanted, given_facts).kept:
        unit = one.price if one.slot.side is Side.BID else ONE_DOLLAR - one.price
        assert one.count <= contracts("5")
        assert unit * one.count <= dollars("2")
        assert one.slot.side.sign * (one.price - ONE_DOLLAR // 2) <= cents("0.1")
