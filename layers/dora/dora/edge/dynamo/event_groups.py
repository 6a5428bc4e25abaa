"""The order groups of single events: one item each, in a partition of their own, written without a lease."""

from collections.abc import Mapping
from typing import Any

from dora.core.errors import StateError
from dora.core.event_group import EventGroup
from dora.core.units import Count, TimeMs
from dora.edge.dynamo.codec import Item, item_of, key, key_of, plain_of, value_of_item
from dora.edge.dynamo.emergency import NEVER_STORED
from dora.edge.dynamo.items import EVENT_GROUPS
from dora.edge.dynamo.sessions import SessionRecords, rev_is
from dora.edge.dynamo.table import Refused, not_newer


class EventGroupRecords(SessionRecords):
    """Single items, and beside them those of the event groups."""

    @property
    def _groups_pk(self) -> str:
        return f"{self._pk}#groups"

    def event_groups(self) -> tuple[EventGroup, ...]:
        """All of them. Raises StateUnavailable, or a StateError that names the item."""
        return tuple(value_of_item(EventGroup, item) for item in self._table.query(self._groups_pk))

    def readable_event_groups(self) -> tuple[EventGroup, ...]:
        """All of them, of any version: of one that is not understood, its group at most.

        Raises only StateUnavailable.
        """
        return tuple(_readable(item) for item in self._table.query(self._groups_pk))

    def save_event_group(self, group: EventGroup) -> EventGroup:
        """Store one whose `rev` is still the stored one (0: none stored); returns it with the next rev.

        Raises StateConflict when somebody wrote it in between.
        Safe to repeat: yes, with the same group: one that finds itself stored has succeeded.
        """
        following, name = group._replace(rev=group.rev + 1), event_group_key(group)
        item = item_of(self._groups_pk, name, following)
        if group.rev:
            self._put_at(item, group.rev, name)
        else:
            self._put_first(item, name)
        return following

    def _put_first(self, item: Item, name: str) -> None:
        """With the mark that there are such groups: whoever stops the bot asks for them where it stands."""
        mark = self._table.put_element(item_of(self._pk, EVENT_GROUPS, {}), not_newer())
        refused = self._table.transact([self._table.put_element(item, rev_is(0)), mark])
        if refused:
            self._must_stand(item, Refused({}), 0, name)

    def drop_event_group(self, group: EventGroup) -> None:
        """Forget one that is deleted on the exchange. Safe to repeat: yes, nothing is left to delete."""
        self._table.write_batch([], [key(self._groups_pk, event_group_key(group))])


def event_group_key(group: EventGroup) -> str:
    """Sort key of an event's group."""
    return f"{group.session_id}#{group.event}"


def _readable(item: Mapping[str, Any]) -> EventGroup:
    try:
        return value_of_item(EventGroup, item)
    except StateError:
        return _stand_in(item)


def _stand_in(item: Mapping[str, Any]) -> EventGroup:
    """Its group is all that matters: whatever state it may be in, it may hold orders."""
    group_id, shard = _plain(item, "group_id"), _plain(item, "shard")
    if not isinstance(group_id, str) or type(shard) is not int:
        group_id, shard = "", 0
    session_id, _, event = key_of(item)[1].partition("#")
    return EventGroup(
        session_id=session_id,
        event=event,
        shard=shard,
        burst_limit=Count(0),
        asked_ms=TimeMs(0),
        group_id=group_id,
        rev=NEVER_STORED,
    )


def _plain(item: Mapping[str, Any], name: str) -> Any:
    try:
        return plain_of(item[name]) if name in item else None
    except StateError:
        return None
