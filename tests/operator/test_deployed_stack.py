"""A stack in AWS, which is made of answers here: its description, its checks, its schedule, its queries."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from dora_operator import checks
from dora_operator.commands.schedule import schedule
from dora_operator.desk import Desk
from dora_operator.failures import Exit
from dora_operator.logs import run_query, saved_queries
from dora_operator.target import aws_target
from tests.operator.fake_aws import OUTPUTS, PARAMETERS, FakeSession, deployed

DESCRIBED = {
    "Stacks": [
        {
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in PARAMETERS.items()],
            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in OUTPUTS.items()],
        }
    ]
}


def test_a_stack_is_known_by_what_cloudformation_says_of_it() -> None:
    session = FakeSession({"cloudformation.describe_stacks": DESCRIBED})

    target = aws_target("dora-demo", session)  # type: ignore[arg-type]
    assert str(target) == "stack dora-demo, stage kalshi-demo, bot dora"
    assert not target.real_money


@pytest.mark.parametrize(
    ("subscription", "state"),
    [("PendingConfirmation", "bad"), ("arn:aws:sns:us-east-1:1:topic:2", "ok")],
)
def test_an_alarm_mail_that_nobody_confirmed_is_a_finding(subscription: str, state: str) -> None:
    listed = {"Subscriptions": [{"Endpoint": "me@example.com", "SubscriptionArn": subscription}]}
    answers = {
        "cloudformation.describe_stack_resource": {"StackResourceDetail": {"PhysicalResourceId": "topic"}},
        "sns.list_subscriptions_by_topic": listed,
    }
    (check,) = checks._mail(deployed(FakeSession(answers)))

    assert check.state == state
    assert ("open the mail" in check.fix) == (state == "bad")


def test_a_stack_whose_alarms_tell_nobody_is_a_finding() -> None:
    (check,) = checks._mail(replace(deployed(FakeSession({})), parameters={"AlarmEmail": ""}))

    assert (check.state, check.found) == ("bad", "nobody is told of alarms")
    assert "AlarmEmail" in check.fix


def test_events_that_failed_are_a_finding() -> None:
    attributes = {"Attributes": {"ApproximateNumberOfMessages": "2"}}
    (check,) = checks._queue(deployed(FakeSession({"sqs.get_queue_attributes": attributes})))

    assert (check.state, check.found) == ("bad", "2 messages")


def test_the_schedule_is_switched_by_an_update_that_changes_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = FakeSession(
        {
            "cloudformation.update_stack": {},
            "sts.get_caller_identity": {"Arn": "arn:aws:iam::1:user/me"},
            "dynamodb.put_item": {},
        }
    )
    monkeypatch.setattr(Desk, "target", deployed(session))
    result = CliRunner().invoke(schedule, ["on", "--yes"])

    assert result.exit_code == 0, result.output
    asked = dict(session.asked)
    given = {own.pop("ParameterKey"): own for own in asked["cloudformation.update_stack"]["Parameters"]}
    assert given.pop("ScheduleState") == {"ParameterValue": "ENABLED"}
    assert set(given) == PARAMETERS.keys() - {"ScheduleState"}
    assert all(own == {"UsePreviousValue": True} for own in given.values())
    assert asked["dynamodb.put_item"]["Item"]["who"]["S"] == "arn:aws:iam::1:user/me"


def test_production_is_not_switched_on_without_its_own_word(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession({"cloudformation.update_stack": {}})
    monkeypatch.setattr(Desk, "target", deployed(session, Stage="prod"))

    assert CliRunner().invoke(schedule, ["on", "--yes"]).exit_code == Exit.USAGE
    assert session.asked == []


def test_a_query_in_aws_runs_the_stack_s_own_text() -> None:
    text = 'filter event_type = "CYCLE" | stats count(*) as cycles'
    answers = {
        "logs.describe_query_definitions": {
            "queryDefinitions": [{"name": "dora-demo/cycles", "queryString": text}]
        },
        "logs.start_query": {"queryId": "1"},
        "logs.get_query_results": {
            "status": "Complete",
            "results": [
                [{"field": "cycles", "value": "7"}, {"field": "@ptr", "value": "x"}],
                [{"field": "why", "value": "a"}],
            ],
        },
    }
    session = FakeSession(answers)
    target = deployed(session)

    assert saved_queries(target) == {"cycles": text}
    assert run_query(target, text, own_id="", minutes=60) == [
        {"cycles": "7", "why": None},
        {"cycles": None, "why": "a"},
    ]
    asked = dict(session.asked)["logs.start_query"]
    assert (asked["queryString"], asked["logGroupName"]) == (text, "group")
    assert asked["endTime"] - asked["startTime"] == 3600
