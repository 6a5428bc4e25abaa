"""Every cap is reached exactly, cut one unit under it, and filled by what an unknown order may do."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dora.core.accounts.ledger import Position
from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.requests import TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.caps import apply_caps
from dora.core.risk.facts import RiskFacts
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Money, Price
from tests.support.examples import EVENT, TICKER, cents, config, contracts, dollars, event, limits, target
from tests.support.risk_cases import OTHER, facts, kept, order

BID = Slot(TICKER, Side.BID)
ROOMY: dict[str, Any] = {
    "max_event_loss": dollars("10000"),
    "max_risk_group_loss": dollars("10000"),
    "max_total_loss": dollars("10000"),
    "cash_reserve": Money(0),
}
WANTED = target(Side.BID, "0.45", "10")
"""Ten contracts that cost, and may lose, $4.50."""
LOST = order(Side.BID, "0.45", "10", level=1, state=OrderState.PENDING_NEW, order_id=None)
"""As many more, of which nobody knows whether they rest."""


class Cap(NamedTuple):
    """The figure at which ten contracts fit, and one unit of it."""

    why: Reason
    exact: int
    unit: int


CAPS = {
    "max_position": Cap(Reason.POSITION_CAP, contracts("10"), 1),
    "max_event_loss": Cap(Reason.EVENT_CAP, dollars("4.50"), 1),
    "max_risk_group_loss": Cap(Reason.RISK_GROUP_CAP, dollars("4.50"), 1),
    "max_total_loss": Cap(Reason.TOTAL_CAP, dollars("4.50"), 1),
    "cash": Cap(Reason.CASH, dollars("4.50"), 1),
    "max_open_orders": Cap(Reason.OPEN_ORDER_CAP, 1, 1),
    "contracts_free": Cap(Reason.SESSION_CAP, contracts("10"), 1),
    "max_order_size": Cap(Reason.ORDER_SIZE, contracts("10"), 1),
    "max_order_cost": Cap(Reason.ORDER_COST, dollars("4.50"), 1),
}
OF_ONE_ORDER = {"max_order_size", "max_order_cost"}


def capped(name: str, figure: int, orders: tuple[TrackedOrder, ...] = ()) -> RiskFacts:
    """Nothing binds but this cap. The session's count takes what may rest off by itself (`session_limit`)."""
    own = config(ticker=TICKER, max_position=contracts("1000"), quote_size=contracts("10"), risk_group="city")
    values: dict[str, Any] = {"orders": orders, "limits": limits(**ROOMY)}
    if name == "max_position":
        own = replace(own, max_position=Count(figure))
    elif name == "cash":
        values["cash"] = {0: Money(figure)}
    elif name == "contracts_free":
        values["contracts_free"] = Count(figure)
    else:
        values["limits"] = limits(**{**ROOMY, name: figure})
    return facts(**values, configs={TICKER: own})


@pytest.mark.parametrize("name", CAPS)
@pytest.mark.parametrize(("off", "whole"), [(0, True), (1, True), (-1, False)])
def test_a_cap_is_reached_exactly(name: str, off: int, whole: bool) -> None:
    why, exact, unit = CAPS[name]
    result = apply_caps([WANTED], capped(name, exact + off * unit))
    if whole:
        assert (kept(result), result.cut) == ({BID: contracts("10")}, ())
        return
    left = {} if name == "max_open_orders" else {BID: contracts("9")}
    assert kept(result) == left
    assert (result.cut or result.refused) == ((BID, why),)


@pytest.mark.parametrize(("reserve", "left"), [("5.499999", "10"), ("5.50", "10"), ("5.500001", "9")])
def test_the_reserve_of_a_shard_is_never_touched(reserve: str, left: str) -> None:
    values = {**ROOMY, "cash_reserve": dollars(reserve)}
    result = apply_caps([WANTED], facts(limits=limits(**values), cash={0: dollars("10")}))
    assert kept(result) == {BID: contracts(left)}
    twice = facts(limits=limits(**values), cash={0: dollars("14.50")}, orders=(LOST,))
    assert kept(apply_caps([WANTED], twice)) == {BID: contracts(left)}


@pytest.mark.parametrize("name", sorted(CAPS.keys() - OF_ONE_ORDER - {"contracts_free"}))
def test_an_order_of_unknown_fate_takes_its_room_whole(name: str) -> None:
    why, exact, _ = CAPS[name]
    full = apply_caps([WANTED], capped(name, exact, (LOST,)))
    assert (full.kept, full.refused) == ((), ((BID, why),))
    assert kept(apply_caps([WANTED], capped(name, 2 * exact, (LOST,)))) == {BID: contracts("10")}


@pytest.mark.parametrize("name", sorted(OF_ONE_ORDER))
def test_an_order_of_unknown_fate_is_another_order(name: str) -> None:
    assert kept(apply_caps([WANTED], capped(name, CAPS[name].exact, (LOST,)))) == {BID: contracts("10")}


def test_what_a_cap_cuts_below_its_floor_is_refused() -> None:
    nine = capped("max_event_loss", dollars("4.50") - 1)._replace(floors={TICKER: contracts("9")})
    assert kept(apply_caps([WANTED], nine)) == {BID: contracts("9")}
    refused = apply_caps([WANTED], nine._replace(floors={TICKER: contracts("9.01")}))
    assert (refused.kept, refused.refused) == ((), ((BID, Reason.INCENTIVE_FLOOR),))
    assert refused.total_loss == 0


