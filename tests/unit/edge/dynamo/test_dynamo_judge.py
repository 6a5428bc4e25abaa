"""The judge of the embedded DynamoDB sees each thing that DynamoDB refuses and moto accepts."""

import gc
from typing import Any

import pytest
from moto.core.serialize import JSONSerializer, XFormedAttributePicker
from moto.core.utils import get_service_model
from moto.dynamodb.models.table import Table

from tests.world.tables import WRITE_STRUCTURE, breaches

ONE_NUMBER = {":x": {"N": "1"}, ":y": {"N": "2"}}
BODY = {"Put": {"Item": {"body": {"B": b"x" * 399_000}}}}


@pytest.mark.parametrize(
    ("action", "request_", "seen"),
    [
        ("UpdateItem", {"UpdateExpression": "SET a = a + :x - :y"}, "two operators"),
        ("TransactWriteItems", {"TransactItems": [{}] * 101}, "101 items"),
        ("TransactWriteItems", {"TransactItems": []}, "0 items"),
        ("TransactWriteItems", {"TransactItems": [BODY] * 11}, "bytes in a transaction"),
        ("BatchWriteItem", {"RequestItems": {"t": [{}] * 26}}, "26 items"),
        ("BatchGetItem", {"RequestItems": {"t": {"Keys": [{}] * 101, "ConsistentRead": True}}}, "101 items"),
        ("BatchGetItem", {"RequestItems": {"t": {"Keys": [{}]}}}, "without ConsistentRead"),
        ("Query", {"TableName": "t"}, "without ConsistentRead"),
        ("PutItem", {"Item": {"a": {"N": "1" * 39}}}, "38 digits"),
        ("PutItem", {"Item": {"a": {"S": "x" * 400_001}}}, "an item of"),
        (
            "UpdateItem",
            {"ConditionExpression": "a BETWEEN :y AND :x", "ExpressionAttributeValues": ONE_NUMBER},
            "BETWEEN",
        ),
    ],
)
def test_a_request_that_dynamodb_would_refuse_is_seen(action: str, request_: Any, seen: str) -> None:
    assert any(seen in breach for breach in breaches(action, request_))


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        ("UpdateItem", {"UpdateExpression": "SET a = if_not_exists(a, :x) + :y, b = b - :x"}),
        ("TransactWriteItems", {"TransactItems": [{}] * 100}),
        ("BatchGetItem", {"RequestItems": {"t": {"Keys": [{}] * 100, "ConsistentRead": True}}}),
        ("Query", {"ConsistentRead": True}),
        ("PutItem", {"Item": {"a": {"N": "-" + "1" * 38}}}),
        (
            "UpdateItem",
            {"ConditionExpression": "a BETWEEN :x AND :y", "ExpressionAttributeValues": ONE_NUMBER},
        ),
    ],
)
def test_a_sound_request_passes(action: str, request_: Any) -> None:
    assert breaches(action, request_) == []


def test_the_judge_sits_in_the_embedded_dynamodb(dynamo: Any) -> None:
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}

    with pytest.raises(AssertionError, match="ConsistentRead"):
        dynamo.get_item(TableName="state", Key=key)


def test_what_transactions_copied_is_not_kept(dynamo: Any) -> None:
    """A stack on this machine runs for days, and moto remembers every copy of a table."""
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    for _ in range(5):
        dynamo.transact_write_items(TransactItems=[{"Put": {"TableName": "state", "Item": item}}])
    gc.collect()

    assert sum(isinstance(own, Table) and own.name == "state" for own in gc.get_objects()) == 1


class _AsMotoDoes(JSONSerializer):
    _serialize_type_structure = WRITE_STRUCTURE


@pytest.mark.parametrize(
    "answer",
    [
        {"Items": [{"a": {"M": {"S": {"L": [{"N": "1"}, {"NULL": True}]}}}}, {"b": {"B": b"x"}}], "Count": 2},
        {"Items": [], "ScannedCount": 0, "LastEvaluatedKey": {"pk": {"S": ""}}, "ConsumedCapacity": None},
        {"items": [{"a": {"S": "by another spelling"}}], "count": 1},
    ],
)
def test_an_answer_is_written_as_moto_writes_it(answer: Any) -> None:
    query = get_service_model("dynamodb").operation_model("Query")
    quick, slow = (
        kind(query, value_picker=XFormedAttributePicker()).serialize(answer)
        for kind in (JSONSerializer, _AsMotoDoes)
    )

    assert quick == slow
    assert quick["body"] != "{}"
