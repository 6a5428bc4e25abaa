"""The exchange's day, and times as the exchange writes them, by arithmetic alone.

The exchange keeps US Eastern time. Since 2007 clocks there go forward at 2:00 on the second Sunday of
March (07:00 UTC) and back at 2:00 on the first Sunday of November (06:00 UTC).
"""

import re
from datetime import date, timedelta

from dora.core.errors import NumberInvalid
from dora.core.units import TimeMs

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_EPOCH = date(1970, 1, 1)
_SUNDAY = 6

_UTC = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d+))?(?:Z|\+00:00)", re.ASCII
)


def parse_time(text: str) -> TimeMs:
    """An ISO 8601 time in UTC; fraction digits beyond milliseconds are cut off. Raises NumberInvalid."""
    match = _UTC.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise NumberInvalid(f"{text!r} is not an ISO 8601 time in UTC")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        start = _midnight_ms(date(year, month, day))
    except ValueError as error:
        raise NumberInvalid(f"{text!r} is no day of the calendar") from error
    fraction = (match.group(7) or "")[:3].ljust(3, "0")
    return TimeMs(start + ((hour * 60 + minute) * 60 + second) * 1000 + int(fraction))


def format_time(time_ms: TimeMs) -> str:
    """The ISO 8601 time in UTC with three fraction digits, so that texts sort as times do."""
    days, rest = divmod(time_ms, DAY_MS)
    seconds, millis = divmod(rest, 1000)
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{_day(days)}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"


def exchange_day(time_ms: TimeMs) -> str:
    """The exchange's calendar day that holds a time, as YYYY-MM-DD."""
    return str(_day((time_ms + _offset_ms(time_ms)) // DAY_MS))


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, as `exchange_day` writes it."""
    try:
        return str(date.fromisoformat(text)) == text
    except ValueError:
        return False


def day_start_ms(time_ms: TimeMs) -> TimeMs:
    """When the exchange's day that holds a time began."""
    local_midnight = (time_ms + _offset_ms(time_ms)) // DAY_MS * DAY_MS
    # No clock change falls between midnight and 1:00, so midnight's own offset is read just there.
    guess = local_midnight + 5 * HOUR_MS
    return TimeMs(local_midnight - _offset_ms(TimeMs(guess)))


def day_starts_ms(after_ms: TimeMs, until_ms: TimeMs) -> tuple[TimeMs, ...]:
    """Every midnight of the exchange later than the first time and not later than the second."""
    starts = []
    start = day_start_ms(until_ms)
    while start > after_ms:
        starts.append(start)
        start = day_start_ms(TimeMs(start - 1))
    return tuple(reversed(starts))


def _offset_ms(time_ms: TimeMs) -> int:
    """Eastern time minus UTC at a time in UTC."""
    year = _day(time_ms // DAY_MS).year
    forward = _midnight_ms(_sunday(year, 3, 2)) + 7 * HOUR_MS
    back = _midnight_ms(_sunday(year, 11, 1)) + 6 * HOUR_MS
    return (-4 if forward <= time_ms < back else -5) * HOUR_MS


def _sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(_SUNDAY - first.weekday()) % 7 + 7 * (nth - 1))


def _day(days: int) -> date:
    return _EPOCH + timedelta(days=days)


def _midnight_ms(day: date) -> int:
    return (day - _EPOCH).days * DAY_MS
