"""Buckets against a reference in exact fractions; batch sizes against the tiers."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.account import Limits
from dora.core.exchange.pacing import (
    Bucket,
    affordable,
    cancel_batch_size,
    create_batch_size,
    empty_until_us,
    latest_tat_us,
    level,
    reserve,
)
from tests.support.reference_bucket import START_US, ReferenceBucket

BASIC = Limits(tier="basic", read_rate=200, read_capacity=400, write_rate=100, write_capacity=100)
ADVANCED = Limits(tier="advanced", read_rate=300, read_capacity=600, write_rate=300, write_capacity=600)
FAR_US = START_US + 10**12


buckets = st.builds(Bucket, rate=st.integers(1, 5000), capacity=st.integers(1, 5000))


@st.composite
def visits(draw: st.DrawFn) -> tuple[Bucket, list[tuple[int, int, list[int]]]]:
    """A bucket and reservations of several users: pause before it, patience, costs."""
    bucket = draw(buckets)
    costs = st.lists(st.integers(1, bucket.capacity), min_size=1, max_size=6)
    return bucket, draw(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 5000), costs), max_size=12))


@given(visits())
def test_no_more_tokens_are_spent_than_the_bucket_holds(
    made: tuple[Bucket, list[tuple[int, int, list[int]]]],
) -> None:
    bucket, rows = made
    reference, tat_us, now_us = ReferenceBucket(bucket.rate, bucket.capacity), None, START_US
    sent: list[tuple[int, int]] = []
    for pause_ms, patience_ms, costs in rows:
        now_us += pause_ms * 1000
        granted = reserve(bucket, tat_us, costs, now_us, now_us + patience_ms * 1000)
        sent += zip(granted.send_ms, costs, strict=False)
        if granted.send_us:
            tat_us = max(tat_us or 0, now_us) + granted.spent_us

    assert sent == sorted(sent, key=lambda call: call[0])
    for at_ms, cost in sent:
        reference.spend(at_ms, cost)
        assert reference.level >= 0


@given(visits())
def test_any_window_sees_at_most_rate_times_its_length_plus_capacity(
    made: tuple[Bucket, list[tuple[int, int, list[int]]]],
) -> None:
    bucket, rows = made
    tat_us, now_us, sent = None, START_US, []
    for pause_ms, patience_ms, costs in rows:
        now_us += pause_ms * 1000
        granted = reserve(bucket, tat_us, costs, now_us, now_us + patience_ms * 1000)
        sent += zip(granted.send_ms, costs, strict=False)
        tat_us = max(tat_us or 0, now_us) + granted.spent_us

    for first, (from_ms, _) in enumerate(sent):
        spent = 0
        for until_ms, cost in sent[first:]:
            spent += cost
            assert spent <= Fraction(bucket.rate * (until_ms - from_ms), 1000) + bucket.capacity


@given(buckets.flatmap(lambda b: st.tuples(st.just(b), st.lists(st.integers(1, b.capacity), max_size=30))))
def test_no_call_waits_longer_than_the_reference_bucket_by_more_than_the_rounding(
    made: tuple[Bucket, list[int]],
) -> None:
    bucket, costs = made
    reference = ReferenceBucket(bucket.rate, bucket.capacity)

    granted = reserve(bucket, None, costs, START_US, START_US + 10**15)

    assert len(granted.send_us) == len(costs)
    at_ms, whole_bucket_calls = START_US // 1000, 0
    for ours_ms, cost in zip(granted.send_ms, costs, strict=True):
        at_ms = reference.first_ms(at_ms, cost)
        reference.spend(at_ms, cost)
        whole_bucket_calls += bucket.call_us(cost) > bucket.span_us(cost)
        assert ours_ms <= at_ms + 2 + whole_bucket_calls


@given(visits(), st.integers(0, 10**7))
def test_a_clock_that_steps_back_grants_nothing_extra(
    made: tuple[Bucket, list[tuple[int, int, list[int]]]], back_us: int
) -> None:
    bucket, rows = made
    costs = [cost for _, _, own in rows for cost in own]
    until_us, tat_us = START_US + 3_000_000, START_US + 700_000

    now = reserve(bucket, tat_us, costs, START_US, until_us)
    earlier = reserve(bucket, tat_us, costs, START_US - back_us, until_us)

    assert len(earlier.send_us) <= len(now.send_us)
    assert earlier.spent_us <= now.spent_us


@given(visits(), st.integers(0, 10**7))
def test_the_latest_tat_is_the_last_from_which_all_calls_pass(
    made: tuple[Bucket, list[tuple[int, int, list[int]]]], patience_us: int
) -> None:
    bucket, rows = made
    costs = [cost for _, _, own in rows for cost in own] or [1]
    until_us = START_US + patience_us
    latest_us = latest_tat_us(bucket, costs, until_us)

    if latest_us >= START_US:
        assert len(reserve(bucket, latest_us, costs, START_US, until_us).send_us) == len(costs)
    after_us = max(latest_us + 1, START_US)
    if after_us > latest_us:
        assert len(reserve(bucket, after_us, costs, START_US, until_us).send_us) < len(costs)


def test_what_a_call_adds_is_rounded_up_and_the_capacity_down() -> None:
    assert Bucket(3, 100).span_us(1) == 333_334
    assert Bucket(3, 1).depth_us == 333_333


def test_calls_wait_until_the_bucket_holds_their_cost() -> None:
    granted = reserve(Bucket(100, 100), None, [50, 50, 50, 20], START_US, FAR_US)

    assert [at - START_US for at in granted.send_us] == [0, 0, 500_000, 700_000]
    assert granted.spent_us == 1_700_000


def test_only_calls_that_can_leave_in_time_are_reserved() -> None:
    granted = reserve(Bucket(100, 100), None, [50, 50, 50], START_US, START_US + 499_999)

    assert [at - START_US for at in granted.send_us] == [0, 0]
    assert granted.spent_us == 1_000_000


def test_nothing_is_reserved_for_a_time_that_has_passed() -> None:
    assert reserve(Bucket(100, 100), None, [1], START_US, START_US - 1).send_us == ()


@pytest.mark.parametrize("cost", [0, -1, 101])
def test_a_call_that_can_never_pass_is_an_error(cost: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        reserve(Bucket(100, 100), None, [cost], START_US, FAR_US)


def test_a_bucket_without_rate_or_capacity_is_an_error() -> None:
    with pytest.raises(ValueError, match="never pay"):
        Bucket(0, 100)


@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 10_000_000), st.integers(0, 10_000_000))
def test_a_level_is_what_could_be_spent_at_once_and_no_more(
    rate: int, capacity: int, tat: int, now: int
) -> None:
    bucket = Bucket(rate, capacity)
    tokens = level(bucket, tat, now)

    assert 0 <= tokens <= capacity
    assert tokens == capacity or tat > now
    if tokens:
        assert reserve(bucket, tat, [tokens], now, now).send_us == (now,)
    if tokens + 2 <= capacity:
        assert reserve(bucket, tat, [tokens + 2], now, now).send_us == ()


def test_an_emptied_bucket_pays_nothing_before_its_time() -> None:
    bucket = Bucket(100, 100)
    tat_us = empty_until_us(bucket, START_US + 2_000_000)

    assert reserve(bucket, tat_us, [1], START_US, START_US + 2_000_000).send_us == ()
    assert reserve(bucket, tat_us, [1], START_US, FAR_US).send_us == (START_US + 2_010_000,)


@pytest.mark.parametrize(
    ("limits", "configured", "size"),
    [(BASIC, 20, 5), (BASIC, 3, 3), (ADVANCED, 20, 20), (ADVANCED, 50, 30), (ADVANCED, 1, 1)],
)
def test_a_create_batch_takes_at_most_half_the_bucket(limits: Limits, configured: int, size: int) -> None:
    assert create_batch_size(configured, limits) == size


@pytest.mark.parametrize(("limits", "size"), [(BASIC, 50), (ADVANCED, 300)])
def test_a_cancel_batch_takes_a_full_bucket_at_most(limits: Limits, size: int) -> None:
    assert cancel_batch_size(8_000, limits) == size


@pytest.mark.parametrize("lacking_us", [0, 500_000, 90_000_000])
@pytest.mark.parametrize("span_us", [0, 45_000_000])
def test_what_is_affordable_is_what_calls_can_be_reserved_for(lacking_us: int, span_us: int) -> None:
    bucket, tat_us, until_us = Bucket(100, 100), START_US + lacking_us, START_US + span_us
    sent = reserve(bucket, tat_us, [10] * 1_000, START_US, until_us)
    assert affordable(bucket, tat_us, START_US, until_us) // 10 == len(sent.send_us)
    assert affordable(bucket, tat_us, START_US, START_US - 1) == 0


def test_a_batch_has_at_least_one_order_however_small_the_bucket() -> None:
    tiny = Limits(tier="tiny", read_rate=1, read_capacity=1, write_rate=1, write_capacity=1)

    assert create_batch_size(20, tiny) == cancel_batch_size(100, tiny) == 1


@given(st.integers(1, 1600), st.integers(1, 10_000), st.integers(1, 200))
def test_a_create_batch_of_several_always_fits_the_bucket(configured: int, capacity: int, cost: int) -> None:
    limits = Limits(
        tier="any", read_rate=1, read_capacity=1, write_rate=1, write_capacity=capacity, create_cost=cost
    )

    size = create_batch_size(configured, limits)

    assert 1 <= size <= configured
    assert size == 1 or 2 * size * cost <= capacity
