"""One DynamoDB table: its client, complete consistent reads, conditional writes, transactions, errors.

Done, refused and read are only what an answer of DynamoDB's own says to be so; an answer without the fields
that say it is a StateUnavailable, like no answer at all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from dora.core.empty import EMPTY
from dora.core.errors import StateError, StateUnavailable
from dora.edge.aws import open_client
from dora.edge.dynamo.codec import SHARED_SCHEMA, Item, attribute, key_of
from dora.edge.dynamo.query_items import items_apart
from dora.edge.net.request import Network

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Client: TypeAlias = "DynamoDBClient"
Element: TypeAlias = "TransactWriteItemTypeDef"
"""One write of a transaction, or the check of a condition."""

REFUSED = "ConditionalCheckFailed"
TRANSACTION_ITEMS = 100
TRANSACTION_BYTES = 4_000_000
"""DynamoDB allows 4 MB a transaction; sizes here are estimated from above."""
GET_ITEMS = 100
BATCH_ITEMS = 25
_TRIES = 3
_PASSING = frozenset({"None", "TransactionConflict"})
"""Reasons after which the same transaction may pass at once: somebody else's was under way."""


def dynamo_client(endpoint_url: str | None, network: Network | None = None) -> Client:
    """A client whose calls end long before a tick does: after 3 tries of 3 s, and before the deadline."""
    client: Client = open_client("dynamodb", endpoint_url, network, read_timeout_s=2, tries=3)
    client.meta.events.register("before-parse.dynamodb.Query", items_apart)
    return client


class Refused(NamedTuple):
    """A conditional write whose condition did not hold; `stored` is the item that stood in the way.

    `stored` is empty where none stands, and also where the answer does not say.
    """

    stored: Mapping[str, Any]

    @property
    def shown(self) -> Mapping[str, Any]:
        """The item, for a condition that holds where none stands. Raises StateUnavailable without it."""
        if not self.stored:
            raise StateUnavailable("a write was refused, and the answer does not show what stood in its way")
        return self.stored


class Condition(NamedTuple):
    """A condition expression: `#name` is the attribute of that name, `:name` one of the values."""

    text: str
    values: Mapping[str, Any] = EMPTY

    def arguments(self, expression: str = "") -> dict[str, Any]:
        """As botocore takes it, names of an update's expression included; an empty map it refuses."""
        names = {name: name[1:] for name in re.findall(r"#\w+", self.text + expression)}
        values = {f":{name}": attribute(value) for name, value in self.values.items()}
        given = {"ConditionExpression": self.text, "ExpressionAttributeNames": names}
        return given | ({"ExpressionAttributeValues": values} if values else {})


def not_newer(text: str = "", **values: object) -> Condition:
    """What stands there, if anything, is not of a newer schema version than ours; and `text` holds."""
    newest = "(attribute_not_exists(#v) OR #v <= :v)"
    return Condition(f"{text} AND {newest}" if text else newest, {**values, "v": SHARED_SCHEMA})


