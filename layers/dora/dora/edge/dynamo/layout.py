"""Where each value of the bot lives in the state table.

One Query of the partition `<bot>` is everything a cycle needs:

    SESSION CONTROL LEASE LIMITS CURSORS PROGRESS      one item each, native attributes
    POSITION#<shard>#<ticker>                          one small item each
    ORDERS#nn MEMORY#nn REFERENCE#nn                   packed chunks
    PLAN#<fence, 12 digits>#<phase>#nn                 packed chunks, deleted by the commit that folds them

What grows lives in partitions of its own, out of that Query: `<bot>#fills` FILL#<fill_id> (35 days),
`<bot>#settlements` <ticker>#<settled_ms>, `<bot>#cycles` <cycle_id> (14 days), `<bot>#history`
<created_at_ms, 13 digits>#<session_id>. A settled position leaves the Query after 7 days; its last state
stays beside its settlement.

3,000 markets fit: positions are about 250 bytes each (0.8 MB, one page of the Query); a tracked order packs
to about 80 bytes, so 12,000 of them are 8 chunks of 1,500 rows and about 1 MB of the 4 MB that a transaction
may have (the journal's ceiling is some 40,000 orders); memory packs to about 70 bytes a market, one chunk.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dora.core.errors import StateError
from dora.core.journal import Journal, Plan, TrackedOrder
from dora.core.ledger import Position
from dora.core.model import (
    CancelRequest,
    DecreaseRequest,
    Event,
    Fill,
    Limits,
    OrderRequest,
    Series,
    SessionMetadata,
    Settlement,
)
from dora.core.ports import BotState, Control, Cursors, Progress, Reference
from dora.core.units import TimeMs
from dora.edge.dynamo.codec import (
    Collection,
    Item,
    chunk_items,
    expires_s_of,
    item_of,
    join_chunks,
    key_of,
    pack,
    value_of_item,
)
from dora.edge.dynamo.plain import from_plain, from_row, to_plain, to_row

SESSION, CONTROL, LEASE, LIMITS, CURSORS, PROGRESS = (
    "SESSION",
    "CONTROL",
    "LEASE",
    "LIMITS",
    "CURSORS",
    "PROGRESS",
)
ORDERS, MEMORY, REFERENCE, PLAN, POSITION = "ORDERS", "MEMORY", "REFERENCE", "PLAN", "POSITION"

DAY_S = 86_400
FILL_KEPT_S = 35 * DAY_S
"""Longer than the exchange lists a fill again, or it would be booked twice."""
CYCLE_KEPT_S = 14 * DAY_S
SETTLED_KEPT_S = 7 * DAY_S
"""Longer than a late fill or a corrected payout of a settled market takes to show."""


def plan_name(plan: Plan) -> str:
    """What the chunk keys of a plan start with; phases of one fence sort together, in order of time."""
    return f"{PLAN}#{plan.fence:012d}#{plan.phase}"


def fill_key(fill_id: str) -> str:
    """Sort key of a fill's marker."""
    return f"FILL#{fill_id}"


# --- to items --------------------------------------------------------------------------------------


def orders_items(pk: str, journal: Journal) -> list[Item]:
    """The journal, in the order of its client ids."""
    rows = [to_row(order) for _, order in sorted(journal.orders.items())]
    return chunk_items(pk, ORDERS, Collection({}, rows))


def memory_items(pk: str, memory: Mapping[str, Mapping[str, object]]) -> list[Item]:
    """Strategy memory, opaque."""
    return chunk_items(pk, MEMORY, Collection({}, [[ticker, to_plain(own)] for ticker, own in sorted(memory.items())]))


def reference_items(pk: str, reference: Reference) -> list[Item]:
    """Slow facts: rows are tagged with what they are."""
    head = {"learned_ms": reference.learned_ms, "listed_ms": reference.listed_ms}
    events = [["event", name, to_row(event)] for name, event in sorted(reference.events.items())]
    series = [["series", name, to_row(entry)] for name, entry in sorted(reference.series.items())]
    listings = [["listing", name, list(own)] for name, own in sorted(reference.listings.items())]
    return chunk_items(pk, REFERENCE, Collection(head, [*events, *series, *listings]))


def plan_items(pk: str, plan: Plan) -> list[Item]:
    """One phase's intents: rows are tagged with what they are."""
    head = to_plain(replace(plan, places=(), cancels=(), decreases=()))
    places = [["place", to_row(request)] for request in plan.places]
    cancels = [["cancel", to_row(request)] for request in plan.cancels]
    decreases = [["decrease", to_row(request)] for request in plan.decreases]
    return chunk_items(pk, plan_name(plan), Collection(head, [*places, *cancels, *decreases]))


def position_item(pk: str, position: Position, now_s: int) -> Item:
    """A settled position goes in the end; an open one never does."""
    expires_s = now_s + SETTLED_KEPT_S if position.settled else None
    return item_of(pk, f"{POSITION}#{position.shard}#{position.ticker}", position, expires_s)


