"""The exchange's day, and times as the exchange writes them, by arithmetic alone.

The exchange keeps US Eastern time.
"""

import re
from datetime import date

from dora.core.errors import CalendarInvalid, NumberInvalid
from dora.core.units import TimeMs
from dora.core.zones import DAY_MS, EASTERN, HOUR_MS, MINUTE_MS, day_of, midnight_ms, offset_ms

TICKER_DATE = "ticker_date"
_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d+))?"
    r"(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_TICKER_DAY = re.compile(rf"-(\d\d)({'|'.join(_MONTHS)})(\d\d)(?!\d\d\d)", re.ASCII)


def parse_time(text: str) -> TimeMs:
    """An ISO 8601 time in UTC; fraction digits beyond milliseconds are cut off. Raises NumberInvalid."""
    if not (isinstance(text, str) and text.endswith(("Z", "+00:00"))):
        raise NumberInvalid(f"{text!r} is not an ISO 8601 time in UTC")
    return parse_zoned_time(text)


def parse_zoned_time(text: str) -> TimeMs:
    """An ISO 8601 time that says how far it is from UTC. Raises NumberInvalid."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise NumberInvalid(f"{text!r} is not an ISO 8601 time with Z or an offset from UTC")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        start = midnight_ms(date(year, month, day))
    except ValueError as error:
        raise NumberInvalid(f"{text!r} is no day of the calendar") from error
    fraction = (match.group(7) or "")[:3].ljust(3, "0")
    ahead = int(match.group(9) or 0) * HOUR_MS + int(match.group(10) or 0) * MINUTE_MS
    start -= -ahead if match.group(8) == "-" else ahead
    return TimeMs(start + ((hour * 60 + minute) * 60 + second) * 1000 + int(fraction))


def ticker_day_ms(ticker: str) -> TimeMs | None:
    """The exchange's midnight before the day that a ticker names, as `-26NOV21`; None: it names none."""
    match = _TICKER_DAY.search(ticker)
    if match is None:
        return None
    year, month, day = int(match.group(1)), _MONTHS.index(match.group(2)) + 1, int(match.group(3))
    try:
        local_midnight = midnight_ms(date(2000 + year, month, day))
    except ValueError:
        return None
    return day_start_ms(TimeMs(local_midnight + 12 * HOUR_MS))


def quote_end_ms(text: str, ticker: str) -> TimeMs | None:
    """What `quote_until` means for a market: a time, or `ticker_date`, the midnight before the ticker's day.

    None: there is no text, or its ticker names no day. Raises CalendarInvalid.
    """
    if text == TICKER_DATE:
        return ticker_day_ms(ticker)
    return named_time_ms("quote_until", text, f"{TICKER_DATE}, or ")


def named_time_ms(name: str, text: str, otherwise: str = "") -> TimeMs | None:
    """The time that a setting names, None for no text. Raises CalendarInvalid."""
    if not text:
        return None
    try:
        return parse_zoned_time(text)
    except NumberInvalid as error:
        fix = f"write {otherwise}a time as 2026-12-10T08:00:00-05:00"
        raise CalendarInvalid(f"{name} is {text!r}", fix) from error


def format_time(time_ms: TimeMs) -> str:
    """The ISO 8601 time in UTC with three fraction digits, so that texts sort as times do."""
    days, rest = divmod(time_ms, DAY_MS)
    seconds, millis = divmod(rest, 1000)
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{day_of(days)}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"


def exchange_day(time_ms: TimeMs) -> str:
    """The exchange's calendar day that holds a time, as YYYY-MM-DD."""
    return str(day_of((time_ms + offset_ms(EASTERN, time_ms)) // DAY_MS))


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, as `exchange_day` writes it."""
    try:
        return str(date.fromisoformat(text)) == text
    except ValueError:
        return False


def day_start_ms(time_ms: TimeMs) -> TimeMs:
    """When the exchange's day that holds a time began."""
    local_midnight = (time_ms + offset_ms(EASTERN, time_ms)) // DAY_MS * DAY_MS
    # No clock change falls between midnight and 1:00, so midnight's own offset is read just there.
    guess = local_midnight + 5 * HOUR_MS
    return TimeMs(local_midnight - offset_ms(EASTERN, TimeMs(guess)))


def day_starts_ms(after_ms: TimeMs, until_ms: TimeMs) -> tuple[TimeMs, ...]:
    """Every midnight of the exchange later than the first time and not later than the second."""
    starts = []
    start = day_start_ms(until_ms)
    while start > after_ms:
        starts.append(start)
        start = day_start_ms(TimeMs(start - 1))
    return tuple(reversed(starts))
