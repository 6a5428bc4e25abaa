"""Events: what each one means, and that everything else is refused with a way to fix it."""

import json

import pytest

from dora.core.errors import TriggerInvalid
from dora.core.session import Credited, SessionAction, SessionCommand
from dora.core.units import Money, TimeMs
from dora.triggers import parse_session_command, parse_tick
from tests.world.event_files import EVENTS, read_event

NOW_MS = TimeMs(1_795_183_200_999)
WHOLE_S = 1_795_183_200_000
ACTIONS = ", ".join(SessionAction)


def tick(event: object) -> TimeMs:
    return parse_tick(event, bot="dora", now_ms=NOW_MS)


def command(event: object) -> SessionCommand:
    return parse_session_command(event, bot="dora")


# --- ticks ---------------------------------------------------------------------------------------------


def test_a_tick_is_the_minute_it_was_scheduled_for() -> None:
    event = {"action": "cycle", "scheduled_at": "2026-11-20T14:00:00Z", "execution_id": "e1", "bot": "dora"}
    assert tick(event) == WHOLE_S


def test_a_tick_without_a_time_is_the_current_second() -> None:
    assert tick({"action": "cycle"}) == WHOLE_S


@pytest.mark.parametrize(
    ("event", "how_to_fix"),
    [
        (None, "write a JSON object"),
        ([{"action": "cycle"}], "write a JSON object"),
        ("cycle", "write a JSON object"),
        ({}, '{"action": "cycle"}'),
        ({"action": "start"}, '{"action": "cycle"}'),
        ({"action": ["cycle"]}, '{"action": "cycle"}'),
        ({"action": "cycle", "reason": "x"}, "actions here: cycle"),
        ({"key1": "value1"}, "unknown keys key1; actions here: cycle"),
        ({"action": "cycle", "bot": "other"}, "this stack runs 'dora'"),
        ({"action": "cycle", "bot": None}, "this stack runs 'dora'"),
        ({"action": "cycle", "execution_id": 7}, "execution_id is 7; write a text"),
        ({"action": "cycle", "scheduled_at": "noon"}, "scheduled_at: 'noon' is not an ISO 8601 time in UTC"),
        ({"action": "cycle", "scheduled_at": "2026-11-20T14:00:00"}, "ISO 8601 time in UTC"),
        ({"action": "cycle", "scheduled_at": "2026-11-20T14:00:00-05:00"}, "ISO 8601 time in UTC"),
        ({"action": "cycle", "scheduled_at": "2026-02-30T14:00:00Z"}, "no day of the calendar"),
        ({"action": "cycle", "scheduled_at": 1_795_183_200}, "write a text"),
    ],
)
def test_what_is_no_tick_of_this_bot_is_refused_and_told_how_to_be_one(
    event: object, how_to_fix: str
) -> None:
    with pytest.raises(TriggerInvalid) as refused:
        tick(event)
    assert how_to_fix in str(refused.value)


@pytest.mark.parametrize("given", ["", None, 0, False, []])
def test_an_empty_time_is_refused_not_taken_for_now(given: object) -> None:
    with pytest.raises(TriggerInvalid, match="scheduled_at"):
        tick({"action": "cycle", "scheduled_at": given})


# --- session commands ----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", sorted(set(SessionAction) - {SessionAction.CREDIT}))
def test_every_action_is_understood(action: SessionAction) -> None:
    assert command({"action": action.value}) == SessionCommand(action)


def test_an_empty_event_asks_for_the_status() -> None:
    assert command({}) == SessionCommand(SessionAction.STATUS)


def test_a_command_carries_its_reason_and_asks_for_checks() -> None:
    assert command({"action": "halt", "reason": "news"}).reason == "news"
    assert command({"action": "status", "checks": True}).checks
    assert not command({"action": "status", "checks": False}).checks


