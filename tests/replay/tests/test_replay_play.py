"""A replay minute by minute: what the bot sees, when its orders stand, and what is counted."""

from collections.abc import Iterator

import pytest

from dora.core.exchange.market import Side
from dora.core.quoting import registry
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from tests.replay import situations
from tests.replay.fill_models import INFERRED, OPTIMISTIC, PESSIMISTIC, FillModel
from tests.replay.play import CROSSED, Brake, MarketDay, Played, play
from tests.replay.score import scored, together
from tests.replay.settings import setting
from tests.replay.tape import Stretch, Tape, Track
from tests.replay.tapes import (
    EVENT,
    TICKER,
    at,
    market,
    quote,
    tape_with,
    track_of,
    trade,
    wandering,
    with_tracks,
)
from tests.replay.tests.scripted import Scripted, bids
from tests.simulator.tape import Quote


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    scripted = Scripted()
    monkeypatch.setitem(registry.STRATEGIES, "scripted", scripted)
    yield scripted


def run(tape: Tape, model: FillModel = PESSIMISTIC, **raw: str) -> Played:
    return play(
        tape, setting("scripted", {"max_improve_ticks": "50", **raw}), model, situations.situations(tape)
    )


def one_day(played: Played) -> MarketDay:
    (day,) = played.days.values()
    return day


def calm(minutes: int, **later: Quote) -> list[Quote]:
    return [quote(0, (40, 50), (50, 50)), *later.values(), quote(60 * minutes, (40, 50), (50, 50))]


def test_the_bot_sees_the_book_as_it_stands_at_the_minute_and_never_later(script: Scripted) -> None:
    quotes = [quote(0, (40, 50), (50, 50)), quote(60, (41, 50), (50, 50)), quote(60.001, (42, 50), (50, 50))]
    run(tape_with(track_of([*quotes, quote(120, (43, 50), (50, 50))])))
    seen = [asked.book.bids[0].price for asked in script.asked if asked.book]
    assert seen == [4_000, 4_100, 4_300]
    assert [asked.now_ms for asked in script.asked] == [at(0), at(60), at(120)]


def test_an_order_stands_a_second_after_it_was_decided(script: Scripted) -> None:
    script.answer = bids(40)
    for arrives, filled in ((0.9, 0), (1.1, 10)):
        quotes = calm(2, met=quote(arrives, None, (40, 1)), back=quote(arrives + 0.05, (40, 50), (50, 50)))
        assert sum(f.count for f in one_day(run(tape_with(track_of(quotes)))).fills) == filled * 100


def test_a_quote_that_the_book_has_reached_meanwhile_is_refused(script: Scripted) -> None:
    script.answer = bids(45)
    quotes = calm(1, moved=quote(0.5, (40, 50), (45, 50)))
    day = one_day(run(tape_with(track_of(quotes))))
    assert day.reasons[CROSSED] == 1
    assert not day.fills


def test_what_fills_before_a_cancel_arrives_is_filled(script: Scripted) -> None:
    script.answer = lambda asked: (
        bids(40)(asked) if asked.now_ms == at(0) else Decision(ticker=TICKER, skip=Reason.TOO_FAST)
    )
    quotes = calm(2, met=quote(60.5, None, (40, 1)), back=quote(60.6, (40, 50), (50, 50)))
    assert [f.at_ms for f in one_day(run(tape_with(track_of(quotes)))).fills] == [at(60.5)]


def test_a_kept_order_keeps_its_queue_place(script: Scripted) -> None:
    script.answer = bids(40)
    # 20 stand ahead when it joins. Others join behind it; then 25 trade, so it gets 5.
    quotes = [
        quote(0, (40, 20), (50, 50)),
        quote(90, (40, 500), (50, 50)),
        quote(240, (40, 475), (50, 50)),
    ]
    track = track_of(quotes, [trade(150, 40, 25, buys_yes=False)])
    assert [f.count for f in one_day(run(tape_with(track), INFERRED)).fills] == [500]


