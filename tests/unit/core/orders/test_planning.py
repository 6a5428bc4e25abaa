"""The diff of wanted and live quotes: what keeps its queue place, what goes, what comes, in what order."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dora.core.exchange.market import Side, Slot
from dora.core.orders.batches import split
from dora.core.orders.diff import plan_slots
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.keeping import Rules
from dora.core.orders.reconciliation import ORPHAN_LEVEL, ReconciledOrders
from dora.core.orders.requests import TargetOrder
from dora.core.orders.slot_plan import SlotPlan, slot_key
from dora.core.reasons import Reason
from dora.core.units import Count, Price, PriceGrid, TimeMs
from tests.reference import diff as reference
from tests.support.diff_cases import ASK, BID, live, names, order, view
from tests.support.examples import CENT_GRID, NOW, TAPERED_GRID, TICKER, all_prices, config, target

OTHER = "KXSNOW-26NOV21-T1"
RULES = {TICKER: Rules(CENT_GRID, config())}


def applied(plan: SlotPlan, before: ReconciledOrders) -> ReconciledOrders:
    """The view after everything in the plan was done, and nothing else happened."""
    gone = {request.client_order_id for request in plan.cancels}
    cut = {request.client_order_id: request.reduce_to for request in plan.decreases}
    left = [
        held._replace(remaining=cut.get(key, held.remaining))
        for key, held in before.journal.orders.items()
        if key not in gone
    ]
    come = [
        order(place.slot, place.price, place.count, f"new {slot_key(place.slot)}") for place in plan.places
    ]
    return view([*left, *come], before.frozen, before.blocked)


# --- one slot -----------------------------------------------------------------------------------------

KEEP, DECREASE, REPLACE = "keep", "decrease", "replace"


def done_with(resting: TrackedOrder, wanted: TargetOrder, rules: Rules) -> str:
    plan = plan_slots([wanted], view([resting]), {TICKER: rules})
    found = {
        (1, 0, 0, 0): KEEP,
        (0, 1, 0, 0): DECREASE,
        (0, 0, 1, 1): REPLACE,
    }
    return found[len(plan.kept), len(plan.decreases), len(plan.cancels), len(plan.places)]


@pytest.mark.parametrize(
    ("resting", "wanted", "done"),
    [
        ("0.44", "0.44", KEEP),
        ("0.43", "0.44", KEEP),  # one tick shy of its target
        ("0.42", "0.44", REPLACE),
        ("0.45", "0.44", KEEP),  # one tick eager, three cents of edge left
        ("0.46", "0.44", REPLACE),
    ],
)
def test_a_price_within_the_tolerance_keeps_its_queue_place(resting: str, wanted: str, done: str) -> None:
    assert done_with(live(resting, "10"), target(Side.BID, wanted, "10", edge=400), RULES[TICKER]) == done


@pytest.mark.parametrize(("edge", "done"), [(200, KEEP), (199, REPLACE), (0, REPLACE)])
@pytest.mark.parametrize(("slot", "eager"), [(BID, "0.45"), (ASK, "0.43")])
def test_a_quote_more_eager_than_its_target_stays_only_with_the_least_edge(
    slot: Slot, eager: str, edge: int, done: str
) -> None:
    assert (
        done_with(live(eager, "10", slot), target(slot.side, "0.44", "10", edge=edge), RULES[TICKER]) == done
    )


@pytest.mark.parametrize(("slot", "shy"), [(BID, "0.43"), (ASK, "0.45")])
def test_a_quote_less_eager_than_its_target_needs_no_edge(slot: Slot, shy: str) -> None:
    assert done_with(live(shy, "10", slot), target(slot.side, "0.44", "10"), RULES[TICKER]) == KEEP


@pytest.mark.parametrize(
    ("resting", "wanted", "done"),
    [("0.101", "0.102", KEEP), ("0.099", "0.10", KEEP), ("0.098", "0.10", REPLACE), ("0.10", "0.11", KEEP)],
)
def test_the_tolerance_counts_ticks_of_the_markets_own_grid(resting: str, wanted: str, done: str) -> None:
    rules = Rules(TAPERED_GRID, config())
    assert done_with(live(resting, "10"), target(Side.BID, wanted, "10"), rules) == done


@pytest.mark.parametrize(
    ("remaining", "wanted", "done"),
    [
        ("10", "10", KEEP),
        ("2.50", "10", KEEP),
        ("2.49", "10", REPLACE),
        ("1", "4", KEEP),
        ("0.99", "3", REPLACE),  # a third is left, but less than one contract
        ("0.50", "0.50", KEEP),
        ("0.30", "0.50", REPLACE),
        ("10.01", "10", DECREASE),
        ("1000", "0.01", DECREASE),
    ],
)
def test_size_is_refilled_only_when_little_is_left_and_decreased_only_when_it_must_fall(
    remaining: str, wanted: str, done: str
) -> None:
    assert done_with(live("0.44", remaining), target(Side.BID, "0.44", wanted), RULES[TICKER]) == done


def test_a_decrease_names_the_count_to_reach_and_how_to_route_it() -> None:
    (cut,) = plan_slots([target(Side.BID, "0.44", "4")], view([live("0.44", "10")]), RULES).decreases
    assert (cut.order_id, cut.ticker, cut.shard, cut.reduce_to) == (f"o-{slot_key(BID)}", TICKER, 1, 400)


def test_an_order_too_large_and_off_price_is_replaced_not_decreased() -> None:
    assert done_with(live("0.40", "20"), target(Side.BID, "0.44", "10"), RULES[TICKER]) == REPLACE


def test_of_two_orders_in_a_slot_one_stays_and_the_other_goes() -> None:
    resting = [live("0.44", "10", name="a"), live("0.44", "10", name="b")]
    plan = plan_slots([target(Side.BID, "0.44", "10")], view(resting), RULES)
    assert names(plan) == (["a"], [], ["b"], [])


def test_a_frozen_slot_is_left_alone_and_says_so_only_where_a_quote_is_wanted() -> None:
    resting = [live("0.20", "10"), live("0.80", "10", ASK)]
    plan = plan_slots([target(Side.BID, "0.44", "10")], view(resting, frozen=(BID, ASK)), RULES)
    assert names(plan) == ([], [], [], [])
    assert plan.withheld == ((BID, Reason.SLOT_UNRESOLVED),)


def test_a_blocked_market_gets_cancels_only() -> None:
    resting = [live("0.44", "20"), live("0.80", "10", ASK)]
    wanted = [target(Side.BID, "0.44", "10"), target(Side.ASK, "0.50", "10")]
    plan = plan_slots(wanted, view(resting, blocked=(TICKER,)), RULES)
    assert names(plan) == ([slot_key(BID)], [], [slot_key(ASK)], [])
    assert dict(plan.withheld) == {BID: Reason.SLOT_UNRESOLVED, ASK: Reason.SLOT_UNRESOLVED}


def test_a_stray_is_cancelled_beside_a_wanted_quote_of_the_same_side() -> None:
    orphan = Slot(TICKER, Side.BID, ORPHAN_LEVEL)
    plan = plan_slots([target(Side.BID, "0.44", "10")], view([live("0.44", "10", orphan)]), RULES)
    assert names(plan)[2] == [slot_key(orphan)]


def test_a_market_without_rules_is_pulled() -> None:
    plan = plan_slots([target(Side.BID, "0.44", "10")], view([live("0.44", "10")]), {})
    assert names(plan) == ([], [], [slot_key(BID)], [])


@pytest.mark.parametrize("state", [state for state in OrderState if state is not OrderState.LIVE])
def test_only_an_order_proven_to_rest_is_ever_written_to(state: OrderState) -> None:
    held = live("0.20", "10")._replace(state=state)
    assert not plan_slots((), view([held]), RULES).writes


def test_an_inner_level_goes_before_an_outer_one_that_earns_more_and_the_best_edge_before_less() -> None:
    wanted = [target(Side.BID, f"0.4{4 - n}", "10", level=n, edge=100 * (n + 1)) for n in range(3)]
    wanted.append(target(ASK.side, "0.60", "10", edge=250))
    plan = plan_slots(wanted, view(()), RULES)
    assert [(place.slot.side, place.slot.level) for place in plan.places] == [
        (Side.ASK, 0),
        (Side.BID, 0),
        (Side.BID, 1),
        (Side.BID, 2),
    ]


def test_a_plan_counts_its_writes() -> None:
    resting = [live("0.44", "20"), live("0.80", "10", ASK)]
    plan = plan_slots([target(Side.BID, "0.44", "10"), target(Side.ASK, "0.50", "10")], view(resting), RULES)
    assert plan.writes == 3


@given(st.lists(st.integers()), st.integers(1, 9))
def test_batches_hold_every_item_once_in_order_and_none_is_too_large(items: list[int], size: int) -> None:
    batches = [list(batch) for batch in split(items, size)]
    assert [item for batch in batches for item in batch] == items
    assert all(0 < len(batch) <= size for batch in batches)


# --- any number of slots ------------------------------------------------------------------------------

GRIDS = {TICKER: TAPERED_GRID, OTHER: CENT_GRID}
SLOTS = [Slot(ticker, side, level) for ticker in GRIDS for side in Side for level in (ORPHAN_LEVEL, 0, 1)]
PRICES = {ticker: st.sampled_from(all_prices(grid)[::7]) for ticker, grid in GRIDS.items()}
NEAR = st.integers(-3, 3)


@dataclass(frozen=True)
class Case:
    targets: list[TargetOrder]
    view: ReconciledOrders
    rules: Mapping[str, Rules]

    def plan(self) -> SlotPlan:
        return plan_slots(self.targets, self.view, self.rules)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Targets, and orders that are near or far from them, doubled, stray, frozen and blocked."""
    anchors = {slot: draw(PRICES[slot.ticker]) for slot in SLOTS}
    counts = st.integers(1, 3000).map(Count)
    wanted = draw(st.lists(st.sampled_from([slot for slot in SLOTS if slot.level >= 0]), unique=True))
    targets = [
        TargetOrder(slot=slot, price=anchors[slot], count=draw(counts), edge=Price(draw(st.integers(0, 500))))
        for slot in wanted
    ]
    orders = [
        order(slot, _moved(GRIDS[slot.ticker], anchors[slot], draw(NEAR)), draw(counts), f"{number}")
        for number, slot in enumerate(draw(st.lists(st.sampled_from(SLOTS), max_size=10)))
    ]
    chosen = config(
        price_tolerance_ticks=draw(st.integers(0, 3)), refill_below=draw(st.sampled_from([0, 25, 100]))
    )
    ruled = draw(st.sets(st.sampled_from(sorted(GRIDS)), min_size=1))
    return Case(
        targets=targets,
        view=view(
            orders,
            draw(st.sets(st.sampled_from(SLOTS), max_size=2)),
            draw(st.sets(st.sampled_from(sorted(GRIDS)), max_size=1)),
        ),
        rules={ticker: Rules(GRIDS[ticker], chosen) for ticker in sorted(ruled)},
    )


