"""The sample events: one for each thing a person may ask, usable on any day."""

import json
import re
from pathlib import Path

import pytest

from dora.triggers import SessionAction, parse_session_command, parse_tick
from tests.house.checkout import ROOT

SAMPLES = sorted(path for path in (ROOT / "events").glob("*.json") if path.name != "env.local.json")


def test_there_is_a_sample_for_the_cycle_and_for_every_session_action_and_option() -> None:
    options = {"halt_cancel", "halt_reason", "status_checks", "teardown_reason"}
    expected = {"cycle", *(f"session_{what}" for what in {*SessionAction, *options})}

    assert {path.stem for path in SAMPLES} == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_accepted_and_does_what_its_name_says(path: Path) -> None:
    event = json.loads(path.read_text(encoding="utf-8"))

    if path.stem == "cycle":
        assert parse_tick(event, bot="dora", now_ms=1_500) == 1_000
    else:
        action, _, option = path.stem.removeprefix("session_").partition("_")
        asked = parse_session_command(event, bot="dora")
        assert asked.action == action
        assert not option or getattr(asked, option)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_carries_no_date_that_would_go_stale(path: Path) -> None:
    assert not re.search(r"\d{4}", path.read_text(encoding="utf-8"))
