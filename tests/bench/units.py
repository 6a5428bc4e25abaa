"""What DynamoDB bills, counted from the requests by its rules.

A write is billed by the larger of the item before and after, in steps of 1 kB, a deletion by what it deletes;
the least is one unit. In a transaction every element counts twice, a condition check too. A consistent read
is billed by what it returns in steps of 4 kB: a query by its page, single items each by itself.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

WRITE_STEP, READ_STEP = 1024, 4096
TRANSACTION = 2
_CONTAINER, _ENTRY = 3, 1

Item = Mapping[str, Any]


def item_bytes(item: Item) -> int:
    """An item's stored size: names as UTF-8, and the values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "B":
            return len(value) if isinstance(value, bytes) else len(base64.b64decode(value))
        case "N":
            return _number_bytes(value)
        case "M":
            return _CONTAINER + item_bytes(value) + _ENTRY * len(value)
        case "L":
            return _CONTAINER + sum(_value_bytes(entry) + _ENTRY for entry in value)
        case "SS" | "NS" | "BS":
            return sum(_value_bytes({kind[0]: entry}) for entry in value)
    return 1


def _number_bytes(text: str) -> int:
    """One byte for two significant digits, one more for the number, one for a minus."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return -(-len(digits) // 2) + 1 + text.startswith("-")


def write_units(before: int, after: int) -> int:
    """Units of one write, by the item's size before and after it in bytes; 0 where there is none."""
    return max(-(-max(before, after) // WRITE_STEP), 1)


def query_units(sizes: Iterable[int]) -> int:
    """Units of a consistent query that returned items of these sizes."""
    return max(-(-sum(sizes) // READ_STEP), 1)


def get_units(sizes: Iterable[int]) -> int:
    """Units of consistent reads of single items; one that is not there has size 0 and costs one unit."""
    return sum(max(-(-size // READ_STEP), 1) for size in sizes)
