"""The config table: read whole, compared, and written so that nobody's change in between is lost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from dora.edge.dynamo.table import Table
from dora_operator.changes import change_item
from dora_operator.config_rules import Items, Raw, as_stored, from_stored, same
from dora_operator.failures import OperatorError
from dora_operator.target import Target

AT_ONCE = 50
"""Items of one transaction; with the line of who wrote them well below DynamoDB's hundred."""


@dataclass(frozen=True)
class Change:
    """One key of one item, or a whole item (`name` is empty), in one line."""

    sort_key: str
    name: str
    before: str | bool | None
    after: str | bool | None


def stored_items(target: Target) -> dict[str, dict[str, Any]]:
    """Every item of the bot, in DynamoDB's notation, by sort key."""
    table = Table(target.client("dynamodb"), target.config_table)
    return {item["sk"]["S"]: item for item in table.query(target.bot)}


def plain_items(stored: dict[str, dict[str, Any]]) -> Items:
    """The same as people write them."""
    return {sort_key: from_stored(item) for sort_key, item in stored.items()}


def changes(before: Items, after: Items, *, prune: bool) -> list[Change]:
    """What writing `after` changes. Items that stand only in the table stay, unless they are pruned."""
    found: list[Change] = []
    for sort_key, raw in after.items():
        found += _of_item(sort_key, before.get(sort_key), raw)
    if prune:
        found += [Change(gone, "", "item", None) for gone in before.keys() - after.keys()]
    return sorted(found, key=lambda own: (own.sort_key != "GLOBAL", own.sort_key, own.name))


def _of_item(sort_key: str, old: Raw | None, new: Raw) -> Iterator[Change]:
    if old is None:
        whole = ", ".join(f"{name} {_said(own)}" for name, own in new.items())
        yield Change(sort_key, "", None, f"new: {whole}")
        return
    for name in (*new, *(own for own in old if own not in new)):
        if not same(old.get(name), new.get(name)):
            yield Change(sort_key, name, old.get(name), new.get(name))


def _said(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def write(
    target: Target, stored: dict[str, dict[str, Any]], after: Items, found: Sequence[Change], source: str
) -> None:
    """Write the items that change, each only where it is still as it was compared with.

    Safe to repeat: yes, what is written already no longer differs. Raises OperatorError when somebody else
    wrote in between.
    """
    names = list(dict.fromkeys(change.sort_key for change in found))
    for first in range(0, len(names), AT_ONCE):
        part = names[first : first + AT_ONCE]
        elements = [_element(target, name, stored.get(name), after.get(name)) for name in part]
        told = {name: [_told(own) for own in found if own.sort_key == name] for name in part}
        line = change_item(target, f"config apply {source}", told)
        elements.append({"Put": {"TableName": target.config_table, "Item": line}})
        _transact(target, elements, done=first)


def _told(change: Change) -> str:
    return f"{change.name or 'item'}: {change.before} -> {change.after}"


def _element(target: Target, sort_key: str, old: dict[str, Any] | None, new: Raw | None) -> dict[str, Any]:
    guard = _still(old)
    if new is None:
        key = {"pk": {"S": target.bot}, "sk": {"S": sort_key}}
        return {"Delete": {"TableName": target.config_table, "Key": key, **guard}}
    return {
        "Put": {
            "TableName": target.config_table,
            "Item": as_stored(target.bot, sort_key, new),
            **guard,
        }
    }


def _still(old: dict[str, Any] | None) -> dict[str, Any]:
    """The condition that an item is what it was when it was read."""
    if old is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    names = list(old)
    return {
        "ConditionExpression": " AND ".join(f"#n{i} = :v{i}" for i, _ in enumerate(names)),
        "ExpressionAttributeNames": {f"#n{i}": name for i, name in enumerate(names)},
        "ExpressionAttributeValues": {f":v{i}": old[name] for i, name in enumerate(names)},
    }


def _transact(target: Target, elements: list[dict[str, Any]], done: int) -> None:
    try:
        target.client("dynamodb").transact_write_items(TransactItems=elements)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "TransactionCanceledException":
            raise
        raise OperatorError(
            f"the table was changed since it was compared; {done} items were written before",
            "run it again: it compares anew",
        ) from None
