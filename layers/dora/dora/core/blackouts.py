"""Times in which nothing is quoted, as a person writes them, and when the next of them begins.

    08:25-08:45 mon-fri America/New_York        every day, or on these days of the week
    2026-12-10 08:20-11:05 America/New_York     once
    *:48-*:58 America/Chicago standard          minutes of every hour; `standard`: no summer time
    weather                                     a preset (`PRESETS`)

Several are divided by `;`. One that ends before it begins crosses midnight, or the hour; its days are those
on which it begins. Where a clock is put back, it lasts from the first time its beginning is shown to the last
time its end is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from dora.core.errors import CalendarInvalid
from dora.core.units import TimeMs
from dora.core.zones import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    ZONES,
    Zone,
    day_of,
    first_and_last,
    midnight_ms,
    offset_ms,
)

PRESETS: Mapping[str, str] = {
    "rates": "08:25-08:45 mon-fri America/New_York; 13:55-14:35 wed America/New_York",
    "economy": "08:20-11:05 mon-fri America/New_York",
    "weather": "*:48-*:58 America/Chicago standard",
}
"""By name: what moves markets of a family at known times. Off unless a config names them."""
MAINTENANCE = "03:00-05:00 thu America/New_York"
"""When the exchange may pause trading."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = 7
_DAY_MINUTES, _HOUR_MINUTES = 1440, 60
_FORM = re.compile(
    r"(?:(?P<date>\d{4}-\d{2}-\d{2}) )?"
    r"(?:(?P<h1>\d{2}):(?P<m1>\d{2})-(?P<h2>\d{2}):(?P<m2>\d{2})|\*:(?P<e1>\d{2})-\*:(?P<e2>\d{2}))"
    r"(?: (?P<days>[a-z,-]+))? (?P<zone>[A-Z][A-Za-z_/]+)(?P<standard> standard)?",
    re.ASCII,
)
_FIX = (
    'write for example "08:25-08:45 mon-fri America/New_York", "2026-12-10 08:20-11:05 America/New_York",'
    ' "*:48-*:58 America/Chicago standard", or a preset: ' + ", ".join(PRESETS)
)


class Window(NamedTuple):
    """One of them. `begins` and `lasts` count minutes, of the day or (`hourly`) of the hour."""

    zone: Zone
    begins: int
    lasts: int
    days: frozenset[int]
    """Of the week, Monday is 0; those on which it begins."""
    once: int | None = None
    """The day after 1970-01-01 on which it begins, where it is only one."""
    hourly: bool = False


class Outlook(NamedTuple):
    """`until_ms`: when what holds now is over. `next_ms`: when the next begins that does not hold yet."""

    until_ms: TimeMs | None = None
    next_ms: TimeMs | None = None


@lru_cache(maxsize=256)
def parse_blackouts(text: str) -> tuple[Window, ...]:
    """None for no text. Raises CalendarInvalid, which says which part is wrong."""
    if not text:
        return ()
    return tuple(window for part in text.split(";") for window in _parsed(part.strip()))


@lru_cache(maxsize=256)
def outlook(text: str, now_ms: TimeMs, lead_ms: int) -> Outlook:
    """What these blackouts say now. Each holds from `lead_ms` before it begins; those that touch are one."""
    spans = sorted(span for window in parse_blackouts(text) for span in _spans(window, now_ms))
    until_ms: TimeMs | None = None
    for start_ms, end_ms in spans:
        free_ms = max(until_ms or 0, now_ms)
        if start_ms > free_ms and start_ms - free_ms >= lead_ms:
            return Outlook(until_ms, start_ms)
        until_ms = max(until_ms or end_ms, end_ms)
    return Outlook(until_ms)


def _spans(window: Window, now_ms: TimeMs) -> Iterator[tuple[TimeMs, TimeMs]]:
    """Begin and end of those that are not over yet, for the week to come; of a dated one, whenever it is."""
    for start_ms, end_ms in _hours(window, now_ms) if window.hourly else _days(window, now_ms):
        if start_ms < end_ms and now_ms < end_ms:
            yield start_ms, end_ms


