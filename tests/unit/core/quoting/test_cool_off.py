"""Two fills of an event that went against us within an hour, and the event rests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.markouts import MarkoutRow
from dora.core.quoting.cool_off import KEPT_MS, read_strikes, rests_until, struck
from dora.core.units import Count, Money, TimeMs
from tests.support.examples import EVENT, NOW, TICKER, market

MINUTE_MS = 60_000
HALF_HOUR_S = 1_800


def row(cents_e2: int, ticker: str = TICKER, horizon: int = 1) -> MarkoutRow:
    """Two contracts, marked this many hundredths of a cent a contract for us."""
    contracts, gains = [Count(0)] * 3, [Money(0)] * 3
    contracts[horizon], gains[horizon] = Count(200), Money(200 * cents_e2)
    return MarkoutRow(
        day="2026-11-20", ticker=ticker, strategy="maker", contracts=tuple(contracts), gains=tuple(gains)
    )


@pytest.mark.parametrize(
    "marks, events",
    [
        ([row(-500)], {EVENT}),
        ([row(-499)], set()),
        ([row(-900, horizon=0), row(-900, horizon=2)], set()),
        ([row(-500, "KXELSE-26NOV21-T9")], {"KXELSE-26NOV21"}),
    ],
)
def test_only_a_mark_of_5_cents_against_us_after_5_minutes_is_a_strike(
    marks: list[MarkoutRow], events: set[str]
) -> None:
    assert struck({}, marks, {TICKER: market()}, NOW).keys() == events


@pytest.mark.parametrize(
    "minutes_ago, rests_to",
    [
        ([5], None),
        ([5, 5], 25),
        ([65, 5], 25),
        ([66, 5], None),
        ([90, 31], None),
        ([31, 30], None),
        ([31, 29], 1),
        ([100, 60, 40, 12], 18),
    ],
)
def test_an_event_rests_from_the_second_of_two_strikes_within_an_hour(
    minutes_ago: list[int], rests_to: int | None
) -> None:
    times = [TimeMs(NOW - ago * MINUTE_MS) for ago in minutes_ago]
    expected = None if rests_to is None else NOW + rests_to * MINUTE_MS
    assert rests_until(times, HALF_HOUR_S, NOW) == expected
    assert rests_until(times, 0, NOW) is None


def test_strikes_are_kept_as_long_as_they_matter_and_come_back_from_memory() -> None:
    old = {EVENT: (TimeMs(NOW - KEPT_MS), TimeMs(NOW - 1))}
    stored = struck(old, [row(-700)], {TICKER: market()}, NOW)
    assert read_strikes(stored) == {EVENT: (NOW - 1, NOW)}


WORDS = st.text(max_size=3)


@given(
    st.dictionaries(
        WORDS, st.none() | WORDS | st.lists(st.none() | st.integers() | WORDS, max_size=4), max_size=4
    )
)
def test_memory_that_is_not_understood_strikes_nothing(stored: dict[str, object]) -> None:
    assert all(type(at) is int for times in read_strikes(stored).values() for at in times)
