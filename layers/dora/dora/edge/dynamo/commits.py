"""What a finished cycle writes, and the state as it stands once that is written."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dora.core.orders.journal import Journal
from dora.core.state import BotState, Changes
from dora.edge.dynamo.book_items import cash_item, unexplained_item
from dora.edge.dynamo.codec import Item, chunk_key, item_of
from dora.edge.dynamo.items import CURSORS, PROGRESS, REFERENCE, RISK, cycle_item, in_order, reference_items
from dora.edge.dynamo.journal_items import head_item, partition
from dora.edge.dynamo.journal_reader import Place
from dora.edge.dynamo.journal_writer import append, head_was
from dora.edge.dynamo.memory_items import MEMORY, memory_items, not_overtaken
from dora.edge.dynamo.serde import to_plain
from dora.edge.dynamo.state_reader import StoredState
from dora.edge.dynamo.table import TRANSACTION_BYTES, TRANSACTION_ITEMS, Condition, Element, Table, size_of


class Commit:
    """One commit over what is stored. Nothing here writes."""

    def __init__(self, table: Table, pk: str, stored: StoredState, changes: Changes) -> None:
        if changes.summary is not None and changes.progress is None:
            raise ValueError("a summary is kept under the cycle id of the progress it comes with")
        if changes.unexplained is not None and changes.cash is None:
            raise ValueError("a finding is kept with the cash books that count it")
        self._table, self._pk, self._stored, self._changes = table, pk, stored, changes
        self._append = None if changes.journal is None else append(pk, stored.journal, changes.journal)
        self._journal = self._append.after if self._append else stored.journal
        memory = changes.memory
        self._plain = None if memory is None else to_plain(dict(sorted(memory.items())))
        after = self._journal.last
        self._memory = [] if self._plain is None else memory_items(pk, self._plain, after)
        self._reference = [] if changes.reference is None else reference_items(pk, changes.reference)

    def transactions(self) -> list[list[Element]]:
        """The elements of each, in the order to write them; the last one makes the commit."""
        rows = [self._table.put_element(item) for item in (self._append.items if self._append else ())]
        reference = [self._table.put_element(item) for item in self._reference]
        return _parts([*rows, *reference, *self._singles()])

    def memory(self) -> Iterator[tuple[Item, Condition]]:
        """Each chunk of memory, put by itself under its condition."""
        condition = not_overtaken(self._journal.last)
        return ((item, condition) for item in self._memory)

    def summary(self, now_s: int) -> list[Item]:
        """The wide record, if there is one."""
        progress, summary = self._changes.progress, self._changes.summary
        if progress is None or summary is None:
            return []
        return [cycle_item(self._pk, progress.cycle_id, summary, now_s)]

    def after(self) -> StoredState:
        """What a read would show from now on."""
        used = {MEMORY: len(self._memory), REFERENCE: len(self._reference)}
        surplus = tuple(self._surplus(used))
        journal = self._journal._replace(litter=(*self._journal.litter, *surplus))
        chunks = {name: used[name] or self._stored.chunks.get(name, 0) for name in used}
        return StoredState(state=self._state(), journal=journal, chunks=chunks)

    def _state(self) -> BotState:
        state, changes = self._stored.state, self._changes
        named: dict[str, Any] = {
            "journal": self._append and Journal(self._journal.orders),
            "plans": None if self._append is None else (),
            "memory": self._plain,
            "cursors": changes.cursors,
            "progress": changes.progress,
            "cash": changes.cash,
            "risk": changes.risk,
            "reference": None if changes.reference is None else in_order(changes.reference),
        }
        return state._replace(**{name: own for name, own in named.items() if own is not None})

    def _singles(self) -> Iterator[Element]:
        """Head, cursors, progress, risk and cash: what is proven by a commit stands or falls with it."""
        if self._append:
            head = self._append.head
            condition = head_was(self._stored.journal.head, head)
            yield self._table.put_element(head_item(self._pk, head), condition)
        changes = self._changes
        for sk, value in ((CURSORS, changes.cursors), (PROGRESS, changes.progress), (RISK, changes.risk)):
            if value is not None:
                yield self._table.put_element(item_of(self._pk, sk, value))
        if self._changes.cash is not None:
            yield self._table.put_element(cash_item(self._pk, self._changes.cash))
        if self._changes.unexplained is not None:
            yield self._table.put_element(unexplained_item(self._pk, self._changes.unexplained))

    def _surplus(self, used: Mapping[str, int]) -> Iterator[Place]:
        """Chunks of an earlier, larger memory or reference."""
        places = {MEMORY: partition(self._pk), REFERENCE: self._pk}
        for name, count in used.items():
            ends = self._stored.chunks.get(name, 0) if count else 0
            yield from ((places[name], chunk_key(name, n)) for n in range(count, ends))


def _parts(elements: Sequence[Element]) -> list[list[Element]]:
    """Cut so that each fits a transaction beside the check of the lease; the last one takes all it can."""
    parts: list[list[Element]] = [[]]
    size = 0
    for element in reversed(elements):
        own = size_of(element)
        if parts[0] and (len(parts[0]) >= TRANSACTION_ITEMS - 1 or size + own >= TRANSACTION_BYTES):
            parts.insert(0, [])
            size = 0
        parts[0].insert(0, element)
        size += own
    return parts
