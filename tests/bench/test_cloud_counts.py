"""The counter in front of the embedded DynamoDB, on requests whose price is known."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.bench import cloud_counts
from tests.world.cloud import open_cloud
from tests.world.tables import create_tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "dora-state"


@pytest.fixture
def client() -> Iterator["DynamoDBClient"]:
    with cloud_counts.counting(), open_cloud("process"):
        client = boto3.client("dynamodb")
        create_tables(client, "dora-config", TABLE)
        cloud_counts.take()
        yield client


def item(sort_key: str, body: int) -> dict[str, dict[str, str]]:
    return {"pk": {"S": "b"}, "sk": {"S": sort_key}, "body": {"S": "x" * body}}


def key(sort_key: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": "b"}, "sk": {"S": sort_key}}


def test_writes_are_billed_by_what_stood_there_before(client: "DynamoDBClient") -> None:
    client.put_item(TableName=TABLE, Item=item("a", 3000))
    client.put_item(TableName=TABLE, Item=item("a", 10))
    client.delete_item(TableName=TABLE, Key=key("a"))
    client.delete_item(TableName=TABLE, Key=key("a"))

    counts = cloud_counts.take()

    assert counts.write_units == 3 + 3 + 1 + 1
    assert counts.calls == {"PutItem": 2, "DeleteItem": 2}
    assert counts.largest > 3000


def test_a_transaction_counts_every_element_twice_and_its_checks_too(client: "DynamoDBClient") -> None:
    client.put_item(TableName=TABLE, Item=item("lease", 10))
    client.put_item(TableName=TABLE, Item=item("old", 2000))
    cloud_counts.take()

    client.transact_write_items(
        TransactItems=[
            {
                "ConditionCheck": {
                    "TableName": TABLE,
                    "Key": key("lease"),
                    "ConditionExpression": "attribute_exists(pk)",
                }
            },
            {"Put": {"TableName": TABLE, "Item": item("new", 1500)}},
            {"Delete": {"TableName": TABLE, "Key": key("old")}},
        ]
    )

    assert cloud_counts.take().write_units == 2 * (1 + 2 + 2)


def test_a_refused_transaction_is_billed_and_changes_nothing(client: "DynamoDBClient") -> None:
    client.put_item(TableName=TABLE, Item=item("a", 10))
    cloud_counts.take()

    absent = {"ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(ClientError, match="TransactionCanceled"):
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": TABLE, "Item": item("b", 10)}},
                {"Put": {"TableName": TABLE, "Item": item("a", 20), **absent}},
            ]
        )

    assert cloud_counts.take().write_units == 4
    left = client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "b"}},
        ConsistentRead=True,
    )
    assert left["Items"] == [item("a", 10)]


def test_an_answer_is_what_was_put(client: "DynamoDBClient") -> None:
    stored = {**item("a", 3), "raw": {"B": b"\x00\xff"}, "n": {"N": "-1.50"}, "yes": {"BOOL": True}}
    stored |= {"map": {"M": {"list": {"L": [{"S": "x"}, {"B": b"y"}, {"NULL": True}]}}}}
    client.put_item(TableName=TABLE, Item=stored)

    found = client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "b"}},
        ConsistentRead=True,
    )

    assert found["Items"] == [stored]


def test_updates_of_the_limiter_are_known_by_their_key(client: "DynamoDBClient") -> None:
    client.update_item(
        TableName=TABLE,
        Key=key("LIMITER#write"),
        UpdateExpression="SET tat_us = :t",
        ExpressionAttributeValues={":t": {"N": "5"}},
    )

    counts = cloud_counts.take()

    assert (counts.limiter_updates, counts.write_units) == (1, 1)


def test_reads_are_billed_by_what_they_return(client: "DynamoDBClient") -> None:
    client.put_item(TableName=TABLE, Item=item("a", 3000))
    client.put_item(TableName=TABLE, Item=item("b", 3000))
    cloud_counts.take()

    client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "b"}},
        ConsistentRead=True,
    )
    wanted = [key("a"), key("b"), key("nobody")]
    client.batch_get_item(RequestItems={TABLE: {"Keys": wanted, "ConsistentRead": True}})

    assert cloud_counts.take().read_units == 2 + 3
