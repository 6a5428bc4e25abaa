"""Answers of DynamoDB without their usual fields: neither done, nor refused, nor empty, but unknown."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from dora.core.errors import StateConflict, StateError, StateUnavailable
from dora.core.state import Changes, KillSwitch, Progress
from dora.core.units import TimeMs
from dora.edge.dynamo.lease import DynamoLease
from dora.edge.dynamo.limiter import DynamoLimiter
from dora.edge.dynamo.store import DynamoState
from tests.support.bookings import FIRST
from tests.support.dynamo_values import (
    BOT,
    LIMITS,
    NOW_MS,
    Fault,
    FaultyClient,
    open_state,
    plan,
    session,
    take_lease,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Work = Callable[[DynamoState, int], object]

FENCED: dict[str, Work] = {
    "write_plan": lambda state, fence: state.write_plan(plan(fence, 3)),
    "book_fills": lambda state, fence: state.book(fence, FIRST),
    "commit": lambda state, fence: state.commit(fence, Changes(progress=Progress(cycle_id="c"), summary={})),
}
SINGLE: dict[str, Work] = {
    "save_session": lambda state, _: state.save_session(session()),
    "save_history": lambda state, _: state.save_history(session(2)),
    "set_control": lambda state, _: state.set_control(KillSwitch(halted=True, at_ms=TimeMs(4))),
    "save_limits": lambda state, _: state.save_limits(LIMITS),
}
READS: dict[str, Work] = {
    "load": lambda state, _: state.load(),
    "read_kill_switch": lambda state, _: state.read_kill_switch(),
    "booked": lambda state, _: state.booked(["fill-1"]),
    "history": lambda state, _: state.history(3),
    "summary": lambda state, _: state.summary("cycle-1"),
}


def cancelled(*reasons: Any, **more: Any) -> Fault:
    answer: Any = {"Error": {"Code": "TransactionCanceledException"}, **more}
    if reasons:
        answer["CancellationReasons"] = list(reasons)

    def fault(_: Callable[[], Any]) -> Any:
        raise ClientError(answer, "TransactWriteItems")

    return fault


def raising(error: Exception) -> Fault:
    def fault(_: Callable[[], Any]) -> Any:
        raise error

    return fault


def foreign_200(_: Callable[[], Any]) -> Any:
    """What the SDK makes of a 200 with a page of a proxy in it: nothing was written."""
    return {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}


REFUSED, NONE = {"Code": "ConditionalCheckFailed"}, {"Code": "None"}
REASONLESS = {
    "no reasons": cancelled(),
    "no list of reasons": cancelled(CancellationReasons=[]),
    "one reason for several elements": cancelled(REFUSED),
    "a reason without a code": cancelled({"Message": "refused"}, *[NONE] * 9),
}
CODELESS = {
    "no code": raising(ClientError({"Error": {}}, "Any")),
    "no error": raising(ClientError({}, "Any")),
    "no text": raising(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")),
    "another form": raising(ResponseParserError("unable to parse")),
    "a page of something in between": foreign_200,
}


def everything(client: "DynamoDBClient") -> Any:
    return client.scan(TableName="state", ConsistentRead=True)["Items"]


@pytest.mark.parametrize("lost", [False, True], ids=["own fence", "lost fence"])
@pytest.mark.parametrize("name", FENCED)
def test_a_transaction_that_was_not_said_to_be_written_is_not_taken_for_written(
    dynamo: "DynamoDBClient", name: str, lost: bool
) -> None:
    fence = take_lease(dynamo)
    if lost:
        take_lease(dynamo, 2)
    before = everything(dynamo)

    for why, fault in {**REASONLESS, **CODELESS}.items():
        with pytest.raises(StateUnavailable):
            FENCED[name](open_state(FaultyClient(dynamo, fault)), fence)
        assert everything(dynamo) == before, why


@pytest.mark.parametrize("name", SINGLE)
def test_an_item_that_was_not_said_to_be_written_is_not_taken_for_written(
    dynamo: "DynamoDBClient", name: str
) -> None:
    for fault in CODELESS.values():
        with pytest.raises(StateUnavailable):
            SINGLE[name](open_state(FaultyClient(dynamo, fault)), 1)


@pytest.mark.parametrize("name", SINGLE)
def test_a_refusal_that_does_not_show_what_stood_in_the_way_is_no_conflict(
    dynamo: "DynamoDBClient", name: str
) -> None:
    """An earlier try of ours may have been written."""
    refused = ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")

    with pytest.raises(StateUnavailable, match="does not show"):
        SINGLE[name](open_state(FaultyClient(dynamo, raising(refused))), 1)


def test_a_session_that_was_written_by_an_earlier_try_is_found_where_the_refusal_does_not_show_it(
    dynamo: "DynamoDBClient",
) -> None:
    def sent_twice(call: Callable[[], Any]) -> Any:
        call()
        raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")

    assert open_state(FaultyClient(dynamo, sent_twice)).save_session(session()).rev == 1
    with pytest.raises(StateConflict):
        open_state(FaultyClient(dynamo, sent_twice)).save_session(session(0, "another"))


@pytest.mark.parametrize("name", READS)
def test_a_read_without_its_list_is_never_an_empty_one(dynamo: "DynamoDBClient", name: str) -> None:
    for fault in CODELESS.values():
        with pytest.raises(StateUnavailable):
            READS[name](open_state(FaultyClient(dynamo, fault)), 1)


def test_single_items_of_a_table_that_is_not_in_the_answer_are_unknown(dynamo: "DynamoDBClient") -> None:
    """DynamoDB lists each table it was asked about, also where it found nothing."""
    assert open_state(FaultyClient(dynamo)).booked(["fill-1"]) == frozenset()
    with pytest.raises(StateUnavailable):
        open_state(
            FaultyClient(dynamo, lambda _: {"Responses": {}, "UnprocessedKeys": {}})
        ).read_kill_switch()


def lease(client: Any) -> DynamoLease:
    return DynamoLease(client, "state", BOT)


def acquire(client: Any) -> object:
    times = {"tick_ms": TimeMs(5), "now_ms": TimeMs(5), "expires_ms": TimeMs(50)}
    return lease(client).acquire(owner="a", **times)


def test_a_lease_that_was_not_said_to_be_ours_or_anothers_is_unknown(
    dynamo: "DynamoDBClient",
) -> None:
    refused = raising(ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "UpdateItem"))

    for fault in (*CODELESS.values(), refused):
        with pytest.raises(StateUnavailable):
            acquire(FaultyClient(dynamo, fault))


@pytest.mark.parametrize("missing", ["last_tick_ms", "fence", "expires_at_ms"])
def test_a_lease_that_lacks_a_field_is_an_error_that_names_it(dynamo: "DynamoDBClient", missing: str) -> None:
    def without(call: Callable[[], Any]) -> Any:
        answer = call()
        del answer["Attributes"][missing]
        return answer

    with pytest.raises(StateError, match=f"LEASE: {missing} is None"):
        acquire(FaultyClient(dynamo, without))


def test_tokens_that_were_not_said_to_be_granted_are_not(dynamo: "DynamoDBClient") -> None:
    for fault in CODELESS.values():
        limiter = DynamoLimiter(FaultyClient(dynamo, fault), "state", "key")
        with pytest.raises(StateUnavailable):
            limiter.reserve("write", [100], TimeMs(NOW_MS), TimeMs(NOW_MS))


def test_a_bucket_that_refuses_and_does_not_show_itself_grants_nothing(dynamo: "DynamoDBClient") -> None:
    refused = raising(ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "UpdateItem"))
    limiter = DynamoLimiter(FaultyClient(dynamo, *[refused] * 8), "state", "key")

    assert limiter.reserve("write", [100], TimeMs(NOW_MS), TimeMs(NOW_MS)) == ()
    with pytest.raises(StateUnavailable):
        limiter.charge("write", 10, TimeMs(NOW_MS))
    with pytest.raises(StateUnavailable):
        limiter.push_back("write", TimeMs(NOW_MS), 1_000, 10_000)
