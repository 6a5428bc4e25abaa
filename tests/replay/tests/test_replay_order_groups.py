"""Order groups by event: worked by hand, when one trips, what is gone then, and when it is quoted again."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dora.core.units import CONTRACT, Count
from tests.replay.brakes import Braked, brake_table, braked, busiest
from tests.replay.fill_models import OPTIMISTIC, PESSIMISTIC, FillModel
from tests.replay.order_groups import GroupRule
from tests.replay.play import TRIPPED, Played, play
from tests.replay.run import outcome_of
from tests.replay.settings import setting
from tests.replay.situations import situations
from tests.replay.tape import Tape
from tests.replay.tapes import TICKER, at, market, quote, tape_with, track_of, wandering, with_tracks
from tests.simulator.tape import Quote

SECOND, OTHER = "KXHAND-E1-M2", "KXHAND-E2-M1"
ABOVE = GroupRule(Count(9 * CONTRACT), 120_000)
FROM = replace(ABOVE, at_limit=True)


pytestmark = pytest.mark.usefixtures("bids_at_40_cents")


def met(*seconds: float) -> Sequence[Quote]:
    """Somebody sells at our price at these times; otherwise the book stands still for five minutes."""
    calm = [quote(0, (40, 50), (50, 50)), quote(300, (40, 50), (50, 50))]
    moved = [part for s in seconds for part in (quote(s, None, (40, 1)), quote(s + 0.5, (40, 50), (50, 50)))]
    return sorted([*calm, *moved], key=lambda one: one.at_ms)


def falling(*steps: tuple[float, int]) -> Sequence[Quote]:
    """The size at our price falls at these times to so many."""
    return [quote(0, (40, 50), (50, 50)), *(quote(s, (40, left), (50, 50)) for s, left in steps)]


def tape_of(**quotes: Sequence[Quote]) -> Tape:
    """Two markets of one event, and one of another; what is not given stands still."""
    still = met()
    first = track_of(quotes.get("first", still))
    tracks = [first]
    for name, ticker, event in (("second", SECOND, "KXHAND-E1"), ("other", OTHER, "KXHAND-E2")):
        rows = track_of(quotes.get(name, still))
        tracks.append(replace(rows, market=market(ticker, event)))
    tape = with_tracks(tape_with(first), *tracks)
    (event,) = tape.events.values()
    return replace(
        tape, events={name: event._replace(event_ticker=name) for name in ("KXHAND-E1", "KXHAND-E2")}
    )


def run(tape: Tape, rule: GroupRule | None, model: FillModel = PESSIMISTIC) -> Played:
    return play(tape, setting("scripted", {"max_improve_ticks": "50"}), model, situations(tape), rule)


def filled(played: Played) -> list[tuple[str, float]]:
    """(market, seconds) of each fill, in order of time."""
    fills = [own for day in played.days.values() for own in day.fills]
    return sorted(((own.ticker, (own.at_ms - at(0)) / 1000) for own in fills), key=lambda own: own[1])


def test_a_quote_that_fills_whole_takes_its_event_off_at_once_and_no_other() -> None:
    """First market: met at 30 s. The cycle of 60 s sees the trip, the one of 180 s quotes the event again."""
    tape = tape_of(first=met(30, 100, 190), second=met(31, 178, 195), other=met(31, 100))
    assert filled(run(tape, None)) == [
        (TICKER, 30),
        (SECOND, 31),
        (OTHER, 31),
        (TICKER, 100),
        (OTHER, 100),
        (SECOND, 178),
        (TICKER, 190),
        (SECOND, 195),
    ]
    played = run(tape, ABOVE)
    # Of the other event the first fill trips its group too, which therefore rests at 100 s.
    assert filled(played) == [(TICKER, 30), (OTHER, 31), (TICKER, 190)]
    assert played.trips == 3
    assert {ticker: day.reasons[TRIPPED] for (ticker, _), day in played.days.items()} == {
        TICKER: 4,
        SECOND: 4,
        OTHER: 2,
    }


def test_all_that_fills_in_one_moment_fills_before_its_group_is_off() -> None:
    assert filled(run(tape_of(first=met(30), second=met(30)), ABOVE)) == [(TICKER, 30), (SECOND, 30)]


@pytest.mark.parametrize(("rule", "trips"), [(ABOVE, 0), (FROM, 1)])
def test_whether_the_limit_itself_trips_is_a_choice(rule: GroupRule, trips: int) -> None:
    assert run(tape_of(first=falling((30, 41), (300, 41))), rule, OPTIMISTIC).trips == trips


@pytest.mark.parametrize(("second_s", "trips"), [(10, 1), (24.9, 1), (25.0, 0)])
def test_matches_of_all_markets_of_an_event_count_for_fifteen_seconds(second_s: float, trips: int) -> None:
    tape = tape_of(first=falling((10, 45), (300, 45)), second=falling((second_s, 45), (300, 45)))
    assert run(tape, ABOVE, OPTIMISTIC).trips == trips


def test_a_group_that_never_trips_changes_nothing() -> None:
    tape = tape_with(track_of(wandering(2)))
    raw = {"warm_up_minutes": "0", "min_book_width_dollars": "0"}
    made, known = setting("reservation", raw), situations(tape)
    plain, grouped = (
        play(tape, made, OPTIMISTIC, known, rule) for rule in (None, GroupRule(Count(10**9), 600_000))
    )
    assert [day.fills for day in plain.days.values()] == [day.fills for day in grouped.days.values()]
    assert any(day.fills for day in plain.days.values())


def test_the_table_says_what_each_rule_makes_of_each_event_day() -> None:
    """Ten contracts at 40 c are worth 45 c half an hour later; the brake keeps the second market's away."""
    tape = tape_of(first=met(30), second=met(31), other=met(31))
    made = setting("scripted", {"max_improve_ticks": "50"})
    plain, held = (outcome_of(tape, made, run(tape, rule)) for rule in (None, ABOVE))
    one = Braked("pess", ABOVE, plain, held)
    assert [(pair.shard.after_30, pair.event.after_30) for pair in one.pairs] == [
        (10**7, 5 * 10**6),
        (5 * 10**6, 5 * 10**6),
    ]
    assert busiest(plain.played.days) == 30 * CONTRACT
    text = brake_table([one])
    assert "-0.50" in text
    assert text.splitlines()[1].split()[:5] == ["shard", "pess", "0", "30", "30"]
    rules = {str(own.rule) for own in braked(tape, made, [60, 90], lambda *_: None)}
    assert rules == {f"{word} 9, rests {s} s" for word in ("above", "from") for s in (60, 90)}
