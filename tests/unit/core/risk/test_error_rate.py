"""The breaker of writes: it trips where enough were sent and too many failed, and cools down by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.error_codes import BRAKED_ELSEWHERE
from dora.core.orders.write_tally import WriteTally
from dora.core.risk.error_rate import WINDOW_MS, after_writes, is_cooling
from dora.core.state import RiskState
from dora.core.units import TimeMs
from tests.support.examples import NOW, limits

LIMITS = limits(max_error_rate=50, error_rate_writes=20, error_cooldown_s=300)


def tally(sent: int, failed: int, code: str = "invalid_order") -> WriteTally:
    return WriteTally(requested=sent, codes={code: failed} if failed else {})


@pytest.mark.parametrize(
    ("sent", "failed", "trips"), [(20, 10, False), (20, 11, True), (19, 19, False), (22, 11, False)]
)
def test_it_trips_beyond_the_rate_and_not_before_enough_were_sent(
    sent: int, failed: int, trips: bool
) -> None:
    state = after_writes(RiskState(), tally(sent, failed), LIMITS, NOW)
    assert is_cooling(state, NOW) is trips


def test_cycles_of_ten_minutes_count_together() -> None:
    state = RiskState()
    for minute in range(4):
        state = after_writes(state, tally(5, 3), LIMITS, TimeMs(NOW + minute * 60_000))
    assert is_cooling(state, TimeMs(NOW + 200_000))


def test_what_is_older_than_the_window_is_forgotten() -> None:
    state, later = after_writes(RiskState(), tally(19, 19), LIMITS, NOW), TimeMs(NOW + WINDOW_MS)
    state = after_writes(state, tally(20, 1), LIMITS, later)
    assert (state.writes, state.failures, is_cooling(state, later)) == (20, 1, False)


def test_while_nothing_fails_nothing_is_kept() -> None:
    assert after_writes(RiskState(), tally(1_000, 0), LIMITS, NOW) == RiskState()
    failed = after_writes(RiskState(), tally(10, 1), LIMITS, NOW)
    assert after_writes(failed, tally(10, 0), LIMITS, NOW).writes == 20
    assert after_writes(failed, tally(10, 0), LIMITS, TimeMs(NOW + WINDOW_MS)) == failed


def test_it_cools_down_by_itself_and_counts_anew() -> None:
    state = after_writes(RiskState(), tally(20, 20), LIMITS, NOW)
    assert (is_cooling(state, TimeMs(NOW + 299_999)), is_cooling(state, TimeMs(NOW + 300_000))) == (
        True,
        False,
    )
    assert (state.writes, state.failures, state.tripped_ms) == (0, 0, NOW)


@pytest.mark.parametrize("code", sorted(BRAKED_ELSEWHERE))
def test_a_refusal_that_has_a_brake_of_its_own_is_not_counted(code: str) -> None:
    assert after_writes(RiskState(), tally(100, 100, code), LIMITS, NOW) == RiskState()


@given(st.lists(st.integers(0, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=9))
def test_a_window_in_which_more_fails_than_allowed_never_stays_open(cycles: list[tuple[int, int]]) -> None:
    state, sent, failed = RiskState(), 0, 0
    for own_sent, own_failed in cycles:
        state = after_writes(state, tally(own_sent, own_failed), LIMITS, NOW)
        if failed or own_failed:
            sent, failed = sent + own_sent, failed + own_failed
        if sent >= 20 and failed * 2 > sent:
            assert is_cooling(state, NOW)
            return
    assert not is_cooling(state, NOW)
