"""What the template promises beside the house rules: stages, inputs, times, tables, deploy settings."""

import json
import re
import tomllib
from typing import Any

import pytest

from dora.settings import HOSTS, Stage, read_settings
from dora.triggers import SessionAction, parse_session_command, parse_tick
from tests.house.checkout import ROOT
from tests.house.cloudformation import environment, functions, resources, schedules, template
from tests.support.examples import limits

FUNCTIONS = ["CycleFunction", "SessionFunction"]
TABLES = ["ConfigTable", "StateTable"]
STAGES = {"default": "kalshi-demo", "prod": "prod"}


def test_there_are_two_functions_and_each_has_its_schedule() -> None:
    assert sorted(functions()) == FUNCTIONS
    assert sorted(schedules()) == ["Digest", "Start", "Teardown", "TeardownAgain", "Tick", "Watch"]


def test_a_cycle_and_a_watch_run_every_minute() -> None:
    assert {schedules()[name]["ScheduleExpression"] for name in ("Tick", "Watch")} == {"rate(1 minute)"}


CLOCK = ("Start", "Teardown", "TeardownAgain")
SKIPPED_OR_DOUBLED = {1, 2}
"""Hours of New York that come twice on one night of the year, or not at all on another."""


def clock(*, tears_down: bool) -> dict[str, tuple[str, str]]:
    """Expression and state of each schedule of a session by the clock, with and without a teardown."""
    values = {"SessionDays": "*", "StartHour": "9", "TeardownHour": "17"}

    def chosen(value: Any) -> str:
        if isinstance(value, dict) and "Fn::If" in value:
            condition, then, otherwise = value["Fn::If"]
            assert condition == "TearsDown"
            value = then if tears_down else otherwise
        text = value.get("Fn::Sub", value.get("Ref")) if isinstance(value, dict) else value
        return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], str(text))

    own = schedules()
    return {name: (chosen(own[name]["ScheduleExpression"]), chosen(own[name]["State"])) for name in CLOCK}


def test_a_session_by_the_clock_has_a_switch_of_its_own_and_is_torn_down_twice_ten_minutes_apart() -> None:
    assert {schedules()[name]["ScheduleExpressionTimezone"] for name in CLOCK} == {"America/New_York"}
    assert clock(tears_down=True) == {
        "Start": ("cron(0 9 ? * * *)", "SessionScheduleState"),
        "Teardown": ("cron(0 17 ? * * *)", "SessionScheduleState"),
        "TeardownAgain": ("cron(10 17 ? * * *)", "SessionScheduleState"),
    }


def test_round_the_clock_a_session_is_never_torn_down_and_begins_its_hours_anew_in_time() -> None:
    own = clock(tears_down=False)
    hours = [int(hour) for hour in own["Start"][0].split(" ")[1].split(",")]
    longest = max((later - hour) % 24 for hour, later in zip(hours, [*hours[1:], hours[0]], strict=True))

    assert template()["Parameters"]["TeardownHour"]["Default"] == "never"
    assert {own[name][1] for name in ("Teardown", "TeardownAgain")} == {"DISABLED"}
    assert longest + 1 < limits().session_hours, "a night with an hour more"
    assert not SKIPPED_OR_DOUBLED & set(hours)


@pytest.mark.parametrize("name", ["StartHour", "TeardownHour"])
def test_no_hour_may_be_chosen_that_a_change_of_clocks_skips_or_doubles(name: str) -> None:
    hours = {int(hour) for hour in template()["Parameters"][name]["AllowedValues"] if hour != "never"}

    assert hours == set(range(24)) - SKIPPED_OR_DOUBLED


