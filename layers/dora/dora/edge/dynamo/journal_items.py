"""Where the journal lives in the state table: a head in the bot's partition, all else in one of its own.

    <bot>          JOURNAL                                     the head
    <bot>#journal  LOG#<number, 12 digits>#nn                  segments: what one commit changed
                   PLAN#<after, 12 digits>#<fence>#<phase>#nn  intents, durable before their first request
                   MEMORY#nn                                   strategy memory (`memory_items`)

The journal is what the segments `first` to `last` say one after another, the later word counting. A commit
appends one: the orders it changed, those it forgot, and some orders of the oldest segment, which so comes to
hold nothing current and is left behind. Nothing is ever rewritten whole, and a closed order is forgotten
before its segment is old. A plan names the segment after which it was written: the commit that follows has
folded it. What the head does not name is litter (segments before `first`, plans after an earlier segment than
`last`), which any later commit clears away; so it is the head alone that makes a commit, however large.

The head bears the second schema's version while an older Dora must not overlook the journal; once nothing is
in it, the first's, which that version passes over. `first_schema`: what the older version left
(`ORDERS#nn`, `PLAN#...` in the bot's partition) comes before segment `first`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from dora.core.errors import StateError
from dora.core.orders.journal import Plan, TrackedOrder
from dora.core.orders.requests import CancelRequest, DecreaseRequest, ExtendRequest, OrderRequest
from dora.edge.dynamo.codec import (
    JOURNAL,
    JOURNAL_PARTITION,
    SCHEMA,
    SHARED_SCHEMA,
    Item,
    item_of,
    numbered_items,
    pack,
    packed_parts,
)
from dora.edge.dynamo.columns import to_columns
from dora.edge.dynamo.serde import to_plain

LOG, PLAN = "LOG", "PLAN"
PLAN_PARTS = {
    "places": OrderRequest,
    "cancels": CancelRequest,
    "decreases": DecreaseRequest,
    "extends": ExtendRequest,
}
ROWS_AT_ONCE = 4_000
"""Rows that are packed before their size is looked at: some 250 kB of orders."""


class Head(NamedTuple):
    """Which segments make up the journal: none where `first` is beyond `last`."""

    first: int = 1
    last: int = 0
    generation: str = ""
    """Of the chunks of the last one; "" where it has none."""
    holds: bool = False
    """Whether an older version must stop at it: there are orders, plans, or leftovers of that version."""
    first_schema: bool = False


def partition(pk: str) -> str:
    """The partition of everything but the head."""
    return f"{pk}{JOURNAL_PARTITION}"


def segment_name(number: int) -> str:
    """What the chunk keys of a segment start with."""
    return f"{LOG}#{number:012d}"


def plan_name(plan: Plan, after: int) -> str:
    """What the chunk keys of a plan start with. One plan a phase and fence."""
    return f"{PLAN}#{after:012d}#{plan.fence}#{plan.phase}"


def number_of(name: str) -> int:
    """The segment's number, or that of the segment after which a plan was written. Raises StateError."""
    number = name.partition("#")[2].partition("#")[0]
    if not number.isdecimal():
        raise StateError(f"stored {name}: this key belongs to no segment and no plan")
    return int(number)


def head_item(pk: str, head: Head) -> Item:
    """The head."""
    return item_of(pk, JOURNAL, head, version=SCHEMA if head.holds else SHARED_SCHEMA)


def segment_items(
    pk: str, number: int, orders: Sequence[TrackedOrder], forgotten: Sequence[str]
) -> list[Item]:
    """What one commit changed, and the client order ids it forgot. As many chunks as it takes."""
    bodies = packed_parts([*orders, *forgotten], _segment, ROWS_AT_ONCE)
    return numbered_items(partition(pk), segment_name(number), bodies, SCHEMA)


def plan_items(pk: str, plan: Plan, after: int) -> list[Item]:
    """One phase's intents, after this segment."""
    head = to_plain(plan._replace(places=(), cancels=(), decreases=(), extends=()))
    rows = [request for part in PLAN_PARTS for request in getattr(plan, part)]

    def packed(some: Sequence[Any]) -> bytes:
        by_part = {part: [row for row in some if type(row) is kind] for part, kind in PLAN_PARTS.items()}
        columns = {part: to_columns(PLAN_PARTS[part], own) for part, own in by_part.items() if own}
        return pack({"head": head, **columns})

    return numbered_items(
        partition(pk), plan_name(plan, after), packed_parts(rows, packed, ROWS_AT_ONCE), SCHEMA
    )


def _segment(rows: Sequence[TrackedOrder | str]) -> bytes:
    orders = [row for row in rows if isinstance(row, TrackedOrder)]
    forgotten = [row for row in rows if isinstance(row, str)]
    return pack({"orders": to_columns(TrackedOrder, orders), "forgotten": forgotten})
