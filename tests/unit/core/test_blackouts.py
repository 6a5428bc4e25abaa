"""Blackouts against a literal reading: what the clock of their zone shows, by the time zone database."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dora.core.blackouts import MAINTENANCE, PRESETS, WEEKDAYS, outlook, parse_blackouts
from dora.core.calendar import format_time, parse_time
from dora.core.errors import CalendarInvalid
from dora.core.units import TimeMs
from dora.core.zones import ZONES

MINUTE_MS = 60_000
LEAD_MS = 60_000
RATES = "08:25-08:45 mon-fri America/New_York"
MINUTES = st.integers(0, 24 * 60 - 1)
DAYS = st.sets(st.sampled_from(WEEKDAYS), min_size=1)
AROUND_CHANGES = st.sampled_from(["2026-03-08T00:00:00Z", "2026-11-01T00:00:00Z", "2026-03-29T00:00:00Z"])
TIMES = st.builds(
    lambda text, minute: TimeMs(parse_time(text) + minute * MINUTE_MS),
    AROUND_CHANGES | st.just("2026-06-10T00:00:00Z"),
    st.integers(-2 * 1440, 9 * 1440),
)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def at(text: str) -> TimeMs:
    return parse_time(text)


def now(text: str, when: str) -> tuple[str, str]:
    """Until when it holds, and when the next begins; empty for neither."""
    found = outlook(text, at(when), LEAD_MS)
    until, following = (("" if one is None else format_time(one)[:16]) for one in found)
    return until, following


def holds(begins: int, ends: int, days: set[str], zone: str, time_ms: int) -> bool:
    """Whether the clock of the zone shows a time in it, on one of its days or on the day after."""
    local = datetime.fromtimestamp(time_ms / 1000, ZoneInfo(zone))
    minute, today = local.hour * 60 + local.minute, local.date()
    if begins < ends:
        return begins <= minute < ends and named(today) in days
    yesterday = named(today - timedelta(days=1))
    return (minute >= begins and named(today) in days) or (minute < ends and yesterday in days)


def named(day: date) -> str:
    return WEEKDAYS[day.weekday()]


def shown_twice(zone: str, time_ms: int) -> bool:
    """Whether it lies in an hour that clocks show twice, or shares it with its twin."""
    local = datetime.fromtimestamp(time_ms / 1000, ZoneInfo(zone))
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


@given(MINUTES, MINUTES, DAYS, st.sampled_from(list(ZONES)), TIMES)
@example(90, 150, set(WEEKDAYS), "America/New_York", at("2026-03-08T07:00:00Z"))
@example(110, 180, {"sun"}, "America/New_York", at("2026-11-01T06:30:00Z"))
def test_a_daily_blackout_holds_while_the_clock_of_its_zone_shows_it(
    begins: int, ends: int, days: set[str], zone: str, time_ms: TimeMs
) -> None:
    if begins == ends:
        return
    text = f"{clock(begins)}-{clock(ends)} {','.join(sorted(days))} {zone}"
    found = outlook(text, time_ms, 0)
    wanted = holds(begins, ends, days, zone, time_ms)
    assert wanted <= (found.until_ms is not None)
    assert wanted == (found.until_ms is not None) or shown_twice(zone, time_ms)
    if found.next_ms is not None:
        assert found.next_ms > time_ms
        assert outlook(text, found.next_ms, 0).until_ms is not None
        assert outlook(text, TimeMs(found.next_ms - 1), 0).next_ms == found.next_ms or found.until_ms


@given(st.integers(0, 59), st.integers(0, 59), DAYS, st.sampled_from(list(ZONES)), TIMES)
def test_an_hourly_blackout_holds_in_its_minutes_of_every_hour(
    begins: int, ends: int, days: set[str], zone: str, time_ms: TimeMs
) -> None:
    if begins == ends:
        return
    text = f"*:{begins:02}-*:{ends:02} {','.join(sorted(days))} {zone}"
    lasts = (ends - begins) % 60
    since = (time_ms // MINUTE_MS - begins) % 60
    begun = datetime.fromtimestamp((time_ms - since * MINUTE_MS) / 1000, ZoneInfo(zone)).date()
    wanted = since < lasts and named(begun) in days
    # The minute before 0 of a named day's first hour belongs to the day before.
    assert (outlook(text, time_ms, 0).until_ms is not None) == wanted or named(begun) not in days


@given(st.lists(st.sampled_from([*PRESETS, "23:50-00:20 mon-fri America/New_York"]), min_size=1), TIMES)
def test_between_now_and_the_next_blackout_none_holds(parts: list[str], time_ms: TimeMs) -> None:
    text = "; ".join(parts)
    until_ms, next_ms = outlook(text, time_ms, LEAD_MS)
    free_ms = time_ms if until_ms is None else until_ms
    assert next_ms is not None
    assert next_ms - free_ms >= LEAD_MS
    for probe in range(free_ms, next_ms - LEAD_MS + 1, max((next_ms - free_ms) // 7, 1)):
        assert outlook(text, TimeMs(probe), LEAD_MS) == (None, next_ms)
    assert until_ms is None or outlook(text, TimeMs(until_ms - 1), LEAD_MS).until_ms == until_ms


@pytest.mark.parametrize(
    "text, when, until, following",
    [
        # Before, in its lead of a minute, inside, after.
        ("08:25-08:45 mon-fri America/New_York", "2026-11-20T13:24:00Z", "", "2026-11-20T13:25"),
        (
            "08:25-08:45 mon-fri America/New_York",
            "2026-11-20T13:24:01Z",
            "2026-11-20T13:45",
            "2026-11-23T13:25",
        ),
        ("08:25-08:45 mon-fri America/New_York", "2026-11-20T13:45:00Z", "", "2026-11-23T13:25"),
        # Midnight: its day is the one on which it begins.
        ("23:50-00:20 fri America/New_York", "2026-11-21T05:10:00Z", "2026-11-21T05:20", "2026-11-28T04:50"),
        ("23:50-00:20 fri America/New_York", "2026-11-20T05:10:00Z", "", "2026-11-21T04:50"),
        # Once.
        ("2026-12-10 08:20-11:05 America/New_York", "2026-11-20T12:00:00Z", "", "2026-12-10T13:20"),
        ("2026-12-10 08:20-11:05 America/New_York", "2026-12-10T16:05:00Z", "", ""),
        # Minutes of every hour, over the hour as well.
        (
            "*:48-*:58 America/Chicago standard",
            "2026-11-20T12:50:00Z",
            "2026-11-20T12:58",
            "2026-11-20T13:48",
        ),
        ("*:55-*:05 America/Chicago", "2026-11-20T12:02:00Z", "2026-11-20T12:05", "2026-11-20T12:55"),
        # In summer, and by standard time all the year.
        ("08:00-09:00 America/Chicago", "2026-07-01T12:00:00Z", "", "2026-07-01T13:00"),
        ("08:00-09:00 America/Chicago standard", "2026-07-01T12:00:00Z", "", "2026-07-01T14:00"),
        # Clocks that jump over its beginning, over all of it, and that show it twice.
        ("02:30-03:30 America/New_York", "2026-03-08T06:00:00Z", "", "2026-03-08T07:00"),
        ("02:15-02:45 America/New_York", "2026-03-08T06:00:00Z", "", "2026-03-09T06:15"),
        ("01:30-01:45 America/New_York", "2026-11-01T05:35:00Z", "2026-11-01T06:45", "2026-11-02T06:30"),
        # Those that touch are one.
        ("08:00-09:00 UTC; 09:00-10:00 UTC", "2026-11-20T08:30:00Z", "2026-11-20T10:00", "2026-11-21T08:00"),
        ("00:00-24:00 sat UTC", "2026-11-21T12:00:00Z", "2026-11-22T00:00", "2026-11-28T00:00"),
        (MAINTENANCE, "2026-11-26T08:00:00Z", "2026-11-26T10:00", "2026-12-03T08:00"),
        (MAINTENANCE, "2026-07-02T06:00:00Z", "", "2026-07-02T07:00"),
    ],
)
def test_what_holds_and_what_comes_next(text: str, when: str, until: str, following: str) -> None:

    assert now(text, when) == (until, following)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("tomorrow", "'tomorrow' is no blackout; write for example"),
        ("08:25-08:45", "'08:25-08:45' is no blackout"),
        ("08:25-08:45 mon-fri America/Detroit", "no zone America/Detroit; write one of: UTC,"),
        ("08:25-08:65 UTC", "has no such time"),
        ("24:00-24:00 UTC", "has no such time"),
        ("*:48-*:60 UTC", "has no such time"),
        ("08:25-08:25 UTC", "ends when it begins"),
        ("08:25-08:45 mon-fry UTC", "no days 'mon-fry'"),
        ("08:25-08:45 mon-wed-fri UTC", "no days 'mon-wed-fri'"),
        ("2026-02-30 08:25-08:45 UTC", "2026-02-30 is no day of the calendar"),
        ("2026-12-10 *:25-*:45 UTC", "has a date and more days"),
        ("2026-12-10 08:25-08:45 mon UTC", "has a date and more days"),
        ("weather; ", "'' is no blackout"),
    ],
)
def test_what_is_no_blackout_is_refused_with_what_to_write(text: str, complaint: str) -> None:
    with pytest.raises(CalendarInvalid, match=complaint.replace("*", r"\*").replace(".", r"\.")):
        parse_blackouts(text)


def test_a_range_of_days_may_pass_the_end_of_the_week() -> None:
    (window,) = parse_blackouts("08:00-09:00 sat-mon,wed UTC")
    assert window.days == {5, 6, 0, 2}


def test_every_preset_is_a_blackout() -> None:
    assert all(parse_blackouts(preset) for preset in PRESETS)
