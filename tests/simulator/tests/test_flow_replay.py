"""The order flow: what a print does to the book and to orders of ours."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.clock import VirtualClock
from tests.simulator.flow import REFORM_AFTER_MS, RecordedFlow
from tests.simulator.price_grid import TAPERED_DECI_CENT
from tests.simulator.tape import MINUTE_MS, Print
from tests.support.flow_fakes import (
    END_MS,
    SIDES,
    START_MS,
    T1,
    FakeMarketplace,
    best,
    bought,
    market,
    play,
    recording,
    sold,
)

prices = st.integers(1, 99).map(lambda cents: cents * 100)
prints = st.lists(
    st.builds(
        Print,
        st.integers(START_MS, START_MS + 60_000),
        st.just(T1),
        prices,
        st.integers(1, 10**7),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
).map(lambda listed: sorted(listed, key=lambda each: each.at_ms))
member_orders = st.lists(st.tuples(st.sampled_from(SIDES), prices, st.integers(1, 10**7)), max_size=6)


@given(prints, member_orders, st.integers(0, 99))
def test_every_print_trades_in_full_whoever_stands_there(
    listed: list[Print], orders: list[tuple[str, int, int]], seed: int
) -> None:
    venue = FakeMarketplace()
    flow, clock = play(recording([market()], listed), venue, seed)
    for side, price_e4, count_e2 in orders:
        venue.rest_member(T1, side, price_e4, count_e2)
    clock.advance_to(END_MS)
    assert flow.tally.prints == len(listed)
    assert flow.tally.filled_e2 == flow.tally.printed_e2 == sum(each.count_e2 for each in listed)


@given(prints, st.integers(0, 99))
def test_the_background_is_never_crossed_and_stands_on_the_grid(listed: list[Print], seed: int) -> None:
    venue = FakeMarketplace()
    _, clock = play(recording([market(price_ranges=TAPERED_DECI_CENT)], listed), venue, seed)
    for _ in range(14):
        clock.advance_ms(5_000)
        bid, ask = (best(venue.levels(T1, side)) for side in SIDES)
        assert bid is None or ask is None or bid < ask
        assert bid is None or 0 < bid < 10_000


def test_the_book_is_seeded_around_the_last_print_before_the_window() -> None:
    venue = FakeMarketplace()
    play(recording([market()], [bought(-90_000, 3_000), bought(-60_000, 4_300), bought(5_000, 6_000)]), venue)
    assert [best(venue.levels(T1, side)) for side in SIDES] == [4_100, 4_300]


def test_without_an_earlier_print_the_book_is_seeded_around_the_next() -> None:
    venue = FakeMarketplace()
    play(recording([market()], [sold(300_000, 6_000), bought(400_000, 7_000)]), venue)
    assert [best(venue.levels(T1, side)) for side in SIDES] == [6_000, 6_200]


def test_a_market_that_opens_later_has_no_book_before() -> None:
    venue = FakeMarketplace()
    late = market(open_ms=START_MS + MINUTE_MS)
    _, clock = play(recording([late], [bought(90_000, 6_000)]), venue)
    assert venue.levels(T1, "ask") == []
    clock.advance_ms(MINUTE_MS)
    assert best(venue.levels(T1, "ask")) == 6_000


def test_our_better_price_is_filled_before_the_background() -> None:
    venue = FakeMarketplace()
    _, clock = play(recording([market()], [bought(5_000, 4_300, 800)]), venue)
    ours = venue.rest_member(T1, "ask", 4_200, 500)
    clock.advance_ms(5_000)
    assert ours.filled_e2 == 500


def test_what_stood_nearer_than_the_print_is_gone_and_our_order_takes_its_place() -> None:
    venue = FakeMarketplace()
    _, clock = play(recording([market()], [bought(-1, 4_300), bought(5_000, 4_600, 800)]), venue)
    ours = venue.rest_member(T1, "ask", 4_500, 500)
    clock.advance_ms(5_000)
    assert ours.filled_e2 == 500, "asks at 0.43 that the print passed over cannot have been there"
    assert all(price >= 4_600 for price, _ in venue.levels(T1, "ask"))


def test_our_price_behind_the_print_is_not_filled() -> None:
    venue = FakeMarketplace()
    flow, clock = play(recording([market()], [bought(5_000, 4_300, 10**9)]), venue)
    ours = venue.rest_member(T1, "ask", 4_400, 500)
    clock.advance_ms(5_000)
    assert ours.filled_e2 == 0
    assert flow.tally.filled_e2 == 10**9


def test_a_print_below_the_book_proves_that_nobody_bid_more() -> None:
    venue = FakeMarketplace()
    flow, clock = play(recording([market()], [bought(-1, 6_000), bought(5_000, 4_000)]), venue)
    stale = venue.rest_member(T1, "bid", 5_900, 700)
    clock.advance_ms(5_000)
    assert stale.filled_e2 > 0, "whoever sold at 0.40 would have met our bid of 0.59 first"
    assert flow.tally.filled_e2 == 1_000
    assert all(price < 4_000 for price, _ in venue.levels(T1, "bid"))


def test_the_book_follows_a_print_only_after_a_delay() -> None:
    venue = FakeMarketplace()
    _, clock = play(recording([market()], [bought(-1, 4_000), bought(1_000, 6_000)]), venue)
    clock.advance_ms(1_000 + REFORM_AFTER_MS[0] - 1)
    assert best(venue.levels(T1, "bid")) == 3_800, "stale"
    clock.advance_ms(REFORM_AFTER_MS[1])
    assert best(venue.levels(T1, "bid")) in (5_800, 5_900)
    assert best(venue.levels(T1, "ask")) in (6_000, 6_100)


def test_prints_in_quick_succession_re_form_the_book_once() -> None:
    venue = FakeMarketplace()
    _, clock = play(recording([market()], [bought(at, 4_300, 100) for at in range(0, 100, 10)]), venue)
    clock.advance_ms(100 + REFORM_AFTER_MS[1])
    assert venue.books_set == 2, "the seeding and one re-forming"


def test_a_print_sometimes_leaves_nothing_at_its_price() -> None:
    asks = set()
    for seed in range(40):
        venue = FakeMarketplace()
        _, clock = play(recording([market()], [bought(0, 4_300)]), venue, seed)
        clock.advance_ms(REFORM_AFTER_MS[1])
        asks.add(best(venue.levels(T1, "ask")))
    assert asks == {4_300, 4_400}


def test_markets_draw_apart_from_each_other() -> None:
    venue = FakeMarketplace()
    listed = [bought(0, 4_300), bought(0, 4_300, ticker="KXA-1-T2")]
    _, clock = play(recording([market(), market("KXA-1-T2")], listed), venue)
    clock.advance_ms(REFORM_AFTER_MS[1])
    assert venue.levels(T1, "bid") != venue.levels("KXA-1-T2", "bid")


def test_alternating_prints_within_the_spread_do_not_move_the_book_about() -> None:
    venue = FakeMarketplace()
    swings = [
        each for at in range(0, 60_000, 12_000) for each in (bought(at, 4_300), sold(at + 6_000, 4_200))
    ]
    _, clock = play(recording([market()], swings), venue)
    seen = set()
    for _ in range(6):
        clock.advance_ms(12_000)
        seen |= {best(venue.levels(T1, "bid")), best(venue.levels(T1, "ask"))}
    assert seen <= {4_000, 4_100, 4_200, 4_300, 4_400}


def test_after_its_close_a_market_has_no_more_flow() -> None:
    venue = FakeMarketplace()
    closing = market(close_ms=START_MS + 5_001)
    flow, clock = play(recording([closing], [bought(5_000, 4_300), bought(5_001, 4_300)]), venue)
    clock.advance_ms(5_000)
    calls = venue.calls
    clock.advance_to(END_MS)
    assert (flow.tally.prints, flow.tally.outside_hours, venue.calls) == (1, 1, calls)


def test_rows_outside_the_window_or_of_other_markets_are_not_played() -> None:
    venue, clock = FakeMarketplace(), VirtualClock(START_MS)
    other = market("KXA-1-T2")
    listed = [
        bought(-1, 4_300),
        bought(0, 4_300),
        bought(1, 4_300, ticker="KXA-1-T2"),
        bought(10 * MINUTE_MS, 4_300),
    ]
    flow = RecordedFlow(recording([market(), other], listed), venue, clock, START_MS, END_MS, [T1])
    clock.advance_to(END_MS + MINUTE_MS)
    assert flow.tally.prints == 1
    assert set(venue.orders) == {T1}
