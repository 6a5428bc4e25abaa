"""How far back fills are read: no further than the exchange lists them, nor than our markers of them stand.

    |<-- a marker of a booked fill, its record: 7 years --------------------->|
                          |<-- listed by the exchange: about 67 days -------->|
                              |<-- read by us: 60 days ---------------------->| now

A fill that is listed again after its marker is gone would be booked twice; one that is no longer listed when
it is first looked for would never be booked. A bot that was away for longer than the reach cannot know.
"""

from dora.core.calendar import format_time
from dora.core.units import TimeMs

_DAY_MS = 86_400_000
REACH_MS = 60 * _DAY_MS
MARKER_LIFE_MS = 7 * 366 * _DAY_MS


def reachable(since_ms: TimeMs, now_ms: TimeMs) -> TimeMs:
    """Where a read of fills begins that is wanted from `since_ms` on."""
    return TimeMs(max(since_ms, now_ms - REACH_MS))


def gap(since_ms: TimeMs, now_ms: TimeMs) -> str:
    """Why a read from `since_ms` on cannot be complete, and what to do about it; "" when it can."""
    if since_ms >= now_ms - REACH_MS:
        return ""
    days = (now_ms - since_ms) // _DAY_MS
    return (
        f"fills were last read {days} days ago, at {format_time(since_ms)}, and can be read back "
        f"{REACH_MS // _DAY_MS} days: what filled before that is unknown. Compare the positions of the "
        "status with those on the exchange, then set fills_ms to the number 0 in the item CURSORS of this "
        "bot in the state table, and leave its settlements_ms as it is: fills count from then on, and the "
        "payouts since are still booked"
    )
