"""The two tables of the template, and a judge for what moto lets pass that DynamoDB would not.

moto is not atomic under threads and undoes others' writes when a transaction fails, so one lock makes every
request whole. It copies all items of a table for each element of a transaction, so that it can be undone, and
remembers every copy: here a copy shares all items but those that the transaction names, and that list is
emptied. It searches for ten other spellings of every field that an answer lacks, a third of its time: not
here where all that is there has the service's own names. Importing this module installs all of that.
"""

import copy
import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from moto.core.model_instances import model_data
from moto.core.serialize import JSONSerializer
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ONE_REQUEST_AT_A_TIME = threading.RLock()
_handle = DynamoHandler.call_action
WRITE_STRUCTURE = JSONSerializer._serialize_type_structure


def create_tables(client: "DynamoDBClient", config_table: str, state_table: str) -> None:
    """Both tables, empty, with the keys that template.yaml gives them."""
    for name in (config_table, state_table):
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )


def breaches(action: str, request: Mapping[str, Any]) -> list[str]:
    """What DynamoDB would refuse, or a trading decision must not rest on, in a request that moto accepts."""
    return [what for rule in _RULES for what in rule(action, request)]


def _one_operator_a_clause(_: str, request: Mapping[str, Any]) -> Iterator[str]:
    for expression in _strings(request, "UpdateExpression"):
        clauses = re.split(r",(?![^(]*\))", expression)
        yield from (
            f"two operators: {clause}" for clause in clauses if len(re.findall(r" [+-] ", clause)) > 1
        )


def _transaction_fits(action: str, request: Mapping[str, Any]) -> Iterator[str]:
    if action != "TransactWriteItems":
        return
    elements = request["TransactItems"]
    if not 0 < len(elements) <= 100:
        yield f"{len(elements)} items in a transaction"
    if (size := _bytes(elements)) > 4 * 1024 * 1024:
        yield f"{size} bytes in a transaction"


def _batch_fits(action: str, request: Mapping[str, Any]) -> Iterator[str]:
    most = {"BatchWriteItem": 25, "BatchGetItem": 100}.get(action)
    for wanted in request.get("RequestItems", {}).values():
        count = len(wanted["Keys"] if isinstance(wanted, dict) else wanted)
        if most is not None and count > most:
            yield f"{count} items in one {action}"


def _reads_are_consistent(action: str, request: Mapping[str, Any]) -> Iterator[str]:
    reads = [request, *(own for own in request.get("RequestItems", {}).values() if isinstance(own, dict))]
    if action in {"Query", "GetItem", "Scan"} and not request.get("ConsistentRead"):
        yield f"{action} without ConsistentRead"
    if action == "BatchGetItem" and not all(own.get("ConsistentRead") for own in reads[1:]):
        yield "BatchGetItem without ConsistentRead"


def _numbers_fit(_: str, request: Mapping[str, Any]) -> Iterator[str]:
    for number in _strings(request, "N"):
        if len(number.lstrip("-").replace(".", "")) > 38:
            yield f"a number of more than 38 digits: {number}"


def _between_is_ordered(_: str, request: Mapping[str, Any]) -> Iterator[str]:
    values = request.get("ExpressionAttributeValues", {})
    for low, high in re.findall(r"BETWEEN (:\w+) AND (:\w+)", request.get("ConditionExpression", "")):
        if int(values[low]["N"]) > int(values[high]["N"]):
            yield f"BETWEEN {values[low]} AND {values[high]}"


def _no_item_is_huge(_: str, request: Mapping[str, Any]) -> Iterator[str]:
    elements = request.get("TransactItems", ())
    items = [request.get("Item", {}), *(own.get("Put", {}).get("Item", {}) for own in elements)]
    yield from (f"an item of {_bytes(item)} bytes" for item in items if _bytes(item) > 400_000)


_RULES = (
    _one_operator_a_clause,
    _transaction_fits,
    _batch_fits,
    _reads_are_consistent,
    _numbers_fit,
    _between_is_ordered,
    _no_item_is_huge,
)


def _strings(value: object, name: str) -> Iterator[str]:
    """Every text under this name, however deep."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if key == name and isinstance(entry, str):
                yield entry
            else:
                yield from _strings(entry, name)
    elif isinstance(value, list):
        for entry in value:
            yield from _strings(entry, name)


def _bytes(value: object) -> int:
    """Names and contents, as DynamoDB counts an item, or a little less."""
    if isinstance(value, Mapping):
        return sum(len(str(key)) + _bytes(entry) for key, entry in value.items() if key not in _TYPES) + sum(
            _bytes(entry) for key, entry in value.items() if key in _TYPES
        )
    if isinstance(value, list):
        return sum(map(_bytes, value))
    return len(value) if isinstance(value, str | bytes) else 1


_TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M"})


named: list[Mapping[str, Any]] = []
"""Elements of the transaction at work."""


def _before(table: Table, _: object) -> Table:
    """The table as it is now, to come back to: moto writes in place to no item but those that are named."""
    kept: Table = copy.copy(table)
    kept.items = defaultdict(dict, {first: dict(rows) for first, rows in table.items.items()})
    for element in named:
        ((_, asked),) = element.items()
        key = asked.get("Key") or asked["Item"]
        first, second = (DynamoType(key[name]) for name in (table.hash_key_attr, table.range_key_attr))
        if asked["TableName"] == table.name and second in kept.items.get(first, {}):
            kept.items[first][second] = copy.deepcopy(kept.items[first][second])
    return kept


def _judged(handler: DynamoHandler) -> Any:
    with ONE_REQUEST_AT_A_TIME:
        action = handler._get_action()
        if found := breaches(action, getattr(handler, "params", {})):
            raise AssertionError(f"{action}: {'; '.join(found)}")
        named[:] = getattr(handler, "params", {}).get("TransactItems", [])
        answer = _handle(handler)
        for model in model_data["dynamodb"].values():
            model.instances_tracked.clear()
        return answer


def _only_what_is_there(own: JSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """A structure as moto writes it, without a search for what it does not hold."""
    plain = type(value) is dict and not shape.is_document_type and value.keys() <= shape.members.keys()
    if not plain:
        return WRITE_STRUCTURE(own, serialized, value, shape, key)
    wrapper = own.MAP_TYPE() if key else serialized
    for name, member in shape.members.items():
        if value.get(name) is not None:
            own._serialize(wrapper, value[name], member, name)
    if key:
        own._default_serialize(serialized, wrapper, shape, key)
    return None


DynamoHandler.call_action = _judged
JSONSerializer._serialize_type_structure = _only_what_is_there
Table.__deepcopy__ = _before
