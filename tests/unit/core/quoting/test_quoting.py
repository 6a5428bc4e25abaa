"""The rules every quote keeps, whatever the book, the position, the fees and the memory are."""

import json
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dora.core.exchange.book import Resting, without
from dora.core.exchange.fees import FREE, maker_fee_per_contract
from dora.core.exchange.market import Book, Level, Side, Slot
from dora.core.quoting.decision import Decision
from dora.core.quoting.fair_value import FairValue
from dora.core.quoting.memory import STALE_MS, Memory, judged, recall, remember
from dora.core.quoting.reservation_price import logit, reservation_price, sigmoid, skew
from dora.core.quoting.strategies.reservation import Reservation
from dora.core.reasons import Reason
from dora.core.units import ONE_DOLLAR, Count, Price, TimeMs
from tests.reference import quoting as reference
from tests.support.examples import (
    NOW,
    TAPERED_GRID,
    TICKER,
    book,
    cents,
    config,
    contracts,
    market,
)
from tests.support.quoting_cases import MAKER_FEES, MINUTE, Situation, inputs, nano, situations, warm

quote = Reservation().quote


def prices(decision: Decision) -> dict[Side, Price]:
    """Target prices by side."""
    return {target.slot.side: target.price for target in decision.targets}


def counts(decision: Decision) -> dict[Side, Count]:
    """Target sizes by side."""
    return {target.slot.side: target.count for target in decision.targets}


# --- the reservation price ------------------------------------------------------------------------


@pytest.mark.parametrize(("contracts_held", "expected"), [(100, 0.269), (50, 0.378), (0, 0.5), (-100, 0.731)])
def test_the_exact_skew_at_a_risk_aversion_of_one_percent(contracts_held: int, expected: float) -> None:
    assert reservation_price(0.5, 0.01 * contracts_held) == pytest.approx(expected, abs=0.0005)


def test_a_full_position_shifts_by_about_the_configured_skew() -> None:
    shift = skew(contracts("200"), contracts("200"), cents("0.05"))
    assert shift == pytest.approx(0.001 * 200)
    assert reservation_price(0.5, shift) == pytest.approx(0.45, abs=0.001)


@given(st.floats(0.0001, 0.9999), st.floats(-500, 500))
def test_the_reservation_price_stays_between_nothing_and_a_dollar(fair: float, shift: float) -> None:
    assert 0.0 <= reservation_price(fair, shift) <= 1.0


@given(st.floats(0.0001, 0.9999))
def test_logit_and_sigmoid_undo_each_other(fair: float) -> None:
    assert sigmoid(logit(fair)) == pytest.approx(fair, abs=1e-12)


# --- prices ---------------------------------------------------------------------------------------


def test_a_flat_warm_maker_quotes_evenly_around_fair_value() -> None:
    decision, _ = quote(inputs(), warm())

    assert decision.fair_value == 0.5
    assert decision.reservation_price == 0.5
    assert decision.half_spread == 0.01
    assert prices(decision) == {Side.BID: cents("0.49"), Side.ASK: cents("0.51")}
    assert counts(decision) == {Side.BID: contracts("10"), Side.ASK: contracts("10")}
    assert {target.edge for target in decision.targets} == {cents("0.01")}


def test_fees_push_both_quotes_outward() -> None:
    decision, _ = quote(inputs(fees=MAKER_FEES), warm())
    assert prices(decision) == {Side.BID: cents("0.48"), Side.ASK: cents("0.52")}


def test_a_long_position_moves_both_quotes_down_but_never_sells_without_edge() -> None:
    decision, _ = quote(inputs(net=contracts("90")), warm())
    assert prices(decision) == {Side.BID: cents("0.44"), Side.ASK: cents("0.51")}


def test_a_short_position_moves_both_quotes_up() -> None:
    decision, _ = quote(inputs(net=contracts("-90")), warm())
    assert prices(decision) == {Side.BID: cents("0.49"), Side.ASK: cents("0.56")}


def test_a_quote_stays_one_tick_clear_of_the_other_side() -> None:
    narrow = book([("0.49", "1")], [("0.50", "99")])
    tight = config(min_half_spread=cents("0.0001"), min_edge=Price(0), volatility_percent_of_move=0)
    decision, _ = quote(inputs(book=narrow, config=tight), warm())
    assert prices(decision)[Side.BID] == cents("0.49")
    assert prices(decision)[Side.ASK] == cents("0.50")


