"""The further levels of a side: where they stand, and what room they share."""

from hypothesis import given

from dora.core.exchange.book import without
from dora.core.exchange.fees import FREE, maker_fee_per_contract
from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision
from dora.core.quoting.strategies.reservation import Reservation
from dora.core.reasons import Reason
from dora.core.units import Count, Price
from tests.support.examples import DECI_GRID, TAPERED_GRID, TICKER, book, cents, config, contracts, market
from tests.support.quoting_cases import MAKER_FEES, Situation, inputs, situations, warm

quote = Reservation().quote

BID, ASK = Side.BID, Side.ASK


def side_of(decision: Decision, side: Side) -> list[TargetOrder]:
    """One side's quotes, inner first."""
    return sorted((t for t in decision.targets if t.slot.side is side), key=lambda t: t.slot.level)


def prices(decision: Decision, side: Side) -> list[Price]:
    return [target.price for target in side_of(decision, side)]


def counts(decision: Decision, side: Side) -> list[Count]:
    return [target.count for target in side_of(decision, side)]


# --- prices ---------------------------------------------------------------------------------------


def test_a_market_has_one_level_a_side_unless_it_asks_for_more() -> None:
    decision, _ = quote(inputs(), warm())
    assert [target.slot.level for target in decision.targets] == [0, 0]


def test_levels_stand_a_gap_apart_behind_the_inner_one() -> None:
    decision, _ = quote(inputs(config=config(levels=3, level_gap=cents("0.02"))), warm())
    assert prices(decision, BID) == [cents("0.49"), cents("0.47"), cents("0.45")]
    assert prices(decision, ASK) == [cents("0.51"), cents("0.53"), cents("0.55")]
    assert [target.edge for target in side_of(decision, BID)] == [cents("0.01"), cents("0.03"), cents("0.05")]


def test_gaps_are_counted_from_the_inner_level_and_rounded_outward() -> None:
    # Three gaps of 1.5 cents: 0.475, 0.46, 0.445 for bids, each then moved down to a whole cent.
    decision, _ = quote(inputs(config=config(levels=4, level_gap=cents("0.015"))), warm())
    assert prices(decision, BID) == [cents(text) for text in ("0.49", "0.47", "0.46", "0.44")]
    assert prices(decision, ASK) == [cents(text) for text in ("0.51", "0.53", "0.54", "0.56")]


def test_a_gap_below_the_grid_step_is_one_step() -> None:
    decision, _ = quote(inputs(config=config(levels=3, level_gap=cents("0.001"))), warm())
    assert prices(decision, BID) == [cents("0.49"), cents("0.48"), cents("0.47")]


def test_a_ladder_goes_on_over_the_seam_of_a_grid() -> None:
    shown = book([("0.098", "50")], [("0.108", "50")])
    rules = config(
        levels=3, level_gap=cents("0.002"), min_half_spread=cents("0.001"), min_edge=cents("0.001")
    )
    seen = inputs(book=shown, config=rules, market=market(grid=TAPERED_GRID))
    decision, _ = quote(seen, warm(fair_e9=103_000_000, mid_e9=103_000_000))
    assert prices(decision, BID) == [cents("0.10"), cents("0.098"), cents("0.096")]
    assert prices(decision, ASK) == [cents("0.11"), cents("0.12"), cents("0.13")]


def test_levels_that_would_leave_the_grid_are_dropped_and_say_so() -> None:
    low = book([("0.03", "50")], [("0.05", "50")])
    rules = config(levels=5, min_edge=Price(0))
    decision, _ = quote(inputs(book=low, config=rules), warm(fair_e9=40_000_000, mid_e9=40_000_000))
    assert prices(decision, BID) == [cents("0.03"), cents("0.02"), cents("0.01")]
    assert len(prices(decision, ASK)) == 5
    assert decision.dropped == tuple((Slot(TICKER, BID, level), Reason.NO_EDGE) for level in (3, 4))


def test_an_inner_level_that_cannot_be_quoted_takes_the_outer_ones_with_it() -> None:
    low = book([("0.03", "50")], [("0.05", "50")])
    rules = config(levels=2, min_half_spread=cents("0.05"))
    decision, _ = quote(inputs(book=low, config=rules), warm(fair_e9=40_000_000, mid_e9=40_000_000))
    assert prices(decision, BID) == []
    assert decision.dropped == tuple((Slot(TICKER, BID, level), Reason.NO_EDGE) for level in (0, 1))


