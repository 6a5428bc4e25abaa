"""Counts what reaches the embedded DynamoDB, by request and in billed units, from the requests' own bodies.

While `counting`, moto is also spared what takes it longer than a bot waits for DynamoDB: its way of writing
long answers.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.dynamodb.responses import DynamoHandler

from tests.bench.units import TRANSACTION, get_units, item_bytes, query_units, write_units
from tests.world import tables

LIMITER_KEY = "LIMITER#"
_ELEMENTS = ("Put", "Update", "Delete", "ConditionCheck")
_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}

Place = tuple[str, str, str]
"""Table, partition key, sort key."""


@dataclass
class CloudCounts:
    """Since the last reset. `largest` is the largest item written, in bytes."""

    calls: Counter[str] = field(default_factory=Counter)
    write_units: int = 0
    read_units: int = 0
    limiter_updates: int = 0
    largest: int = 0


COUNTS = CloudCounts()
_sizes: dict[Place, int] = {}


def take() -> CloudCounts:
    """What was counted, which then starts anew."""
    taken = CloudCounts(**vars(COUNTS))
    vars(COUNTS).update(vars(CloudCounts()))
    return taken


@contextmanager
def counting() -> Iterator[None]:
    """Every request to an embedded DynamoDB that is empty at first is counted for the time of a block."""
    take()
    _sizes.clear()
    DynamoHandler.call_action, DynamoHandler.query = _counted, _plain_query
    try:
        yield
    finally:
        DynamoHandler.call_action, DynamoHandler.query = _handle, _query


def _counted(handler: DynamoHandler) -> Any:
    with tables.ONE_REQUEST_AT_A_TIME:
        action, request = handler._get_action(), getattr(handler, "params", {})
        COUNTS.calls[action] += 1
        writes = list(_writes(action, request))
        try:
            answer = _handle(handler)
        finally:
            for kind, element in writes:
                _count_write(handler, kind, element, TRANSACTION if action == "TransactWriteItems" else 1)
        _count_read(action, request, answer)
        return answer


_handle, _query = DynamoHandler.call_action, DynamoHandler.query


def _writes(action: str, request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each element that is billed as a write."""
    if action in _WRITES:
        yield _WRITES[action], request
    for element in request.get("TransactItems", ()) if action == "TransactWriteItems" else ():
        yield from ((kind, element[kind]) for kind in _ELEMENTS if kind in element)
    for name, wanted in request.get("RequestItems", {}).items() if action == "BatchWriteItem" else ():
        for each in wanted:
            kind = "Put" if "PutRequest" in each else "Delete"
            yield kind, {"TableName": name, **each[f"{kind}Request"]}


def _count_write(handler: DynamoHandler, kind: str, element: Mapping[str, Any], times: int) -> None:
    key = element.get("Key") or element["Item"]
    place = (element["TableName"], key["pk"]["S"], key["sk"]["S"])
    before = _sizes.get(place, 0)
    after = before if kind == "ConditionCheck" else _stored(handler, element["TableName"], key)
    _sizes[place] = after
    wanted = item_bytes(element["Item"]) if kind == "Put" else after
    COUNTS.write_units += times * write_units(before, max(after, wanted))
    COUNTS.limiter_updates += place[2].startswith(LIMITER_KEY)
    COUNTS.largest = max(COUNTS.largest, 0 if kind == "ConditionCheck" else after)


def _stored(handler: DynamoHandler, table: str, key: Mapping[str, Any]) -> int:
    found = handler.dynamodb_backend.get_item(table, {"pk": key["pk"], "sk": key["sk"]})
    return item_bytes(found.to_json()["Attributes"]) if found else 0


def _count_read(action: str, request: Mapping[str, Any], answer: Any) -> None:
    if action not in {"Query", "GetItem", "BatchGetItem"}:
        return
    content = _content(answer)
    if action == "Query":
        COUNTS.read_units += query_units(map(item_bytes, content["Items"]))
    elif action == "GetItem":
        COUNTS.read_units += get_units([item_bytes(content.get("Item", {}))])
    else:
        for name, wanted in request["RequestItems"].items():
            found = [item_bytes(item) for item in content["Responses"].get(name, ())]
            COUNTS.read_units += get_units([*found, *[0] * (len(wanted["Keys"]) - len(found))])


def _content(answer: Any) -> Any:
    body = answer[2] if isinstance(answer, tuple) else answer
    return json.loads(body)


def _plain_query(handler: DynamoHandler) -> str:
    """The answer as JSON, without a look at every value's shape: that takes moto a second for 2,000 items."""
    return json.dumps(_query(handler).result, default=_typed)


def _typed(value: Any) -> Any:
    """What JSON cannot write by itself: moto's values, and bytes."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value.to_json()