@pytest.mark.parametrize(
    ("ticks", "bid", "ask"),
    [(0, "0.45", "0.55"), (1, "0.46", "0.54"), (3, "0.48", "0.52"), (9, "0.49", "0.51")],
)
def test_a_quote_stands_no_further_inside_the_touch_of_others_than_allowed(
    ticks: int, bid: str, ask: str
) -> None:
    decision, _ = quote(inputs(config=config(max_improve_ticks=ticks)), warm())
    assert prices(decision) == {Side.BID: cents(bid), Side.ASK: cents(ask)}


def test_a_quote_does_not_step_further_in_on_account_of_itself() -> None:
    shown = book([("0.46", "10"), ("0.45", "50"), ("0.44", "50")], [("0.55", "50"), ("0.56", "50")])
    ours: tuple[Resting, ...] = ((Side.BID, cents("0.46"), contracts("10")),)
    decision, _ = quote(inputs(book=shown, own=ours, config=config(max_improve_ticks=1)), warm())
    assert prices(decision)[Side.BID] == cents("0.46")


def test_a_market_is_watched_before_it_is_quoted() -> None:
    rules = config(warm_up_minutes=10)
    memory: Any = None
    skips = []
    for minute in range(12):
        decision, memory = quote(inputs(config=rules, now_ms=TimeMs(NOW + minute * MINUTE)), memory)
        skips.append(decision.skip)
    assert skips == [Reason.WARMING_UP] * 10 + [None] * 2


@pytest.mark.parametrize(("unseen", "skip"), [(5, None), (6, Reason.WARMING_UP)])
def test_more_than_five_minutes_unseen_cost_a_new_warm_up(unseen: int, skip: Reason | None) -> None:
    known = warm(at_ms=NOW - unseen * MINUTE, watched_ms=60 * MINUTE)
    assert quote(inputs(config=config(warm_up_minutes=10)), known)[0].skip is skip


@pytest.mark.parametrize(("least", "skip"), [("0.10", None), ("0.11", Reason.BOOK_TOO_NARROW)])
def test_a_book_narrower_than_asked_for_is_not_quoted(least: str, skip: Reason | None) -> None:
    decision, after = quote(inputs(config=config(min_book_width=cents(least))), warm())
    assert decision.skip is skip
    assert after["at_ms"] == NOW


def test_cold_and_stale_memory_doubles_the_half_spread() -> None:
    cold, _ = quote(inputs(), None)
    stale, _ = quote(inputs(), warm(at_ms=NOW - STALE_MS - 1))
    assert cold.half_spread == stale.half_spread == 0.02
    assert prices(cold) == {Side.BID: cents("0.48"), Side.ASK: cents("0.52")}


def test_volatility_widens_by_the_configured_share_of_a_typical_move() -> None:
    moving = warm(variance_e12=10**9 * 4, at_ms=NOW)
    blocked_by, _ = quote(inputs(), moving)
    half, _ = quote(inputs(config=config(volatility_percent_of_move=50)), moving)
    # A variance of 0.004 per second is a deviation of sqrt(0.24) logits a minute, a quarter of it in dollars.
    assert blocked_by.half_spread == pytest.approx(0.01 + 0.25 * 0.24**0.5)
    assert half.half_spread == pytest.approx(0.01 + 0.125 * 0.24**0.5)


def test_our_own_orders_do_not_move_our_fair_value() -> None:
    own: tuple[Resting, ...] = (
        (Side.BID, cents("0.49"), contracts("10")),
        (Side.ASK, cents("0.51"), contracts("10")),
        (Side.BID, cents("0.45"), contracts("7")),
    )
    shown = book(
        [("0.49", "10"), ("0.45", "57"), ("0.44", "50")], [("0.51", "10"), ("0.55", "50"), ("0.56", "50")]
    )
    assert quote(inputs(book=shown, own=own), warm()) == quote(inputs(), warm())


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "bid", "ask"),
    [
        ("0", "10", "10"),
        ("95", "5", "10"),
        ("95.50", "4", "10"),
        ("99.50", None, "10"),
        ("100", None, "10"),
        ("250", None, "10"),
        ("-97", "10", "3"),
        ("-100", "10", None),
    ],
)
def test_the_adding_side_is_cut_to_whole_contracts_within_the_position_cap(
    net: str, bid: str | None, ask: str | None
) -> None:
    decision, _ = quote(inputs(net=contracts(net)), warm())
    wanted = {Side.BID: bid, Side.ASK: ask}
    assert counts(decision) == {side: contracts(size) for side, size in wanted.items() if size}
    dropped = tuple((Slot(TICKER, side), Reason.POSITION_CAP) for side, size in wanted.items() if not size)
    assert decision.dropped == dropped


