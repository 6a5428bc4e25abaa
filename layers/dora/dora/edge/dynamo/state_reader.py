"""The bot's state out of the items of its partition; `layout` says what lives where."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from dora.core.accounts.ledger import Position
from dora.core.errors import StateError
from dora.core.exchange.account import Limits
from dora.core.orders.journal import Journal, Plan, TrackedOrder
from dora.core.session import SessionMetadata
from dora.core.state import BotState, Cursors, KillSwitch, Progress, ReferenceData
from dora.edge.dynamo.codec import (
    Collection,
    check_version,
    chunk_place,
    join_chunks,
    key_of,
    value_of_item,
)
from dora.edge.dynamo.items import (
    CONTROL,
    CURSORS,
    LIMITS,
    MEMORY,
    ORDERS,
    PLAN,
    PLAN_PARTS,
    POSITION,
    PROGRESS,
    REFERENCE,
    SESSION,
)
from dora.edge.dynamo.serde import from_plain, from_row

StoredItem = Mapping[str, Any]
Value = TypeVar("Value")


def bot_state(items: Iterable[StoredItem]) -> BotState:
    """The state that the items of one partition make up.

    Raises StateTooNew, StateUnavailable (rewritten while being read) or a StateError that names an item.
    """
    singles, groups = _sorted_out(items)
    collections = {name: join_chunks(chunks) for name, chunks in groups.items()}
    return BotState(
        session=read_session(singles),
        control=read_control(singles),
        journal=_read(ORDERS, collections, _journal) or Journal(),
        plans=tuple(_plans(collections)),
        positions=_positions(singles),
        memory=_read(MEMORY, collections, _memory) or {},
        cursors=_single(CURSORS, singles, Cursors) or Cursors(),
        progress=_single(PROGRESS, singles, Progress) or Progress(),
        reference=_read(REFERENCE, collections, _reference) or ReferenceData(),
        limits=_single(LIMITS, singles, Limits),
    )


def read_session(singles: Mapping[str, StoredItem]) -> SessionMetadata | None:
    """The session among items by sort key; None when there never was one."""
    return _single(SESSION, singles, SessionMetadata)


def read_control(singles: Mapping[str, StoredItem]) -> KillSwitch:
    """The kill flag among items by sort key; absent means it was never set."""
    return _single(CONTROL, singles, KillSwitch) or KillSwitch()


def chunk_counts(items: Iterable[StoredItem]) -> dict[str, int]:
    """How many chunk numbers each collection takes up, surplus ones included."""
    counts: dict[str, int] = {}
    for item in items:
        if _is_chunk(key_of(item)[1]):
            name, number = chunk_place(item)
            counts[name] = max(counts.get(name, 0), number + 1)
    return counts


def _sorted_out(items: Iterable[StoredItem]) -> tuple[dict[str, StoredItem], dict[str, list[StoredItem]]]:
    singles: dict[str, StoredItem] = {}
    groups: dict[str, list[StoredItem]] = {}
    for item in items:
        check_version(item)
        sk = key_of(item)[1]
        if _is_chunk(sk):
            groups.setdefault(chunk_place(item)[0], []).append(item)
        else:
            singles[sk] = item
    return singles, groups


def _is_chunk(sk: str) -> bool:
    return "#" in sk and not sk.startswith(f"{POSITION}#")


def _single(sk: str, singles: Mapping[str, StoredItem], kind: type[Value]) -> Value | None:
    return value_of_item(kind, singles[sk]) if sk in singles else None


def _read(
    name: str, collections: Mapping[str, Collection], read: Callable[[Collection], Value]
) -> Value | None:
    if name not in collections:
        return None
    try:
        return read(collections[name])
    except StateError as error:
        raise StateError(f"stored {name}: {error}") from error


def _positions(singles: Mapping[str, StoredItem]) -> dict[str, Position]:
    stored = [item for sk, item in singles.items() if sk.startswith(f"{POSITION}#")]
    positions = [value_of_item(Position, item) for item in stored]
    return {position.ticker: position for position in positions}


def _journal(stored: Collection) -> Journal:
    orders = [from_row(TrackedOrder, row) for row in stored.rows]
    return Journal({order.client_order_id: order for order in orders})


def _memory(stored: Collection) -> dict[str, dict[str, object]]:
    rows = [_cells(row, 2) for row in stored.rows]
    return from_plain(dict[str, dict[str, object]], dict(rows))


def _plans(collections: Mapping[str, Collection]) -> Iterable[Plan]:
    for name in sorted(collections):
        plan = _read(name, collections, _plan) if name.startswith(f"{PLAN}#") else None
        if plan is not None:
            yield plan


def _plan(stored: Collection) -> Plan:
    parts: dict[str, list[Any]] = {name: [] for name in PLAN_PARTS}
    for part, request in (_cells(row, 2) for row in stored.rows):
        _part(parts, part).append(request)
    return from_plain(Plan, {**stored.head, **parts})


def _reference(stored: Collection) -> ReferenceData:
    parts: dict[str, dict[str, Any]] = {"events": {}, "series": {}, "listings": {}}
    for part, name, content in (_cells(row, 3) for row in stored.rows):
        _part(parts, part)[name] = content
    return from_plain(ReferenceData, {**stored.head, **parts})


def _cells(row: Any, count: int) -> list[Any]:
    if not isinstance(row, list) or len(row) != count:
        raise StateError(f"a row has {count} cells, not {row!r}")
    return row


def _part(parts: Mapping[str, Value], name: str) -> Value:
    if name not in parts:
        raise StateError(f"{name!r} is none of {', '.join(parts)}")
    return parts[name]
