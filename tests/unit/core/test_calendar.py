"""The exchange's day agrees with the time zone database, and times survive the trip to text and back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.calendar import day_start_ms, day_starts_ms, exchange_day, format_time, parse_time
from dora.core.errors import NumberInvalid
from dora.core.units import TimeMs

EASTERN = ZoneInfo("America/New_York")
FIRST, LAST = datetime(2007, 1, 1, tzinfo=UTC), datetime(2070, 1, 1, tzinfo=UTC)
TIMES = st.integers(int(FIRST.timestamp() * 1000), int(LAST.timestamp() * 1000)).map(TimeMs)


def _eastern(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, EASTERN)


def _ms(moment: datetime) -> TimeMs:
    return TimeMs(round(moment.timestamp() * 1000))


@given(TIMES)
def test_the_day_is_the_eastern_calendar_day(time_ms: TimeMs) -> None:
    assert exchange_day(time_ms) == _eastern(time_ms).date().isoformat()


@given(TIMES)
def test_a_day_starts_at_eastern_midnight(time_ms: TimeMs) -> None:
    midnight = _eastern(time_ms).replace(hour=0, minute=0, second=0, microsecond=0)
    assert day_start_ms(time_ms) == _ms(midnight)


@pytest.mark.parametrize("year", range(2007, 2070))
def test_both_clock_changes_of_every_year_fall_where_the_database_has_them(year: int) -> None:
    hour = datetime(year, 1, 1, tzinfo=UTC)
    changes = []
    while hour.year == year:
        after = hour + timedelta(hours=1)
        if hour.astimezone(EASTERN).utcoffset() != after.astimezone(EASTERN).utcoffset():
            changes.append(after)
        hour = after
    assert len(changes) == 2
    for change in changes:
        # Around a change the local clock shows which offset is in force: midnight less one second decides.
        for near in (change - timedelta(milliseconds=1), change):
            start = near.astimezone(EASTERN).replace(hour=0, minute=0, second=0, microsecond=0)
            assert day_start_ms(_ms(near)) == _ms(start)
        next_midnight = _ms((change.astimezone(EASTERN) + timedelta(days=1)).replace(hour=0))
        assert exchange_day(TimeMs(next_midnight - 1)) == change.astimezone(EASTERN).date().isoformat()
        assert exchange_day(next_midnight) != exchange_day(TimeMs(next_midnight - 1))


def test_days_of_23_and_25_hours_are_counted_once() -> None:
    starts = day_starts_ms(parse_time("2026-03-07T05:00:00Z"), parse_time("2026-03-10T12:00:00Z"))
    assert [format_time(start) for start in starts] == [
        "2026-03-08T05:00:00.000Z",
        "2026-03-09T04:00:00.000Z",
        "2026-03-10T04:00:00.000Z",
    ]
    autumn = day_starts_ms(parse_time("2026-11-01T03:59:59Z"), parse_time("2026-11-02T05:00:00Z"))
    assert [format_time(start) for start in autumn] == [
        "2026-11-01T04:00:00.000Z",
        "2026-11-02T05:00:00.000Z",
    ]


def test_no_midnight_in_an_empty_span() -> None:
    noon = parse_time("2026-11-20T17:00:00Z")
    assert day_starts_ms(noon, noon) == ()


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-20T13:59:58.1Z", 1_795_183_198_100),
        ("2026-11-20T13:59:58.10Z", 1_795_183_198_100),
        ("2026-11-20T13:59:58.123456Z", 1_795_183_198_123),
        ("2026-11-20T13:59:58.999999999Z", 1_795_183_198_999),
        ("2026-11-20T13:59:58Z", 1_795_183_198_000),
        ("2026-11-20T13:59:58+00:00", 1_795_183_198_000),
        ("2024-02-29T23:59:59.001Z", 1_709_251_199_001),
    ],
)
def test_times_are_read_to_the_millisecond(text: str, millis: int) -> None:
    assert parse_time(text) == millis


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-20",
        "2026-11-20T13:59:58",
        "2026-11-20 13:59:58Z",
        "2026-11-20T13:59:58.Z",
        "2026-11-20T13:59:58-05:00",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T13:60:00Z",
        "2026-11-20T13:59:60Z",
        " 2026-11-20T13:59:58Z",
        "2026-11-20T13:59:58Z\n",
        "٢٠٢٦-11-20T13:59:58Z",
        None,
        1_795_183_198,
    ],
)
def test_anything_else_is_no_time(text: object) -> None:
    with pytest.raises(NumberInvalid):
        parse_time(text)


@given(TIMES)
def test_text_and_time_are_the_same_thing(time_ms: TimeMs) -> None:
    text = format_time(time_ms)
    assert parse_time(text) == time_ms
    assert datetime.fromisoformat(text) == datetime.fromtimestamp(time_ms // 1000, UTC) + timedelta(
        milliseconds=time_ms % 1000
    )


@given(TIMES, TIMES)
def test_texts_sort_as_times_do(one: TimeMs, other: TimeMs) -> None:
    assert (format_time(one) < format_time(other)) == (one < other)
