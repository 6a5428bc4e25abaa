"""Where each value of the bot lives in the state table.

One Query of the partition `<bot>` is everything a cycle needs:

    SESSION CONTROL LEASE LIMITS CURSORS PROGRESS      one item each, native attributes
    POSITION#<shard>#<ticker>                          one small item each
    ORDERS#nn MEMORY#nn REFERENCE#nn                   packed chunks
    PLAN#<fence, 12 digits>#<phase>#nn                 packed chunks, deleted by the commit that folds them

What grows lives in partitions of its own, out of that Query: `<bot>#fills` FILL#<fill_id> (120 days),
`<bot>#settlements` <ticker>#<settled_ms>, `<bot>#cycles` <cycle_id> (14 days), `<bot>#history`
<created_at_ms, 13 digits>#<session_id>. Settled positions stay in the Query: what a session has traded, paid
and earned is a sum over all positions. That is some 250 bytes for each market ever traded.

3,000 markets fit: positions are about 250 bytes each (0.8 MB, one page of the Query); a tracked order packs
to about 80 bytes, so 12,000 of them are 8 chunks of 1,500 rows and about 1 MB of the 4 MB that a transaction
may have (the journal's ceiling is some 40,000 orders); memory packs to about 70 bytes a market, one chunk.
"""

from collections.abc import Mapping
from dataclasses import replace

from dora.core.accounts.fill_reach import MARKER_LIFE_MS
from dora.core.accounts.ledger import Position
from dora.core.exchange.account import Fill, Settlement
from dora.core.orders.journal import Journal, Plan
from dora.core.session import SessionMetadata
from dora.core.state import ReferenceData
from dora.edge.dynamo.codec import Collection, Item, chunk_items, item_of, pack
from dora.edge.dynamo.serde import to_plain, to_row

SESSION, CONTROL, LEASE = "SESSION", "CONTROL", "LEASE"
LIMITS, CURSORS, PROGRESS = "LIMITS", "CURSORS", "PROGRESS"
ORDERS, MEMORY, REFERENCE, PLAN, POSITION = "ORDERS", "MEMORY", "REFERENCE", "PLAN", "POSITION"

PLAN_PARTS = ("places", "cancels", "decreases", "extends")

DAY_S = 86_400
FILL_KEPT_S = MARKER_LIFE_MS // 1_000
"""Longer than a fill can be read again (`core/fill_reach.py`), or it would be booked twice."""
CYCLE_KEPT_S = 14 * DAY_S


def plan_name(plan: Plan) -> str:
    """What the chunk keys of a plan start with. One plan a phase and fence."""
    return f"{PLAN}#{plan.fence:012d}#{plan.phase}"


def fill_key(fill_id: str) -> str:
    """Sort key of a fill's marker."""
    return f"FILL#{fill_id}"


def orders_items(pk: str, journal: Journal) -> list[Item]:
    """The journal, in the order of its client ids."""
    rows = [to_row(order) for _, order in sorted(journal.orders.items())]
    return chunk_items(pk, ORDERS, Collection({}, rows))


def memory_items(pk: str, memory: Mapping[str, Mapping[str, object]]) -> list[Item]:
    """Strategy memory, opaque."""
    rows = [[ticker, to_plain(own)] for ticker, own in sorted(memory.items())]
    return chunk_items(pk, MEMORY, Collection({}, rows))


def reference_items(pk: str, reference: ReferenceData) -> list[Item]:
    """Slow facts: a row is (field, name, content)."""
    head = {"learned_ms": reference.learned_ms, "listed_ms": reference.listed_ms}
    parts = {"events": reference.events, "series": reference.series, "listings": reference.listings}
    rows = [
        [part, name, to_plain(own)] for part, facts in parts.items() for name, own in sorted(facts.items())
    ]
    return chunk_items(pk, REFERENCE, Collection(head, rows))


def plan_items(pk: str, plan: Plan) -> list[Item]:
    """One phase's intents: a row is (field, request)."""
    head = to_plain(replace(plan, places=(), cancels=(), decreases=(), extends=()))
    parts = {name: getattr(plan, name) for name in PLAN_PARTS}
    rows = [[part, to_plain(request)] for part, requests in parts.items() for request in requests]
    return chunk_items(pk, plan_name(plan), Collection(head, rows))


def position_item(pk: str, position: Position) -> Item:
    """One market's position."""
    return item_of(pk, f"{POSITION}#{position.shard}#{position.ticker}", position)


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
