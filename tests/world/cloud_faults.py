"""AWS that throttles, conflicts, loses requests and replies, and stalls: at botocore's own seams.

Only clients made after `listen` are touched, and only while a function runs. Labels look like
`UpdateItem LEASE` (operation, and the first word of the sort key); a transaction has one for each kind of its
elements, like `TransactWriteItems Put PLAN`. An object that is stored is a `PutObject`.

  aws-throttle      refused for want of capacity, all of the SDK's tries included; nothing was written
  aws-conflict      another writer's transaction was under way; nothing was written
  aws-refuse        the condition does not hold; nothing was written
  aws-bare-error    refused in a word, without the reasons, item or code that such an error usually has
  aws-bare-answer   200 with nothing in it, from something in between; nothing was written
  aws-lose-request  the connection ends before the request arrives; the SDK tries again
  aws-lose-reply    applied, and then the connection ends; the SDK tries again (times=1) or gives up (times=0)
  aws-stall         the answer takes `amount` ms; beyond the client's read timeout it is lost, with code
                    "before" the request too
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from threading import local
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from tests.simulator.fault_aim import Aim
from tests.simulator.fault_plan import Fault, FaultPlan
from tests.world.outside_calls import OutsideCalls

READ_TIMEOUT_MS = 2_000
TRIES = 3
TRANSACTION = "TransactWriteItems"
REFUSALS = {
    "aws-throttle": ("ProvisionedThroughputExceededException", "ThrottlingError"),
    "aws-conflict": ("TransactionConflictException", "TransactionConflict"),
    "aws-refuse": ("ConditionalCheckFailedException", "ConditionalCheckFailed"),
}
BARE_ERROR, BARE_ANSWER = "aws-bare-error", "aws-bare-answer"
BARE = (BARE_ERROR, BARE_ANSWER)
BROKEN = ("aws-lose-request", "aws-lose-reply", "aws-stall")
KINDS = (*REFUSALS, *BARE, *BROKEN)


class CloudFaults:
    """Counts AWS requests as outside calls, and strikes some of them."""

    def __init__(
        self,
        calls: OutsideCalls,
        now_ms: Callable[[], int],
        wait_ms: Callable[[int], None],
        struck: Counter[str],
    ) -> None:
        self._refusals = Aim((*REFUSALS, *BARE), now_ms, struck)
        self._broken = Aim(BROKEN, now_ms, struck)
        self._calls, self._wait_ms = calls, wait_ms
        self._own = local()

    def load(self, plan: FaultPlan) -> None:
        """This plan begins now."""
        self._refusals.load(plan)
        self._broken.load(plan)

    def listen(self, session: boto3.Session) -> None:
        """Hear every client that this session makes from now on."""
        for event, handler, last in self._handlers():
            (session.events.register_last if last else session.events.register_first)(event, handler)

    def leave(self, session: boto3.Session) -> None:
        """Clients made from now on are left alone."""
        for event, handler, _ in self._handlers():
            session.events.unregister(event, handler)

    def _handlers(self) -> Iterator[tuple[str, Callable[..., Any], bool]]:
        yield "before-call.dynamodb", self._refuse, False
        yield "before-call.s3", self._refuse, False
        yield "before-send", self._sent, False
        yield "before-send", self._done, True
        yield "needs-retry.dynamodb", self._retry_at_once, False

    def _refuse(self, model: Any, params: Mapping[str, Any], **_: object) -> tuple[Any, Any] | None:
        """In place of the whole call. The SDK's waiting between its tries would be real time."""
        if not self._calls.running:
            return None
        request = _content(params["body"])
        found = labels(model.name, request)
        fault = self._refusals.at(found, " ".join(found))
        if fault is None:
            return None
        self._refusals.count(fault)
        self._calls.leave(self._calls.enter(f"{model.name} refused"))
        if fault.kind == BARE_ANSWER:
            return SimpleNamespace(status_code=200), {"ResponseMetadata": {"HTTPStatusCode": 200}}
        refusal = _bare(model.name) if fault.kind == BARE_ERROR else _refusal(fault, model.name, request)
        return SimpleNamespace(status_code=400), refusal

    def _sent(self, request: Any, event_name: str, **_: object) -> None:
        self._own.fault, self._own.number = None, None
        if not self._calls.running:
            return
        found = labels(event_name.rsplit(".", 1)[-1], _content(request.body))
        self._own.number = self._calls.enter(", ".join(found))
        self._own.fault = fault = self._broken.at(found, " ".join(found))
        if fault is None:
            return
        self._broken.count(fault)
        if fault.kind == "aws-stall":
            self._wait_ms(min(fault.amount, READ_TIMEOUT_MS))
        if fault.kind == "aws-lose-request":
            self._end(ConnectionClosedError(endpoint_url=request.url))
        if fault.kind == "aws-stall" and fault.code == "before":
            self._end(ReadTimeoutError(endpoint_url=request.url))

    def _done(self, request: Any, **_: object) -> None:
        if not self._calls.running or self._own.number is None:
            return
        fault = self._own.fault
        if fault is not None and fault.kind == "aws-lose-reply":
            self._end(ConnectionClosedError(endpoint_url=request.url))
        if fault is not None and fault.kind == "aws-stall" and fault.amount >= READ_TIMEOUT_MS:
            self._end(ReadTimeoutError(endpoint_url=request.url))
        self._calls.leave(self._own.number)

    def _end(self, error: Exception) -> None:
        self._calls.leave(self._own.number)
        raise error

    def _retry_at_once(self, attempts: int, caught_exception: Exception | None, **_: object) -> int | None:
        """As the SDK would, but without its waiting, which is real time and no part of a virtual run."""
        ours = getattr(self._own, "fault", None) is not None and caught_exception is not None
        return 0 if ours and attempts < TRIES else None


