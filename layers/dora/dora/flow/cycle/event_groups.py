"""The order groups of single events, cycle by cycle: trips found, groups created, armed, limited, deleted.

Each call about a group is recorded before it is sent and after it is answered, and no order is placed in the
cycle that created or armed its group. So whoever dies, or is overtaken by a teardown, leaves no order in a
group that nobody knows: what is recorded as neither armed nor triggered is triggered first of all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from dora.core.config import BY_EVENT
from dora.core.errors import (
    ExchangeError,
    ExchangeRefused,
    RateLimited,
    StateError,
    StateTooNew,
    StateUnavailable,
)
from dora.core.event_choice import EventBrake, Standing, Work, brakes, needs_of, work_of
from dora.core.event_group import TRIP_FILLS_MS, EventGroup, is_in, judged, rested, tripped
from dora.core.exchange.error_codes import GROUP_NOT_FOUND
from dora.core.exchange.market import Book
from dora.core.exchange.pacing import GROUP_COST
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.journal import Journal, TrackedOrder
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.risk.event_brakes import admitted, most_groups, unbraked_loss
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.units import Count, Money, Price, TimeMs, format_count
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.shared.event_groups import to_trigger
from dora.flow.shared.group_trigger import GroupTrigger
from dora.flow.shared.reads import paced
from dora.flow.shared.reported import Reported
from dora.flow.shared.session_groups import STOPPED
from dora.flow.shared.shared_charge import back_off
from dora.flow.shared.write_pace import WritePace

GROUPS_LAG_MS = 20_000
"""A list of groups may be 15 s late: one begun this soon after a group was armed shows no trip of it."""
WRITING_MS = 4_000
"""Longest time that one cycle takes for its calls about groups."""


class EventGroups(NamedTuple):
    """The groups as they stand, of every session, and which orders are not to be cancelled once more."""

    groups: tuple[EventGroup, ...] = ()
    by_event: Mapping[str, EventBrake] | None = None
    """How each event stands; None: orders are not grouped by event."""

    @property
    def triggered(self) -> frozenset[str]:
        """Groups that answered a trigger: nothing of theirs rests, whatever a late read shows."""
        return frozenset(group.group_id for group in self.groups if group.group_id and group.triggered)


def applies(loaded: LoadedState, session: SessionMetadata | None) -> bool:
    """Whether orders are grouped by event."""
    return loaded.globals_.group_by == BY_EVENT and session is not None and session.use_order_groups


def as_stored(
    ports: Ports, session: SessionMetadata | None, groups: tuple[EventGroup, ...]
) -> tuple[EventGroup, ...]:
    """The groups after the breakers: those of a session that is stopped may have been triggered since."""
    if session is None or session.status not in STOPPED or not to_trigger(groups):
        return groups
    with Reported(ports.facts, "order groups of single events", StateError):
        return _stored_groups(ports)
    return groups


def load_groups(ports: Ports, loaded: LoadedState) -> tuple[EventGroup, ...]:
    """The groups as stored. Asked for only where there may be any that matter.

    Raises StateUnavailable; StateTooNew where a newer version wrote one.
    """
    session, orders = loaded.state.session, loaded.journal.orders.values()
    known = {group.group_id for group in session.order_groups} if session else set()
    foreign = any(o.open and o.group_id is not None and o.group_id not in known for o in orders)
    if session is None or not (foreign or applies(loaded, session)):
        return ()
    return _stored_groups(ports)


def _stored_groups(ports: Ports) -> tuple[EventGroup, ...]:
    """All of them. One that is not understood takes its own event off the market, and nothing else.

    It may be armed: it is triggered where its group is known, what is open in it counts in full, and its item
    is left to a person.
    """
    try:
        return ports.state.event_groups()
    except (StateTooNew, StateUnavailable):
        raise
    except StateError as error:
        ports.facts.emit("ERROR", what="order group of an event", why=str(error))
        return ports.state.readable_event_groups()


# --- trips -----------------------------------------------------------------------------------------------


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


# --- what a cycle does about them ---------------------------------------------------------------------------


def arrange(
    ports: Ports,
    loaded: LoadedState,
    session: SessionMetadata | None,
    standing: Standing,
    groups: tuple[EventGroup, ...],
    *,
    may_write: bool,
) -> EventGroups:
    """The groups after this cycle's calls, and how each event stands. Safe to repeat.

    `may_write`: nothing forbids placements in this cycle; else nothing is created or armed either.
    """
    if session is None or not applies(loaded, session):
        return EventGroups(groups=groups)
    settings = loaded.globals_
    own = {group.event: group for group in groups if group.session_id == session.session_id}
    needs = needs_of(standing, own, settings.event_burst_limit)
    unread = {event for event, group in own.items() if not group.understood}
    most = max(most_groups(loaded.limits, len(session.order_groups)) - len(unread), 0)
    known = (need for need in needs.values() if need.event not in unread)
    left = Money(settings.max_burst_loss - _unbraked_loss(standing, session, groups))
    chosen = {need.event: need for need in admitted(known, left, most)}
    if may_write and not ports.dry_run and standing.listed is not None:
        readable = {event: group for event, group in own.items() if group.understood}
        work = work_of(standing, readable, needs, chosen, settings, most)
        own = _Keeper(ports, settings.rate_limit_backoff_ms, own).done(work, session)
    others = tuple(group for group in groups if group.session_id != session.session_id)
    return EventGroups(groups=(*others, *own.values()), by_event=brakes(standing, own, needs, chosen))


def _unbraked_loss(standing: Standing, session: SessionMetadata, groups: Iterable[EventGroup]) -> Money:
    """What rests, or may rest, in groups whose items could not be read."""
    if all(group.understood for group in groups):
        return Money(0)
    braked = {
        None,
        *(g.group_id for g in groups if g.understood),
        *(g.group_id for g in session.order_groups),
    }
    return unbraked_loss(standing.orders.values(), braked)


@dataclass
class _Keeper:
    """Carries out one cycle's work on the groups; ends at the first call that was not answered."""

    ports: Ports
    backoff_ms: int
    groups: dict[str, EventGroup] = field(default_factory=dict)

    def done(self, work: Work, session: SessionMetadata) -> dict[str, EventGroup]:
        """The groups after it, by event. Nothing is done after anybody's command since the cycle began."""
        calls: list[Callable[[], None]] = [
            *(partial(self._arm, group) for group in work.arm),
            *(partial(self._create, group) for group in work.create),
            *(partial(self._limit, group, limit) for group, limit in work.limit),
            *(partial(self._delete, group) for group in work.delete),
        ]
        if not calls or not self._stands(session):
            return self.groups
        until_ms = TimeMs(self.ports.clock.now_ms() + WRITING_MS)
        for call in paced(self.ports, "write", calls, GROUP_COST, until_ms):
            if not self._passes(call):
                break
        return self.groups

    def _passes(self, call: Callable[[], None]) -> bool:
        """Whether the next call may follow: also after a refusal, which says what became of this one."""
        try:
            call()
        except (ExchangeError, StateError) as error:
            self.ports.facts.emit("ERROR", what="order groups of events", why=str(error))
            if isinstance(error, RateLimited):
                with Reported(self.ports.facts, "rate limit backoff after order groups", StateError):
                    back_off(self.ports, "order_groups", self.backoff_ms)
            return isinstance(error, ExchangeRefused) and not isinstance(error, RateLimited)
        return True

    def _stands(self, session: SessionMetadata) -> bool:
        with Reported(self.ports.facts, "read of the session before its groups", StateError):
            control, current = self.ports.state.read_kill_switch()
            if current is None or current.session_id != session.session_id:
                return False
            return not control.halted and current.status is SessionStatus.ACTIVE
        return False

    def _save(self, group: EventGroup) -> EventGroup:
        stored = self.ports.state.save_event_group(group)
        self.groups[group.event] = stored
        return stored

    def _create(self, asked: EventGroup) -> None:
        """An unanswered create may have made a group that nobody learns of: it takes no order of ours.

        So the next create on its shard waits (`EventGroup.ask_again_ms`).
        """
        stored = self._save(asked)
        group_id = self.ports.exchange.create_group(stored.shard, stored.burst_limit)
        self._save(stored._replace(group_id=group_id, armed_ms=self.ports.clock.now_ms(), asks=0))

    def _arm(self, group: EventGroup) -> None:
        """Recorded as not triggered before the reset: whoever comes after a death in between triggers it."""
        marked = self._save(group._replace(triggered=False))
        try:
            self.ports.exchange.reset_group(marked.group_id, marked.shard)
            self._save(marked._replace(armed_ms=self.ports.clock.now_ms()))
        except StateError:
            self._trigger_back(marked)
            raise
        self.ports.facts.emit("GROUP_RESET", order_group_id=marked.group_id, resets=len(marked.trips))

    def _trigger_back(self, group: EventGroup) -> None:
        """Somebody else wrote its item: a teardown may count on its trigger."""
        with Reported(self.ports.facts, f"trigger of group {group.group_id}", ExchangeError):
            self.ports.exchange.trigger_group(group.group_id, group.shard)

    def _limit(self, group: EventGroup, limit: Count) -> None:
        """Recorded as the higher of both until the exchange has it."""
        current = self.groups[group.event]
        higher = current._replace(burst_limit=max(limit, current.burst_limit))
        higher = self._save(higher) if higher != current else current
        try:
            self.ports.exchange.limit_group(group.group_id, group.shard, limit)
        except ExchangeRefused as error:
            if error.code in GROUP_NOT_FOUND:
                self._save(rested(higher, self.ports.clock.now_ms(), triggered=False)._replace(group_id=""))
            raise
        if higher.burst_limit != limit:
            self._save(higher._replace(burst_limit=limit))

    def _delete(self, group: EventGroup) -> None:
        if group.group_id:
            try:
                self.ports.exchange.delete_group(group.group_id, group.shard)
            except ExchangeRefused as error:
                if error.code not in GROUP_NOT_FOUND:
                    raise
        self.ports.state.drop_event_group(group)
        del self.groups[group.event]