def test_a_quote_size_below_one_contract_is_quoted_as_configured() -> None:
    decision, _ = quote(inputs(config=config(quote_size=contracts("0.50"))), warm())
    assert counts(decision) == {Side.BID: contracts("0.50"), Side.ASK: contracts("0.50")}


# --- markets that are not quoted ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"book": None}, Reason.BOOK_UNKNOWN),
        ({"book": book([("0.45", "1")], [("0.55", "1")], ticker="OTHER")}, Reason.BOOK_UNKNOWN),
        ({"book": book([], [])}, Reason.BOOK_ONE_SIDED),
        ({"book": book([("0.45", "1")], [])}, Reason.BOOK_ONE_SIDED),
        ({"book": book([], [("0.45", "1")])}, Reason.BOOK_ONE_SIDED),
        ({"book": book([("0.46", "1")], [("0.45", "1")])}, Reason.BOOK_CROSSED),
        ({"book": book([("0.45", "1")], [("0.45", "1")])}, Reason.BOOK_CROSSED),
        ({"book": book([("0.39", "1")], [("0.60", "1")])}, Reason.BOOK_TOO_WIDE),
        ({"book": book([("0.01", "1")], [("0.03", "1")])}, Reason.FAIR_VALUE_OUT_OF_RANGE),
        ({"book": book([("0.97", "1")], [("0.99", "1")])}, Reason.FAIR_VALUE_OUT_OF_RANGE),
        ({"own": ((Side.BID, cents("0.45"), contracts("50")), (Side.BID, cents("0.44"), contracts("50")))},
         Reason.BOOK_ONE_SIDED),
    ],
)  # fmt: skip
def test_a_market_that_is_not_quoted_says_why(changes: dict[str, Any], why: Reason) -> None:
    decision, _ = quote(inputs(**changes), warm())
    assert (decision.skip, decision.targets) == (why, ())


def test_a_side_without_room_on_the_grid_is_dropped_and_the_other_stays() -> None:
    low = book([("0.03", "50")], [("0.05", "50")])
    wide = config(min_half_spread=cents("0.05"))
    decision, _ = quote(inputs(book=low, config=wide), warm(fair_e9=40_000_000, mid_e9=40_000_000))
    assert prices(decision) == {Side.ASK: cents("0.09")}
    assert decision.dropped == ((Slot(TICKER, Side.BID), Reason.NO_EDGE),)


@pytest.mark.parametrize(
    ("bid", "count", "ask"),
    [
        (nan, 5_000, 5_500),
        (4_500, nan, 5_500),
        (4_500, 5_000, nan),
        (-inf, 5_000, 5_500),
        (4_500, inf, 5_500),
        (4_500, 5_000, inf),
        (-300, 5_000, 100),
        (0, 5_000, 0),
        (9_900, 5_000, 10_900),
    ],
)
def test_numbers_that_are_no_book_never_become_an_order(bid: float, count: float, ask: float) -> None:
    levels = [Level(Price(price), Count(count)) for price in (bid, ask)]
    broken = Book(TICKER, (levels[0],), (levels[1],))
    decision, _ = quote(inputs(book=broken, config=config(max_price=Price(9_999))), warm())
    assert decision.targets == ()
    assert decision.skip is not None


def test_a_position_that_is_no_number_never_becomes_an_order() -> None:
    decision, _ = quote(inputs(net=nan), warm())
    assert (decision.skip, decision.targets) == (Reason.TARGET_INVALID, ())


