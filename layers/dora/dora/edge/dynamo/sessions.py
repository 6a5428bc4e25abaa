"""Session, kill flag, history and learned limits: single items, written without a lease."""

from collections.abc import Mapping
from typing import Any

from dora.core.errors import StateConflict, StateTooNew
from dora.core.exchange.account import Limits
from dora.core.session import SessionMetadata
from dora.core.state import EmergencyState, KillSwitch
from dora.edge.dynamo.codec import (
    SHARED_SCHEMA,
    Item,
    fields_of,
    item_of,
    key,
    key_of,
    unpack,
    value_of_item,
)
from dora.edge.dynamo.emergency import read_emergency_state
from dora.edge.dynamo.items import CONTROL, EVENT_GROUPS, LIMITS, PROGRESS, SESSION, history_item
from dora.edge.dynamo.state_reader import read_control, read_session
from dora.edge.dynamo.table import Client, Condition, Refused, Table, not_newer


class SessionRecords:
    """Single items of one bot. Each write is conditional on what stands there."""

    def __init__(self, client: Client, table: str, pk: str) -> None:
        self._table = Table(client, table)
        self._pk = pk

    def read_kill_switch(self) -> tuple[KillSwitch, SessionMetadata | None]:
        """The kill flag and the session, read afresh in mid-cycle: one request, both consistent."""
        found = self._table.get([key(self._pk, CONTROL), key(self._pk, SESSION)])
        singles = {key_of(item)[1]: item for item in found}
        return read_control(singles), read_session(singles)

    def emergency_state(self) -> EmergencyState:
        """Session, progress, limits and a mark in one request, each parsed by itself.

        Raises only StateUnavailable.
        """
        found = self._table.get([key(self._pk, sk) for sk in (SESSION, PROGRESS, LIMITS, EVENT_GROUPS)])
        return read_emergency_state({key_of(item)[1]: item for item in found})

    def save_session(self, session: SessionMetadata) -> SessionMetadata:
        """Store a session whose `rev` is still the stored one (0: none stored); returns it with the next rev.

        Raises StateConflict when somebody wrote it in between.
        Safe to repeat: yes, with the same session: one that finds itself stored has succeeded.
        """
        following = session._replace(rev=session.rev + 1)
        item = item_of(self._pk, SESSION, following)
        self._put_at(item, session.rev, "the session")
        return following

    def save_history(self, session: SessionMetadata) -> None:
        """Keep a past session. Raises StateConflict when a later revision of it is kept already.

        Safe to repeat: yes, it puts the same item.
        """
        condition = not_newer("(attribute_not_exists(#rev) OR #rev <= :rev)", rev=session.rev)
        self._put_unless_newer(history_item(self._pk, session), condition, "a later revision is kept already")

    def history(self, limit: int) -> tuple[SessionMetadata, ...]:
        """Past sessions, newest first."""
        items = self._table.query(f"{self._pk}#history", descending=True, limit=limit)
        return tuple(value_of_item(SessionMetadata, item) for item in items)

    def summary(self, cycle_id: str) -> Mapping[str, object] | None:
        """A finished cycle's wide record; None when it is not kept, or no longer."""
        for item in self._table.get([key(f"{self._pk}#cycles", cycle_id)]):
            record: Mapping[str, object] = unpack(fields_of(item).get("record"))
            return record
        return None

    def set_control(self, control: KillSwitch) -> None:
        """Set or clear the kill flag. Setting always succeeds; clearing never undoes a halt that came later.

        Raises StateConflict for a clearing older than the stored flag.
        Safe to repeat: yes, it puts the same item; repeated late, it can only halt again.
        """
        latest = not_newer("(attribute_not_exists(#at_ms) OR #at_ms <= :at)", at=control.at_ms)
        condition = not_newer() if control.halted else latest
        self._put_unless_newer(
            item_of(self._pk, CONTROL, control), condition, "the kill flag was set after this"
        )

    def save_limits(self, limits: Limits) -> None:
        """Keep what the account may spend. Safe to repeat: yes, it puts the same item."""
        self._put_unless_newer(item_of(self._pk, LIMITS, limits), not_newer(), "not written")

    def _put_at(self, item: Item, rev: int, what: str) -> None:
        """Put an item whose stored one is still at that revision, or is this very item already."""
        refused = self._table.put(item, rev_is(rev))
        if refused:
            self._must_stand(item, refused, rev, what)

    def _must_stand(self, item: Item, refused: Refused, rev: int, what: str) -> None:
        stands = self._stands(item, refused, absent_fits=rev == 0)
        if stands != item:
            _refuse_newer(stands)
            raise StateConflict(f"{what} is no longer at revision {rev}")

    def _put_unless_newer(self, item: Any, condition: Condition, why: str) -> None:
        refused = self._table.put(item, condition)
        if refused:
            _refuse_newer(self._stands(item, refused, absent_fits=True))
            raise StateConflict(f"{key_of(item)[1]}: {why}")

    def _stands(self, item: Any, refused: Refused, *, absent_fits: bool) -> Mapping[str, Any]:
        """What stood in the way of an item, asked for where the refusal does not show it; {} for nothing.

        `absent_fits`: nothing there would not have been in the way. Raises StateUnavailable then.
        """
        if refused.stored:
            return refused.stored
        for found in self._table.get([key(*key_of(item))]):
            return found
        return refused.shown if absent_fits else {}


def rev_is(rev: int) -> Condition:
    """The stored item is at that revision; 0: there is none."""
    if rev == 0:
        return Condition("attribute_not_exists(#rev)")
    return not_newer("#rev = :rev", rev=rev)


def _refuse_newer(stored: Mapping[str, Any]) -> None:
    version = stored.get("v", {}).get("N", "0")
    if int(version) > SHARED_SCHEMA:
        raise StateTooNew(f"the stored item has schema version {version}, this code writes {SHARED_SCHEMA}")
