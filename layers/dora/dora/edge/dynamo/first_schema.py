"""What an older version leaves in the bot's partition: read until the journal's head says it was taken over.

ORDERS#nn                           all tracked orders, rows of fields in order
PLAN#<fence, 12 digits>#<phase>#nn  intents of cycles that did not finish
MEMORY#nn                           strategy memory
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from dora.core.errors import StateError
from dora.core.orders.journal import Journal, Plan, TrackedOrder
from dora.edge.dynamo.codec import Collection, join_chunks
from dora.edge.dynamo.serde import from_plain, from_row

ORDERS, PLAN, MEMORY = "ORDERS", "PLAN", "MEMORY"
PLAN_PARTS = ("places", "cancels", "decreases", "extends")
Chunks = Mapping[str, Sequence[Mapping[str, Any]]]
"""The chunk items of one partition by the name of their collection."""
Value = TypeVar("Value")


def leftover(name: str) -> bool:
    """Whether a collection of the bot's partition is of the first schema alone."""
    return name in (ORDERS, MEMORY) or name.startswith(f"{PLAN}#")


def read_orders(chunks: Chunks) -> Journal:
    """The journal. Raises StateUnavailable, or a StateError that names the collection."""
    orders = [from_row(TrackedOrder, row) for row in _rows(ORDERS, chunks)]
    return Journal({order.client_order_id: order for order in orders})


def read_memory(chunks: Chunks) -> dict[str, dict[str, object]]:
    """Strategy memory; raises like `read_orders`."""
    rows = [cells(row, 2) for row in _rows(MEMORY, chunks)]
    return from_plain(dict[str, dict[str, object]], dict(rows))


def read_plans(chunks: Chunks) -> tuple[Plan, ...]:
    """The plans, oldest first; raises like `read_orders`."""
    names = sorted(name for name in chunks if name.startswith(f"{PLAN}#"))
    return tuple(read_collection(name, chunks[name], _plan) for name in names)


def read_collection(
    name: str, chunks: Iterable[Mapping[str, Any]], read: Callable[[Collection], Value]
) -> Value:
    """What `read` makes of a collection; its complaints name it."""
    whole = join_chunks(chunks)
    try:
        return read(whole)
    except StateError as error:
        raise StateError(f"stored {name}: {error}") from error


def cells(row: Any, count: int) -> list[Any]:
    """A row of so many cells. Raises StateError."""
    if not isinstance(row, list) or len(row) != count:
        raise StateError(f"a row has {count} cells, not {row!r}")
    return row


def part_of(parts: Mapping[str, Value], name: str) -> Value:
    """One of these parts. Raises StateError."""
    if name not in parts:
        raise StateError(f"{name!r} is none of {', '.join(parts)}")
    return parts[name]


def _rows(name: str, chunks: Chunks) -> Sequence[Any]:
    return join_chunks(chunks[name]).rows if name in chunks else ()


def _plan(stored: Collection) -> Plan:
    parts: dict[str, list[Any]] = {name: [] for name in PLAN_PARTS}
    for part, request in (cells(row, 2) for row in stored.rows):
        part_of(parts, part).append(request)
    return from_plain(Plan, {**stored.head, **parts})