@pytest.mark.parametrize(
    ("event", "how_to_fix"),
    [
        (None, "write a JSON object"),
        ([], "write a JSON object"),
        ({"action": "stop"}, f"action is 'stop'; write one of {ACTIONS}"),
        ({"action": ""}, f"write one of {ACTIONS}"),
        ({"action": "START"}, f"write one of {ACTIONS}"),
        ({"bot": "dora"}, f"write one of {ACTIONS}"),
        ({"action": {"start": 1}}, "write a text"),
        ({"action": "start", "force": True}, f"unknown keys force; actions here: {ACTIONS}"),
        ({"action": "start", "bot": "other"}, "this stack runs 'dora'"),
        ({"action": "halt", "reason": 5}, "reason is 5; write a text"),
    ],
)
def test_what_is_no_command_is_refused_with_the_list_of_actions(event: object, how_to_fix: str) -> None:
    with pytest.raises(TriggerInvalid) as refused:
        command(event)
    assert how_to_fix in str(refused.value)


def test_a_halt_may_ask_for_resting_quotes_to_be_taken_off() -> None:
    assert command({"action": "halt", "cancel": True}).cancel
    assert not command({"action": "halt", "cancel": False}).cancel
    assert not command({"action": "halt"}).cancel


@pytest.mark.parametrize(
    ("option", "owner"), [("cancel", SessionAction.HALT), ("checks", SessionAction.STATUS)]
)
@pytest.mark.parametrize("action", SessionAction)
def test_an_option_of_another_action_is_refused(
    action: SessionAction, option: str, owner: SessionAction
) -> None:
    event = {"action": action.value, option: True}
    if action is owner:
        assert command(event).action is owner
        return
    with pytest.raises(TriggerInvalid, match=f"{option} goes with {owner}"):
        command(event)


@pytest.mark.parametrize("cancel", ["true", 1, None])
def test_a_cancel_that_is_no_flag_is_refused(cancel: object) -> None:
    with pytest.raises(TriggerInvalid, match="cancel"):
        command({"action": "halt", "cancel": cancel})


@pytest.mark.parametrize("checks", ["true", 1, None])
def test_checks_that_are_no_flag_are_refused(checks: object) -> None:
    with pytest.raises(TriggerInvalid, match="checks"):
        command({"action": "status", "checks": checks})


# --- the sample files ----------------------------------------------------------------------------------


OPTIONS = ("halt_cancel", "halt_reason", "status_checks", "teardown_reason")


def test_there_is_one_sample_event_for_the_cycle_and_one_for_each_action_and_option() -> None:
    named = {path.stem for path in EVENTS.glob("*.json")} - {"env.local"}
    assert named == {"cycle"} | {f"session_{what}" for what in (*SessionAction, *OPTIONS)}


@pytest.mark.parametrize("what", [*SessionAction, *OPTIONS])
def test_every_session_sample_means_what_its_name_says(what: str) -> None:
    action, _, option = str(what).partition("_")
    asked = command(read_event(f"session_{what}"))
    assert asked.action == action
    assert {name for name in ("reason", "checks", "cancel") if getattr(asked, name)} == {option} - {""}


def test_the_cycle_sample_is_a_tick_and_no_sample_fits_the_other_door() -> None:
    assert tick(read_event("cycle")) == WHOLE_S
    for path in EVENTS.glob("session_*.json"):
        with pytest.raises(TriggerInvalid):
            tick(json.loads(path.read_text(encoding="utf-8")))
    with pytest.raises(TriggerInvalid):
        command(read_event("cycle"))


CREDIT = {"action": "credit", "program": "p", "market": "KXA-1", "amount_dollars": "1.25"}


def test_a_credit_names_its_program_its_market_and_its_amount() -> None:
    assert command(CREDIT).credited == Credited("p", "KXA-1", Money(1_250_000))


@pytest.mark.parametrize(
    "changes",
    [
        {"program": ""},
        {"market": None},
        {"amount_dollars": "0"},
        {"amount_dollars": "-1"},
        {"amount_dollars": "much"},
        {"action": "status"},
    ],
)
def test_a_credit_that_is_not_whole_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(TriggerInvalid):
        command({**CREDIT, **changes})
