"""Events that rest because fills went against us, in a replay as in the bot."""

from dataclasses import replace

import pytest

from dora.core.reasons import Reason
from tests.replay.fill_models import PESSIMISTIC
from tests.replay.play import play
from tests.replay.settings import setting
from tests.replay.situations import situations
from tests.replay.tape import Track
from tests.replay.tapes import market, quote, tape_with, track_of, with_tracks

pytestmark = pytest.mark.usefixtures("bids_at_40_cents")


def met_and_left(seconds: float) -> Track:
    """Our bid at 40 c is met then, and the mid stands at 30 c from then on."""
    return track_of(
        [
            quote(0, (40, 50), (50, 50)),
            quote(seconds, None, (40, 1)),
            quote(seconds + 1, (28, 50), (32, 50)),
            quote(2_400, (28, 50), (32, 50)),
        ]
    )


@pytest.mark.parametrize(("cool_off_s", "rested"), [("1800", 29), ("600", 9), ("0", 0)])
def test_an_event_rests_after_two_fills_that_went_five_cents_against_us(cool_off_s: str, rested: int) -> None:
    """Marked by the looks at 360 s and 420 s, when five minutes are over; rests from the next look on."""
    first, second = met_and_left(30), replace(met_and_left(90), market=market("KXHAND-E1-M2"))
    tape = with_tracks(tape_with(first), first, second)
    made = setting("scripted", {"max_improve_ticks": "50", "cool_off_s": cool_off_s})
    played = play(tape, made, PESSIMISTIC, situations(tape))
    assert [day.reasons[Reason.COOL_OFF] for day in played.days.values()] == [rested, rested]
    assert [len(day.fills) for day in played.days.values()] == [1, 1]


def test_a_single_one_is_no_reason_to_rest() -> None:
    tape = tape_with(met_and_left(30))
    played = play(tape, setting("scripted", {"max_improve_ticks": "50"}), PESSIMISTIC, situations(tape))
    (day,) = played.days.values()
    assert (len(day.fills), day.reasons[Reason.COOL_OFF]) == (1, 0)
