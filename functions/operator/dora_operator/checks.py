"""What must hold before and while a bot trades; each check with its fix. Reads only."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from requests import RequestException

from dora.core.errors import DoraError
from dora_operator.exchange import own_exchange
from dora_operator.failures import Exit, OperatorError
from dora_operator.invoke import ask_session
from dora_operator.reading import Reading
from dora_operator.target import Target
from dora_operator.words import reason_in_words

OK, BAD, UNKNOWN = "ok", "bad", "unknown"
SKEW_MS = 1_000
TOLD_BY_CONFIGS = ("config_missing", "trading_disabled")
"""What the check of the configs has said already, with its fix."""
LATE_S = 180
"""Without a finished cycle for so long an active session is pulled off the market."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `fix` is empty where there is nothing to mend."""

    what: str
    state: str
    found: str
    fix: str = ""


def exit_of(found: Iterable[Check]) -> Exit:
    """How a command that shows them ends."""
    states = {own.state for own in found} - {OK}
    return Exit.NEGATIVE if BAD in states else Exit.UNKNOWN if states else Exit.DONE


def all_checks(reading: Reading) -> Iterator[Check]:
    """One after the other; one that cannot be made says so and stops none of the others."""
    target = reading.target
    made: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("key", lambda: _key(target)),
        ("configs", lambda: _configs(reading)),
        ("session", lambda: _session(target)),
        ("cycles", lambda: _cycles(reading)),
        ("archive", lambda: _archive(reading)),
    ]
    if not target.local:
        made += [
            ("schedule", lambda: _schedule(target)),
            ("failure queue", lambda: _queue(target)),
            ("alarm mail", lambda: _mail(target)),
        ]
    for what, check in made:
        try:
            yield from check()
        except (DoraError, OperatorError, ClientError, BotoCoreError, RequestException) as error:
            yield Check(what, UNKNOWN, str(error).splitlines()[0], "may you ask it? see the managed policies")


def _key(target: Target) -> Iterator[Check]:
    """The person's own right to the secret is used, and the exchange is asked."""
    exchange = own_exchange(target)
    limits = exchange.limits()
    yield Check("key", OK, f"accepted, tier {limits.tier}")
    skew = exchange.skew_ms
    fix = "set this machine's clock" if abs(skew) > SKEW_MS else ""
    yield Check("clock", BAD if fix else OK, f"this machine is {skew} ms from the exchange", fix)


def _configs(reading: Reading) -> Iterator[Check]:
    configs = reading.configs
    for problem in configs.problems:
        yield Check("configs", BAD, f"{problem.where}: {problem.problem}", problem.fix)
    if configs.globals_ is None:
        yield Check("configs", BAD, "no GLOBAL item counts", "`dora init`, then `dora config apply`")
        return
    enabled = sum(own.enabled for own in configs.markets.values())
    enabled += sum(own.enabled for own in configs.series.values())
    yield Check(
        "configs",
        OK if enabled else BAD,
        f"{len(configs.markets)} markets, {len(configs.series)} series, {enabled} of them enabled",
        "" if enabled else "set enabled in the config file, then `dora config apply`",
    )
    trades = configs.globals_.trading_enabled
    fix = "" if trades else "set trading_enabled in the config file, then `dora config apply`"
    yield Check("trading_enabled", OK if trades else BAD, str(trades).lower(), fix)


def _session(target: Target) -> Iterator[Check]:
    """What a start would find; the session function asks the exchange."""
    answer = ask_session(target, "status", checks=True)
    for finding in answer.get("findings", ()):
        what, _, rest = str(finding).partition(";")
        yield Check("preflight", BAD, what, rest.strip())
    if answer.get("status") in ("refused", "failed"):
        yield Check("session", BAD, str(answer.get("message")), "its log has the reason")
        return
    why = [str(own) for own in answer.get("why_not_quoting", ())]
    for reason in why:
        if reason in TOLD_BY_CONFIGS:
            continue
        said = reason_in_words(reason)
        yield Check("session", BAD, said.partition(": ")[0], said.partition(": ")[2])
    if not why:
        yield Check("session", OK, f"{answer.get('status')}, {answer.get('markets_quoted')} markets quoted")
    yield from _groups(answer.get("untriggered", ()))


def _groups(untriggered: Collection[str] | None) -> Iterator[Check]:
    if untriggered is None:
        yield Check("groups", BAD, "the order groups of events could not be read", "its log has the reason")
    for group in untriggered or ():
        yield Check("groups", BAD, f"group {group} has not answered its trigger", "dora teardown")


def _cycles(reading: Reading) -> Iterator[Check]:
    done = reading.state.progress
    if not done.cycle_id:
        yield Check("cycles", BAD, "none has finished yet", "dora schedule on")
        return
    ago_s = (reading.now_ms - done.completed_ms) // 1000
    late = ago_s >= LATE_S
    yield Check(
        "cycles",
        BAD if late or done.status == "failed" else OK,
        f"the last one {ago_s} s ago: {reading.last_came_to}",
        "dora schedule on; `dora query cycle-duration` shows when they stopped" if late else "",
    )


def _archive(reading: Reading) -> Iterator[Check]:
    if reading.target.parameters.get("Archive", "full") == "off":
        yield Check("archive", OK, "off: `dora why` has nothing to explain from")
        return
    record, last = reading.latest_cycle, reading.state.progress.cycle_id
    if not last:
        return
    behind = record is None or record.cycle_id < last
    found = f"holds {record.cycle_id if record else 'nothing'}, the last cycle is {last}"
    yield Check("archive", BAD if behind else OK, found, "dora query errors-and-warnings" if behind else "")


def _schedule(target: Target) -> Iterator[Check]:
    on = target.parameters.get("ScheduleState") == "ENABLED"
    yield Check("schedule", OK if on else BAD, "on" if on else "off", "" if on else "dora schedule on")


def _queue(target: Target) -> Iterator[Check]:
    answer = target.client("sqs").get_queue_attributes(
        QueueUrl=target.outputs["FailureQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    held = int(answer["Attributes"]["ApproximateNumberOfMessages"])
    fix = "read the messages in the console, then delete them: never replay one" if held else ""
    yield Check("failure queue", BAD if held else OK, f"{held} messages", fix)


def _mail(target: Target) -> Iterator[Check]:
    address = target.parameters.get("AlarmEmail", "")
    if not address:
        yield Check("alarm mail", BAD, "nobody is told of alarms", "deploy again with AlarmEmail=...")
        return
    cloud: Any = target.client("cloudformation")
    resource = cloud.describe_stack_resource(StackName=target.stack, LogicalResourceId="AlarmTopic")
    topic = resource["StackResourceDetail"]["PhysicalResourceId"]
    listed = target.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    confirmed = any(own["SubscriptionArn"].startswith("arn:") for own in listed if own["Endpoint"] == address)
    fix = "" if confirmed else f"open the mail that AWS sent to {address}, and confirm"
    found = f"{address} has {'' if confirmed else 'not '}confirmed"
    yield Check("alarm mail", OK if confirmed else BAD, found, fix)