def fill_item(pk: str, fill: Fill, now_s: int) -> Item:
    """The marker that a fill is booked, with all that was booked."""
    return item_of(f"{pk}#fills", fill_key(fill.fill_id), fill, now_s + FILL_KEPT_S)


def settlement_item(pk: str, settlement: Settlement, position: Position) -> Item:
    """The marker that a payout is booked, with the position it left. Never deleted."""
    sk = f"{settlement.ticker}#{settlement.settled_ms}"
    return item_of(f"{pk}#settlements", sk, {**to_plain(settlement), "position": to_plain(position)})


def cycle_item(pk: str, cycle_id: str, summary: Mapping[str, object], now_s: int) -> Item:
    """A cycle's wide record."""
    return item_of(f"{pk}#cycles", cycle_id, {"record": pack(to_plain(summary))}, now_s + CYCLE_KEPT_S)


def history_item(pk: str, session: SessionMetadata) -> Item:
    """A past session; keys sort by time of creation."""
    return item_of(f"{pk}#history", f"{session.created_at_ms:013d}#{session.session_id}", session)


# --- from items ------------------------------------------------------------------------------------


def bot_state(items: Iterable[Mapping[str, Any]], now_s: int) -> BotState:
    """The state that the items of one partition make up.

    Raises StateTooNew, StateUnavailable (rewritten while being read) or a StateError that names an item.
    """
    singles: dict[str, Mapping[str, Any]] = {}
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        sk = key_of(item)[1]
        if sk.startswith(f"{POSITION}#") or "#" not in sk:
            singles[sk] = item
        else:
            groups.setdefault(sk.rpartition("#")[0], []).append(item)
    return _assemble(singles, {name: join_chunks(chunks) for name, chunks in groups.items()}, now_s)


def _assemble(
    singles: Mapping[str, Mapping[str, Any]], collections: Mapping[str, Collection], now_s: int
) -> BotState:
    kept = [item for sk, item in singles.items() if sk.startswith(f"{POSITION}#") and not _gone(item, now_s)]
    positions = [value_of_item(Position, item) for item in kept]
    empty = Collection({}, ())
    return BotState(
        session=read_session(singles),
        control=read_control(singles),
        journal=_journal(collections.get(ORDERS, empty)),
        plans=tuple(_plan(own) for name, own in sorted(collections.items()) if name.startswith(f"{PLAN}#")),
        positions={position.ticker: position for position in positions},
        memory=dict(collections.get(MEMORY, empty).rows),
        cursors=value_of_item(Cursors, singles[CURSORS]) if CURSORS in singles else Cursors(),
        progress=value_of_item(Progress, singles[PROGRESS]) if PROGRESS in singles else Progress(),
        reference=_reference(collections[REFERENCE]) if REFERENCE in collections else Reference(),
        limits=value_of_item(Limits, singles[LIMITS]) if LIMITS in singles else None,
    )


def read_session(items: Mapping[str, Mapping[str, Any]]) -> SessionMetadata | None:
    """The session among items by sort key."""
    return value_of_item(SessionMetadata, items[SESSION]) if SESSION in items else None


def read_control(items: Mapping[str, Mapping[str, Any]]) -> Control:
    """The kill flag among items by sort key; absent means it was never set."""
    return value_of_item(Control, items[CONTROL]) if CONTROL in items else Control()


def _gone(item: Mapping[str, Any], now_s: int) -> bool:
    """DynamoDB deletes some time after the date, so the date is what counts."""
    expires_s = expires_s_of(item)
    return expires_s is not None and expires_s <= now_s


def _journal(stored: Collection) -> Journal:
    orders = [from_row(TrackedOrder, row) for row in stored.rows]
    return Journal({order.client_order_id: order for order in orders})


def _plan(stored: Collection) -> Plan:
    plan = from_plain(Plan, stored.head)
    return replace(
        plan,
        places=tuple(from_row(OrderRequest, row) for tag, row in stored.rows if tag == "place"),
        cancels=tuple(from_row(CancelRequest, row) for tag, row in stored.rows if tag == "cancel"),
        decreases=tuple(from_row(DecreaseRequest, row) for tag, row in stored.rows if tag == "decrease"),
    )


def _reference(stored: Collection) -> Reference:
    parts: dict[str, dict[str, Any]] = {"event": {}, "series": {}, "listing": {}}
    for tag, name, content in stored.rows:
        parts[tag][name] = content
    try:
        learned_ms, listed_ms = stored.head["learned_ms"], stored.head["listed_ms"]
    except KeyError as error:
        raise StateError(f"{REFERENCE} lacks {error}") from error
    return Reference(
        learned_ms=TimeMs(learned_ms),
        events={name: from_row(Event, row) for name, row in parts["event"].items()},
        series={name: from_row(Series, row) for name, row in parts["series"].items()},
        listed_ms=TimeMs(listed_ms),
        listings={name: tuple(tickers) for name, tickers in parts["listing"].items()},
    )
