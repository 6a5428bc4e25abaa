"""What a replay reads off a tape: prices as they stood, marks, and when nobody was looking."""

from tests.replay.roster import Roster
from tests.replay.situations import NO_SPEED, situations
from tests.replay.tape import Stretch, is_coarse, minutes_of, stretches_of
from tests.replay.tapes import NOON_MS, TICKER, at, quote, tape_with, track_of, trade

FOUR = [
    quote(0, (40, 5), (50, 5)),
    quote(60, (42, 5), (50, 5)),
    quote(120, None, (45, 5)),
    quote(180, (30, 5), None),
]


def test_prices_stand_from_their_row_on_and_not_a_millisecond_earlier() -> None:
    track = track_of(FOUR)
    assert track.quote_at(NOON_MS - 1) is None
    assert track.quote_at(at(60) - 1) is FOUR[0]
    assert track.quote_at(at(60)) is FOUR[1]
    assert track.quote_at(at(9_999)) is FOUR[3]


def test_moments_belong_to_the_span_that_ends_with_them() -> None:
    track = track_of(FOUR, [trade(60, 41, 1, buys_yes=True)])
    times = [moment.at_ms for moment in track.moments_between(at(0), at(120))]
    assert times == [at(60), at(60), at(120)]
    assert track.moments_between(at(181), at(999)) == ()


def test_a_mark_is_the_mid_and_with_one_side_gone_the_last_mid_that_the_other_allows() -> None:
    track = track_of(FOUR)
    assert [track.mark_e5(at(second)) for second in (0, 60, 120, 180)] == [45_000, 46_000, 45_000, 46_000]


def test_before_the_first_two_sided_quote_the_mark_is_that_quotes() -> None:
    assert track_of([quote(0, None, (90, 1)), *FOUR[1:]]).mark_e5(at(0)) == 46_000


def test_the_same_quote_is_the_same_book_and_a_size_that_nobody_recorded_leans_to_no_side() -> None:
    sizeless = quote(0, (40, None), (50, None))
    track = track_of([sizeless])
    assert track.book(sizeless) is track.book(sizeless)
    assert track.book(sizeless).bids[0].count == track.book(sizeless).asks[0].count


def test_a_long_silence_of_all_markets_divides_a_recording() -> None:
    times = [0, 10, 20, 200, 210]
    assert stretches_of(times, 100) == (Stretch(0, 20), Stretch(200, 210))
    assert stretches_of(times, 180) == (Stretch(0, 210),)


def test_minutes_are_whole_ones_within_the_stretch() -> None:
    assert list(minutes_of(Stretch(NOON_MS + 1, at(120)))) == [at(60), at(120)]


def test_snapshots_minutes_apart_are_told_from_a_record_of_changes() -> None:
    assert is_coarse([0, 0, at(1800) - NOON_MS])
    assert not is_coarse([0, 500, 2_000])


def test_a_market_is_replayed_from_its_first_row_to_the_last_of_its_event() -> None:
    tape = tape_with(track_of(FOUR[:2]))
    roster = Roster(tape)
    assert [roster.at(at(second)) for second in (-60, 0, 60, 120)] == [(), (TICKER,), (TICKER,), ()]


def test_the_roster_is_the_same_object_while_nothing_opens_or_closes() -> None:
    roster = Roster(tape_with(track_of(FOUR)))
    assert roster.at(at(0)) is roster.at(at(60))


def test_a_situation_names_speed_spread_price_and_time_to_close() -> None:
    # The mid moves by 1 c a minute, in a spread of 8 c: a quarter of the half-spread.
    quotes = [quote(60 * n, (40 + n % 2, 5), (48 + n % 2, 5)) for n in range(10)]
    found = situations(tape_with(track_of(quotes)))[TICKER]
    assert found[at(0)].speed == NO_SPEED
    last = found[at(540)]
    assert last == ("R 0.25 to 0.5", "spread 4 to 10 c", "price 30 to 70 c", "over 24 h to close")


def test_a_situation_knows_nothing_of_what_comes_later() -> None:
    calm = [quote(60 * n, (40, 5), (48, 5)) for n in range(10)]
    wild = [*calm[:9], quote(540, (80, 5), (81, 5))]
    one, other = (situations(tape_with(track_of(quotes)))[TICKER] for quotes in (calm, wild))
    assert {now: one[now] for now in one if now < at(540)} == {
        now: other[now] for now in other if now < at(540)
    }


def test_tracks_of_prints_know_that_prints_were_recorded() -> None:
    assert track_of(FOUR, [trade(60, 41, 1, buys_yes=True)]).printed
    assert not track_of(FOUR).printed
