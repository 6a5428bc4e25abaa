"""What a replay came to: exact sums, drawdowns, intervals, and the share that must be real."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.market import Side
from dora.core.units import Count, Money, Price
from tests.replay.desk import Filled
from tests.replay.play import MarketDay
from tests.replay.score import (
    Score,
    drawdown,
    event_days,
    interval,
    scored,
    share_to_break_even,
    together,
)
from tests.replay.tape import Track
from tests.replay.tapes import TICKER, at, quote, tape_with, track_of

DAY = "2026-03-10"


def mids() -> list[tuple[float, float]]:
    """(seconds, cents): the mid after each time."""
    return [(0, 45), (60, 46), (300, 44), (1_800, 49), (7_200, 60)]


def track(result: str | None = None) -> Track:
    return track_of([quote(s, (mid - 1, 5), (mid + 1, 5)) for s, mid in mids()], result=result)


def filled(side: Side, cents: float, contracts: float = 10, fee_e6: int = 0) -> Filled:
    return Filled(
        at(0), TICKER, side, Price(round(cents * 100)), Count(round(contracts * 100)), Money(fee_e6)
    )


def score_of(*fills: Filled, minutes: int = 60, result: str | None = None) -> Score:
    tape = tape_with(track(result))
    day = MarketDay(minutes=minutes, quoted=minutes, fills=list(fills))
    return scored(tape, {(TICKER, DAY): day}).scores[TICKER, DAY]


def test_a_fill_is_marked_one_five_and_thirty_minutes_later_and_at_the_end() -> None:
    score = score_of(filled(Side.BID, 44))
    assert [
        score.cents_per_contract(p) for p in (score.after_1, score.after_5, score.after_30, score.ended)
    ] == [
        2.0,
        0.0,
        5.0,
        16.0,
    ]


def test_an_ask_gains_what_a_bid_loses_and_both_pay_their_fees() -> None:
    bought, sold = (
        score_of(filled(Side.BID, 44, fee_e6=50_000)),
        score_of(filled(Side.ASK, 44, fee_e6=50_000)),
    )
    assert (bought.after_30, sold.after_30) == (4_500_000, -5_500_000)
    assert bought.fees == 500_000


def test_settlement_counts_where_it_is_recorded_and_nowhere_else() -> None:
    assert score_of(filled(Side.BID, 44)).settled_contracts == 0
    for result, cents in (("yes", 56.0), ("no", -44.0)):
        score = score_of(filled(Side.BID, 44), result=result)
        assert score.cents_per_contract(score.settled, score.settled_contracts) == cents


def test_a_mark_beyond_the_tape_is_its_last_one() -> None:
    late = filled(Side.BID, 44)._replace(at_ms=at(7_000))
    assert score_of(late).after_30 == 16_000_000


@pytest.mark.parametrize(("side_contracts", "cents"), [(10, 50.0), (20, 25.0)])
def test_profit_per_quote_hour_is_for_ten_contracts_a_side(side_contracts: float, cents: float) -> None:
    assert score_of(filled(Side.BID, 44)).cents_per_quote_hour(side_contracts) == cents


def test_nothing_quoted_is_nothing_per_hour() -> None:
    assert Score().cents_per_quote_hour(10) == 0.0
    assert Score().quoted_share == 0.0


@pytest.mark.parametrize(
    ("steps", "deepest"),
    [
        ([], 0),
        ([(1, 5), (2, 7)], 0),
        ([(1, -5)], 5),
        ([(1, 10), (2, -4), (3, 2), (4, -5), (5, 20)], 7),
        ([(2, -4), (1, 10), (2, 4)], 0),
    ],
)
def test_drawdown_is_the_deepest_fall_from_a_high(steps: list[tuple[int, int]], deepest: int) -> None:
    assert drawdown(steps) == deepest


def test_markets_together_add_up_and_their_drawdown_is_of_the_sum() -> None:
    tape = tape_with(track())
    days = {
        (TICKER, "2026-03-10"): MarketDay(
            minutes=10, quoted=5, largest=Count(300), steps=[(1, -10)], reasons=Counter(too_fast=5)
        ),
        (TICKER, "2026-03-11"): MarketDay(
            minutes=10, quoted=10, largest=Count(200), steps=[(1, 4), (2, 6)], reasons=Counter(too_fast=1)
        ),
    }
    total = together(scored(tape, days), days)
    assert (total.minutes, total.quoted, total.largest, total.drawdown) == (20, 15, 300, 6)
    assert total.reasons == {"too_fast": 6}
    assert list(event_days(tape, scored(tape, days))) == ["KXHAND-E1 2026-03-10", "KXHAND-E1 2026-03-11"]


def cluster(dollars: float, quoted: int = 60) -> Score:
    return Score(quoted=quoted, after_30=round(dollars * 10**7))


def test_no_interval_is_told_of_two_event_days_that_quoted() -> None:
    assert interval([cluster(1), cluster(2), cluster(0, quoted=0)], 10) is None
    assert interval([cluster(1), cluster(2), cluster(3)], 10) is not None


def test_equal_event_days_leave_no_doubt() -> None:
    assert interval([cluster(1)] * 5, 10) == (100.0, 100.0)


@given(st.lists(st.integers(-500, 500), min_size=3, max_size=12))
def test_an_interval_is_the_same_every_time_and_lies_within_the_days(dollars: list[int]) -> None:
    clusters = [cluster(each) for each in dollars]
    found = interval(clusters, 10)
    assert found == interval(clusters, 10)
    assert found is not None
    assert min(dollars) * 100 <= found[0] <= found[1] <= max(dollars) * 100


def test_days_that_quoted_longer_weigh_more() -> None:
    low, high = interval([cluster(10, quoted=600), cluster(0), cluster(0)], 10) or (0, 0)
    assert (low, high) == (0.0, 100.0)


@pytest.mark.parametrize(
    ("pessimistic", "optimistic", "share"),
    [(-10, 30, 0.25), (-10, 10, 0.5), (5, 30, 0.0), (-10, -5, None), (-10, 0, None)],
)
def test_the_share_of_optimistic_fills_that_must_be_real(
    pessimistic: float, optimistic: float, share: float | None
) -> None:
    assert share_to_break_even(cluster(pessimistic), cluster(optimistic)) == share