def _moved(grid: PriceGrid, price: Price, ticks: int) -> Price:
    for _ in range(abs(ticks)):
        price = grid.above(price) if ticks > 0 else grid.below(price)
    return price


@given(cases())
def test_the_diff_of_an_applied_diff_is_empty(case: Case) -> None:
    after = applied(case.plan(), case.view)
    again = plan_slots(case.targets, after, case.rules)
    assert (again.writes, again.cancels, again.decreases, again.places) == (0, (), (), ())


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_does_not_matter(case: Case, chance: Random) -> None:
    orders, targets, tickers = list(case.view.journal.orders.values()), list(case.targets), list(case.rules)
    for items in (orders, targets, tickers):
        chance.shuffle(items)
    shuffled = plan_slots(
        targets,
        view(orders, case.view.frozen, case.view.blocked),
        {ticker: case.rules[ticker] for ticker in tickers},
    )
    assert shuffled == case.plan()


@given(cases())
def test_every_live_order_has_one_fate_and_frozen_slots_have_none(case: Case) -> None:
    plan = case.plan()
    kept, decreased, cancelled, _ = names(plan)
    fates = Counter(kept + decreased + cancelled)
    expected = {key for key, held in case.view.journal.orders.items() if held.slot not in case.view.frozen}
    assert fates == dict.fromkeys(expected, 1)


