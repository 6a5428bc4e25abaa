"""A transaction that fails leaves every item as it was, whatever it did before, and copies no other one."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from tests.world.tables import create_tables

KEYS = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"))
Kind = st.sampled_from(("Put", "Update", "Delete"))


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with mock_aws():
        own = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(own, "config", "state")
        yield own


def _key(key: tuple[str, str]) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _element(kind: str, key: tuple[str, str]) -> dict[str, Any]:
    if kind == "Put":
        return {"Put": {"TableName": "state", "Item": _key(key) | {"n": {"N": "7"}, "m": {"M": {}}}}}
    if kind == "Delete":
        return {"Delete": {"TableName": "state", "Key": _key(key)}}
    values = {":one": {"N": "1"}}
    update = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": values}
    return {"Update": {"TableName": "state", "Key": _key(key), **update}}


REFUSED = {
    "ConditionCheck": {
        "TableName": "config",
        "Key": _key(("no", "no")),
        "ConditionExpression": "attribute_exists(pk)",
    }
}


def _all(client: Any) -> list[Any]:
    return sorted(client.scan(TableName="state", ConsistentRead=True)["Items"], key=str)


@given(
    stored=st.dictionaries(KEYS, st.integers(0, 9)),
    written=st.dictionaries(KEYS, Kind),
    place=st.integers(0, 6),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_fails_is_undone(
    client: Any, stored: dict[tuple[str, str], int], written: dict[tuple[str, str], str], place: int
) -> None:
    for item in _all(client):
        client.delete_item(TableName="state", Key={"pk": item["pk"], "sk": item["sk"]})
    for key, number in stored.items():
        client.put_item(TableName="state", Item=_key(key) | {"n": {"N": str(number)}})
    before = _all(client)
    elements = [_element(kind, key) for key, kind in written.items()]
    elements.insert(place, REFUSED)
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        client.transact_write_items(TransactItems=elements)
    assert _all(client) == before

    if elements := [own for own in elements if own is not REFUSED]:
        client.transact_write_items(TransactItems=elements)
        gone = {key for key, kind in written.items() if kind == "Delete"}
        assert {(own["pk"]["S"], own["sk"]["S"]) for own in _all(client)} == (
            stored.keys() | written.keys()
        ) - gone


def test_what_a_failed_transaction_does_not_name_is_the_same_object_and_no_copy(client: Any) -> None:
    client.put_item(TableName="state", Item=_key(("a", "x")))
    client.put_item(TableName="state", Item=_key(("a", "y")))

    def held() -> dict[str, Any]:
        rows = (
            dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables["state"].items[DynamoType({"S": "a"})]
        )
        return {key.value: item for key, item in rows.items()}

    before = held()
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        client.transact_write_items(TransactItems=[_element("Update", ("a", "x")), REFUSED])

    assert held()["y"] is before["y"]
    assert held()["x"] is not before["x"]
