"""Recorded quotes of weather markets: the default strategy's figures, and what a look ahead makes of them.

The figures are those of an earlier, separate measurement, with its own 95 % intervals.
"""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests.replay.fill_models import PESSIMISTIC
from tests.replay.loading import read_tape
from tests.replay.play import play
from tests.replay.run import models_for
from tests.replay.score import Scored, event_days, interval, scored, together
from tests.replay.settings import setting
from tests.replay.tape import Tape, Track
from tests.simulator.tape import Quote
from tests.support.recorded import recorded

pytestmark = pytest.mark.recorded


@cache
def weather() -> Tape:
    """Two days of 31 markets, every change of best price and size."""
    return read_tape(recorded("bbo-weather-2026-03.csv.gz"))


MEASURED = {
    "min_half_spread_dollars": "0.01",
    "min_book_width_dollars": "0",
    "max_improve_ticks": "50",
    "warm_up_minutes": "0",
    "cool_off_s": "0",
}
"""What the earlier measurement was of: the defaults of then."""


def pessimist(tape: Tape) -> Scored:
    played = play(tape, setting("reservation", MEASURED), PESSIMISTIC, dict.fromkeys(tape.tracks, {}))
    return scored(tape, played.days)


@cache
def honest() -> Scored:
    return pessimist(weather())


@pytest.mark.long
def test_the_pessimists_figure_is_reproduced_within_its_interval() -> None:
    tape = weather()
    found = honest()
    total = together(found, found.scores)
    assert -27 < total.cents_per_quote_hour(10) < -7
    assert total.quoted_share == pytest.approx(0.39, abs=0.03)
    low, high = interval(event_days(tape, found).values(), 10) or (0.0, 0.0)
    assert -35 < low < high < 0


class Leaky(Track):
    """A market whose book the bot sees a minute and a second before it is there."""

    def seen_at(self, at_ms: int) -> Quote | None:
        return super().seen_at(at_ms + 61_000)


def leaking(track: Track) -> Track:
    fields: dict[str, Any] = {name: getattr(track, name) for name in Track.__dataclass_fields__}
    return Leaky(**fields)


@pytest.mark.long
def test_a_planted_leak_of_61_seconds_makes_the_markouts_of_real_markets_jump() -> None:
    tape = weather()
    leaky = replace(tape, tracks={ticker: leaking(track) for ticker, track in tape.tracks.items()})
    totals = [together(found, found.scores) for found in (honest(), pessimist(leaky))]
    fair, foul = (total.cents_per_contract(total.after_1) for total in totals)
    assert foul > fair + 1


def test_weather_quotes_have_sizes_and_so_all_three_fill_models() -> None:
    tape = weather()
    assert len(tape.tracks) == 31
    assert [model.name for model in models_for(tape)] == ["pess", "infer", "opt"]
    assert not tape.assumed
    assert len(tape.stretches) == 2
