"""Where each value of the bot lives in the state table.

The Query of the partition `<bot>`:

    SESSION CONTROL LEASE LIMITS CURSORS PROGRESS RISK one item each, native attributes
    EVENT_GROUPS                                       a mark, where `<bot>#groups` may hold anything
    POSITION#<shard>#<ticker>                          one small item each
    REFERENCE#nn                                       packed chunks
    JOURNAL                                            the head of the journal (`journal_items`)

and the Query of `<bot>#journal` is the rest: orders, plans and strategy memory.

What grows lives in partitions of its own, out of these: those of the books (`book_items`), `<bot>#fills`
FILL#<fill_id> (7 years), `<bot>#settlements` (7 years), `<bot>#cycles` <cycle_id> (14 days), `<bot>#history`
<created_at_ms, 13 digits>#<session_id>, `<bot>#groups` <session_id>#<event> (`event_groups`). Positions of
markets that are over leave the Query, and one of a ticker that no exchange knows stays for all of them
(`core/accounts/retirement.py`): what a session has traded, paid and earned is a sum over all positions.
"""

from collections.abc import Mapping

from dora.core.accounts.fill_reach import MARKER_LIFE_MS
from dora.core.accounts.ledger import Position
from dora.core.exchange.account import Fill, Settlement
from dora.core.session import SessionMetadata
from dora.core.state import ReferenceData
from dora.edge.dynamo.codec import Collection, Item, chunk_items, item_of, pack
from dora.edge.dynamo.serde import to_plain

SESSION, CONTROL, LEASE = "SESSION", "CONTROL", "LEASE"
LIMITS, CURSORS, PROGRESS, RISK = "LIMITS", "CURSORS", "PROGRESS", "RISK"
REFERENCE, POSITION = "REFERENCE", "POSITION"
EVENT_GROUPS = "EVENT_GROUPS"
"""Stands where there may be order groups of single events; their items are asked for only then."""

DAY_S = 86_400
FILL_KEPT_S = MARKER_LIFE_MS // 1_000
"""Longer than a fill can be read again (`core/fill_reach.py`), or it would be booked twice."""
RECORD_KEPT_S = FILL_KEPT_S
"""What taxes may ask for: fills, payouts, and cash that no trade explains."""
CYCLE_KEPT_S = 14 * DAY_S


def fills_partition(pk: str) -> str:
    """Of the markers of booked fills."""
    return f"{pk}#fills"


def settlements_partition(pk: str) -> str:
    """Of the records of payouts."""
    return f"{pk}#settlements"


def fill_key(fill_id: str) -> str:
    """Sort key of a fill's marker."""
    return f"FILL#{fill_id}"


def reference_items(pk: str, reference: ReferenceData) -> list[Item]:
    """Slow facts: a row is (field, name, content)."""
    head = {"learned_ms": reference.learned_ms, "listed_ms": reference.listed_ms}
    parts = {"events": reference.events, "series": reference.series, "listings": reference.listings}
    rows = [
        [part, name, to_plain(own)] for part, facts in parts.items() for name, own in sorted(facts.items())
    ]
    return chunk_items(pk, REFERENCE, Collection(head, rows))


def in_order(reference: ReferenceData) -> ReferenceData:
    """As a read shows it."""
    return reference._replace(
        events=dict(sorted(reference.events.items())),
        series=dict(sorted(reference.series.items())),
        listings=dict(sorted(reference.listings.items())),
    )


def position_key(position: Position) -> str:
    """Sort key of a position."""
    return f"{POSITION}#{position.shard}#{position.ticker}"


def position_item(pk: str, position: Position) -> Item:
    """One market's position."""
    return item_of(pk, position_key(position), position)


def fill_item(pk: str, fill: Fill, now_s: int) -> Item:
    """The marker that a fill is booked, with all that was booked: its record as well."""
    return item_of(fills_partition(pk), fill_key(fill.fill_id), fill, now_s + FILL_KEPT_S)


def payout_key(settlement: Settlement) -> str:
    """Sort key of a payout's record: an amendment may be of the same time as what it amends."""
    return f"{settlement.ticker}#{settlement.settled_ms}#{settlement.value}#{settlement.result}"


def settlement_item(pk: str, settlement: Settlement, position: Position, now_s: int) -> Item:
    """The record of a payout that was booked, with the position it left."""
    body = {**to_plain(settlement), "position": to_plain(position)}
    return item_of(settlements_partition(pk), payout_key(settlement), body, now_s + RECORD_KEPT_S)


def cycle_item(pk: str, cycle_id: str, summary: Mapping[str, object], now_s: int) -> Item:
    """A cycle's wide record."""
    return item_of(f"{pk}#cycles", cycle_id, {"record": pack(to_plain(summary))}, now_s + CYCLE_KEPT_S)


def history_item(pk: str, session: SessionMetadata) -> Item:
    """A past session; keys sort by time of creation."""
    return item_of(f"{pk}#history", f"{session.created_at_ms:013d}#{session.session_id}", session)
