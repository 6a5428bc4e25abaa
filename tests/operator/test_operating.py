"""Whether it is healthy, and every way to stop it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from dora.core.orders.journal import order_prefix
from dora_operator import checks
from dora_operator.commands.schedule import schedule
from dora_operator.desk import Desk
from dora_operator.failures import Exit
from dora_operator.logs import run_query, saved_queries
from dora_operator.target import aws_target
from tests.operator.driver import Driver, local_driver
from tests.operator.fake_aws import OUTPUTS, PARAMETERS, FakeSession, deployed
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request
from tests.world import config_items


@pytest.fixture
def dora() -> Iterator[Driver]:
    """A session with two cycles behind it."""
    with local_driver() as driver:
        assert driver.run("start", "--yes").exit_code == 0
        driver.minutes(2)
        yield driver


def _wrong(result: Any) -> dict[str, dict[str, str]]:
    return {own["what"]: own for own in json.loads(result.stdout) if own["state"] != "ok"}


def test_a_healthy_bot_has_nothing_wrong_and_exit_code_0(dora: Driver) -> None:
    assert dora.run("doctor").exit_code == 0
    assert dora.answer("now")["wrong"] == []


def test_what_is_wrong_is_found_with_its_fix_and_stands_first(dora: Driver) -> None:
    dora.stack.world.put_global({**config_items.GLOBAL, "trading_enabled": False})
    dora.stack.world.put_market(dora.stack.scene.tickers[0], {"enabled": True, "quote_size": 4})
    dora.run("halt", "--yes", "--reason", "lunch")
    dora.stack.world.clock.advance_ms(200_000)
    result = dora.run("doctor", "--json")
    wrong = _wrong(result)

    assert result.exit_code == Exit.NEGATIVE
    assert "dora config apply" in wrong["trading_enabled"]["fix"]
    assert "dora query cycle-duration" in wrong["cycles"]["fix"]
    assert dora.run("doctor").output.splitlines()[2].split()[1] == "bad"
    assert {own["what"] for own in dora.answer("now")["wrong"]} == wrong.keys()


def test_an_item_that_breaks_a_rule_is_found_with_the_bot_s_own_words(dora: Driver) -> None:
    name = f"MARKET#{dora.stack.scene.tickers[0]}"
    item = config_items.as_attributes("dora", name, {"enabled": True, "quote_sise": 4})
    boto3.client("dynamodb").put_item(TableName="dora-config", Item=item)
    wrong = _wrong(dora.run("doctor", "--json"))

    assert "quote_sise" in wrong["configs"]["found"]
    assert "did you mean 'quote_size'" in wrong["configs"]["fix"]


def test_a_check_that_cannot_be_made_stops_none_of_the_others(dora: Driver) -> None:
    boto3.client("secretsmanager").delete_secret(SecretId="dora/local", ForceDeleteWithoutRecovery=True)
    result = dora.run("doctor", "--json")

    assert _wrong(result)["key"]["state"] == "unknown"
    assert len(json.loads(result.stdout)) > 4


def test_money_at_risk_is_what_the_exchange_holds_for_it(dora: Driver) -> None:
    dora.minutes(6)
    told = dora.answer("now")
    resting = dora.stack.world.member.resting.values()
    worst_e6 = sum(
        (own.price_e4 if own.side == "bid" else 10_000 - own.price_e4) * own.remaining_e2 for own in resting
    )

    assert told["at risk, resting"].startswith(f"{worst_e6 / 1_000_000:.2f} $")
    assert told["resting"].startswith(f"{len(resting)} orders")


# --- stopping ----------------------------------------------------------------------------------------


def _key_file(dora: Driver) -> str:
    stored = boto3.client("secretsmanager").get_secret_value(SecretId="dora/local")
    path = dora.folder / "own.pem"
    path.write_text(json.loads(stored["SecretString"])["private_key_pem"], encoding="utf-8")
    return str(path)


def _direct(dora: Driver, *more: str) -> Any:
    words = ("stop", "--direct", "--key-id", "key-of-the-bot", "--pem", _key_file(dora), "--yes", *more)
    return dora.run(*words)


def _ours(dora: Driver) -> int:
    prefix = order_prefix("dora", "local")
    return sum(own.client_order_id.startswith(prefix) for own in dora.stack.world.member.resting.values())


def test_without_aws_everything_of_the_bot_is_taken_off_and_stays_off(dora: Driver) -> None:
    assert _ours(dora) > 0
    result = _direct(dora)

    assert result.exit_code == 0, result.output
    assert "proven: two complete lists hold no order of this bot" in result.output
    dora.minutes(2)
    assert _ours(dora) == 0


class _Silent(Faults):
    """The first triggers and cancels are not answered."""

    def __init__(self, left: int) -> None:
        self._left = left

    def before(self, request: Request) -> Reply | None:
        if request.method in ("PUT", "DELETE") and self._left > 0:
            self._left -= 1
            return Reply(503, b"{}")
        return None


def test_what_did_not_answer_is_asked_again_until_it_is_proven(dora: Driver) -> None:
    dora.stack.world.exchange.faults = _Silent(3)
    result = _direct(dora)

    assert "did not answer its trigger" in result.output
    assert result.exit_code == 0
    assert _ours(dora) == 0


def test_without_a_proof_it_says_so(dora: Driver) -> None:
    dora.stack.world.exchange.faults = _Silent(100_000)
    result = _direct(dora)

    assert result.exit_code == Exit.UNKNOWN
    assert "NOT proven" in result.output
    assert _ours(dora) > 0


def test_the_ladder_names_a_command_for_each_rung(dora: Driver) -> None:
    rungs = [own["type"] for own in dora.answer("stop")]

    assert [own.split()[1] for own in rungs[1:5]] == ["halt", "halt", "teardown", "stop"]


# --- the stack in AWS --------------------------------------------------------------------------------

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


def test_the_schedule_is_not_switched_off_while_a_session_is_open(
    dora: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"ConfigTableName": "dora-config", "StateTableName": "dora-state"}
    session = FakeSession({"cloudformation.update_stack": {}}, boto3.Session())
    monkeypatch.setattr("tests.operator.fake_aws.OUTPUTS", {**OUTPUTS, **names})
    monkeypatch.setattr(Desk, "target", deployed(session))
    result = CliRunner().invoke(schedule, ["off", "--yes"])

    assert result.exit_code == Exit.NEGATIVE
    assert "nobody would look after its orders" in result.output
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


def test_where_nothing_is_archived_the_log_says_what_was_decided_last(dora: Driver) -> None:
    client = boto3.client("s3")
    for own in client.list_objects_v2(Bucket="dora-archive")["Contents"]:
        client.delete_object(Bucket="dora-archive", Key=own["Key"])
    told = dora.answer("why", dora.stack.scene.tickers[0])

    assert told["targets"].startswith("bid 0.")
    assert dora.run("why", "KXNOPE-1").exit_code == Exit.NEGATIVE
