"""The single items that stopping a bot needs, read leniently: of any version, as far as each makes sense."""

from collections.abc import Iterator, Mapping
from typing import Any

from dora.core.errors import StateError
from dora.core.exchange.account import Limits
from dora.core.session import SessionGroup, SessionMetadata, SessionStatus
from dora.core.state import EmergencyState
from dora.core.units import Count, TimeMs
from dora.edge.dynamo.codec import plain_of, value_of_item
from dora.edge.dynamo.items import EVENT_GROUPS, LIMITS, PROGRESS, SESSION

StoredItem = Mapping[str, Any]
NEVER_STORED = -1
"""Revision of a stand-in: no stored session has it, so none is ever replaced by one."""


def read_emergency_state(singles: Mapping[str, StoredItem]) -> EmergencyState:
    """Of the items by sort key. What cannot be understood is left out; nothing is raised."""
    session, unreadable = _session(singles.get(SESSION))
    completed_ms = _time(singles.get(PROGRESS, {}), "completed_ms")
    return EmergencyState(
        session=session,
        unreadable=unreadable,
        completed_ms=completed_ms,
        limits=_limits(singles.get(LIMITS)),
        event_groups=EVENT_GROUPS in singles,
    )


def _session(item: StoredItem | None) -> tuple[SessionMetadata | None, str]:
    if item is None:
        return None, ""
    try:
        return value_of_item(SessionMetadata, item), ""
    except StateError as error:
        return _stand_in(item), str(error)


def _stand_in(item: StoredItem) -> SessionMetadata:
    """Its order groups are all that matters; whatever state it may be in, they may hold orders."""
    session_id = _plain(item, "session_id")
    return SessionMetadata(
        session_id=session_id if isinstance(session_id, str) else "unreadable",
        status=SessionStatus.ACTIVE,
        created_at_ms=_time(item, "created_at_ms"),
        armed_at_ms=_time(item, "armed_at_ms"),
        contracts_limit=Count(0),
        order_groups=tuple(_groups(_plain(item, "order_groups"))),
        rev=NEVER_STORED,
    )


def _groups(rows: object) -> Iterator[SessionGroup]:
    for row in rows if isinstance(rows, list) else ():
        shown = row if isinstance(row, dict) else {}
        group_id, shard = shown.get("group_id"), shown.get("shard")
        if isinstance(group_id, str) and isinstance(shard, int):
            yield SessionGroup(
                group_id=group_id, shard=shard, tag=str(shown.get("tag")), burst_limit=Count(0)
            )


def _time(item: StoredItem, name: str) -> TimeMs:
    at_ms = _plain(item, name)
    return TimeMs(at_ms if type(at_ms) is int else 0)


def _plain(item: StoredItem, name: str) -> Any:
    try:
        return plain_of(item[name]) if name in item else None
    except StateError:
        return None


def _limits(item: StoredItem | None) -> Limits | None:
    try:
        return None if item is None else value_of_item(Limits, item)
    except StateError:
        return None