@given(cases())
def test_a_slot_has_one_keeper_or_one_place_and_never_both(case: Case) -> None:
    plan = case.plan()
    orders = case.view.journal.orders
    keepers = [orders[key].slot for key in names(plan)[0] + names(plan)[1]]
    taken = Counter(keepers + [place.slot for place in plan.places])
    assert all(number == 1 for number in taken.values())


@given(cases())
def test_a_place_needs_every_order_of_its_slot_cancelled_first(case: Case) -> None:
    plan = case.plan()
    gone = {request.client_order_id for request in plan.cancels}
    placed = {place.slot for place in plan.places}
    assert all(key in gone for key, held in case.view.journal.orders.items() if held.slot in placed)


@given(cases())
def test_nothing_is_placed_or_decreased_that_is_not_wanted_allowed_and_ruled(case: Case) -> None:
    plan = case.plan()
    assert all(place in case.targets for place in plan.places)
    for slot in [place.slot for place in plan.places]:
        assert slot not in case.view.frozen
    touched = [place.slot.ticker for place in plan.places] + [cut.ticker for cut in plan.decreases]
    assert not set(touched) & case.view.blocked
    assert set(touched) <= case.rules.keys()


@given(cases())
def test_what_stays_is_no_larger_than_wanted_and_within_the_tolerance(case: Case) -> None:
    plan = case.plan()
    wanted = {want.slot: want for want in case.targets}
    after = applied(plan, case.view).journal.orders
    for key in names(plan)[0] + names(plan)[1]:
        stays = after[key]
        rules, want = case.rules[stays.slot.ticker], wanted[stays.slot]
        assert stays.remaining <= want.count or stays.slot.ticker in case.view.blocked
        assert abs(rules.grid.ticks_between(stays.price, want.price)) <= rules.config.price_tolerance_ticks


