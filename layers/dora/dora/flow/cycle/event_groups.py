"""The order groups of single events: as stored, and how each event stands after this cycle's work on them.

Trips are found in `event_trips`; groups are created, armed, limited and deleted by `event_group_keeper`. No
order is placed in the cycle that created or armed its group.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.config import BY_EVENT
from dora.core.errors import StateError, StateTooNew, StateUnavailable
from dora.core.event_choice import EventBrake, Standing, brakes, needs_of, work_of
from dora.core.event_group import EventGroup
from dora.core.ports import Ports
from dora.core.risk.event_brakes import admitted, most_groups, unbraked_loss
from dora.core.session import SessionMetadata
from dora.core.units import Money
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.cycle.event_group_keeper import GroupKeeper
from dora.flow.shared.event_groups import to_trigger
from dora.flow.shared.reported import Reported
from dora.flow.shared.session_groups import STOPPED


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
        own = GroupKeeper(ports, settings.rate_limit_backoff_ms, own).done(work, session)
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
