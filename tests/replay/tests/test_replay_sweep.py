"""A sweep chooses on some days and judges on others, and cannot see the ones for the others."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dora.core.errors import ConfigInvalid
from tests.replay import run, sweep
from tests.replay.sweep import candidates, run_sweep, split
from tests.replay.sweep_report import sweep_table
from tests.replay.tape import Stretch, Tape, Track
from tests.replay.tapes import market, tape_with, track_of, wandering, with_tracks
from tests.simulator.tape import Quote

DAY_S = 86_400


def quiet(strategy: str, model: str) -> None:
    pass


def event_track(day: int, quotes: Sequence[Quote]) -> Track:
    """A market of an event of its own that is recorded on this day."""
    moved = [replace(each, at_ms=each.at_ms + day * DAY_S * 1000) for each in quotes]
    base = track_of(moved)
    return replace(base, market=market(f"KXHAND-E{day}-M1", f"KXHAND-E{day}"))


def days(*tapes: Sequence[Quote]) -> Tape:
    tracks = [event_track(day, quotes) for day, quotes in enumerate(tapes)]
    tape = with_tracks(tape_with(tracks[0]), *tracks)
    events = {
        track.market.event_ticker: (
            tape.events["KXHAND-E1"] if "KXHAND-E1" in tape.events else next(iter(tape.events.values()))
        )._replace(
            event_ticker=track.market.event_ticker,
        )
        for track in tracks
    }
    return replace(tape, events=events)


FOUR_DAYS = days(*(wandering(1, seed) for seed in range(4)))
RESTLESS = {"max_speed_percent": "10000", "resume_speed_percent": "10000"}


def test_half_of_the_days_choose_and_the_others_judge() -> None:
    parts = split(FOUR_DAYS, None)
    assert parts.choosing_days == ("2026-03-10", "2026-03-11")
    assert parts.judging_days == ("2026-03-12", "2026-03-13")
    assert set(parts.choosing.tracks) == {"KXHAND-E0-M1", "KXHAND-E1-M1"}
    assert set(parts.judging.tracks) == {"KXHAND-E2-M1", "KXHAND-E3-M1"}


def test_a_part_is_a_recording_of_its_own_markets_and_their_time() -> None:
    stretches = tuple(Stretch(track.first_ms, track.last_ms) for track in FOUR_DAYS.tracks.values())
    parts = split(replace(FOUR_DAYS, stretches=stretches), None)
    assert (parts.choosing.stretches, parts.judging.stretches) == (stretches[:2], stretches[2:])
    assert set(parts.judging.events) == {"KXHAND-E2", "KXHAND-E3"}


def test_an_event_is_never_on_both_sides() -> None:
    twin = replace(event_track(2, wandering(1)), market=market("KXHAND-E0-M2", "KXHAND-E0"))
    parts = split(with_tracks(FOUR_DAYS, *FOUR_DAYS.tracks.values(), twin), "2026-03-12")
    assert set(parts.choosing.tracks) == {"KXHAND-E1-M1"}
    assert {"KXHAND-E0-M1", "KXHAND-E0-M2"} <= set(parts.judging.tracks)


@pytest.mark.parametrize("day", ["2026-03-10", "2026-03-14"])
def test_a_split_that_leaves_a_part_empty_is_refused(day: str) -> None:
    with pytest.raises(ConfigInvalid, match="no two parts"):
        split(FOUR_DAYS, day)


def test_every_combination_is_a_candidate() -> None:
    found = list(candidates({"levels": "1"}, {"quote_size": ("5", "10"), "max_position": ("50",)}))
    assert found == [
        {"levels": "1", "quote_size": "5", "max_position": "50"},
        {"levels": "1", "quote_size": "10", "max_position": "50"},
    ]


SIZES = {"min_half_spread_dollars": ("0.005", "0.01")}


def test_the_choice_is_the_best_of_the_choosing_days_whatever_the_judging_ones_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[str] = []
    played = run.outcomes

    def watched(tape: Tape, *rest: object) -> object:
        judged.append(",".join(sorted(tape.tracks)))
        return played(tape, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(sweep, "outcomes", watched)
    swept = run_sweep(split(FOUR_DAYS, None), "reservation", RESTLESS, SIZES, quiet)
    figures = {given["min_half_spread_dollars"]: by["pess"].cents for given, by in swept.candidates}
    assert len(set(figures.values())) == 2
    assert swept.chosen["min_half_spread_dollars"] == max(figures, key=figures.__getitem__)
    # The candidates met the choosing days alone; the judging days were replayed for the chosen one only.
    assert judged == ["KXHAND-E0-M1,KXHAND-E1-M1"] * 2
    assert set(swept.judged.tape.tracks) == {"KXHAND-E2-M1", "KXHAND-E3-M1"}
    assert swept.judged.strategies["reservation"]["pess"].setting.market == swept.chosen


def test_the_table_names_both_parts_and_the_choice() -> None:
    swept = run_sweep(split(FOUR_DAYS, "2026-03-13"), "reservation", RESTLESS, SIZES, quiet)
    text = sweep_table(swept)
    assert "choosing days: 2026-03-10, 2026-03-11, 2026-03-12 (3 markets)" in text
    assert "judging days:  2026-03-13 (1 markets)" in text
    (line,) = [line for line in text.splitlines() if line.endswith("  chosen")]
    assert line.startswith(f"min_half_spread_dollars={swept.chosen['min_half_spread_dollars']}")


def test_a_setting_that_never_trades_is_not_chosen_over_one_that_loses() -> None:
    far = {"min_half_spread_dollars": ("0.005", "0.2")}
    swept = run_sweep(split(FOUR_DAYS, None), "reservation", RESTLESS, far, quiet)
    figures = {given["min_half_spread_dollars"]: by["pess"].total for given, by in swept.candidates}
    assert figures["0.005"].after_30 < 0
    assert figures["0.2"].quoted
    assert not figures["0.2"].contracts
    assert swept.chosen["min_half_spread_dollars"] == "0.005"


def test_a_sweep_in_which_nothing_trades_chooses_nothing() -> None:
    narrow = {"max_spread_dollars": ("0.03",)}
    with pytest.raises(ConfigInvalid, match="no setting trades"):
        run_sweep(split(FOUR_DAYS, None), "reservation", RESTLESS, narrow, quiet)