@given(cases())
def test_a_decrease_always_lowers_and_never_to_nothing(case: Case) -> None:
    orders = case.view.journal.orders
    assert all(0 < cut.reduce_to < orders[cut.client_order_id].remaining for cut in case.plan().decreases)


@given(cases())
def test_strays_never_stay(case: Case) -> None:
    orphans = [held for held in case.plan().kept if held.slot.level == ORPHAN_LEVEL]
    assert not orphans


@given(cases())
def test_places_come_inner_levels_first_and_then_the_best_edge(case: Case) -> None:
    ranks = [(-place.slot.level, place.edge) for place in case.plan().places]
    assert ranks == sorted(ranks, reverse=True)


@st.composite
def resting_cases(draw: st.DrawFn) -> Case:
    """As `cases`, but in one market what is wanted rests, or nearly, and orders end at all kinds of times."""
    case = draw(cases())
    ends = st.sampled_from([None, None, 1_000, 2_000, 3_000])
    alike = [slot for slot in SLOTS if slot.ticker == TICKER and slot.level >= 0]
    resting = [
        order(slot, draw(PRICES[TICKER]), draw(st.integers(1, 3000).map(Count)), f"{number}")
        for number, slot in enumerate(draw(st.lists(st.sampled_from(alike), min_size=1, max_size=2)))
    ]
    others = [held for held in case.view.journal.orders.values() if held.slot.ticker != TICKER]
    orders = [held._replace(expires_ms=draw(ends)) for held in (*resting, *others)]
    more = st.sampled_from([0, 0, 0, 1])
    wanted = {o.slot: TargetOrder(o.slot, o.price, Count(o.remaining + draw(more))) for o in resting}
    targets = [*wanted.values(), *(want for want in case.targets if want.slot.ticker != TICKER)]
    rules = {
        ticker: own._replace(
            renew_before_ms=TimeMs(draw(st.sampled_from([0, 1_500]))),
            extend_to_ms=draw(st.sampled_from([None, NOW])),
            gone_by_ms=draw(st.sampled_from([None, 2_500])),
            early=frozenset(draw(st.sets(st.sampled_from("0123"), max_size=2))),
        )
        for ticker, own in case.rules.items()
    }
    return Case(targets, view(orders, case.view.frozen, case.view.blocked), rules)


@settings(max_examples=300)
@given(resting_cases(), st.sets(st.sampled_from(sorted(GRIDS)), max_size=1))
def test_one_pass_over_the_slots_gives_what_the_obvious_diff_gives(case: Case, uncomputed: set[str]) -> None:
    fast = plan_slots(case.targets, case.view, case.rules, uncomputed)
    assert fast == reference.plan_slots(case.targets, case.view, case.rules, uncomputed)
