"""House rules on the translated template. Each yields what breaks it, and nothing where it is kept."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from dora.settings import read_settings
from tests.house.schedule_expression import schedule_typo
from tests.house.translated import Template, listed, of_kind, statements

Rule = Callable[[Template], Iterator[str]]

ROLE, FUNCTION, SCHEDULE = "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Scheduler::Schedule"
INVOKE_CONFIG, LOG_GROUP, BUCKET = "AWS::Lambda::EventInvokeConfig", "AWS::Logs::LogGroup", "AWS::S3::Bucket"
ALARM, QUERY = "AWS::CloudWatch::Alarm", "AWS::Logs::QueryDefinition"
NO_RETRY = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
WITHIN_THE_HOUR = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600}
LOOKUP_S = 2
"""Of one name server that does not answer."""
FAILURES = {"Fn::GetAtt": ["FailureQueue", "Arn"]}
READ_BY_OTHERS = {"POWERTOOLS_SERVICE_NAME", "RES_OPTIONS", "MALLOC_ARENA_MAX"}
"""By Powertools, and by the C library's resolver and its heaps."""


# --- roles -------------------------------------------------------------------------------------------


def grants_are_on_arns(given: Template) -> Iterator[str]:
    """A name where an ARN belongs passes every linter and is refused at deploy time."""
    for role, statement in _statements(given):
        for resource in listed(statement["Resource"]):
            if not _is_arn(given, resource):
                yield f"{role} {statement.get('Sid')}: {resource} is no ARN"


def _is_arn(given: Template, resource: Any) -> bool:
    match resource:
        case {"Fn::GetAtt": [_, "Arn"]}:
            return True
        case {"Ref": str(name)}:
            # Of a topic alone what it is called by is its ARN.
            return given["Resources"].get(name, {}).get("Type") == "AWS::SNS::Topic"
        case {"Fn::Sub": str(text)}:
            return re.match(r"arn:\$\{AWS::Partition\}:|\$\{\w+\.Arn\}/", text) is not None
    return False


def actions_are_written_out(given: Template) -> Iterator[str]:
    """No wildcards, and nothing that somebody else's policy may come to mean."""
    for role, statement in _statements(given):
        for action in listed(statement["Action"]):
            if not re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action):
                yield f"{role} {statement.get('Sid')}: {action}"
    for role, properties in of_kind(given, ROLE).items():
        if properties.get("ManagedPolicyArns"):
            yield f"{role}: managed policies {properties['ManagedPolicyArns']}"


def secret_grants_cover_the_suffix_that_aws_appends(given: Template) -> Iterator[str]:
    """The ARN of a secret ends in a dash and six characters that nobody knows beforehand."""
    for role, statement in _statements(given):
        if "secretsmanager:GetSecretValue" in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else ""
                if not text.endswith(":secret:${KalshiSecretName}-??????"):
                    yield f"{role}: {resource} does not name the secret as arn:...:secret:<name>-??????"


def configuration_is_only_read(given: Template) -> Iterator[str]:
    """A bot that could write its own limits has none."""
    for role, statement in _statements(given):
        if {"Fn::GetAtt": ["ConfigTable", "Arn"]} in listed(statement["Resource"]):
            for action in listed(statement["Action"]):
                if action not in ("dynamodb:Query", "dynamodb:GetItem"):
                    yield f"{role}: {action} on the config table"


def the_scheduler_role_serves_this_account_only(given: Template) -> Iterator[str]:
    """Else a schedule in another account could make the service act for it."""
    own = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    for role, properties in of_kind(given, ROLE).items():
        for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
            service = statement["Principal"]["Service"]
            if "scheduler.amazonaws.com" in listed(service) and statement.get("Condition") != own:
                yield f"{role}: trusts the scheduler for any account"


