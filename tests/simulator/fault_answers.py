"""Answers that are not what the exchange meant to say: cut, foreign, shuffled, short, blank, endless."""

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from .fault_foreign import foreign_row
from .fault_plan import Fault
from .wire import Reply

FOREIGN_ID = "ffffffff-ffff-4fff-8fff-ffffffffffff"
SAME_PAGE = "loop"
"""No cursor that the exchange knows: it answers the first page again."""

Rows = list[Any]
Twist = Callable[[Reply, Fault, Random], Reply]


def cut_body(reply: Reply, fault: Fault, dice: Random) -> Reply:
    """The first `amount` percent of the body; with 0 as much as chance wants."""
    percent = fault.amount or dice.randrange(1, 100)
    return replace(reply, body=reply.body[: len(reply.body) * percent // 100])


def error_body(reply: Reply, fault: Fault, _: Random) -> Reply:
    """The status of a success, the body of an error."""
    return _with(reply, {"error": {"code": fault.code or "internal_error", "message": "internal error"}})


def swap_ids(reply: Reply, _: Fault, __: Random) -> Reply:
    """Entries exchange their order ids; a lone one names an order that is nobody's."""

    def swapped(rows: Rows) -> Rows:
        ids = [row.get("order_id") for row in rows if isinstance(row, dict)]
        turned = [*ids[1:], ids[0]] if len(ids) > 1 else [FOREIGN_ID] * len(ids)
        return [{**row, "order_id": own} for row, own in zip(rows, turned, strict=True)]

    content = json.loads(reply.body)
    if "order_id" in content:
        return _with(reply, {**content, "order_id": FOREIGN_ID})
    return _rows(reply, swapped)


def no_ids(reply: Reply, _: Fault, __: Random) -> Reply:
    """Entries without an order id."""

    def nameless(rows: Rows) -> Rows:
        return [{name: value for name, value in row.items() if name != "order_id"} for row in rows]

    return _rows(reply, nameless)


def shuffle_rows(reply: Reply, _: Fault, dice: Random) -> Reply:
    """The same rows in another order."""
    return _rows(reply, lambda rows: dice.sample(rows, len(rows)))


def drop_rows(reply: Reply, fault: Fault, dice: Random) -> Reply:
    """`amount` percent of the rows are missing (half of them by default), one at least."""

    def fewer(rows: Rows) -> Rows:
        missing = set(dice.sample(range(len(rows)), -(-len(rows) * (fault.amount or 50) // 100)))
        return [row for number, row in enumerate(rows) if number not in missing]

    return _rows(reply, fewer)


def blank(reply: Reply, _: Fault, __: Random) -> Reply:
    """200, and nothing there: the lists are empty and end here."""
    return _with(reply, {**json.loads(_rows(reply, lambda _: []).body), "cursor": ""})


def loop_cursor(reply: Reply, _: Fault, __: Random) -> Reply:
    """There is always a next page, and it is the first one."""
    return _with(reply, {**json.loads(reply.body), "cursor": SAME_PAGE})


def null_lists(reply: Reply, fault: Fault, _: Random) -> Reply:
    """Empty lists are null, at any depth. With code "absent" they are left out, and an empty cursor too; with
    "blank" lists that are not empty count as empty. Codes combine: "absent blank"."""
    return _with(reply, _nulled(json.loads(reply.body), fault.code.split()))


def _nulled(value: Any, words: list[str]) -> Any:
    if isinstance(value, list):
        return [_nulled(own, words) for own in value]
    if not isinstance(value, dict):
        return value
    empty = {key for key, own in value.items() if isinstance(own, list) and (not own or "blank" in words)}
    rest = {key: None if key in empty else _nulled(own, words) for key, own in value.items()}
    if "absent" not in words:
        return rest
    return {key: own for key, own in rest.items() if key not in empty and (key, own) != ("cursor", "")}


def foreign_rows(reply: Reply, fault: Fault, dice: Random) -> Reply:
    """Lists of the account hold one row more: see `fault_foreign`, also for what `code` chooses."""
    content = json.loads(reply.body)
    if "orders" in content and "cursor" not in content:
        return reply  # the answer to a batch of our own
    for name, rows in content.items():
        row = foreign_row(name, fault.code, reply, dice)
        if row is not None:
            rows.insert(dice.randrange(len(rows) + 1), row)
    return _with(reply, content)


TWISTS: dict[str, Twist] = {
    "cut-body": cut_body,
    "error-body": error_body,
    "swap-ids": swap_ids,
    "no-ids": no_ids,
    "shuffle-rows": shuffle_rows,
    "drop-rows": drop_rows,
    "blank": blank,
    "loop-cursor": loop_cursor,
    "null-lists": null_lists,
    "foreign-rows": foreign_rows,
}


def _rows(reply: Reply, change: Callable[[Rows], Rows]) -> Reply:
    content = json.loads(reply.body)
    return _with(reply, {k: change(v) if isinstance(v, list) and v else v for k, v in content.items()})


def _with(reply: Reply, content: object) -> Reply:
    return replace(reply, body=json.dumps(content, separators=(",", ":")).encode())
