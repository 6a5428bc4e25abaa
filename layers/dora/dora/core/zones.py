"""Time zones by arithmetic alone: an offset from UTC, and the rule by which its clocks change.

The United States (since 2007): forward at 2:00 on the second Sunday of March, back at 2:00 on the first
Sunday of November. The European Union and Britain: at 01:00 UTC on the last Sundays of March and October.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from dora.core.units import TimeMs

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
_EPOCH = date(1970, 1, 1)
_SUNDAY = 6
NEVER, UNITED_STATES, EUROPE = range(3)


class Zone(NamedTuple):
    """Hours of standard time ahead of UTC, and whose rule moves the clock an hour forward in summer."""

    standard_h: int
    rule: int = NEVER

    @property
    def always_standard(self) -> "Zone":
        """The same zone, whose clocks never change."""
        return Zone(self.standard_h)


EASTERN = Zone(-5, UNITED_STATES)
ZONES: Mapping[str, Zone] = {
    "UTC": Zone(0),
    "America/New_York": EASTERN,
    "America/Chicago": Zone(-6, UNITED_STATES),
    "America/Denver": Zone(-7, UNITED_STATES),
    "America/Phoenix": Zone(-7),
    "America/Los_Angeles": Zone(-8, UNITED_STATES),
    "America/Anchorage": Zone(-9, UNITED_STATES),
    "Pacific/Honolulu": Zone(-10),
    "Europe/London": Zone(0, EUROPE),
    "Europe/Berlin": Zone(1, EUROPE),
}
"""Those that a config may name."""


def day_of(days: int) -> date:
    """The calendar day so many days after 1970-01-01."""
    return _EPOCH + timedelta(days=days)


def midnight_ms(day: date) -> int:
    """The start of a calendar day as if it were UTC's."""
    return (day - _EPOCH).days * DAY_MS


def offset_ms(zone: Zone, time_ms: int) -> int:
    """Local time minus UTC at a time in UTC."""
    if zone.rule == NEVER:
        return zone.standard_h * HOUR_MS
    forward_ms, back_ms = _changes(zone, day_of(time_ms // DAY_MS).year)
    return (zone.standard_h + (forward_ms <= time_ms < back_ms)) * HOUR_MS


def first_and_last(zone: Zone, local_ms: int) -> tuple[TimeMs, TimeMs]:
    """When clocks show a local time: first and, in the hour that is there twice, last.

    A time that the clocks jump over is taken for the moment of the jump.
    """
    standard, summer = local_ms - zone.standard_h * HOUR_MS, local_ms - (zone.standard_h + 1) * HOUR_MS
    shown = [time_ms for time_ms in (summer, standard) if time_ms + offset_ms(zone, time_ms) == local_ms]
    if shown:
        return TimeMs(shown[0]), TimeMs(shown[-1])
    jump_ms = TimeMs(_changes(zone, day_of(standard // DAY_MS).year)[0])
    return jump_ms, jump_ms


@lru_cache(maxsize=64)
def _changes(zone: Zone, year: int) -> tuple[int, int]:
    """When the clocks go forward and back, in UTC. No change lies near the turn of a year."""
    if zone.rule == EUROPE:
        return midnight_ms(_last_sunday(year, 3)) + HOUR_MS, midnight_ms(_last_sunday(year, 10)) + HOUR_MS
    forward_ms = midnight_ms(_sunday(year, 3, 2)) + (2 - zone.standard_h) * HOUR_MS
    return forward_ms, midnight_ms(_sunday(year, 11, 1)) + (1 - zone.standard_h) * HOUR_MS


def _sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(_SUNDAY - first.weekday()) % 7 + 7 * (nth - 1))


def _last_sunday(year: int, month: int) -> date:
    """Of a month of 31 days."""
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() - _SUNDAY) % 7)