def _statements(given: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    for role, properties in of_kind(given, ROLE).items():
        yield from ((role, statement) for statement in statements(properties))


# --- schedules and retries ---------------------------------------------------------------------------


def nothing_but_a_teardown_retries(given: Template) -> Iterator[str]:
    """Scheduler and Lambda each have a retry machine; a stale tick is worthless in both.

    A teardown is worth as much when it comes late; where it could not be delivered it is tried twice more.
    """
    for name, schedule in of_kind(given, SCHEDULE).items():
        ends = json.loads(schedule["Target"]["Input"])["action"] == "teardown"
        if schedule["Target"].get("RetryPolicy") != (WITHIN_THE_HOUR if ends else NO_RETRY):
            yield f"{name}: the scheduler retries: {schedule['Target'].get('RetryPolicy')}"
    configs = {own["FunctionName"]["Ref"]: own for own in of_kind(given, INVOKE_CONFIG).values()}
    for name in of_kind(given, FUNCTION):
        config = configs.get(name, {})
        if {key: config.get(key) for key in NO_RETRY} != NO_RETRY:
            yield f"{name}: Lambda retries: {config}"


def failures_are_kept(given: Template) -> Iterator[str]:
    """What could not be delivered, and what ran and failed, both end in the queue."""
    for name, schedule in of_kind(given, SCHEDULE).items():
        if schedule["Target"].get("DeadLetterConfig") != {"Arn": FAILURES}:
            yield f"{name}: undelivered events are lost"
    for name, config in of_kind(given, INVOKE_CONFIG).items():
        if config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination") != FAILURES:
            yield f"{name}: failed runs are lost"


def schedules_are_off_by_default(given: Template) -> Iterator[str]:
    """A fresh deploy must not trade."""
    for name, schedule in of_kind(given, SCHEDULE).items():
        state = schedule.get("State")
        if not all(_is_off(given, one) for one in choices(state)):
            yield f"{name}: state {state} is not off by default"


def choices(value: Any) -> list[Any]:
    """What a value may come to, whatever its conditions say."""
    return value["Fn::If"][1:] if isinstance(value, dict) and "Fn::If" in value else [value]


def _is_off(given: Template, state: Any) -> bool:
    if isinstance(state, dict):
        state = given["Parameters"].get(state.get("Ref"), {}).get("Default")
    return bool(state == "DISABLED")


def schedules_are_spelled_right(given: Template) -> Iterator[str]:
    """`rate(1 minutes)` passes every linter and is refused at deploy time."""
    for name, schedule in of_kind(given, SCHEDULE).items():
        for expression in [_by_default(given, one) for one in choices(schedule["ScheduleExpression"])]:
            if typo := schedule_typo(expression):
                yield f"{name}: {expression}: {typo}"
        if schedule["FlexibleTimeWindow"] != {"Mode": "OFF"}:
            yield f"{name}: a tick may come late by its time window"


def _by_default(given: Template, text: Any) -> str:
    """A text with the defaults of its parameters; for `never`, which stands in none, an alternative."""
    defaults = {
        name: str(own["AllowedValues"][-1] if own["Default"] == "never" else own["Default"])
        for name, own in given["Parameters"].items()
    }
    written: str = text["Fn::Sub"] if isinstance(text, dict) else text
    return re.sub(r"\$\{(\w+)\}", lambda found: defaults[found[1]], written)


# --- functions ---------------------------------------------------------------------------------------


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


def declared_environment_is_what_the_code_reads(given: Template) -> Iterator[str]:
    """`sam local` passes only declared variables; one that nobody reads misleads."""
    url = given["Mappings"]["Exchange"]["kalshi-demo"]["BaseUrl"]
    for name, function in of_kind(given, FUNCTION).items():
        declared = function["Environment"]["Variables"]
        values = {"STAGE": "kalshi-demo", "KALSHI_BASE_URL": url}
        empty = dict.fromkeys(("SUBACCOUNT", "DRY_RUN", "LOG_LEVEL", "ARCHIVE"), "")
        env = _RecordedEnvironment(**dict.fromkeys(declared, "some-text") | values | empty)
        read_settings(env)
        wanted = env.read | READ_BY_OTHERS
        if wanted != declared.keys():
            yield f"{name}: declared and read differ in {sorted(wanted ^ declared.keys())}"


def name_lookups_end_within_seconds(given: Template) -> Iterator[str]:
    """A lookup cannot be cut off, and a thread that is left behind with one thaws in a later invocation."""
    for name, function in of_kind(given, FUNCTION).items():
        options = str(function["Environment"]["Variables"].get("RES_OPTIONS", ""))
        limits = {key: int(value) for key, value in re.findall(r"\b(timeout|attempts):(\d+)", options)}
        if limits.get("timeout", 5) * limits.get("attempts", 2) > LOOKUP_S:
            yield f"{name}: a lookup may take {limits} (RES_OPTIONS)"


def logs_are_json_in_a_group_that_forgets(given: Template) -> Iterator[str]:
    """A group without retention keeps, and bills, for ever."""
    groups = of_kind(given, LOG_GROUP)
    yield from (f"{name}: no retention" for name, own in groups.items() if not own.get("RetentionInDays"))
    for name, function in of_kind(given, FUNCTION).items():
        logging = function.get("LoggingConfig", {})
        if logging.get("LogFormat") != "JSON" or logging.get("LogGroup", {}).get("Ref") not in groups:
            yield f"{name}: logs go to a group that is not the stack's"


# --- names, data, alarms -----------------------------------------------------------------------------

NAMING = frozenset(
    {"TableName", "BucketName", "RoleName", "LogGroupName", "QueueName", "FunctionName", "TopicName"}
)
AFTER_THE_STACK = ('{"Fn::Sub": "${AWS::StackName}-', '{"Fn::Sub": "${AWS::StackName}/')
NAMED_AFTER_THE_STACK = {SCHEDULE: "Name", ALARM: "AlarmName", QUERY: "Name"}


def a_second_stack_fits_beside_the_first(given: Template) -> Iterator[str]:
    """No physical names; what must have one carries the stack's."""
    for name, resource in given["Resources"].items():
        fixed = {key for key in NAMING & resource["Properties"].keys() if resource["Type"] != INVOKE_CONFIG}
        yield from (f"{name}: {key} is fixed" for key in sorted(fixed))
    for kind, key in NAMED_AFTER_THE_STACK.items():
        names = [json.dumps(own.get(key)) for own in of_kind(given, kind).values()]
        yield from (f"{kind}: {n} lacks the stack" for n in names if not n.startswith(AFTER_THE_STACK))
        yield from (f"{kind}: {n} twice" for n in sorted(set(names)) if names.count(n) > 1)


def buckets_are_private_and_speak_tls(given: Template) -> Iterator[str]:
    """Blocked from the public four times, encrypted, forgetting, and deaf to plain HTTP."""
    policies = of_kind(given, "AWS::S3::BucketPolicy").values()
    for name, bucket in of_kind(given, BUCKET).items():
        block = bucket.get("PublicAccessBlockConfiguration", {})
        if list(block.values()) != [True] * 4:
            yield f"{name}: not blocked from the public"
        if not bucket.get("LifecycleConfiguration", {}).get("Rules"):
            yield f"{name}: forgets nothing"
        own = [p["PolicyDocument"]["Statement"] for p in policies if p["Bucket"] == {"Ref": name}]
        if not any(_denies_plain_http(statement) for rows in own for statement in rows):
            yield f"{name}: answers plain HTTP"


def _denies_plain_http(statement: dict[str, Any]) -> bool:
    plain = statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    everything = statement["Action"] == "s3:*" and statement["Principal"] == "*"
    return plain and everything and statement["Effect"] == "Deny"


def alarms_tell_somebody_or_are_mute(given: Template) -> Iterator[str]:
    """A stack without an address must not alarm into nothing, nor one with an address stay silent."""
    for name, alarm in of_kind(given, ALARM).items():
        if alarm.get("ActionsEnabled") != {"Fn::If": ["TellsSomebody", True, False]}:
            yield f"{name}: ActionsEnabled is {alarm.get('ActionsEnabled')}"
        if alarm.get("AlarmActions", {}).get("Fn::If", [""])[0] != "TellsSomebody":
            yield f"{name}: tells nobody"


RULES: tuple[Rule, ...] = (
    grants_are_on_arns,
    actions_are_written_out,
    secret_grants_cover_the_suffix_that_aws_appends,
    configuration_is_only_read,
    the_scheduler_role_serves_this_account_only,
    nothing_but_a_teardown_retries,
    failures_are_kept,
    schedules_are_off_by_default,
    schedules_are_spelled_right,
    declared_environment_is_what_the_code_reads,
    name_lookups_end_within_seconds,
    logs_are_json_in_a_group_that_forgets,
    a_second_stack_fits_beside_the_first,
    buckets_are_private_and_speak_tls,
    alarms_tell_somebody_or_are_mute,
)
