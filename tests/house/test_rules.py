"""The translated template keeps every house rule, and each rule is seen to fail on a planted fault."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.house import rules
from tests.house.rules import NO_RETRY, RULES, Rule
from tests.house.schedule_expression import schedule_typo
from tests.house.translated import Template, of_kind, statements, translated


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_template_keeps(rule: Rule) -> None:
    assert list(rule(translated())) == []


# --- the faults a reviewer would plant first ---------------------------------------------------------


def test_a_secret_policy_without_an_arn_is_caught() -> None:
    spoiled = translated()
    _statement(spoiled, "CycleRole", "ReadKey")["Resource"] = {"Ref": "KalshiSecretName"}

    assert list(rules.grants_are_on_arns(spoiled))
    assert list(rules.secret_grants_cover_the_suffix_that_aws_appends(spoiled))


def test_a_secret_arn_without_the_appended_suffix_is_caught() -> None:
    spoiled = translated()
    statement = _statement(spoiled, "SessionRole", "ReadKey")
    statement["Resource"] = {"Fn::Sub": statement["Resource"]["Fn::Sub"].removesuffix("-??????")}

    assert list(rules.secret_grants_cover_the_suffix_that_aws_appends(spoiled))


def test_a_retry_count_of_2_on_the_tick_is_caught_in_the_scheduler() -> None:
    spoiled = translated()
    _named(spoiled, "CycleFunctionTick")["Target"]["RetryPolicy"]["MaximumRetryAttempts"] = 2

    assert len(list(rules.nothing_but_a_teardown_retries(spoiled))) == 1


def test_a_retry_count_of_2_on_the_tick_is_caught_in_lambda() -> None:
    spoiled = translated()
    _named(spoiled, "CycleFunctionEventInvokeConfig")["MaximumRetryAttempts"] = 2

    assert len(list(rules.nothing_but_a_teardown_retries(spoiled))) == 1


@pytest.mark.parametrize("tries", [0, 3])
def test_a_teardown_that_is_tried_once_or_for_ever_is_caught(tries: int) -> None:
    spoiled = translated()
    _named(spoiled, "SessionFunctionTeardown")["Target"]["RetryPolicy"]["MaximumRetryAttempts"] = tries

    assert len(list(rules.nothing_but_a_teardown_retries(spoiled))) == 1


@pytest.mark.parametrize("missing", NO_RETRY)
def test_a_retry_machine_left_at_its_default_is_caught(missing: str) -> None:
    spoiled = translated()
    del _named(spoiled, "CycleFunctionEventInvokeConfig")[missing]
    del _named(spoiled, "SessionFunctionWatch")["Target"]["RetryPolicy"][missing]

    assert len(list(rules.nothing_but_a_teardown_retries(spoiled))) == 2


@pytest.mark.parametrize(
    "typo",
    [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(1minute)",
        "rate(1 min)",
        "rate (1 minute)",
        "rate(60 seconds)",
        "rate(1 minute",
        "Rate(1 minute)",
        "every minute",
        "cron(* * * * *)",
        "cron(* * * * * *)",
        "cron(0/5 * ? * ? *)",
        "at(2026-11-20 21:00)",
    ],
)
def test_a_schedule_typo_is_caught(typo: str) -> None:
    spoiled = translated()
    _named(spoiled, "CycleFunctionTick")["ScheduleExpression"] = typo

    assert list(rules.schedules_are_spelled_right(spoiled))


@pytest.mark.parametrize(
    "right",
    ["rate(1 minute)", "rate(5 minutes)", "rate(1 hour)", "cron(0/5 * * * ? *)", "at(2026-11-20T21:00:00)"],
)
def test_a_right_schedule_is_no_typo(right: str) -> None:
    assert schedule_typo(right) is None


# --- every other rule, once --------------------------------------------------------------------------


def _bare_table(spoiled: Template) -> None:
    _statement(spoiled, "CycleRole", "KeepState")["Resource"] = {"Ref": "StateTable"}


def _everything(spoiled: Template) -> None:
    _statement(spoiled, "CycleRole", "KeepState")["Resource"] = "*"


def _wildcard(spoiled: Template) -> None:
    _statement(spoiled, "CycleRole", "KeepState")["Action"] = "dynamodb:*"


def _managed_policy(spoiled: Template) -> None:
    _named(spoiled, "CycleRole")["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]


def _writes_config(spoiled: Template) -> None:
    _statement(spoiled, "SessionRole", "ReadConfig")["Action"] = ["dynamodb:Query", "dynamodb:PutItem"]


def _anybodys_scheduler(spoiled: Template) -> None:
    del _named(spoiled, "SchedulerRole")["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


def _undelivered_lost(spoiled: Template) -> None:
    del _named(spoiled, "CycleFunctionTick")["Target"]["DeadLetterConfig"]


def _failed_lost(spoiled: Template) -> None:
    del _named(spoiled, "SessionFunctionEventInvokeConfig")["DestinationConfig"]


def _always_on(spoiled: Template) -> None:
    _named(spoiled, "CycleFunctionTick")["State"] = "ENABLED"


def _on_by_default(spoiled: Template) -> None:
    spoiled["Parameters"]["ScheduleState"]["Default"] = "ENABLED"


def _flexible(spoiled: Template) -> None:
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}
    _named(spoiled, "CycleFunctionTick")["FlexibleTimeWindow"] = window


def _undeclared(spoiled: Template) -> None:
    del _named(spoiled, "CycleFunction")["Environment"]["Variables"]["DRY_RUN"]


def _unread(spoiled: Template) -> None:
    _named(spoiled, "SessionFunction")["Environment"]["Variables"]["DRYRUN"] = "true"


def _patient_resolver(spoiled: Template) -> None:
    _named(spoiled, "CycleFunction")["Environment"]["Variables"]["RES_OPTIONS"] = "attempts:2"


def _for_ever(spoiled: Template) -> None:
    del _named(spoiled, "LogGroup")["RetentionInDays"]


def _default_group(spoiled: Template) -> None:
    del _named(spoiled, "CycleFunction")["LoggingConfig"]["LogGroup"]


def _fixed_table(spoiled: Template) -> None:
    _named(spoiled, "StateTable")["TableName"] = "dora-state"


def _fixed_alarm(spoiled: Template) -> None:
    _named(spoiled, "HeartbeatAlarm")["AlarmName"] = "dora-heartbeat"


def _same_schedule(spoiled: Template) -> None:
    _named(spoiled, "SessionFunctionWatch")["Name"] = _named(spoiled, "CycleFunctionTick")["Name"]


def _public(spoiled: Template) -> None:
    _named(spoiled, "ArchiveBucket")["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = False


def _plain_http(spoiled: Template) -> None:
    del spoiled["Resources"]["ArchiveBucketPolicy"]


def _hoards(spoiled: Template) -> None:
    del _named(spoiled, "ArchiveBucket")["LifecycleConfiguration"]


def _always_loud(spoiled: Template) -> None:
    del _named(spoiled, "HeartbeatAlarm")["ActionsEnabled"]


def _silent(spoiled: Template) -> None:
    del _named(spoiled, "DurationAlarm")["AlarmActions"]


PLANTED: list[tuple[Rule, Callable[[Template], None]]] = [
    (rules.grants_are_on_arns, _bare_table),
    (rules.grants_are_on_arns, _everything),
    (rules.actions_are_written_out, _wildcard),
    (rules.actions_are_written_out, _managed_policy),
    (rules.configuration_is_only_read, _writes_config),
    (rules.the_scheduler_role_serves_this_account_only, _anybodys_scheduler),
    (rules.failures_are_kept, _undelivered_lost),
    (rules.failures_are_kept, _failed_lost),
    (rules.schedules_are_off_by_default, _always_on),
    (rules.schedules_are_off_by_default, _on_by_default),
    (rules.schedules_are_spelled_right, _flexible),
    (rules.declared_environment_is_what_the_code_reads, _undeclared),
    (rules.declared_environment_is_what_the_code_reads, _unread),
    (rules.name_lookups_end_within_seconds, _patient_resolver),
    (rules.logs_are_json_in_a_group_that_forgets, _for_ever),
    (rules.logs_are_json_in_a_group_that_forgets, _default_group),
    (rules.a_second_stack_fits_beside_the_first, _fixed_table),
    (rules.a_second_stack_fits_beside_the_first, _fixed_alarm),
    (rules.a_second_stack_fits_beside_the_first, _same_schedule),
    (rules.buckets_are_private_and_speak_tls, _public),
    (rules.buckets_are_private_and_speak_tls, _plain_http),
    (rules.buckets_are_private_and_speak_tls, _hoards),
    (rules.alarms_tell_somebody_or_are_mute, _always_loud),
    (rules.alarms_tell_somebody_or_are_mute, _silent),
]


@pytest.mark.parametrize(
    ("rule", "plant"), PLANTED, ids=[f"{rule.__name__}-{plant.__name__}" for rule, plant in PLANTED]
)
def test_a_planted_fault_is_caught_by(rule: Rule, plant: Callable[[Template], None]) -> None:
    spoiled = translated()
    plant(spoiled)

    assert list(rule(spoiled))


def test_no_rule_goes_unproven() -> None:
    by_name = {rules.secret_grants_cover_the_suffix_that_aws_appends, rules.nothing_but_a_teardown_retries}

    assert {rule for rule, _ in PLANTED} | by_name == set(RULES)


def _named(spoiled: Template, name: str) -> dict[str, Any]:
    properties: dict[str, Any] = spoiled["Resources"][name]["Properties"]
    return properties


def _statement(spoiled: Template, role: str, sid: str) -> dict[str, Any]:
    (found,) = [s for s in statements(of_kind(spoiled, "AWS::IAM::Role")[role]) if s["Sid"] == sid]
    return found