class Table:
    """A table by name. Every read is consistent; every failure is a StateError."""

    def __init__(self, client: Client, name: str) -> None:
        self._client: Any = client
        self.name = name

    def query(
        self, pk: str, *, descending: bool = False, limit: int | None = None, prefix: str = ""
    ) -> list[Item]:
        """All items of a partition whose sort keys begin so, to the last page; at most `limit` if given."""
        given: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
            "ScanIndexForward": not descending,
        }
        if prefix:
            given["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            given["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
        items: list[Item] = []
        while limit is None or len(items) < limit:
            if limit is not None:
                given["Limit"] = limit - len(items)
            with _translated(f"read of {pk}"):
                page = self._client.query(**given)
            items += _member(page, "Items", list, f"read of {pk}")
            if "LastEvaluatedKey" not in page:
                break
            given["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return items

    def get(self, keys: Sequence[Item]) -> list[Item]:
        """Those of these (different) keys that exist."""
        found: list[Item] = []
        for first in range(0, len(keys), GET_ITEMS):
            found += self._get(list(keys[first : first + GET_ITEMS]))
        return found

    def _get(self, keys: list[Item]) -> list[Item]:
        found: list[Item] = []
        for _ in range(_TRIES):
            wanted = {self.name: {"Keys": keys, "ConsistentRead": True}}
            with _translated("read of single items"):
                answer = self._client.batch_get_item(RequestItems=wanted)
            own, left = (answer.get(part, {}).get(self.name) for part in ("Responses", "UnprocessedKeys"))
            if left is None:
                # DynamoDB lists a table even when none of the items exists.
                found += _member({"Responses": own}, "Responses", list, "read of single items")
                return found
            found += own or []
            keys = left["Keys"]
        raise StateUnavailable(f"{len(keys)} items were left unread")

    def put(self, item: Item, condition: Condition) -> Refused | None:
        """Put one item if the condition holds."""
        with _translated(f"write of {key_of(item)[1]}"):
            answer = self._conditional(self._client.put_item, Item=item, **condition.arguments())
        return answer if isinstance(answer, Refused) else None

    def update(self, key: Item, expression: str, condition: Condition) -> Item | Refused:
        """Update one item if the condition holds, and return it; names and values serve both expressions."""
        given = {"Key": key, "UpdateExpression": expression, "ReturnValues": "ALL_NEW"}
        with _translated(f"update of {key_of(key)[1]}"):
            answer = self._conditional(self._client.update_item, **given, **condition.arguments(expression))
        if isinstance(answer, Refused):
            return answer
        updated: Item = _member(answer, "Attributes", dict, f"update of {key_of(key)[1]}")
        return updated

    def _conditional(self, call: Any, **given: Any) -> Any:
        try:
            return _own(call(TableName=self.name, ReturnValuesOnConditionCheckFailure="ALL_OLD", **given))
        except ClientError as error:
            if _code(error) != "ConditionalCheckFailedException":
                raise
            response: Any = error.response
            return Refused(response.get("Item", {}))

    def transact(self, elements: Sequence[Element]) -> tuple[str, ...]:
        """All of these or none: () when written, else each element's reason, one of them REFUSED.

        A conflict with another writer is tried again at once: a cancelled transaction wrote nothing.
        """
        reasons: tuple[str, ...] = ()
        for _ in range(_TRIES):
            with _translated("transaction"):
                reasons = self._transact(elements)
            if not reasons or REFUSED in reasons:
                return reasons
            if not _PASSING.issuperset(reasons):
                break
        raise StateUnavailable(f"transaction cancelled: {', '.join(sorted(set(reasons) - {'None'}))}")

    def _transact(self, elements: Sequence[Element]) -> tuple[str, ...]:
        try:
            _own(self._client.transact_write_items(TransactItems=elements))
        except ClientError as error:
            if _code(error) != "TransactionCanceledException":
                raise
            response: Any = error.response
            reasons = [reason.get("Code") for reason in response.get("CancellationReasons", ())]
            if len(reasons) != len(elements) or None in reasons:
                raise StateUnavailable("transaction cancelled, without a reason for each element") from error
            return tuple(reasons)
        return ()

    def write_batch(self, puts: Sequence[Item], deletes: Sequence[Item]) -> None:
        """Puts of whole items and deletes of keys, at most 25, each by itself and without a condition."""
        wanted: list[Any] = [{"PutRequest": {"Item": item}} for item in puts]
        wanted += [{"DeleteRequest": {"Key": own}} for own in deletes]
        for _ in range(_TRIES):
            if not wanted:
                return
            with _translated("write of single items"):
                answer = _own(self._client.batch_write_item(RequestItems={self.name: wanted}))
            wanted = _member(answer, "UnprocessedItems", dict, "write of single items").get(self.name, [])
        if wanted:
            raise StateUnavailable(f"{len(wanted)} items were left unwritten")

    # Elements of a transaction, all on this table.

    def put_element(self, item: Item, condition: Condition | None = None) -> Element:
        """Put one item, if the condition holds."""
        guard = condition.arguments() if condition else {}
        return cast(Element, {"Put": {"TableName": self.name, "Item": item, **guard}})

    def check_element(self, key: Item, condition: Condition) -> Element:
        """Only hold the transaction to a condition on another item."""
        check = {"TableName": self.name, "Key": key, **condition.arguments()}
        return cast(Element, {"ConditionCheck": check})

    def delete_element(self, key: Item, condition: Condition) -> Element:
        """Delete one item, if the condition holds."""
        delete = {"TableName": self.name, "Key": key, **condition.arguments()}
        return cast(Element, {"Delete": delete})

    def update_element(self, key: Item, expression: str, values: Mapping[str, Any]) -> Element:
        """Update one item, made where there is none; `#name` and `:name` as in conditions."""
        names = {name: name[1:] for name in re.findall(r"#\w+", expression)}
        update = {
            "TableName": self.name,
            "Key": key,
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {f":{name}": attribute(value) for name, value in values.items()},
        }
        return cast(Element, {"Update": update})


def size_of(value: Any) -> int:
    """An upper estimate of an item's or element's stored bytes."""
    match value:
        case bytes():
            return len(value)
        case str():
            return len(value.encode())
        case dict():
            return sum(len(name) + size_of(entry) + 3 for name, entry in value.items())
        case list():
            return sum(size_of(entry) + 1 for entry in value)
    return 1


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Every failure of the call becomes a StateError; a request DynamoDB finds malformed is our own bug."""
    try:
        yield
    except ClientError as error:
        if _code(error) == "ValidationException":
            raise StateError(f"{what} was malformed: {error}") from error
        raise StateUnavailable(f"{what} failed: {error}") from error
    except (BotoCoreError, ResponseParserError, UnicodeDecodeError) as error:
        raise StateUnavailable(f"{what} got no answer: {error}") from error


def _code(error: ClientError) -> str:
    """DynamoDB's word for what is wrong, "" where the answer has none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _own(answer: Any) -> Any:
    """The answer to a write, which DynamoDB numbers; a 200 of something in between has no such number."""
    _member(answer.get("ResponseMetadata", {}), "RequestId", str, "write")
    return answer


def _member(answer: Mapping[str, Any], name: str, kind: type, what: str) -> Any:
    """What an answer must hold. Raises StateUnavailable."""
    value = answer.get(name)
    if not isinstance(value, kind):
        raise StateUnavailable(f"{what}: the answer has no {name}")
    return value
