"""What a commit appends to the journal, and what it leaves behind."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dora.core.orders.journal import Journal, Plan, TrackedOrder
from dora.edge.dynamo.codec import Item, chunk_key, generation_of
from dora.edge.dynamo.first_schema import leftover
from dora.edge.dynamo.journal_items import PLAN, Head, partition, plan_name, segment_items, segment_name
from dora.edge.dynamo.journal_reader import FIRST_SCHEMA, Place, StoredJournal
from dora.edge.dynamo.table import Condition

SEGMENTS = 40
"""Orders of older segments are written anew: at one a minute, after closed orders were forgotten (30)."""
CARRIED = 1_000
"""The most orders that one commit writes anew only because their segment is old."""


class Append(NamedTuple):
    """The items of the next segment, and the journal as it stands once the head names it."""

    items: list[Item]
    head: Head
    after: StoredJournal


def append(pk: str, stored: StoredJournal, journal: Journal) -> Append | None:
    """From one journal to the next; None where that changes nothing and folds no plan."""
    orders = dict(sorted(journal.orders.items()))
    changed = {key: order for key, order in orders.items() if _differs(stored.orders.get(key), order)}
    forgotten = [key for key in stored.orders if key not in orders]
    if not (changed or forgotten or stored.plans or stored.inherited or _may_let_go(pk, stored)):
        return None
    number = stored.last + 1
    rows = {key: orders[key] for key in _old(stored.segment_of, number) if key in orders} | changed
    segment_of = {key: number if key in rows else stored.segment_of[key] for key in orders}
    first = min(segment_of.values(), default=number + 1)
    items = segment_items(pk, number, [rows[key] for key in sorted(rows)], forgotten) if orders else []
    kept = {name: count for name, count in stored.chunks.items() if segment_name(first) <= name < PLAN}
    litter = (*stored.litter, *stored.inherited, *_left_behind(pk, stored.chunks, kept))
    head = Head(
        first=first,
        last=number,
        generation=generation_of(items),
        holds=_may_rest(orders) or _inherits(pk, litter),
    )
    after = StoredJournal(
        head=head,
        orders=orders,
        segment_of=segment_of,
        chunks={**kept, **({segment_name(number): len(items)} if items else {})},
        litter=litter,
    )
    return Append(items, head, after)


def holding(journal: StoredJournal) -> Head:
    """The head once plans come after it."""
    return (journal.head or Head())._replace(holds=True, first_schema=bool(journal.inherited))


def with_plan(journal: StoredJournal, plan: Plan, chunks: int) -> StoredJournal:
    """The journal once this plan is durable."""
    name = plan_name(plan, journal.last)
    return journal._replace(
        head=holding(journal),
        plans=tuple(dict.fromkeys((*journal.plans, plan))),
        chunks={**journal.chunks, name: chunks},
    )


def cleared(journal: StoredJournal, count: int) -> StoredJournal:
    """The journal once so much of its litter is cleared away."""
    return journal._replace(litter=journal.litter[count:])


def head_is(head: Head | None) -> Condition:
    """Nobody has committed since this head was read."""
    if head is None:
        return Condition("attribute_not_exists(#last)")
    return Condition("#last = :last", {"last": head.last})


def head_was(head: Head | None, after: Head) -> Condition:
    """As `head_is`; or `after` stands already, whose answer was lost."""
    before = head_is(head)
    text = f"{before.text} OR (#last = :after AND #generation = :own)"
    return Condition(text, {**before.values, "after": after.last, "own": after.generation})


def _differs(stored: TrackedOrder | None, order: TrackedOrder) -> bool:
    return stored is not order and stored != order


def _may_rest(orders: Mapping[str, TrackedOrder]) -> bool:
    return any(order.open for order in orders.values())


def _inherits(pk: str, litter: Sequence[Place]) -> bool:
    """Whether something of the first schema is left to be cleared away: its reader would believe it."""
    return any(place[0] == pk and leftover(place[1].rpartition("#")[0]) for place in litter)


def _may_let_go(pk: str, stored: StoredJournal) -> bool:
    """Whether an older version may go on from here, and the head does not say so yet."""
    holds = stored.head is not None and stored.head.holds
    return holds and not _may_rest(stored.orders) and not _inherits(pk, stored.litter)


def _old(segment_of: Mapping[str, int], number: int) -> list[str]:
    """Orders to write anew: all that the first schema left, and the oldest of old segments."""
    oldest = number - SEGMENTS
    old = sorted((segment, key) for key, segment in segment_of.items() if segment <= oldest)
    inherited = [key for key, segment in segment_of.items() if segment == FIRST_SCHEMA]
    return [*inherited, *(key for segment, key in old[:CARRIED] if segment != FIRST_SCHEMA)]


def _left_behind(pk: str, chunks: Mapping[str, int], kept: Mapping[str, int]) -> list[Place]:
    """Places of segments and plans that the next head no longer names."""
    left = {name: count for name, count in chunks.items() if name not in kept}
    return [(partition(pk), chunk_key(name, n)) for name, count in left.items() for n in range(count)]
