"""The journal out of the items of both partitions; `journal_items` says what lives where."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dora.core.empty import EMPTY
from dora.core.errors import StateError, StateUnavailable
from dora.core.orders.journal import Plan, TrackedOrder
from dora.edge.dynamo import first_schema
from dora.edge.dynamo.codec import (
    JOURNAL,
    contents,
    generation_of,
    integer_field,
    key_of,
    named,
    value_of_item,
)
from dora.edge.dynamo.columns import from_columns
from dora.edge.dynamo.first_schema import Chunks
from dora.edge.dynamo.journal_items import (
    LOG,
    PLAN,
    PLAN_PARTS,
    Head,
    number_of,
    segment_name,
)
from dora.edge.dynamo.serde import from_plain

StoredItem = Mapping[str, Any]
Place = tuple[str, str]
"""Partition and sort key of an item."""
FIRST_SCHEMA = 0
"""The segment that orders of the first schema count as: older than any."""


class StoredJournal(NamedTuple):
    """The journal as it stands in the table, and what a commit must know to append to it."""

    head: Head | None = None
    orders: Mapping[str, TrackedOrder] = EMPTY
    """By client order id, in its order."""
    segment_of: Mapping[str, int] = EMPTY
    """The segment with the current word on each order."""
    plans: tuple[Plan, ...] = ()
    chunks: Mapping[str, int] = EMPTY
    """How many chunks each segment and plan has that the head names."""
    litter: tuple[Place, ...] = ()
    """Items that nothing names any more."""
    inherited: tuple[Place, ...] = ()
    """What the first schema left, as long as it counts."""

    @property
    def last(self) -> int:
        """The number of the last segment."""
        return self.head.last if self.head else 0


def read_head(singles: Mapping[str, StoredItem]) -> Head | None:
    """The head among items by sort key; None where this version never wrote."""
    return value_of_item(Head, singles[JOURNAL]) if JOURNAL in singles else None


def read_journal(pk: str, head: Head | None, older: Chunks, own: Chunks) -> StoredJournal:
    """`older`: collections of the bot's partition; `own`: those of the journal's.

    Raises StateUnavailable where items are missing that the head names (they are being rewritten, or the
    head was read too early), or a StateError that names what cannot be read.
    """
    known = {name: items for name, items in own.items() if name.split("#")[0] in (LOG, PLAN)}
    if head is None:
        _check_first(pk, known)
    of_first = {name: items for name, items in older.items() if first_schema.leftover(name)}
    counts = head is None or not head.holds or head.first_schema
    before = of_first if counts else {}
    orders, segment_of = _orders(head or Head(), known, before)
    plans = {name: items for name, items in known.items() if name.startswith(PLAN)}
    current = {name: items for name, items in plans.items() if _unfolded(name, head or Head())}
    chunks = _chunks(head or Head(), known, current)
    return StoredJournal(
        head=head,
        orders=dict(sorted(orders.items())),
        segment_of=segment_of,
        plans=(*first_schema.read_plans(before), *(_plan(current[name]) for name in sorted(current))),
        chunks=chunks,
        litter=(*_litter(head or Head(), known, chunks), *_places({} if counts else of_first)),
        inherited=tuple(_places(before)),
    )


def _check_first(pk: str, known: Chunks) -> None:
    """Without a head there can only be parts of the first segment, whose commit was cut short."""
    for name in sorted(known):
        if name != segment_name(1):
            raise StateError(f"stored item {pk} / {JOURNAL} is missing beside {name}: restore the table")


def _orders(head: Head, known: Chunks, before: Chunks) -> tuple[dict[str, TrackedOrder], dict[str, int]]:
    """What the segments say, one after another."""
    orders = dict(first_schema.read_orders(before).orders)
    segment_of = dict.fromkeys(orders, FIRST_SCHEMA)
    for number in range(head.first, head.last + 1):
        name = segment_name(number)
        if name not in known:
            raise StateUnavailable(f"{name} is missing: it was left behind while it was being read")
        if number == head.last and generation_of(known[name]) != head.generation:
            raise StateUnavailable(f"{name} is not what the head names: it was rewritten while it was read")
        for item, content in contents(known[name]):
            _fold(item, content, number, orders, segment_of)
    return orders, segment_of


def _fold(
    item: StoredItem,
    content: Any,
    number: int,
    orders: dict[str, TrackedOrder],
    segment_of: dict[str, int],
) -> None:
    try:
        stored = from_plain(dict[str, object], content)
        if stored.keys() != {"orders", "forgotten"}:
            raise StateError("a segment holds orders and forgotten")
        rows = from_columns(TrackedOrder, stored["orders"])
        forgotten = from_plain(tuple[str, ...], stored["forgotten"])
    except StateError as error:
        raise named(item, error) from error
    for order in rows:
        orders[order.client_order_id], segment_of[order.client_order_id] = order, number
    for key in forgotten:
        orders.pop(key, None)
        segment_of.pop(key, None)


def _unfolded(name: str, head: Head) -> bool:
    """Whether a plan came after the last commit. Raises StateError for one of a time that has not come."""
    if number_of(name) > head.last:
        raise StateError(f"stored {name} comes after segment {head.last}, the last one: restore the table")
    return number_of(name) == head.last


def _plan(items: Sequence[StoredItem]) -> Plan:
    read = [_intents(item, content) for item, content in contents(items)]
    parts: dict[str, Any] = {part: tuple(row for _, own in read for row in own[part]) for part in PLAN_PARTS}
    try:
        plan = from_plain(Plan, {**read[0][0], **dict.fromkeys(PLAN_PARTS, [])})
    except StateError as error:
        raise named(items[0], error) from error
    return plan._replace(**parts)


def _intents(item: StoredItem, content: Any) -> tuple[dict[str, object], dict[str, Sequence[Any]]]:
    """A chunk's head, and the requests of each part."""
    try:
        stored: dict[str, Any] = from_plain(dict[str, object], content)
        head = from_plain(dict[str, object], stored.pop("head", None))
        if not stored.keys() <= PLAN_PARTS.keys():
            raise StateError(f"a plan holds {', '.join(PLAN_PARTS)}")
        requests: dict[str, Sequence[Any]] = dict.fromkeys(PLAN_PARTS, ())
        for part, columns in stored.items():
            requests[part] = from_columns(PLAN_PARTS[part], columns)
    except StateError as error:
        raise named(item, error) from error
    return head, requests


def _chunks(head: Head, known: Chunks, plans: Chunks) -> dict[str, int]:
    segments = (segment_name(number) for number in range(head.first, head.last + 1))
    return {name: integer_field(min(known[name], key=key_of), "chunks") for name in (*segments, *plans)}


def _litter(head: Head, known: Chunks, chunks: Mapping[str, int]) -> Iterator[Place]:
    """What the head names no more. Segments after the last may be somebody's who is writing them."""
    for name, items in known.items():
        written = name.startswith(LOG) and number_of(name) > head.last
        places = (key_of(item) for item in items)
        yield from (
            place
            for place in places
            if not written and int(place[1].rpartition("#")[2]) >= chunks.get(name, 0)
        )


def _places(chunks: Chunks) -> list[Place]:
    return [key_of(item) for items in chunks.values() for item in items]