def test_sides_that_cross_drop_every_level() -> None:
    none = config(levels=2, min_half_spread=Price(0), min_edge=Price(0), volatility_percent_of_move=0)
    decision, _ = quote(inputs(config=none), warm())
    slots = [Slot(TICKER, side, level) for side in Side for level in (0, 1)]
    assert decision.targets == ()
    assert dict(decision.dropped) == dict.fromkeys(slots, Reason.SELF_CROSS)


def test_a_smaller_last_level_moves_out_until_its_own_fee_is_earned() -> None:
    """Down to 47.57 cents, one contract and its fee cost a whole 49 cents: not enough below 50."""
    rules = config(levels=2, level_gap=cents("0.001"), min_edge=cents("0.0101"), max_position=contracts("11"))
    seen = inputs(config=rules, fees=MAKER_FEES, market=market(grid=DECI_GRID))
    inner, outer = side_of(quote(seen, warm())[0], BID)
    assert (inner.price, inner.count) == (cents("0.484"), contracts("10"))
    assert (outer.price, outer.count) == (cents("0.475"), contracts("1"))
    assert outer.edge >= rules.min_edge


# --- room -----------------------------------------------------------------------------------------


def test_levels_share_the_room_and_the_inner_ones_take_it_first() -> None:
    decision, _ = quote(inputs(net=contracts("84.50"), config=config(levels=3)), warm())
    assert counts(decision, BID) == [contracts("10"), contracts("5")]
    assert counts(decision, ASK) == [contracts("10")] * 3
    assert decision.dropped == ((Slot(TICKER, BID, 2), Reason.POSITION_CAP),)


@given(situations(most_levels=5))
def test_a_ladder_runs_outward_within_its_room_and_never_meets_anything(situation: Situation) -> None:
    given_inputs, memory = situation
    decision, _ = quote(given_inputs, memory)
    assert given_inputs.book is not None
    theirs = without(given_inputs.book, given_inputs.own, 100)
    for side in Side:
        mine = side_of(decision, side)
        rules, opposite = given_inputs.config, theirs.asks if side is BID else theirs.bids
        assert [target.slot.level for target in mine] == list(range(len(mine)))
        assert all(target.price in given_inputs.market.grid for target in mine)
        assert all(target.edge >= rules.min_edge for target in mine)
        assert all(side.sign * (opposite[0].price - target.price) > 0 for target in mine)
        if mine:
            assert side.sign * given_inputs.net + sum(t.count for t in mine) <= rules.max_position
        for inner, outer in zip(mine, mine[1:], strict=False):
            assert side.sign * (inner.price - outer.price) > 0
            apart = side.sign * (mine[0].price - outer.price)
            assert apart >= outer.slot.level * rules.level_gap
            assert inner.count >= outer.count


@given(situations(most_levels=5))
def test_no_level_stands_further_out_than_it_must(situation: Situation) -> None:
    given_inputs, memory = situation
    decision, _ = quote(given_inputs, memory)
    rules, grid = given_inputs.config, given_inputs.market.grid
    for side in Side:
        mine = side_of(decision, side)
        for inner, outer in zip(mine, mine[1:], strict=False):
            nearer = grid.above(outer.price) if side is BID else grid.below(outer.price)
            gap_kept = side.sign * (mine[0].price - nearer) >= outer.slot.level * rules.level_gap
            fees = [
                maker_fee_per_contract(given_inputs.fees or FREE, p, outer.count, side)
                for p in (nearer, outer.price)
            ]
            earns = outer.edge - side.sign * (nearer - outer.price) + fees[1] - fees[0] >= rules.min_edge
            assert nearer == inner.price or not gap_kept or not earns


@given(situations(most_levels=5))
def test_further_levels_never_change_the_inner_one(situation: Situation) -> None:
    given_inputs, memory = situation
    fields = {name: getattr(given_inputs.config, name) for name in given_inputs.config.__dataclass_fields__}
    alone, _ = quote(inputs(**given_inputs._asdict() | {"config": config(**fields | {"levels": 1})}), memory)
    together, _ = quote(given_inputs, memory)
    assert [t for t in together.targets if t.slot.level == 0] == list(alone.targets)
