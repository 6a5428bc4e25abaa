"""What a finished cycle writes, as groups of elements that must be written together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from dora.core.errors import StateError
from dora.core.state import Changes
from dora.edge.dynamo.codec import Item, chunk_key, item_of, key
from dora.edge.dynamo.items import (
    CURSORS,
    MEMORY,
    ORDERS,
    PROGRESS,
    REFERENCE,
    cycle_item,
    memory_items,
    orders_items,
    plan_items,
    plan_name,
    reference_items,
)
from dora.edge.dynamo.table import TRANSACTION_BYTES, TRANSACTION_ITEMS, Element, Table, size_of

T = TypeVar("T")


@dataclass(slots=True)
class Group:
    """Elements of one transaction, and how many chunks each collection has once it is written."""

    elements: list[Element] = field(default_factory=list)
    chunks: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: "Group") -> "Group":
        return Group([*self.elements, *other.elements], {**self.chunks, **other.chunks})

    @property
    def fits(self) -> bool:
        """Beside the check of the lease."""
        return len(self.elements) < TRANSACTION_ITEMS and size_of(self.elements) < TRANSACTION_BYTES


@dataclass(frozen=True, slots=True)
class CommitWriter:
    """Builds the groups of a commit. `chunks`: chunk numbers in use, so that surplus ones are deleted."""

    table: Table
    pk: str
    chunks: Mapping[str, int]
    now_s: int

    def groups(self, changes: Changes) -> list[Group]:
        """In the order to write them: one if everything fits, else the one that ends the cycle last."""
        ending = self._ending(changes)
        memory = self._replace(MEMORY, changes.memory, memory_items)
        reference = self._replace(REFERENCE, changes.reference, reference_items)
        others = [memory, reference, self._summary(changes)]
        together = sum(others, ending)
        groups = [together] if together.fits else [*others, ending]
        for group in groups:
            if not group.fits:
                raise StateError(
                    f"{len(group.elements)} items do not fit one transaction: {sorted(group.chunks)}"
                )
        return [group for group in groups if group.elements]

    def _ending(self, changes: Changes) -> Group:
        """Journal, the plans folded into it, cursors, progress: apart, an intent is lost or comes back."""
        group = self._replace(ORDERS, changes.journal, orders_items)
        for plan in changes.finished_plans:
            group += self._delete_all(plan_name(plan), len(plan_items(self.pk, plan)))
        for sk, value in ((CURSORS, changes.cursors), (PROGRESS, changes.progress)):
            if value is not None:
                group += self._put(item_of(self.pk, sk, value))
        return group

    def _summary(self, changes: Changes) -> Group:
        if changes.summary is None:
            return Group()
        if changes.progress is None:
            raise ValueError("a summary is kept under the cycle id of the progress it comes with")
        return self._put(cycle_item(self.pk, changes.progress.cycle_id, changes.summary, self.now_s))

    def _put(self, item: Item) -> Group:
        return Group([self.table.put_element(item)])

    def _replace(self, name: str, value: T | None, items_of: Callable[[str, T], list[Item]]) -> Group:
        if value is None:
            return Group()
        items = items_of(self.pk, value)
        puts = [self.table.put_element(item) for item in items]
        surplus = self._deletes(name, len(items), self.chunks.get(name, 0))
        return Group([*puts, *surplus], {name: len(items)})

    def _delete_all(self, name: str, written: int) -> Group:
        """`written` by this code; what an earlier version wrote may have been cut otherwise."""
        return Group(self._deletes(name, 0, max(written, self.chunks.get(name, 0))), {name: 0})

    def _deletes(self, name: str, first: int, end: int) -> list[Element]:
        return [self.table.delete_element(key(self.pk, chunk_key(name, n))) for n in range(first, end)]
