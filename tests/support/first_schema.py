"""Items as a Dora of the first schema writes them, and its store."""

from collections.abc import Mapping
from typing import Any

from dora.core.accounts.stored_books import Booking
from dora.core.errors import StateTooNew
from dora.core.orders.journal import Journal, Plan
from dora.core.state import BotState, Changes
from dora.edge.dynamo.book_items import markers
from dora.edge.dynamo.codec import JOURNAL, Collection, Item, chunk_items, item_of, key, key_of
from dora.edge.dynamo.first_schema import MEMORY, ORDERS, PLAN, PLAN_PARTS
from dora.edge.dynamo.items import CURSORS, PROGRESS, position_item
from dora.edge.dynamo.serde import to_plain, to_row
from dora.edge.dynamo.state_reader import stored_state
from dora.edge.dynamo.store import DynamoState


def orders_items(pk: str, journal: Journal) -> list[Item]:
    """The whole journal."""
    rows = [to_row(order) for _, order in sorted(journal.orders.items())]
    return chunk_items(pk, ORDERS, Collection({}, rows))


def memory_items(pk: str, memory: Mapping[str, Mapping[str, object]]) -> list[Item]:
    """Strategy memory."""
    return chunk_items(pk, MEMORY, Collection({}, [[key, to_plain(own)] for key, own in memory.items()]))


def plan_items(pk: str, plan: Plan) -> list[Item]:
    """One phase's intents: a row is (part, request)."""
    plain = to_plain(plan)
    rows = [[part, request] for part in PLAN_PARTS for request in plain.pop(part)]
    return chunk_items(pk, f"{PLAN}#{plan.fence:012d}#{plan.phase}", Collection(plain, rows))


class FirstSchemaState(DynamoState):
    """The older version's: all it knows lies in the bot's partition, and it stops at newer items."""

    def load(self, fence: int | None = None) -> BotState:
        """Everything; raises StateTooNew where the head of a journal holds."""
        items = self._table.query(self._pk, descending=True)
        for item in items:
            if item["v"]["N"] != "1":
                raise StateTooNew(f"{key_of(item)[1]} has schema version 2, this code reads up to 1")
        older = [item for item in items if key_of(item)[1] != JOURNAL]
        return stored_state(self._pk, older, []).state

    def write_plan(self, plan: Plan) -> None:
        """Under the plan's own fence."""
        self._fenced(plan.fence, [self._table.put_element(item) for item in plan_items(self._pk, plan)])

    def book(self, fence: int, booking: Booking) -> bool:
        """Markers and positions, no books; a market that changes nothing there is not written."""
        marks = markers(self._table, self._pk, booking, self._now_s())
        changed = [change for change in booking.changes if change.after.position != change.stood]
        puts = [self._table.put_element(position_item(self._pk, change.after.position)) for change in changed]
        return not self._fenced(fence, [*marks, *puts])

    def commit(self, fence: int, changes: Changes) -> None:
        """All in one transaction, the plans it folds deleted."""
        puts: list[Item] = []
        if changes.journal is not None:
            puts += orders_items(self._pk, changes.journal)
        if changes.memory is not None:
            puts += memory_items(self._pk, changes.memory)
        for sk, value in ((CURSORS, changes.cursors), (PROGRESS, changes.progress)):
            puts += [] if value is None else [item_of(self._pk, sk, value)]
        plans = [item for item in self._table.query(self._pk) if key_of(item)[1].startswith(f"{PLAN}#")]
        deletes: list[Any] = [
            {"Delete": {"TableName": self._table.name, "Key": key(*key_of(item))}} for item in plans
        ]
        self._fenced(fence, [*(self._table.put_element(item) for item in puts), *deletes])
