"""What is refused again and again rests longer and longer, up to a day; for want of cash a whole shard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.error_codes import BRAKED_ELSEWHERE, CASH_SHORT
from dora.core.risk.rests import (
    FIRST_REST_MS,
    Refused,
    Rest,
    after_cycle,
    read_rests,
    resting_now,
    standing,
    stored_rests,
)
from dora.core.zones import DAY_MS
from tests.support.examples import NOW, TICKER

NO = Refused(TICKER, 2, "invalid_price")
MINUTE_MS = 60_000


def after(cycles: int, refused: Refused = NO) -> dict[str, Rest]:
    rests: dict[str, Rest] = {}
    for number in range(cycles):
        rests = after_cycle(rests, [refused, refused], (), NOW + number)
    return rests


@pytest.mark.parametrize(("cycles", "rests"), [(1, False), (2, False), (3, True)])
def test_the_third_cycle_in_a_row_that_is_refused_makes_its_market_rest(cycles: int, rests: bool) -> None:
    """However many orders of it one cycle sent."""
    assert (resting_now(after(cycles), NOW + cycles).keys() == {TICKER}) is rests


@pytest.mark.parametrize("code", sorted(CASH_SHORT))
def test_for_want_of_cash_the_shard_rests(code: str) -> None:
    assert resting_now(after(3, Refused(TICKER, 2, code)), NOW + 3).keys() == {"#2"}


@pytest.mark.parametrize("code", sorted(BRAKED_ELSEWHERE))
def test_what_has_a_brake_of_its_own_makes_nothing_rest(code: str) -> None:
    assert after(9, Refused(TICKER, 2, code)) == {}


def test_another_code_begins_anew_and_a_quote_that_is_taken_clears_all() -> None:
    other = after_cycle(after(2), [Refused(TICKER, 2, "invalid_order")], (), NOW)
    assert other[TICKER].times == 1
    assert after_cycle(after(3), [], {TICKER}, NOW) == {}
    assert after_cycle(after(2), [NO], {TICKER}, NOW)[TICKER].times == 3


def test_each_rest_is_longer_than_the_one_before_up_to_a_day() -> None:
    rests, now_ms, spans = after(2), NOW, []
    for _ in range(8):
        rests = after_cycle(rests, [NO], (), now_ms)
        spans.append(rests[TICKER].until_ms - now_ms)
        now_ms = rests[TICKER].until_ms
    assert spans[:3] == [FIRST_REST_MS, 4 * FIRST_REST_MS, 16 * FIRST_REST_MS]
    assert spans == sorted(spans)
    assert spans[-1] == DAY_MS


def test_a_resume_after_it_or_a_day_without_a_refusal_clears_it() -> None:
    rests = after(3)
    at_ms = rests[TICKER].at_ms
    assert standing(rests, at_ms + 1, at_ms - 1) == rests
    assert standing(rests, at_ms + 1, at_ms) == {}
    assert standing(rests, at_ms + DAY_MS, 0) == {}


@given(st.lists(st.tuples(st.sampled_from(["A", "B"]), st.sampled_from(["x", "y"])), max_size=12))
def test_what_memory_keeps_is_what_is_read_back(refusals: list[tuple[str, str]]) -> None:
    rests: dict[str, Rest] = {}
    for number, (ticker, code) in enumerate(refusals):
        rests = after_cycle(rests, [Refused(ticker, 0, code)], (), NOW + number)
    assert read_rests(stored_rests(rests.values())) == rests


@pytest.mark.parametrize("stored", [None, 3, [], ["code", 1, 1, 1], [1, 1, 1, 1, 1], {"code": "x"}])
def test_what_is_not_understood_is_left_out(stored: object) -> None:
    assert read_rests({TICKER: stored}) == {}