def test_a_bid_that_would_meet_our_own_ask_drops_both() -> None:
    none = config(min_half_spread=Price(0), min_edge=Price(0), volatility_percent_of_move=0)
    decision, _ = quote(inputs(config=none), warm())
    assert decision.dropped == tuple((Slot(TICKER, side), Reason.SELF_CROSS) for side in Side)
    assert decision.targets == ()


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stored",
    [
        None,
        {},
        {"at_ms": NOW},
        {**warm(), "extra": 1},
        {**warm(), "fair_e9": 0},
        {**warm(), "fair_e9": 10**9},
        {**warm(), "fair_e9": 0.5},
        {**warm(), "fair_e9": nan},
        {**warm(), "fair_e9": "500000000"},
        {**warm(), "variance_e12": 10**400},
        {**warm(), "watched_ms": -1},
        {**warm(), "watched_ms": True},
    ],
)
def test_memory_that_is_not_understood_is_cold(stored: dict[str, object] | None) -> None:
    assert recall(stored) is None
    decision, _ = quote(inputs(), stored)
    assert decision.half_spread == 0.02


def test_memory_survives_json_bit_for_bit() -> None:
    _, once = quote(inputs(), warm(variance_e12=123_456_789))
    carried = json.loads(json.dumps(once))
    assert carried == once
    later = inputs(now_ms=TimeMs(NOW + MINUTE), book=book([("0.46", "5")], [("0.56", "7")]))
    assert quote(later, carried) == quote(later, once)


def test_an_unread_book_leaves_memory_as_it_was() -> None:
    before = warm()
    assert quote(inputs(book=None), before)[1] == before


def test_looking_again_at_the_same_moment_learns_nothing_new() -> None:
    _, once = quote(inputs(), warm())
    assert quote(inputs(), once)[1] == once


@pytest.mark.parametrize("now", [NOW + STALE_MS + 1, NOW - 1])
def test_a_gap_or_a_step_back_in_time_starts_memory_afresh(now: int) -> None:
    _, after = quote(inputs(now_ms=TimeMs(now)), warm(at_ms=NOW, variance_e12=5))
    assert after == warm(at_ms=now, watched_ms=0)


def _walk(mids: list[int], half: int = 100) -> Memory:
    """Memory after one look a minute at these mids."""
    memory: Memory | None = None
    for minute, mid in enumerate(mids):
        seen = FairValue(mid / ONE_DOLLAR, "book", Price(mid - half), Price(mid + half))
        memory = judged(remember(memory, seen, TimeMs(NOW + minute * MINUTE)), 50, 40)
    assert memory is not None
    return memory


def test_a_market_that_stands_still_has_no_volatility() -> None:
    still = _walk([5_000] * 30)
    assert (still.typical_move, still.speed, still.warm, still.fast) == (0.0, 0.0, True, 0)


def test_the_typical_move_is_the_standard_deviation_of_a_minute() -> None:
    assert _walk([5_000, 5_100] * 5).typical_move == pytest.approx(0.01, rel=0.001)


def test_one_jump_widens_and_fades() -> None:
    right_after = _walk([5_000] * 10 + [5_500])
    later = _walk([5_000] * 10 + [5_500] * 40)
    assert right_after.typical_move > 0.01
    assert later.typical_move < right_after.typical_move / 5


def test_a_market_that_moves_half_its_half_spread_a_minute_is_too_fast() -> None:
    assert _walk([5_000, 5_049] * 10).fast == 0
    assert _walk([5_000, 5_051] * 10).fast == 1


def test_too_fast_ends_only_well_below_where_it_began() -> None:
    fast = _walk([5_000, 5_060] * 10)
    between = _walk([5_000, 5_060] * 10 + [5_000, 5_045] * 30)
    slow = _walk([5_000, 5_060] * 10 + [5_000, 5_020] * 30)
    assert (fast.fast, between.fast, slow.fast) == (1, 1, 0)


def test_a_market_that_moves_too_fast_is_not_quoted() -> None:
    rushing = warm(move_e9=100_000_000, fast=1)
    decision, _ = quote(inputs(), rushing)
    assert (decision.skip, decision.targets) == (Reason.TOO_FAST, ())


# --- laws over everything -------------------------------------------------------------------------


