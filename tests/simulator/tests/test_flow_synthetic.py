"""The synthetic market day."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.clock import VirtualClock
from tests.simulator.flow import RecordedFlow
from tests.simulator.price_grid import (
    CENTER_DECI_EDGE_CENTI_CENT,
    LINEAR_CENT,
    TAPERED_DECI_CENT,
    ladder,
)
from tests.simulator.synthetic import MAX_SCORE, _softmax_e4, _walked, synthetic_recording
from tests.simulator.tape import MINUTE_MS, is_open
from tests.support.flow_fakes import START_MS, FakeMarketplace

few = settings(max_examples=15, deadline=None)


@few
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 90))
def test_prints_are_in_time_order_on_the_grid_and_within_market_hours(
    seed: int, markets: int, minutes: int
) -> None:
    rec = synthetic_recording(seed, markets, START_MS, minutes)
    assert len(rec.markets) == markets
    times = [each.at_ms for each in rec.prints]
    assert times == sorted(times)
    for each in rec.prints:
        listed = rec.markets[each.ticker]
        assert is_open(listed, each.at_ms)
        assert each.price_e4 in ladder(listed.price_ranges)
        assert each.count_e2 > 0
        assert START_MS <= each.at_ms < START_MS + minutes * MINUTE_MS


@few
@given(st.integers(0, 2**32))
def test_at_most_one_outcome_of_an_event_wins(seed: int) -> None:
    winners: dict[str, int] = defaultdict(int)
    for each in synthetic_recording(seed, 40, START_MS, 10).markets.values():
        winners[each.event_ticker] += each.result == "yes"
    assert max(winners.values()) == 1


def test_it_spans_shards_structures_fractions_and_early_closes() -> None:
    rec = synthetic_recording(7, 24, START_MS, 60)
    markets = rec.markets.values()
    assert {each.shard for each in markets} == {0, 1, 2}
    assert {each.price_ranges for each in markets} == {
        LINEAR_CENT,
        TAPERED_DECI_CENT,
        CENTER_DECI_EDGE_CENTI_CENT,
    }
    assert len({each.event_ticker for each in markets}) >= 6
    assert all(len({m.shard for m in markets if m.event_ticker == e.event_ticker}) == 1 for e in markets)
    assert any(each.count_e2 % 100 for each in rec.prints)
    settled = [m for m in markets if m.close_ms + m.settle_after_ms <= START_MS + 60 * MINUTE_MS]
    assert 0 < len(settled) < len(markets)


def test_the_same_seed_gives_the_same_recording_and_another_seed_another() -> None:
    assert synthetic_recording(3, 9, START_MS, 20) == synthetic_recording(3, 9, START_MS, 20)
    assert synthetic_recording(3, 9, START_MS, 20).prints != synthetic_recording(4, 9, START_MS, 20).prints


@given(st.lists(st.integers(-MAX_SCORE, MAX_SCORE), min_size=1, max_size=5))
def test_fair_values_of_an_event_sum_to_less_than_a_dollar(scores: list[int]) -> None:
    fair = _softmax_e4(scores)
    assert sum(fair) < 10_000
    assert all(0 < each < 10_000 for each in fair)


@given(st.integers(-MAX_SCORE, MAX_SCORE), st.integers(1, 4))
def test_a_score_is_a_bounded_martingale(score: int, step: int) -> None:
    up, down = _walked(score, step), _walked(score, -step)
    assert up + down == 2 * score
    assert -MAX_SCORE <= down <= up <= MAX_SCORE


@pytest.mark.parametrize(("markets", "minutes"), [(0, 5), (5, 0)])
def test_nothing_to_play_is_refused(markets: int, minutes: int) -> None:
    with pytest.raises(ValueError, match="at least one market and one minute"):
        synthetic_recording(1, markets, START_MS, minutes)


def test_a_synthetic_day_plays_in_full() -> None:
    rec = synthetic_recording(11, 20, START_MS, 60)
    venue, clock = FakeMarketplace(), VirtualClock(START_MS)
    flow = RecordedFlow(rec, venue, clock, START_MS, START_MS + 60 * MINUTE_MS, list(rec.markets))
    clock.advance_to(START_MS + 60 * MINUTE_MS)
    assert flow.tally.prints == len(rec.prints) > 100
    assert flow.tally.filled_e2 == sum(each.count_e2 for each in rec.prints)