def test_a_moved_order_goes_to_the_end_of_the_queue(script: Scripted) -> None:
    script.answer = lambda asked: bids(40 if asked.now_ms != at(60) else 38)(asked)
    quotes = [quote(0, (40, 20), (50, 50)), quote(90, (40, 500), (50, 50)), quote(240, (40, 475), (50, 50))]
    track = track_of(quotes, [trade(150, 40, 25, buys_yes=False)])
    assert not one_day(run(tape_with(track), INFERRED, price_tolerance_ticks="0")).fills


def test_our_own_orders_are_in_the_book_that_the_bot_is_shown(script: Scripted) -> None:
    script.answer = bids(42)
    run(tape_with(track_of(calm(1))))
    shown = script.asked[1]
    assert shown.book is not None
    assert [(level.price, level.count) for level in shown.book.bids] == [(4_200, 1_000), (4_000, 5_000)]
    assert shown.own == ((Side.BID, 4_200, 1_000),)


def test_position_and_memory_pass_from_cycle_to_cycle(script: Scripted) -> None:
    script.answer = bids(40)
    quotes = calm(2, met=quote(30, None, (40, 1)), back=quote(31, (40, 50), (50, 50)))
    run(tape_with(track_of(quotes)))
    assert [asked.net for asked in script.asked] == [0, 1_000, 1_000]


def test_risk_cuts_what_would_pass_the_largest_position(script: Scripted) -> None:
    script.answer = bids(40)
    quotes = calm(3, met=quote(30, None, (40, 1)), back=quote(31, (40, 50), (50, 50)))
    day = one_day(run(tape_with(track_of(quotes)), max_position="10"))
    assert day.largest == 1_000
    assert day.reasons[Reason.POSITION_CAP] == 3


def test_an_order_lives_six_hours_and_is_renewed_at_the_queues_end(script: Scripted) -> None:
    script.answer = bids(40)
    minutes = 6 * 60
    quotes = [quote(0, (40, 20), (50, 50)), quote(60 * minutes + 120, (40, 20), (50, 50))]
    late = track_of(quotes, [trade(60 * minutes + 60, 40, 25, buys_yes=False)])
    # A minute after the renewal the 20 ahead are served first, as a minute after the first joining.
    early = track_of(quotes, [trade(60, 40, 25, buys_yes=False)])
    for track in (late, early):
        assert sum(f.count for f in one_day(run(tape_with(track), INFERRED)).fills) == 500
    grown = track_of(
        [quotes[0], quote(600, (40, 200), (50, 50)), quotes[1]],
        [trade(60 * minutes + 60, 40, 25, buys_yes=False)],
    )
    assert not one_day(run(tape_with(grown), INFERRED)).fills


def test_every_minute_counts_as_quoted_or_has_a_reason(script: Scripted) -> None:
    script.answer = lambda asked: (
        bids(40)(asked) if asked.now_ms < at(120) else Decision(ticker=TICKER, skip=Reason.TOO_FAST)
    )
    day = one_day(run(tape_with(track_of(calm(4)))))
    assert (day.minutes, day.quoted, dict(day.reasons)) == (5, 2, {Reason.TOO_FAST: 3})


def test_nothing_rests_or_fills_while_the_recorder_is_off(script: Scripted) -> None:
    script.answer = bids(40)
    gap = 3_600
    quotes = [
        quote(0, (40, 50), (50, 50)),
        quote(60, (40, 50), (50, 50)),
        quote(gap, (20, 50), (30, 50)),
        quote(gap + 120, (20, 50), (30, 50)),
    ]
    tape = tape_with(track_of(quotes))
    stretches = (Stretch(at(0), at(60)), Stretch(at(gap), at(gap + 120)))
    day = one_day(run(Tape(**{**vars(tape), "stretches": stretches})))
    assert not day.fills
    assert day.minutes == 5


