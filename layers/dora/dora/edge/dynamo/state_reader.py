"""The bot's state out of the items of its three partitions; `items` says what lives where."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from dora.core.accounts.ledger import Position
from dora.core.exchange.account import Limits
from dora.core.orders.journal import Journal
from dora.core.session import SessionMetadata
from dora.core.state import BotState, Cursors, KillSwitch, Progress, ReferenceData, RiskState
from dora.edge.dynamo import first_schema
from dora.edge.dynamo.book_items import read_books, read_cash
from dora.edge.dynamo.codec import Collection, check_version, chunk_place, key_of, value_of_item
from dora.edge.dynamo.first_schema import cells, part_of, read_collection
from dora.edge.dynamo.items import (
    CONTROL,
    CURSORS,
    LIMITS,
    POSITION,
    PROGRESS,
    REFERENCE,
    RISK,
    SESSION,
)
from dora.edge.dynamo.journal_reader import StoredJournal, read_head, read_journal
from dora.edge.dynamo.memory_items import MEMORY, read_memory
from dora.edge.dynamo.serde import from_plain

StoredItem = Mapping[str, Any]
Value = TypeVar("Value")


class StoredState(NamedTuple):
    """The state, and what those who write it must know of how it is stored."""

    state: BotState
    journal: StoredJournal
    chunks: Mapping[str, int]
    """How many chunks memory and reference take up, surplus ones included."""


def stored_state(
    pk: str, items: Sequence[StoredItem], own: Sequence[StoredItem], books: Sequence[StoredItem] = ()
) -> StoredState:
    """The state that the items of the bot's partition, of its journal's and of its books' make up.

    Raises StateTooNew, StateUnavailable (rewritten while being read) or a StateError that names an item.
    """
    singles, groups = _sorted_out(items)
    parts = _sorted_out(own)[1]
    journal = read_journal(pk, read_head(singles), groups, parts)
    older_memory = bool(journal.inherited) and first_schema.MEMORY in groups
    reference = read_collection(REFERENCE, groups[REFERENCE], _reference) if REFERENCE in groups else None
    state = BotState(
        session=read_session(singles),
        control=read_control(singles),
        journal=Journal(journal.orders),
        plans=journal.plans,
        positions=_positions(singles),
        books=read_books(books),
        cash=read_cash(books),
        memory=first_schema.read_memory(groups) if older_memory else read_memory(parts.get(MEMORY, ())),
        cursors=read_cursors(singles),
        progress=read_progress(singles),
        risk=_single(RISK, singles, RiskState) or RiskState(),
        reference=reference or ReferenceData(),
        limits=read_limits(singles),
    )
    counts = {MEMORY: _used(parts.get(MEMORY, ())), REFERENCE: _used(groups.get(REFERENCE, ()))}
    return StoredState(state=state, journal=journal, chunks=counts)


def read_session(singles: Mapping[str, StoredItem]) -> SessionMetadata | None:
    """The session among items by sort key; None when there never was one."""
    return _single(SESSION, singles, SessionMetadata)


def read_control(singles: Mapping[str, StoredItem]) -> KillSwitch:
    """The kill flag among items by sort key; absent means it was never set."""
    return _single(CONTROL, singles, KillSwitch) or KillSwitch()


def read_cursors(singles: Mapping[str, StoredItem]) -> Cursors:
    """How far fills and settlements are booked; nothing yet where it was never written."""
    return _single(CURSORS, singles, Cursors) or Cursors()


def read_progress(singles: Mapping[str, StoredItem]) -> Progress:
    """What the last finished cycle left behind; nothing where none finished yet."""
    return _single(PROGRESS, singles, Progress) or Progress()


def read_limits(singles: Mapping[str, StoredItem]) -> Limits | None:
    """What the account may spend, as last learned."""
    return _single(LIMITS, singles, Limits)


def _used(items: Sequence[StoredItem]) -> int:
    return max((chunk_place(item)[1] + 1 for item in items), default=0)


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


def _positions(singles: Mapping[str, StoredItem]) -> dict[str, Position]:
    stored = [item for sk, item in singles.items() if sk.startswith(f"{POSITION}#")]
    positions = [value_of_item(Position, item) for item in stored]
    return {position.ticker: position for position in positions}


def _reference(stored: Collection) -> ReferenceData:
    parts: dict[str, dict[str, Any]] = {"events": {}, "series": {}, "listings": {}}
    for part, name, content in (cells(row, 3) for row in stored.rows):
        part_of(parts, part)[name] = content
    return from_plain(ReferenceData, {**stored.head, **parts})