def labels(operation: str, request: Mapping[str, Any]) -> list[str]:
    """What a request is called in `where`: once for each kind of item that it names."""
    return sorted({f"{operation} {kind}".strip() for kind in _kinds(operation, request)}) or [operation]


def _kinds(operation: str, request: Mapping[str, Any]) -> Iterator[str]:
    if operation == TRANSACTION:
        for element in request["TransactItems"]:
            ((verb, own),) = element.items()
            yield f"{verb} {_kind(own)}"
    elif operation == "BatchGetItem":
        yield from (_kind({"Key": key}) for own in request["RequestItems"].values() for key in own["Keys"])
    elif "Key" in request or "Item" in request:
        yield _kind(request)


def _kind(element: Mapping[str, Any]) -> str:
    """The first word of the sort key."""
    key: str = element.get("Key", element.get("Item", {}))["sk"]["S"]
    return key.split("#", 1)[0]


def _content(body: Any) -> dict[str, Any]:
    """What a request says in JSON; nothing of one that carries an object."""
    try:
        content = json.loads(body or b"{}")
    except (ValueError, TypeError):
        return {}
    return content if isinstance(content, dict) else {}


def _bare(operation: str) -> dict[str, Any]:
    """The error of a conditional write without what it usually says; of a read nothing at all."""
    if operation == TRANSACTION:
        return {"Error": {"Code": "TransactionCanceledException"}}
    if operation in ("PutItem", "UpdateItem"):
        return {"Error": {"Code": REFUSALS["aws-refuse"][0]}}
    return {}


def _refusal(fault: Fault, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The error as DynamoDB words it; a transaction says it of its first element."""
    code, reason = REFUSALS[fault.kind]
    if operation != TRANSACTION:
        return {"Error": {"Code": code, "Message": fault.kind}}
    others = [{"Code": "None"}] * (len(request["TransactItems"]) - 1)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{reason}]"
    return {
        "Error": {"Code": "TransactionCanceledException", "Message": text},
        "CancellationReasons": [{"Code": reason, "Message": fault.kind}, *others],
    }