@given(situations(most_levels=5))
def test_every_quote_keeps_every_rule(situation: Situation) -> None:
    given_inputs, memory = situation
    decision, after = quote(given_inputs, memory)
    rules, grid, fees = given_inputs.config, given_inputs.market.grid, given_inputs.fees
    assert fees is not None
    assert recall(after) is not None or decision.skip is not None
    assert (decision.skip is None) == (len(decision.targets) + len(decision.dropped) == 2 * rules.levels)

    assert given_inputs.book is not None
    theirs = without(given_inputs.book, given_inputs.own, 100)
    for target in decision.targets:
        sign = target.slot.side.sign
        fair, reservation = nano(decision.fair_value), nano(decision.reservation_price)
        fee = maker_fee_per_contract(fees, target.price, target.count, target.slot.side)
        priced = target.price * 100_000
        assert target.price in grid
        assert 0 < target.count <= rules.quote_size
        assert sign * given_inputs.net + target.count <= rules.max_position
        assert sign * (reservation - priced) >= nano(decision.half_spread)
        assert sign * (fair - priced) >= (fee + rules.min_edge) * 100_000
        assert rules.min_edge <= target.edge <= sign * (fair - priced) / 100_000 - fee
        same, opposite = (theirs.bids, theirs.asks)[::sign]
        assert sign * (opposite[0].price - target.price) > 0
        lead = sign * grid.ticks_between(grid.floor(same[0].price), target.price)
        assert lead <= rules.max_improve_ticks + (same[0].price not in grid)
    bids, asks = ([t.price for t in decision.targets if t.slot.side is side] for side in Side)
    assert max(bids, default=Price(0)) < min(asks, default=ONE_DOLLAR)


@given(situations())
def test_no_better_price_would_have_kept_the_rules(
    situation: Situation,
) -> None:
    given_inputs, memory = situation
    decision, _ = quote(given_inputs, memory)
    assert given_inputs.book is not None
    theirs = without(given_inputs.book, given_inputs.own, 100)
    for target in decision.targets:
        side, grid = target.slot.side, given_inputs.market.grid
        better = grid.above(target.price) if side is Side.BID else grid.below(target.price)
        priced = better * 100_000
        touch = (theirs.bids if side is Side.BID else theirs.asks)[0].price
        opposite = theirs.asks if side is Side.BID else theirs.bids
        fee = (
            maker_fee_per_contract(given_inputs.fees or FREE, better, target.count, side)
            if 0 < better < ONE_DOLLAR
            else 0
        )
        assert (
            side.sign * (nano(decision.reservation_price) - priced) < nano(decision.half_spread)
            or side.sign * (nano(decision.fair_value) - priced)
            < (fee + given_inputs.config.min_edge) * 100_000
            or side.sign * (opposite[0].price - better) <= 0
            or side.sign * grid.ticks_between(touch, better) > given_inputs.config.max_improve_ticks
        )


@given(situations())
def test_the_same_situation_always_gives_the_same_answer(
    situation: Situation,
) -> None:
    assert quote(*situation) == quote(*situation)


@settings(max_examples=400)
@given(situations(most_levels=5))
def test_the_short_way_quotes_and_remembers_what_the_obvious_one_does(situation: Situation) -> None:
    assert quote(*situation) == reference.quote(*situation)


@given(st.integers(-10_000, 10_000), st.integers(-10_000, 10_000))
def test_more_inventory_never_raises_a_quote(one: int, other: int) -> None:
    less, more = sorted((one, other))
    rules = config(max_position=Count(100_000))
    low, _ = quote(inputs(net=Count(more), config=rules), warm())
    high, _ = quote(inputs(net=Count(less), config=rules), warm())
    for side in Side:
        assert prices(low)[side] <= prices(high)[side]


def test_quotes_follow_a_market_whose_ticks_changed() -> None:
    shown = book([("0.045", "50")], [("0.055", "50")])
    close = config(min_half_spread=cents("0.004"), min_edge=cents("0.004"))
    memory = warm(fair_e9=50_000_000, mid_e9=50_000_000)
    coarse, _ = quote(inputs(book=shown, config=close), memory)
    fine, _ = quote(inputs(book=shown, config=close, market=market(grid=TAPERED_GRID)), memory)
    assert prices(coarse) == {Side.BID: cents("0.04"), Side.ASK: cents("0.06")}
    assert prices(fine) == {Side.BID: cents("0.046"), Side.ASK: cents("0.054")}


def test_how_fast_is_too_fast_is_a_setting() -> None:
    quick = _walk([5_000 + 40 * (i % 2) for i in range(30)])._replace(fast=0)
    assert (judged(quick, 41, 20).fast, judged(quick, 39, 20).fast) == (0, 1)
    assert judged(quick._replace(fast=1), 41, 20).fast == 1
