"""The order groups of single events, as far as stopping a session needs them."""

from collections.abc import Iterable

from dora.core.errors import StateConflict, StateError
from dora.core.event_group import EventGroup, rested
from dora.core.ports import Ports
from dora.core.state import EmergencyState
from dora.flow.shared.group_trigger import GroupTrigger
from dora.flow.shared.reported import Reported


def readable(ports: Ports, found: EmergencyState) -> tuple[EventGroup, ...] | None:
    """Every one whose group is known; None, which is reported, when they could not be read.

    Nothing is asked where there never were any: what stops a session rests on as few reads as it can.
    """
    if not found.event_groups:
        return ()
    with Reported(ports.facts, "order groups of single events", StateError):
        return ports.state.readable_event_groups()
    return None


def to_trigger(events: Iterable[EventGroup]) -> tuple[EventGroup, ...]:
    """Those that have not answered a trigger since they were armed last."""
    return tuple(group for group in events if group.group_id and not group.triggered)


def note_triggered(ports: Ports, events: Iterable[EventGroup], trigger: GroupTrigger) -> None:
    """Record which of them have answered their trigger. Safe to repeat: yes.

    One that cannot be recorded costs a repeated trigger, so that is only reported; one that somebody else
    wrote in between is not ours to record. One that the exchange does not know is forgotten as well: it
    takes no order, but proves nothing of those that were in it.
    """
    with Reported(ports.facts, "record of the triggered groups of events", StateError):
        for group in events:
            if group.understood and group.group_id in trigger.triggered:
                _note(ports, rested(group, ports.clock.now_ms(), triggered=True))
            elif group.understood and group.group_id in trigger.unknown:
                _note(ports, rested(group, ports.clock.now_ms(), triggered=False)._replace(group_id=""))


def _note(ports: Ports, group: EventGroup) -> None:
    try:
        ports.state.save_event_group(group)
    except StateConflict as error:
        ports.facts.emit("ERROR", what=f"record of the group of {group.event}", why=str(error))
