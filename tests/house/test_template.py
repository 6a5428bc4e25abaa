"""What the template promises: a fresh deploy does not trade, nothing retries, nothing is too wide."""

import json
import re
from typing import Any

import pytest

from dora.settings import HOSTS, Stage, read_settings
from dora.triggers import SessionAction, parse_session_command, parse_tick
from tests.house.checkout import ROOT
from tests.house.cloudformation import (
    environment,
    functions,
    resources,
    schedules,
    statements,
    template,
)

FUNCTIONS = ["CycleFunction", "SessionFunction"]
TABLES = ["ConfigTable", "StateTable"]
NO_RETRY = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}


def test_there_are_two_functions_and_each_has_its_schedule() -> None:
    assert sorted(functions()) == FUNCTIONS
    assert sorted(schedules()) == ["Tick", "Watch"]


def test_a_fresh_deploy_does_not_trade() -> None:
    assert template()["Parameters"]["ScheduleState"]["Default"] == "DISABLED"
    assert template()["Parameters"]["Stage"]["Default"] == "kalshi-demo"
    assert all(schedule["State"] == {"Ref": "ScheduleState"} for schedule in schedules().values())


def test_schedules_are_spelled_as_the_scheduler_wants_them() -> None:
    # "rate(1 minutes)" passes every linter and is refused at deploy time.
    assert {s["ScheduleExpression"] for s in schedules().values()} == {"rate(1 minute)"}
    assert {s["FlexibleTimeWindow"]["Mode"] for s in schedules().values()} == {"OFF"}


def test_schedule_names_differ_between_stacks_of_one_account() -> None:
    names = [schedule["Name"]["Fn::Sub"] for schedule in schedules().values()]

    assert all(name.startswith("${AWS::StackName}-") for name in names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["Tick", "Watch"])
def test_the_scheduler_does_not_retry(name: str) -> None:
    assert schedules()[name]["RetryPolicy"] == NO_RETRY
    assert schedules()[name]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["FailureQueue", "Arn"]}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lambda_does_not_retry(name: str) -> None:
    config = functions()[name]["EventInvokeConfig"]

    assert {key: config[key] for key in NO_RETRY} == NO_RETRY
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["FailureQueue", "Arn"]}


def test_schedule_inputs_are_events_the_functions_accept() -> None:
    tick = json.loads(
        schedules()["Tick"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-20T21:00:00Z")
    )
    watch = json.loads(schedules()["Watch"]["Input"])

    assert parse_tick(tick, bot="dora", now_ms=0).scheduled_ms == 1_795_208_400_000
    assert tick["execution_id"] == "<aws.scheduler.execution-id>"
    assert parse_session_command(watch, bot="dora").action is SessionAction.WATCH


def test_a_cycle_ends_before_the_next_tick() -> None:
    assert template()["Globals"]["Function"]["Timeout"] < 60
    assert "Timeout" not in functions()["CycleFunction"]


def test_logs_are_json_in_one_group_that_forgets() -> None:
    logging = template()["Globals"]["Function"]["LoggingConfig"]

    assert logging == {"LogFormat": "JSON", "LogGroup": {"Ref": "LogGroup"}}
    assert list(resources("AWS::Logs::LogGroup")) == ["LogGroup"]
    assert template()["Resources"]["LogGroup"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert template()["Parameters"]["LogRetentionDays"]["Default"] > 0


class _RecordedEnvironment(dict[str, str]):
    """An environment that remembers which names were read."""

    def __init__(self, **values: str) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.read.add(key)
        return super().__getitem__(key)


def test_every_variable_the_code_reads_is_declared_and_no_other() -> None:
    # `sam local` passes only declared variables, so an undeclared one is unset there without a word.
    env = _RecordedEnvironment(**local_environment("CycleFunction"))

    read_settings(env)

    assert env.read | {"POWERTOOLS_SERVICE_NAME"} == set(environment())


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


@pytest.mark.parametrize("name", FUNCTIONS)
def test_iam_resources_are_arns_and_actions_are_written_out(name: str) -> None:
    for statement in statements(name):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert _is_arn(statement["Resource"]), statement["Sid"]
        assert all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action) for action in actions), actions


def _is_arn(resource: Any) -> bool:
    match resource:
        case {"Fn::GetAtt": [_, "Arn"]}:
            return True
        case {"Fn::Sub": str(text)}:
            return re.match(r"arn:\$\{AWS::Partition\}:|\$\{\w+\.Arn\}/", text) is not None
    return False


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        {"Ref": "StateTable"},
        {"Fn::Sub": "${KalshiSecretName}"},
        {"Fn::GetAtt": ["StateTable", "StreamArn"]},
    ],
)
def test_what_is_no_arn_is_seen(resource: Any) -> None:
    assert not _is_arn(resource)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_may_only_read_their_configuration(name: str) -> None:
    granted = [
        s["Action"] for s in statements(name) if s["Resource"] == {"Fn::GetAtt": ["ConfigTable", "Arn"]}
    ]

    assert granted == [["dynamodb:GetItem", "dynamodb:Query"]]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_secret_grant_covers_the_suffix_that_aws_appends(name: str) -> None:
    (secret,) = [s for s in statements(name) if s["Action"] == "secretsmanager:GetSecretValue"]

    assert secret["Resource"]["Fn::Sub"].endswith(":secret:${KalshiSecretName}-??????")


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


def test_nothing_has_a_physical_name_that_would_block_a_second_stack() -> None:
    naming = {"TableName", "BucketName", "RoleName", "LogGroupName", "QueueName", "FunctionName"}

    named = [name for name, r in template()["Resources"].items() if naming & set(r.get("Properties", {}))]

    assert named == []


def test_the_archive_is_private() -> None:
    block = template()["Resources"]["ArchiveBucket"]["Properties"]["PublicAccessBlockConfiguration"]

    assert len(block) == 4
    assert all(block.values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_finds_its_handler(name: str) -> None:
    folder = ROOT / functions()[name]["CodeUri"]

    assert template()["Globals"]["Function"]["Handler"] == "app.lambda_handler"
    assert "def lambda_handler(" in (folder / "app.py").read_text(encoding="utf-8")
