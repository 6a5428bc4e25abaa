"""Strategy memory by ticker: small JSON objects, opaque here. Chunks that each stand alone.

A chunk names the journal's last segment when it was put, and is only put over one of no later segment, so
that a run that was overtaken replaces nothing newer. Chunks of two commits may stand side by side: the later
one's word counts for each ticker. What is lost of it, a strategy learns again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dora.core.errors import StateError
from dora.edge.dynamo.codec import (
    SCHEMA,
    Item,
    chunk_key,
    chunk_place,
    fields_of,
    item_of,
    named,
    pack,
    packed_parts,
    unpack,
)
from dora.edge.dynamo.journal_items import partition
from dora.edge.dynamo.serde import from_plain
from dora.edge.dynamo.table import Condition

MEMORY = "MEMORY"
TICKERS_A_CHUNK = 2_000
Memory = Mapping[str, Mapping[str, object]]


def memory_items(pk: str, memory: Memory, after: int) -> list[Item]:
    """At least one chunk. `memory` is plain: what JSON gives back of it is equal to it."""
    bodies = packed_parts(sorted(memory.items()), lambda rows: pack(dict(rows)), TICKERS_A_CHUNK)
    parts = [{"body": body, "chunks": len(bodies), "after": after} for body in bodies]
    return [
        item_of(partition(pk), chunk_key(MEMORY, number), part, version=SCHEMA)
        for number, part in enumerate(parts)
    ]


def not_overtaken(after: int) -> Condition:
    """What stands there is of no later segment."""
    return Condition("attribute_not_exists(#after) OR #after <= :mine", {"mine": after})


def read_memory(items: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, object]]:
    """Memory out of its chunks, in the order of the tickers. Raises a StateError that names an item."""
    chunks = sorted((_chunk(item) for item in items), key=lambda chunk: (chunk[0], chunk[1]))
    count = chunks[-1][2] if chunks else 0
    memory: dict[str, dict[str, object]] = {}
    for _, number, _, own in chunks:
        if number < count:
            memory |= own
    return dict(sorted(memory.items()))


def _chunk(item: Mapping[str, Any]) -> tuple[int, int, int, dict[str, dict[str, object]]]:
    """After which segment, number, how many there are, and what it holds."""
    fields = fields_of(item)
    try:
        own = from_plain(dict[str, dict[str, object]], unpack(fields.get("body")))
        counts: Sequence[Any] = [fields.get("after"), fields.get("chunks")]
        if not all(type(count) is int for count in counts):
            raise StateError(f"after and chunks are {counts}")
    except StateError as error:
        raise named(item, error) from error
    return counts[0], chunk_place(item)[1], counts[1], own
