"""What an order group of an event that tripped means for the event: triggered once more, told, and rested."""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.errors import StateError
from dora.core.event_group import TRIP_FILLS_MS, EventGroup, is_in, judged, rested, tripped
from dora.core.exchange.market import Book
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.journal import Journal, TrackedOrder
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.units import Count, Price, TimeMs, format_count
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.shared.group_trigger import GroupTrigger
from dora.flow.shared.reported import Reported
from dora.flow.shared.write_pace import WritePace

GROUPS_LAG_MS = 20_000
"""A list of groups may be 15 s late: one begun this soon after a group was armed shows no trip of it."""


def note_trips(
    ports: Ports,
    loaded: LoadedState,
    snapshot: Snapshot,
    journal: Journal,
    until_ms: TimeMs,
) -> tuple[EventGroup, ...]:
    """The groups after what the exchange's list says of them. Safe to repeat.

    A group that tripped is triggered once more: its answer, and no list that may be late, says that nothing
    of it rests. So is one of which it is not known whether it is armed, and any of a former session.
    """
    session, groups = loaded.state.session, loaded.events
    if ports.dry_run or session is None or session.status is not SessionStatus.ACTIVE or not groups:
        return groups
    now_ms = ports.clock.now_ms()
    listed = {group.group_id for group in snapshot.groups or () if group.tripped}
    trips = {
        group.group_id
        for group in groups
        if group.armed and group.group_id in listed and snapshot.began_ms - group.armed_ms >= GROUPS_LAG_MS
    }
    off = [group for group in groups if _is_off(group, session) or group.group_id in trips]
    trigger = GroupTrigger(ports, off, WritePace(ports, loaded.state.limits))
    trigger.run(until_ms)
    looked = _Looked(trigger, trips, snapshot, journal.by_order_id(), _mids(snapshot.books), now_ms)
    return tuple(_stored(ports, group, _after_look(ports, group, looked)) for group in groups)


class _Looked(NamedTuple):
    """What a cycle found out about the groups. `orders` by exchange id, `mids` by ticker."""

    trigger: GroupTrigger
    trips: set[str]
    snapshot: Snapshot
    orders: Mapping[str, TrackedOrder]
    mids: Mapping[str, Price]
    now_ms: TimeMs


def _is_off(group: EventGroup, session: SessionMetadata) -> bool:
    """Whether no order may be in it, and no answer says so yet."""
    former = group.session_id != session.session_id
    return bool(group.group_id) and not group.triggered and (former or not group.armed)


def _after_look(ports: Ports, group: EventGroup, looked: _Looked) -> EventGroup:
    answered = group.group_id in looked.trigger.triggered
    after = judged(group, looked.snapshot.fills or (), looked.orders, looked.mids, looked.now_ms)
    if group.group_id in looked.trips:
        after = tripped(after, looked.now_ms, triggered=answered)
        ports.facts.emit(
            "ORDER_GROUP_LIMIT_REACHED",
            order_group_id=group.group_id,
            event=group.event,
            reason=Reason.EVENT_RESTING,
            contracts_matched=format_count(_matched(group, looked)),
            orders_cancelled=_left(group, looked),
        )
    elif answered:
        after = rested(after, looked.now_ms, triggered=True)
    if group.group_id in looked.trigger.unknown:
        after = rested(after, looked.now_ms, triggered=False)._replace(group_id="")
    return after


def _matched(group: EventGroup, looked: _Looked) -> Count:
    """Contracts of the group that filled within the minutes before."""
    since_ms = looked.now_ms - TRIP_FILLS_MS
    fills = (fill for fill in looked.snapshot.fills or () if fill.at_ms >= since_ms)
    return Count(sum(fill.count for fill in fills if is_in(group, looked.orders.get(fill.order_id))))


def _left(group: EventGroup, looked: _Looked) -> int:
    """Orders of ours that are not known to have ended otherwise."""
    return sum(order.open and is_in(group, order) for order in looked.orders.values())


def _mids(books: Mapping[str, Book]) -> dict[str, Price]:
    """Of books with both sides."""
    return {
        ticker: Price((book.bids[0].price + book.asks[0].price) // 2)
        for ticker, book in books.items()
        if book.bids and book.asks
    }


def _stored(ports: Ports, before: EventGroup, after: EventGroup) -> EventGroup:
    """As stored, or as it ought to be where that failed: then the next cycle finds the same again."""
    if after == before or not before.understood:
        return after
    with Reported(ports.facts, f"record of the group of {after.event}", StateError):
        return ports.state.save_event_group(after)
    return after
