"""What the roles grant is what the functions use: no action less, no action more."""

import re
from typing import Any

import pytest

from tests.house.tour import LIMITER_TABLE, TOPIC_ARN, tour
from tests.house.translated import Template, listed, of_kind, role_of, statements, translated
from tests.world.archive_bucket import ARCHIVE_BUCKET
from tests.world.recording import Use, actions
from tests.world.setup import CONFIG_TABLE, SECRET_ID, STATE_TABLE

Grants = set[tuple[str, str]]
"""Actions, and the resources they are granted on, by the template's names."""

FUNCTIONS = {"CycleFunction": "cycle", "SessionFunction": "session"}
RESOURCES = {
    CONFIG_TABLE: "ConfigTable",
    STATE_TABLE: "StateTable",
    LIMITER_TABLE: "LimiterTableName",
    ARCHIVE_BUCKET: "ArchiveBucket",
    SECRET_ID: "KalshiSecretName",
    TOPIC_ARN: "AlarmTopic",
}
USED_BY_LAMBDA_ITSELF: Grants = {
    ("logs:CreateLogStream", "LogGroup"),
    ("logs:PutLogEvents", "LogGroup"),
    ("sqs:SendMessage", "FailureQueue"),
}
USED_BY_THE_TOPIC: Grants = {("kms:Decrypt", "AlarmKey"), ("kms:GenerateDataKey", "AlarmKey")}
"""In the name of the function that publishes to it."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_granted_actions_are_the_used_ones_on_every_resource(function: str) -> None:
    assert misgranted(translated(), function) == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_action_missing_from_a_role_is_caught(function: str) -> None:
    for action, resource in sorted(_used(function)):
        spoiled = translated()
        for statement in statements(role_of(spoiled, function)):
            if {_name(one) for one in listed(statement["Resource"])} == {resource}:
                statement["Action"] = [one for one in listed(statement["Action"]) if one != action]

        assert misgranted(spoiled, function) == {(action, resource)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_extra_action_in_a_role_is_caught(function: str) -> None:
    for position, _ in enumerate(statements(role_of(translated(), function))):
        spoiled = translated()
        statement = statements(role_of(spoiled, function))[position]
        statement["Action"] = [*listed(statement["Action"]), "dynamodb:Scan"]

        (extra,) = misgranted(spoiled, function)
        assert extra[0] == "dynamodb:Scan"


def test_the_session_may_not_write_the_archive() -> None:
    assert "ArchiveBucket" not in {resource for _, resource in _granted(translated(), "SessionFunction")}


def test_the_scheduler_may_run_both_functions_and_report_failures_and_nothing_else() -> None:
    role = of_kind(translated(), "AWS::IAM::Role")["SchedulerRole"]

    assert _grants(role) == {
        ("lambda:InvokeFunction", "CycleFunction"),
        ("lambda:InvokeFunction", "SessionFunction"),
        ("sqs:SendMessage", "FailureQueue"),
    }


def test_a_transaction_needs_the_action_of_each_of_its_items() -> None:
    elements = [{kind: {"TableName": "t"}} for kind in ("Put", "Update", "Delete", "ConditionCheck")]

    used = set(actions("dynamodb", "TransactWriteItems", {"TransactItems": elements}))

    names = ("PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")
    assert used == {(f"dynamodb:{name}", "t") for name in names}


def misgranted(given: Template, function: str) -> Grants:
    """Granted but not used, and used but not granted."""
    return _granted(given, function) ^ _used(function)


def _used(function: str) -> Grants:
    own = {use for use in tour().uses if use.function == FUNCTIONS[function]}
    of_topic = USED_BY_THE_TOPIC if any(use.resource == TOPIC_ARN for use in own) else set()
    return {(use.action, _resource(use)) for use in own} | USED_BY_LAMBDA_ITSELF | of_topic


def _resource(use: Use) -> str:
    return RESOURCES.get(use.resource, use.resource)


def _granted(given: Template, function: str) -> Grants:
    return _grants(role_of(given, function))


def _grants(role: dict[str, Any]) -> Grants:
    return {
        (action, _name(resource))
        for statement in statements(role)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def _name(resource: Any) -> str:
    """The template's name for a resource, out of its ARN."""
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn"]} | {"Ref": str(name)}:
            return name
        case {"Fn::Sub": str(text)}:
            (name,) = re.findall(r"\$\{(\w+)(?:\.Arn)?\}", text)
            return str(name)
    raise AssertionError(f"{resource} is no ARN")
