"""Every level of a side is a slot of its own: kept, cancelled, placed, frozen and paid for by itself."""

from decimal import Decimal

import pytest

from dora.core.exchange.market import Side, Slot
from dora.core.orders.diff import plan_slots
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.keeping import Rules
from dora.core.orders.reconciliation import ORPHAN_LEVEL, ReconciledOrders
from dora.core.orders.slot_plan import SlotPlan, slot_key
from dora.core.quoting.strategies.reservation import Reservation
from dora.core.reasons import Reason
from dora.core.units import TimeMs
from tests.support.examples import CENT_GRID, TICKER, cents, config, contracts
from tests.support.quoting_cases import inputs, warm
from tests.support.small_world import TICKERS, broken, setup, small_world
from tests.world import config_items
from tests.world.world import World

quote = Reservation().quote

BID, ASK = Side.BID, Side.ASK

RULES = {TICKER: Rules(CENT_GRID, config(levels=2, price_tolerance_ticks=1))}
WANTED = quote(inputs(config=RULES[TICKER].config), warm())[0].targets
"""Bids at 49 and 48 cents, asks at 51 and 52."""


def resting(slot: Slot, price: str, count: str = "10", name: str = "") -> TrackedOrder:
    """An order of ours that is proven to rest."""
    key = name or slot_key(slot)
    return TrackedOrder(
        client_order_id=key,
        slot=slot,
        shard=0,
        price=cents(price),
        count=contracts(count),
        remaining=contracts(count),
        state=OrderState.LIVE,
        sent_ms=TimeMs(0),
        order_id=key,
    )


def diff(*orders: TrackedOrder, frozen: tuple[Slot, ...] = ()) -> SlotPlan:
    """What the wanted ladder makes of these."""
    view = ReconciledOrders(
        journal=Journal({order.client_order_id: order for order in orders}),
        external=(),
        frozen=frozenset(frozen),
        blocked=frozenset(),
        resolutions=(),
    )
    return plan_slots(WANTED, view, RULES)


INNER, OUTER = Slot(TICKER, BID, 0), Slot(TICKER, BID, 1)
ASKS = (resting(Slot(TICKER, ASK, 0), "0.51"), resting(Slot(TICKER, ASK, 1), "0.52"))


def test_each_level_is_kept_cancelled_and_placed_by_itself() -> None:
    plan = diff(resting(INNER, "0.49"), resting(OUTER, "0.46"), *ASKS)
    assert [order.slot for order in plan.kept if order.slot.side is BID] == [INNER]
    assert [request.client_order_id for request in plan.cancels] == [slot_key(OUTER)]
    assert [(place.slot, place.price) for place in plan.places] == [(OUTER, cents("0.48"))]


def test_an_order_at_another_levels_price_does_not_stand_for_it() -> None:
    plan = diff(resting(OUTER, "0.46"), resting(INNER, "0.46"), *ASKS)
    assert sorted(place.slot.level for place in plan.places) == [0, 1]
    assert len(plan.cancels) == 2


def test_the_tolerance_and_the_refill_are_judged_level_by_level() -> None:
    plan = diff(resting(INNER, "0.48"), resting(OUTER, "0.48", "2"), *ASKS)
    assert [order.slot for order in plan.kept if order.slot.side is BID] == [INNER]
    assert [place.slot for place in plan.places] == [OUTER]


def test_a_frozen_level_leaves_the_others_free() -> None:
    plan = diff(resting(OUTER, "0.40"), *ASKS, frozen=(OUTER,))
    assert [place.slot for place in plan.places] == [INNER]
    assert plan.withheld == ((OUTER, Reason.SLOT_UNRESOLVED),)
    assert plan.cancels == ()


def test_a_stray_goes_whatever_levels_are_wanted() -> None:
    orphan = Slot(TICKER, BID, ORPHAN_LEVEL)
    plan = diff(resting(orphan, "0.49"), resting(INNER, "0.49"), resting(OUTER, "0.48"), *ASKS)
    assert [request.client_order_id for request in plan.cancels] == [slot_key(orphan)]
    assert (len(plan.kept), plan.places) == (4, ())


def test_a_level_no_longer_wanted_is_cancelled() -> None:
    third = Slot(TICKER, BID, 2)
    plan = diff(resting(INNER, "0.49"), resting(OUTER, "0.48"), resting(third, "0.47"), *ASKS)
    assert [request.client_order_id for request in plan.cancels] == [slot_key(third)]


# --- on the exchange ------------------------------------------------------------------------------


def test_both_levels_rest_and_an_outer_one_is_moved_alone() -> None:
    item = {**config_items.MARKET, "levels": 2, "level_gap_dollars": Decimal("0.01")}
    with small_world(setup(items=dict.fromkeys(TICKERS, item))) as seen:
        seen.world.start()
        seen.world.cycle()
        before = on_exchange(seen.world)
        assert before == {"bid": [4400, 4300], "ask": [4700, 4800]}
        seen.world.put_market(TICKERS[0], {**item, "level_gap_dollars": Decimal("0.03")})
        answer = seen.world.cycle()

        assert (answer["cancelled"], answer["placed"], answer["kept"]) == (2, 2, 10)
        assert on_exchange(seen.world) == {"bid": [4400, 4100], "ask": [4700, 5000]}
        assert broken(seen.world) == []


def on_exchange(world: World) -> dict[str, list[int]]:
    """Prices of the first market as the engine holds them, inner first."""
    asks = sorted(order.price_e4 for order in world.resting(TICKERS[0], "ask"))
    return {"bid": sorted((o.price_e4 for o in world.resting(TICKERS[0], "bid")), reverse=True), "ask": asks}


@pytest.mark.parametrize(("levels", "largest", "needed"), [(1, 200, "10"), (3, 200, "30"), (3, 25, "25")])
def test_the_preflight_counts_every_level_up_to_the_largest_position(
    levels: int, largest: int, needed: str
) -> None:
    item = {**config_items.MARKET, "levels": levels, "max_position": largest}
    with small_world(setup(items=dict.fromkeys(TICKERS, item), cash_dollars=5)) as seen:
        findings = "\n".join(seen.world.start()["findings"])
        assert f"shard 0 holds $5.000000, its quotes may need ${needed}.000000" in findings
