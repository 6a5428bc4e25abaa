"""What the front page says of money is what the replay's document says, which says it once and the same."""

import re

import pytest

from tests.house.checkout import ROOT
from tests.house.replay_figures import DOCUMENT, recording

FRONT = (ROOT / "README.md").read_text(encoding="utf-8")
REPLAY = DOCUMENT.read_text(encoding="utf-8")
WEATHER = recording("bbo-weather-2026-03", REPLAY)
NYC = recording("bbo-nyc-weather-2025-12", REPLAY)
MODELS = ("pess", "infer", "opt")
MARKETS = 40
"""Of a reader who asks what to expect a day."""


def front_row(begins: str) -> list[str]:
    """The cells of one row of the front page's table."""
    (line,) = [line for line in FRONT.splitlines() if line.startswith(f"| {begins} |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


@pytest.mark.parametrize("strategy", ["reservation", "join"])
def test_the_front_page_says_what_each_strategy_ended_with(strategy: str) -> None:
    assert front_row(f"`{strategy}`, at the end") == [
        WEATHER.outcomes[strategy, model].end for model in MODELS
    ]


def test_the_front_page_shows_the_deepest_fall_beside_it() -> None:
    falls = [f"-{WEATHER.outcomes['reservation', model].drawdown}" for model in MODELS]
    assert front_row("the same, from its best moment to the worst after it") == falls


@pytest.mark.parametrize("text", [FRONT, REPLAY], ids=["front page", "replay"])
def test_a_days_guess_is_the_recordings_end_for_forty_markets_and_a_day(text: str) -> None:
    a_day = MARKETS / WEATHER.markets * 24 / WEATHER.hours
    ends = [float(WEATHER.outcomes["reservation", model].end) * a_day for model in ("pess", "infer")]
    found = re.search(r"between (\d+) dollars lost and\s+(\d+)\s+earned a day", text)
    assert found
    assert [-int(found[1]), int(found[2])] == [round(end) for end in ends]


@pytest.mark.parametrize("text", [FRONT, REPLAY], ids=["front page", "replay"])
def test_the_bad_day_stands_beside_the_good_one(text: str) -> None:
    assert re.search(r"100 to\s+175", text)


def test_the_front_page_names_the_recording_as_large_as_it_is() -> None:
    assert f"two days, {WEATHER.markets} weather markets" in FRONT
    assert round(WEATHER.hours / 24) == 2


def test_the_row_of_the_chosen_defaults_is_what_they_came_to() -> None:
    (row,) = [line for line in REPLAY.splitlines() if line.startswith("| **2 c, 3 c** |")]
    told = [(WEATHER, "pess"), (WEATHER, "infer"), (WEATHER, "opt"), (NYC, "pess"), (NYC, "opt")]
    own = [source.outcomes["reservation", model] for source, model in told]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [f"{one.cents} ({one.interval})" for one in own]
