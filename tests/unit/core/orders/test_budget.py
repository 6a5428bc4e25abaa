"""What write tokens buy: whole purchases, the most urgent first, and nobody waits for ever."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.account import Limits
from dora.core.exchange.market import Side, Slot
from dora.core.orders.budget import LOST, OFF_TARGET, Demand, in_order, must_go, waits_after, within_budget
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import ApprovedOrder, TargetOrder
from dora.core.orders.slot_plan import SlotPlan, cancel_request, slot_key
from dora.core.reasons import CancelReason, Reason
from dora.core.units import Count, Price
from tests.support.examples import config
from tests.support.execution_fakes import decrease, resting

BASIC = Limits(tier="basic", read_rate=200, read_capacity=200, write_rate=100, write_capacity=100)
PAIR = BASIC.create_cost + BASIC.cancel_cost


def target(ticker: str, side: Side = Side.BID, *, edge: int = 100, count: int = 1_000) -> ApprovedOrder:
    slot = Slot(ticker, side)
    return ApprovedOrder(TargetOrder(slot=slot, price=Price(4_400), count=Count(count), edge=Price(edge)))


def plan_of(places: list[ApprovedOrder], cancels: dict[TrackedOrder, str]) -> SlotPlan:
    return SlotPlan(
        kept=(),
        decreases=(),
        cancels=tuple(cancel_request(order) for order in cancels),
        places=tuple(places),
        withheld=(),
        why={order.client_order_id: why for order, why in cancels.items()},
    )


def demand(places: list[ApprovedOrder], **changes: object) -> Demand:
    configs = {place.slot.ticker: config(ticker=place.slot.ticker) for place in places}
    return Demand(configs=configs, nets={}, waits={})._replace(**changes)


def bought(
    plan: SlotPlan, orders: list[TrackedOrder], tokens: int, urgent: frozenset[str] = frozenset()
) -> SlotPlan:
    return within_budget(plan, {o.client_order_id: o for o in orders}, urgent, BASIC, tokens)


def test_a_quote_that_is_off_keeps_its_place_until_its_replacement_can_be_paid() -> None:
    old = [resting("A"), resting("B")]
    plan = plan_of([target("A"), target("B")], dict.fromkeys(old, CancelReason.REPRICED))
    after = bought(plan, old, PAIR + BASIC.create_cost)

    assert [place.slot.ticker for place in after.places] == ["A"]
    assert [request.ticker for request in after.cancels] == ["A"]
    assert (after.kept, after.withheld) == ((old[1],), ((old[1].slot, Reason.BUDGET),))


def test_what_must_go_is_cancelled_first_and_without_tokens_too() -> None:
    old = [resting("A"), resting("B")]
    plan = plan_of([target("A"), target("B")], dict.fromkeys(old, CancelReason.REPRICED))
    after = bought(plan, old, 0, frozenset({old[1].client_order_id}))

    assert [request.ticker for request in after.cancels] == ["B"]
    assert (after.places, after.kept) == ((), (old[0],))


def test_a_decrease_is_paid_before_anything_is_placed() -> None:
    old = resting("A")
    plan = plan_of([target("B")], {})._replace(decreases=(decrease(old, 400),))
    assert bought(plan, [old], BASIC.default_cost + BASIC.create_cost - 1).places == ()


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_no_more_orders_are_placed_in_a_cycle_than_allowed(most: int) -> None:
    """What waits keeps its queue place, says why, and is counted as waiting."""
    old = [resting("A"), resting("B")]
    plan = plan_of([target("A"), target("B")], dict.fromkeys(old, CancelReason.REPRICED))
    orders = {order.client_order_id: order for order in old}
    after = within_budget(plan, orders, frozenset(), BASIC, 100, most_orders=most)

    assert (len(after.places), len(after.cancels)) == (min(most, 2), min(most, 2))
    assert after.withheld == tuple((order.slot, Reason.ORDER_RATE) for order in old[most:])
    assert waits_after({}, after, ()) == {slot_key(order.slot): 1 for order in old[most:]}


def test_only_a_quote_that_is_merely_off_may_wait() -> None:
    old = resting("A")
    orders = {old.client_order_id: old}

    def goes(target_: ApprovedOrder | None, why: CancelReason, *, dangerous: bool = False) -> bool:
        plan = plan_of([target_] if target_ else [], {old: why})
        return bool(must_go(plan, orders, lambda _order: dangerous))

    assert not any(goes(target("A"), why) for why in OFF_TARGET)
    assert goes(target("A"), CancelReason.REPRICED, dangerous=True)
    assert goes(target("A", count=old.remaining - 1), CancelReason.REPRICED)
    assert goes(target("A"), CancelReason.DUPLICATE)
    assert goes(None, CancelReason.NOT_WANTED)


def test_what_reduces_a_position_goes_first_then_the_best_value_and_priority() -> None:
    places = [target("A", edge=300), target("B", edge=100), target("C", edge=200), target("D", Side.ASK)]
    rich = config(ticker="B", priority=1_000)
    wanted = demand(places, nets={"D": Count(500)})
    wanted = wanted._replace(configs={**wanted.configs, "B": rich})
    assert [place.slot.ticker for place in in_order(places, wanted, 4)] == ["D", "B", "A", "C"]


def test_a_slot_whose_create_was_lost_is_first_next_time() -> None:
    places = [target("A", edge=300), target("B"), target("C")]
    waits = waits_after({slot_key(places[0].slot): 3}, plan_of([], {}), [places[2].slot])
    assert waits == {slot_key(places[2].slot): LOST}
    assert in_order(places, demand(places, waits=waits), 1)[0] is places[2]


@given(
    slots=st.integers(1, 40),
    served=st.integers(1, 12),
    edges=st.lists(st.integers(0, 500), min_size=40, max_size=40),
)
def test_while_demand_stays_the_same_nobody_waits_for_more_than_two_fair_shares(
    slots: int, served: int, edges: list[int]
) -> None:
    places = [target(f"M{n:02}", edge=edges[n]) for n in range(slots)]
    waits: dict[str, int] = {}
    longest = 0
    for _ in range(60):
        order = in_order(places, demand(places, waits=waits), served)
        unserved = [(place.slot, Reason.BUDGET) for place in order[served:]]
        waits = waits_after(waits, plan_of([], {})._replace(withheld=tuple(unserved)), ())
        longest = max([longest, *waits.values()])
    assert longest <= 2 * -(-slots // served)


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30),
    st.integers(0, 400),
)
def test_the_largest_part_that_can_be_paid_in_full_is_bought(
    rows: list[tuple[bool, bool]], tokens: int
) -> None:
    """A row is a slot: whether it holds an order, and whether that must go."""
    old = {n: resting(f"M{n}") for n, (held, _) in enumerate(rows) if held}
    urgent = frozenset(old[n].client_order_id for n, (held, goes) in enumerate(rows) if held and goes)
    places = [target(f"M{n}") for n in range(len(rows))]
    plan = plan_of(places, dict.fromkeys(old.values(), CancelReason.REPRICED))
    after = bought(plan, list(old.values()), tokens, urgent)

    spent = len(after.cancels) * BASIC.cancel_cost + len(after.places) * BASIC.create_cost
    cancelled = {request.client_order_id for request in after.cancels}
    served = {place.slot for place in after.places}
    assert urgent <= cancelled
    assert spent <= max(tokens, len(urgent) * BASIC.cancel_cost)
    assert all(
        (o.client_order_id in cancelled) == (o.slot in served)
        for o in old.values()
        if o.client_order_id not in urgent
    )
    assert Counter(after.kept) == Counter(o for o in old.values() if o.client_order_id not in cancelled)
    assert [slot for slot, _ in after.withheld] == [place.slot for place in places[len(after.places) :]]
    if len(after.places) < len(places):
        following = places[len(after.places)].slot
        extra = [o for o in old.values() if o.slot == following and o.client_order_id not in urgent]
        assert spent + BASIC.create_cost + len(extra) * BASIC.cancel_cost > tokens