def test_schedule_inputs_are_events_the_functions_accept() -> None:
    tick = json.loads(
        schedules()["Tick"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-20T21:00:00Z")
    )

    assert parse_tick(tick, bot="dora", now_ms=0) == 1_795_208_400_000
    assert tick["execution_id"] == "<aws.scheduler.execution-id>"
    asked = {name: json.loads(own["Input"]) for name, own in schedules().items() if name != "Tick"}
    actions = {name: parse_session_command(event, bot="dora").action for name, event in asked.items()}
    assert actions == {
        "Digest": SessionAction.DIGEST,
        "Start": SessionAction.START,
        "Teardown": SessionAction.TEARDOWN,
        "TeardownAgain": SessionAction.TEARDOWN,
        "Watch": SessionAction.WATCH,
    }


def test_a_cycle_ends_before_the_next_tick() -> None:
    assert template()["Globals"]["Function"]["Timeout"] < 60
    assert "Timeout" not in functions()["CycleFunction"]


# --- settings ----------------------------------------------------------------------------------------


def local_environment(function: str) -> dict[str, str]:
    """What `sam local invoke` is told to set."""
    text = (ROOT / "events" / "env.local.json").read_text(encoding="utf-8")
    variables: dict[str, str] = json.loads(text)[function]
    return variables


def test_local_variables_are_the_declared_ones_and_make_valid_settings() -> None:
    for name in FUNCTIONS:
        assert set(local_environment(name)) == set(environment())
        assert read_settings(local_environment(name)).stage is Stage.LOCAL


def test_no_function_has_variables_of_its_own() -> None:
    assert not [name for name, function in functions().items() if "Environment" in function]


def test_each_stage_has_a_host_that_the_settings_know() -> None:
    exchange = template()["Mappings"]["Exchange"]

    assert set(exchange) == set(template()["Parameters"]["Stage"]["AllowedValues"])
    for stage, values in exchange.items():
        host, _, path = values["BaseUrl"].removeprefix("https://").partition("/")
        assert host in HOSTS[Stage(stage)]
        assert path == "trade-api/v2"


def test_what_is_deployed_without_a_choice_is_the_test_environment() -> None:
    assert template()["Parameters"]["Stage"]["Default"] == "kalshi-demo"


def deploy_settings() -> dict[str, Any]:
    """samconfig.toml, by environment."""
    parsed = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    return {name: own for name, own in parsed.items() if name != "version"}


def test_there_are_settings_for_each_stage_and_their_stacks_differ() -> None:
    settings = deploy_settings()
    stacks = {own["global"]["parameters"]["stack_name"] for own in settings.values()}
    secrets = {_overrides(own)["KalshiSecretName"] for own in settings.values()}

    assert {name: _overrides(own)["Stage"] for name, own in settings.items()} == STAGES
    assert len(stacks) == len(secrets) == len(STAGES)


def test_settings_name_parameters_and_values_that_the_template_allows() -> None:
    parameters = template()["Parameters"]

    for own in deploy_settings().values():
        for name, value in _overrides(own).items():
            allowed = [str(one) for one in parameters[name].get("AllowedValues", [value])]
            assert value in allowed
            assert re.fullmatch(parameters[name].get("AllowedPattern", ".*"), value)


def test_what_is_deployed_can_be_told_apart_on_the_bill() -> None:
    for own in deploy_settings().values():
        assert f"stage={_overrides(own)['Stage']}" in own["deploy"]["parameters"]["tags"].split(" ")


def test_no_settings_switch_the_schedule_on() -> None:
    assert not [name for name, own in deploy_settings().items() if "ScheduleState" in _overrides(own)]


def _overrides(own: dict[str, Any]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in own["deploy"]["parameters"]["parameter_overrides"])


# --- tables ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_tables_survive_their_stack(name: str) -> None:
    table = template()["Resources"][name]
    properties = table["Properties"]

    assert table["DeletionPolicy"] == "RetainExceptOnCreate"
    assert table["UpdateReplacePolicy"] == "Retain"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["IsProd", True, False]}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert [key["AttributeName"] for key in properties["KeySchema"]] == ["pk", "sk"]


def test_only_the_bots_own_items_expire() -> None:
    ttl = {
        name: t["Properties"].get("TimeToLiveSpecification")
        for name, t in resources("AWS::DynamoDB::Table").items()
    }

    assert ttl == {"ConfigTable": None, "StateTable": {"AttributeName": "expires_at", "Enabled": True}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_finds_its_handler(name: str) -> None:
    folder = ROOT / functions()[name]["CodeUri"]

    assert template()["Globals"]["Function"]["Handler"] == "app.lambda_handler"
    assert "def lambda_handler(" in (folder / "app.py").read_text(encoding="utf-8")