def test_the_highest_reward_per_dollar_takes_the_room_whatever_the_edges() -> None:
    richer = target(Side.BID, "0.45", "10", ticker=OTHER)._replace(edge=Price(1))
    room = facts(limits=limits(**{**ROOMY, "max_total_loss": dollars("4.50")}))
    found = apply_caps([WANTED._replace(edge=Price(500)), richer], room._replace(rates={OTHER: 1}))
    assert kept(found) == {richer.slot: contracts("10")}


def test_every_reason_of_a_cap_is_met_here() -> None:
    assert {cap.why for cap in CAPS.values()} == {
        Reason.POSITION_CAP,
        Reason.EVENT_CAP,
        Reason.RISK_GROUP_CAP,
        Reason.TOTAL_CAP,
        Reason.CASH,
        Reason.OPEN_ORDER_CAP,
        Reason.SESSION_CAP,
        Reason.ORDER_SIZE,
        Reason.ORDER_COST,
    }


# --- cycle after cycle ------------------------------------------------------------------------------------

LIMITS = limits(
    max_event_loss=dollars("9"),
    max_risk_group_loss=dollars("8"),
    max_total_loss=dollars("7"),
    max_open_orders=5,
    cash_reserve=Money(0),
    max_order_size=contracts("6"),
)
CASH = dollars("9")
CONFIGS = {
    ticker: config(ticker=ticker, quote_size=contracts("8"), max_position=contracts("9"), risk_group="city")
    for ticker in (TICKER, OTHER)
}
FATES = st.sampled_from(["rests", "unknown", "fills", "refused"])
WISHES = st.lists(
    st.tuples(
        st.sampled_from([TICKER, OTHER]),
        st.sampled_from(Side),
        st.integers(1, 99).map(lambda cent: Price(cent * 100)),
        st.integers(1, 8).map(lambda whole: Count(whole * CONTRACT)),
        FATES,
    ),
    max_size=4,
)


class Book(NamedTuple):
    """Positions and orders as they truly are."""

    positions: dict[str, Position]
    orders: tuple[TrackedOrder, ...]

    def facts(self, exclusive: bool) -> RiskFacts:
        spent = sum(position.cash for position in self.positions.values())
        return facts(
            limits=LIMITS,
            configs=CONFIGS,
            events={EVENT: event(exclusive=exclusive)},
            positions=self.positions,
            orders=self.orders,
            cash={0: Money(CASH + spent)},
        )

    def after(self, one: TargetOrder, fate: str, number: int) -> "Book":
        slot, sign = one.slot, one.slot.side.sign
        if fate == "refused":
            return self
        # What is placed waits for the confirmed cancel of what rests in its slot.
        standing = tuple(o for o in self.orders if o.slot != slot or o.state is not OrderState.LIVE)
        if fate == "fills":
            before = self.positions.get(slot.ticker) or Position(ticker=slot.ticker, shard=0)
            cash = Money(before.cash - sign * one.price * one.count)
            after = before._replace(net=Count(before.net + sign * one.count), cash=cash)
            return Book({**self.positions, slot.ticker: after}, standing)
        state = OrderState.LIVE if fate == "rests" else OrderState.PENDING_NEW
        made = order(slot.side, "0.5", "1", ticker=slot.ticker, level=slot.level, state=state)
        made = made._replace(
            client_order_id=str(number),
            order_id=str(number),
            price=one.price,
            count=one.count,
            remaining=one.count,
        )
        return Book(self.positions, (*standing, made))


@settings(max_examples=200)
@given(st.lists(WISHES, max_size=5), st.booleans())
def test_no_sequence_of_targets_and_fates_passes_any_cap(
    cycles: list[list[tuple[str, Side, Price, Count, str]]], exclusive: bool
) -> None:
    """Whatever became of what earlier cycles were allowed, the next one is within every cap."""
    book, number = Book({}, ()), 0
    for wishes in cycles:
        wanted = {Slot(ticker, side): (price, count, fate) for ticker, side, price, count, fate in wishes}
        targets = [TargetOrder(slot, price, count) for slot, (price, count, _) in wanted.items()]
        result = apply_caps(targets, book.facts(exclusive))
        assert result.event_losses[EVENT] <= LIMITS.max_total_loss
        assert result.total_loss <= LIMITS.max_total_loss
        for one in result.kept:
            number += 1
            assert one.count <= LIMITS.max_order_size
            book = book.after(one, wanted[one.slot][2], number)
        assert len(book.orders) <= LIMITS.max_open_orders
        for ticker in (TICKER, OTHER):
            _holds_position(book, ticker)


def _holds_position(book: Book, ticker: str) -> None:
    """Every order fills on one side, and none on the other."""
    held = book.positions.get(ticker)
    for side in Side:
        open_ = sum(o.remaining for o in book.orders if (o.slot.ticker, o.slot.side) == (ticker, side))
        assert side.sign * (held.net if held else 0) + open_ <= CONFIGS[ticker].max_position


def test_a_dollar_is_the_worst_price_of_a_collar() -> None:
    """A collar of a whole dollar refuses nothing."""
    wide = facts(limits=limits(**ROOMY, price_collar=ONE_DOLLAR), fair={TICKER: cents("0.01")})
    assert kept(apply_caps([target(Side.BID, "0.99", "10")], wide)) == {BID: contracts("10")}
