"""Commands that die at any of their calls, and what they leave."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Literal

import boto3

from dora_operator import target
from tests.operator.driver import Driver


class KilledError(BaseException):
    """The process of the command is gone: nothing of it may catch this."""


Moment = Literal["provide-client-params", "after-call"]
BEFORE: Moment = "provide-client-params"
AFTER: Moment = "after-call"
"""When it dies: a call is not sent any more, or is carried out and its answer lost."""


def dying_at(number: int) -> Callable[..., None]:
    """Kills who calls it for the so manieth time."""
    calls = count(1)

    def die(**_: object) -> None:
        if next(calls) == number:
            raise KilledError

    return die


@contextmanager
def at_calls_of_aws(die: Callable[..., None], moment: Moment = BEFORE) -> Iterator[None]:
    """Within, each call of AWS or of the functions asks it."""
    events = target._nobodys_session().events
    events.register(moment, die)
    try:
        yield
    finally:
        events.unregister(moment, die)


def killed(run: Callable[[], object]) -> bool:
    """Run it; whether it died."""
    try:
        run()
    except KilledError:
        return True
    return False


def swept(dora: Driver, words: tuple[str, ...], judge: Callable[[], None], moment: Moment = BEFORE) -> int:
    """Die at each call in turn, and judge what is left; how many there were. The last run finished."""
    for number in count(1):
        with at_calls_of_aws(dying_at(number), moment):
            died = killed(lambda: dora.run(*words))
        if not died:
            return number - 1
        judge()
    raise AssertionError


def lines_of(what: str) -> list[str]:
    """When somebody asked for it, by the lines that changes leave."""
    answer = boto3.client("dynamodb").query(
        TableName="dora-config",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "dora#changes"}},
        ConsistentRead=True,
    )
    return [item["at"]["S"] for item in answer["Items"] if item["what"]["S"] == what]
