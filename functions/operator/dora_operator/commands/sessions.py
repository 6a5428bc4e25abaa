"""`sessions`: those that are over, and the open one, and what came of each."""

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.calendar import format_time
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.units import Money, format_count
from dora_operator.desk import Desk, command, table
from dora_operator.money import cents
from dora_operator.profit import Earned, earned
from dora_operator.reading import Reading

COLUMNS = ("session", "began", "ended", "why", "groups", "tripped", "resets", "contracts", "fills", "profit")
FIGURES = ("groups", "tripped", "resets", "contracts", "fills", "profit")
NOT_CLOSED = "not closed yet"


@command("sessions")
def sessions(desk: Desk) -> None:
    """Sessions, over or open, and what came of each.

    Profit counts open positions at their latest marks, until the day's edge books them.
    """
    reading = Reading(desk.target)
    found = earned(reading, "session")
    shown = [_told(own, found) for own in reading.sessions()]
    own = reading.state.session
    if own is not None and own.status is not SessionStatus.CLOSED:
        shown.append(_told(own, found))
    data = [dict(zip(COLUMNS, row, strict=True)) for row in shown]
    desk.show(data, table("", COLUMNS, shown, FIGURES))


def _told(own: SessionMetadata, found: Earned) -> tuple[object, ...]:
    closed = own.status is SessionStatus.CLOSED
    row = found.rows.get(own.session_id)
    return (
        own.session_id,
        format_time(own.created_at_ms)[:19],
        (format_time(own.ended_at_ms)[:19] if own.ended_at_ms else None) if closed else NOT_CLOSED,
        own.reason if closed else str(own.status),
        len(own.order_groups),
        sum(group.tripped for group in own.order_groups),
        own.resets,
        own.summary.get("contracts") if closed else format_count(row.traded) if row else "0.00",
        row.fills if row else 0,
        None if own.session_id in found.dark else cents(_profit(row)),
    )


def _profit(row: ProfitRow | None) -> Money:
    """Zero of a session to which no fill was ever booked."""
    return row.profit if row else Money(0)
