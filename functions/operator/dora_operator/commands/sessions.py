"""`sessions`: those that are over, and what came of each."""

from dora.core.calendar import format_time
from dora.core.session import SessionMetadata
from dora_operator.commands.pnl import KEYS, summed
from dora_operator.desk import Desk, command, table
from dora_operator.money import cents
from dora_operator.reading import Reading

COLUMNS = ("session", "began", "ended", "why", "groups", "tripped", "resets", "contracts", "fills", "profit")
FIGURES = ("groups", "tripped", "resets", "contracts", "fills", "profit")


@command("sessions")
def sessions(desk: Desk) -> None:
    """Sessions that are over, and what came of each.

    Profit is of the profit rows: what was open when a session ended is marked into the day, at its edge.
    """
    reading = Reading(desk.target)
    rows = summed(list(reading.profit_rows()), KEYS["session"])
    shown = []
    for own in reading.sessions():
        booked = rows.get(own.session_id)
        fills = booked.fills if booked else 0
        shown.append((*_told(own), fills, cents(booked.profit) if booked else "0.00"))
    data = [dict(zip(COLUMNS, row, strict=True)) for row in shown]
    desk.show(data, table("", COLUMNS, shown, FIGURES))


def _told(own: SessionMetadata) -> tuple[object, ...]:
    ended = format_time(own.ended_at_ms)[:19] if own.ended_at_ms else None
    tripped = sum(group.tripped for group in own.order_groups)
    began = format_time(own.created_at_ms)[:19]
    groups = len(own.order_groups)
    return own.session_id, began, ended, own.reason, groups, tripped, own.resets, own.summary.get("contracts")