def _days(window: Window, now_ms: TimeMs) -> Iterator[tuple[TimeMs, TimeMs]]:
    today = (now_ms + offset_ms(window.zone, now_ms)) // DAY_MS
    days: Iterable[int] = range(today - 1, today + _WEEK + 1) if window.once is None else (window.once,)
    for day in days:
        if day_of(day).weekday() in window.days:
            begins_ms = day * DAY_MS + window.begins * MINUTE_MS
            first_ms, _ = first_and_last(window.zone, begins_ms)
            yield first_ms, first_and_last(window.zone, begins_ms + window.lasts * MINUTE_MS)[1]


def _hours(window: Window, now_ms: TimeMs) -> Iterator[tuple[TimeMs, TimeMs]]:
    """Every zone is whole hours from UTC, so that the minutes of an hour are the same everywhere."""
    hour = now_ms // HOUR_MS
    for begins_ms in range((hour - 1) * HOUR_MS, (hour + 24 * _WEEK + 1) * HOUR_MS, HOUR_MS):
        local_day = (begins_ms + offset_ms(window.zone, begins_ms)) // DAY_MS
        if day_of(local_day).weekday() in window.days:
            start_ms = begins_ms + window.begins * MINUTE_MS
            yield TimeMs(start_ms), TimeMs(start_ms + window.lasts * MINUTE_MS)


def _parsed(part: str) -> tuple[Window, ...]:
    if part in PRESETS:
        return parse_blackouts(PRESETS[part])
    match = _FORM.fullmatch(part)
    if match is None:
        raise CalendarInvalid(f"{part!r} is no blackout", _FIX)
    found = match.groupdict()
    zone = ZONES.get(found["zone"])
    if zone is None:
        raise CalendarInvalid(f"{part!r}: no zone {found['zone']}", f"write one of: {', '.join(ZONES)}")
    hourly = found["e1"] is not None
    if found["date"] and (hourly or found["days"]):
        raise CalendarInvalid(f"{part!r} has a date and more days", "write one or the other")
    begins, lasts = _minutes(part, found, hourly)
    return (
        Window(
            zone.always_standard if found["standard"] else zone,
            begins,
            lasts,
            frozenset(range(_WEEK)) if found["days"] is None else frozenset(_weekdays(part, found["days"])),
            None if found["date"] is None else _date(part, found["date"]),
            hourly,
        ),
    )


def _minutes(part: str, found: Mapping[str, str], hourly: bool) -> tuple[int, int]:
    """When it begins, and how long it lasts."""
    if hourly:
        begins, ends, all_of_it = int(found["e1"]), int(found["e2"]), _HOUR_MINUTES
        wrong = begins >= all_of_it or ends >= all_of_it
    else:
        hours, minutes = (int(found["h1"]), int(found["h2"])), (int(found["m1"]), int(found["m2"]))
        begins, ends, all_of_it = hours[0] * 60 + minutes[0], hours[1] * 60 + minutes[1], _DAY_MINUTES
        wrong = max(minutes) >= _HOUR_MINUTES or begins >= all_of_it or ends > all_of_it
    if wrong:
        raise CalendarInvalid(f"{part!r} has no such time", "write 00:00 to 23:59, or 24:00 for an end")
    lasts = (ends - begins) % all_of_it or (all_of_it if ends > begins else 0)
    if not lasts:
        raise CalendarInvalid(f"{part!r} ends when it begins", "write the day that it lasts as 00:00-24:00")
    return begins, lasts


def _weekdays(part: str, text: str) -> Iterator[int]:
    """`mon-fri` and `sat,sun`; a range may pass the end of the week."""
    for piece in text.split(","):
        first, *rest = piece.split("-")
        if len(rest) > 1 or not {first, *rest} <= set(WEEKDAYS):
            raise CalendarInvalid(f"{part!r}: no days {piece!r}", f"write days as {', '.join(WEEKDAYS)}")
        begins, ends = WEEKDAYS.index(first), WEEKDAYS.index(rest[0] if rest else first)
        yield from (day % _WEEK for day in range(begins, begins + (ends - begins) % _WEEK + 1))


def _date(part: str, text: str) -> int:
    try:
        return midnight_ms(date.fromisoformat(text)) // DAY_MS
    except ValueError as error:
        raise CalendarInvalid(f"{part!r}: {text} is no day of the calendar", "write YYYY-MM-DD") from error