def test_a_book_from_before_the_recorder_was_off_is_unknown(script: Scripted) -> None:
    tape = tape_with(track_of([quote(0, (40, 50), (50, 50)), quote(3_720, (40, 50), (50, 50))]))
    run(Tape(**{**vars(tape), "stretches": (Stretch(at(0), at(0)), Stretch(at(3_600), at(3_720)))}))
    assert [asked.book is None for asked in script.asked] == [False, True, True, False]


def test_markets_of_an_event_are_decided_together_under_an_event_cap_that_is_asked_for(
    script: Scripted,
) -> None:
    script.answer = bids(40)
    first = track_of(calm(2))
    other = Track(
        market=market("KXHAND-E1-M2", EVENT),
        quotes=first.quotes,
        moments=first.moments,
        first_ms=first.first_ms,
        last_ms=first.last_ms,
    )
    tape = with_tracks(tape_with(first), first, other)
    assert [day.quoted for day in run(tape).days.values()] == [3, 3]
    capped = run(tape, max_event_loss_dollars="5")
    assert {key[0]: (day.quoted, dict(day.reasons)) for key, day in capped.days.items()} == {
        TICKER: (3, {}),
        "KXHAND-E1-M2": (3, {}),
    }
    assert [own[0][2] for own in (asked.own for asked in script.asked[-2:])] == [1_000, 200]


def test_a_day_that_has_lost_its_limit_is_over_and_the_next_one_is_not() -> None:
    brake = Brake(100)
    said = [
        brake.holds(*args) for args in (("d1", {"A": 0}), ("d1", {"A": -99}), ("d1", {"A": -50, "B": -50}))
    ]
    assert said == [False, False, True]
    assert brake.holds("d1", {"A": 500})
    assert not brake.holds("d2", {"A": -100})


def test_a_daily_loss_that_is_asked_for_takes_every_quote_off(script: Scripted) -> None:
    script.answer = bids(40)
    quotes = calm(3, met=quote(30, (10, 1), (20, 1)))
    day = one_day(run(tape_with(track_of(quotes)), max_daily_loss_dollars="2"))
    assert day.reasons[Reason.DAILY_LOSS] == 3
    assert len(day.fills) == 1


class Leaky(Track):
    """A market whose book the bot sees a minute and a second before it is there."""

    def seen_at(self, at_ms: int) -> Quote | None:
        return super().seen_at(at_ms + 61_000)


def test_a_planted_leak_of_61_seconds_makes_the_pessimists_markouts_jump() -> None:
    """What would look like skill if a replay let the next minute's book through."""
    rows = wandering(6)
    honest, leaking = (_cents_a_contract(tape_with(track_of(rows, kind=kind))) for kind in (Track, Leaky))
    assert honest < 0
    assert leaking > honest + 1


EAGER = {
    "min_half_spread_dollars": "0.01",
    "min_book_width_dollars": "0",
    "max_improve_ticks": "50",
    "warm_up_minutes": "0",
}
"""Quotes that are near to fair value, from the first minute on: more of them fill."""


def _cents_a_contract(tape: Tape) -> float:
    calmed = {
        "max_speed_percent": "10000",
        "resume_speed_percent": "10000",
        "volatility_percent_of_move": "0",
    }
    raw = {**EAGER, **calmed}
    played = play(tape, setting("reservation", raw), PESSIMISTIC, situations.situations(tape))
    given = scored(tape, played.days)
    total = together(given, given.scores)
    assert total.contracts
    return total.cents_per_contract(total.after_1)


def test_the_same_tape_gives_the_same_replay() -> None:
    tape, known = tape_with(track_of(wandering(1))), situations.situations(tape_with(track_of(wandering(1))))
    one, other = (play(tape, setting("reservation", EAGER), OPTIMISTIC, known) for _ in "12")
    assert one.days == other.days
    assert one_day(one).fills
