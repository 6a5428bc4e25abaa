"""Offsets from UTC agree with the time zone database, around every clock change and between."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.units import TimeMs
from dora.core.zones import HOUR_MS, ZONES, first_and_last, offset_ms

FIRST, LAST = datetime(2008, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
TIMES = st.integers(int(FIRST.timestamp() * 1000), int(LAST.timestamp() * 1000)).map(TimeMs)


def shown(name: str, time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, ZoneInfo(name))


@given(st.sampled_from(list(ZONES)), TIMES)
def test_an_offset_is_that_of_the_database(name: str, time_ms: TimeMs) -> None:
    offset = shown(name, time_ms).utcoffset()
    assert offset is not None
    assert offset_ms(ZONES[name], time_ms) == offset.total_seconds() * 1000


@pytest.mark.parametrize("name", ZONES)
def test_every_hour_of_two_years_has_its_offset(name: str) -> None:
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    for time_ms in range(start, start + 2 * 366 * 24 * HOUR_MS, HOUR_MS):
        local = shown(name, time_ms)
        assert (time_ms + offset_ms(ZONES[name], time_ms)) // HOUR_MS % 24 == local.hour


@given(st.sampled_from(list(ZONES)), TIMES)
def test_a_shown_time_lies_between_the_first_and_the_last_time_it_is_shown(
    name: str, time_ms: TimeMs
) -> None:
    zone = ZONES[name]
    first_ms, last_ms = first_and_last(zone, time_ms + offset_ms(zone, time_ms))
    assert time_ms in (first_ms, last_ms)
    assert last_ms - first_ms in (0, HOUR_MS)


def test_a_time_that_is_jumped_over_is_the_moment_of_the_jump_and_one_shown_twice_has_both() -> None:
    eastern = ZONES["America/New_York"]
    jump = datetime(2026, 3, 8, 7, tzinfo=UTC).timestamp() * 1000
    local = datetime(2026, 3, 8, 2, 30, tzinfo=UTC).timestamp() * 1000
    assert first_and_last(eastern, int(local)) == (jump, jump)
    twice = datetime(2026, 11, 1, 1, 30, tzinfo=UTC).timestamp() * 1000
    first, last = first_and_last(eastern, int(twice))
    assert (first, last) == (twice + 4 * HOUR_MS, twice + 5 * HOUR_MS)
