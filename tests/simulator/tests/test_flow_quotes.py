"""The order flow of recorded quotes."""

from __future__ import annotations

from tests.simulator.flow import REFORM_AFTER_MS
from tests.simulator.tape import Quote, QuoteSide
from tests.support.flow_fakes import START_MS, T1, FakeMarketplace, best, bought, market, play, recording


def quoted(at_ms: int, bid: QuoteSide | None, ask: QuoteSide | None) -> Quote:
    return Quote(START_MS + at_ms, T1, bid, ask)


def test_the_background_follows_recorded_quotes_with_depth_behind() -> None:
    venue = FakeMarketplace()
    quotes = [
        quoted(-9, QuoteSide(3_000, 100), QuoteSide(3_500, 200)),
        quoted(5_000, QuoteSide(4_000, 123), QuoteSide(4_300, whole_side_e2=9_999)),
        quoted(6_000, None, QuoteSide(4_300, 50)),
    ]
    _, clock = play(recording([market()], quotes=quotes), venue)
    assert venue.levels(T1, "bid")[0] == (3_000, 100)
    clock.advance_ms(5_000)
    assert venue.levels(T1, "bid")[0] == (4_000, 123)
    assert len(venue.levels(T1, "bid")) == 3
    assert sum(count for _, count in venue.levels(T1, "ask")) == 9_999
    clock.advance_ms(1_000)
    assert venue.levels(T1, "bid") == []


def test_a_quote_that_crosses_our_order_trades_with_it() -> None:
    venue = FakeMarketplace()
    moved = [
        quoted(0, QuoteSide(4_000, 100), QuoteSide(4_300, 100)),
        quoted(9, QuoteSide(3_000, 5), QuoteSide(3_500, 5)),
    ]
    _, clock = play(recording([market()], quotes=moved), venue)
    ours = venue.rest_member(T1, "bid", 4_100, 1_000)
    clock.advance_ms(9)
    assert ours.filled_e2 >= 5


def test_after_a_print_among_quotes_the_quoted_book_comes_back() -> None:
    venue = FakeMarketplace()
    rec = recording(
        [market()], [bought(5_000, 4_500, 40_000)], [quoted(0, QuoteSide(4_000, 100), QuoteSide(4_300, 100))]
    )
    flow, clock = play(rec, venue)
    clock.advance_ms(5_000)
    assert best(venue.levels(T1, "ask")) != 4_300
    clock.advance_ms(REFORM_AFTER_MS[1])
    assert (venue.levels(T1, "bid")[0], venue.levels(T1, "ask")[0]) == ((4_000, 100), (4_300, 100))
    assert flow.tally.filled_e2 == 40_000
