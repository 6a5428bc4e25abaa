"""The shared token buckets, against the arithmetic and against a reference bucket."""

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dora.core.errors import StateTooNew, StateUnavailable
from dora.core.exchange.account import Limits
from dora.core.exchange.pacing import BALANCE_COST
from dora.core.units import TimeMs
from dora.edge.dynamo.limiter import DynamoLimiter
from tests.support.dynamo_values import (
    LIMITS,
    NOW_MS,
    Fault,
    FaultyClient,
    answer_lost,
    request_lost,
    sent_twice,
    throttled,
)
from tests.support.reference_bucket import ReferenceBucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_fresh = count()


def open_limiter(client: Any, key_name: str = "key") -> DynamoLimiter:
    return DynamoLimiter(client, "state", key_name)


def ask(
    limiter: DynamoLimiter, costs: list[int], at: int = 0, until: int = 60_000, bucket: str = "write"
) -> list[int]:
    """Send times relative to NOW_MS."""
    now_ms, until_ms = TimeMs(NOW_MS + at), TimeMs(NOW_MS + until)
    return [sent - NOW_MS for sent in limiter.reserve(bucket, costs, now_ms, until_ms)]


def updates_of(client: Any) -> list[object]:
    """Collects the client's updates from now on."""
    seen: list[object] = []
    client.meta.events.register(
        "before-call.dynamodb.UpdateItem", lambda **given: seen.append(given) and None
    )
    return seen


def test_before_it_learns_limits_it_spends_as_the_smallest_tier(dynamo: "DynamoDBClient") -> None:
    limiter = open_limiter(dynamo)

    assert ask(limiter, [50, 50, 50]) == [0, 0, 500]
    assert ask(limiter, [100, 100, 100], bucket="read") == [0, 0, 500]


def test_learned_limits_count_from_then_on(dynamo: "DynamoDBClient") -> None:
    limiter = open_limiter(dynamo)
    limiter.configure(LIMITS)

    assert ask(limiter, [300, 300, 150]) == [0, 0, 500]


def test_what_cannot_leave_in_time_is_not_spent(dynamo: "DynamoDBClient") -> None:
    first, second = open_limiter(dynamo), open_limiter(dynamo)

    assert ask(first, [50, 50, 50, 50], until=600) == [0, 0, 500]
    assert ask(second, [50, 50], until=1_000) == [1_000]
    assert ask(first, [50], until=1_000) == []


def test_buckets_and_keys_are_apart(dynamo: "DynamoDBClient") -> None:
    limiter = open_limiter(dynamo)
    for bucket in ("write", "read", "write#1", "write#2"):
        assert ask(limiter, [100], bucket=bucket, until=0) == [0]

    assert ask(limiter, [100], bucket="write", until=0) == []
    assert ask(open_limiter(dynamo, "other key"), [100], until=0) == [0]


def test_the_balance_endpoint_is_asked_once_a_second_with_slack_for_travel(dynamo: "DynamoDBClient") -> None:
    sent = ask(open_limiter(dynamo), [BALANCE_COST] * 3, bucket="balance")

    assert [later - earlier >= 1_200 for earlier, later in zip(sent, sent[1:], strict=False)] == [True, True]
    assert sent[2] <= 2_410


@pytest.mark.parametrize("bucket", ["", "writes", "write#0", "write#x", "write#", "WRITE"])
def test_an_unknown_bucket_is_an_error(dynamo: "DynamoDBClient", bucket: str) -> None:
    with pytest.raises(ValueError, match="no bucket"):
        ask(open_limiter(dynamo), [1], bucket=bucket)


def test_a_call_that_can_never_pass_is_an_error(dynamo: "DynamoDBClient") -> None:
    with pytest.raises(ValueError, match="cut it first"):
        ask(open_limiter(dynamo), [50, 101])


def test_no_calls_need_no_update(dynamo: "DynamoDBClient") -> None:
    updates = updates_of(dynamo)

    assert ask(open_limiter(dynamo), []) == []
    assert ask(open_limiter(dynamo), [1], until=-1) == []
    assert updates == []


def test_a_charge_always_counts_even_against_an_empty_bucket(dynamo: "DynamoDBClient") -> None:
    limiter = open_limiter(dynamo)
    limiter.charge("write", 60, TimeMs(NOW_MS))
    open_limiter(dynamo).charge("write", 90, TimeMs(NOW_MS))

    assert ask(limiter, [100]) == [1_500]


def test_a_charge_long_after_the_last_starts_from_a_full_bucket(dynamo: "DynamoDBClient") -> None:
    limiter = open_limiter(dynamo)
    limiter.charge("write", 60, TimeMs(NOW_MS))
    limiter.charge("write", 40, TimeMs(NOW_MS + 10_000))

    assert ask(limiter, [60, 10], at=10_000) == [10_000, 10_100]


def test_after_a_push_back_nobody_spends_for_that_span(dynamo: "DynamoDBClient") -> None:
    one, other = open_limiter(dynamo), open_limiter(dynamo)
    ask(other, [10])

    assert one.push_back("write", TimeMs(NOW_MS), 2_000, 60_000) == (1, 2_250)

    assert ask(other, [1], until=2_250) == []
    assert ask(other, [1]) == [2_260]


def test_jitter_is_drawn_up_to_a_quarter_of_the_backoff(dynamo: "DynamoDBClient") -> None:
    drawn: list[int] = []
    limiter = DynamoLimiter(dynamo, "state", "key", lambda below: drawn.append(below) or below - 1)

    assert limiter.push_back("write", TimeMs(NOW_MS), 2_000, 60_000) == (1, 2_500)
    assert drawn == [501]


def test_an_item_of_an_earlier_version_has_met_no_429_and_keeps_working_with_one(
    dynamo: "DynamoDBClient",
) -> None:
    """Only the count is added to the item: what an earlier version does to it still works, and keeps it."""
    limiter, earlier = open_limiter(dynamo), open_limiter(dynamo)
    ask(earlier, [100])
    stored = {"pk": {"S": "limiter#key"}, "sk": {"S": "LIMITER#write"}}
    before = dynamo.get_item(TableName="state", Key=stored, ConsistentRead=True)["Item"]

    assert before.keys() == {"pk", "sk", "v", "tat_us"}
    assert limiter.push_back("write", TimeMs(NOW_MS), 1_000, 60_000)[0] == 1
    assert ask(earlier, [10]) == [1_225]
    after = dynamo.get_item(TableName="state", Key=stored, ConsistentRead=True)["Item"]
    assert (after["hits"], after["v"]) == ({"N": "1"}, {"N": "1"})


def test_a_clean_user_needs_no_update_to_end_a_row_of_429s(dynamo: "DynamoDBClient") -> None:
    limiter = open_limiter(dynamo)
    ask(limiter, [10])
    updates = updates_of(dynamo)
    limiter.passed("write")
    assert updates == []

    limiter.push_back("write", TimeMs(NOW_MS), 1_000, 60_000)
    for _ in range(3):
        limiter.passed("write")
    assert len(updates) == 2


def test_a_clock_that_steps_back_grants_nothing_extra(dynamo: "DynamoDBClient") -> None:
    limiter = open_limiter(dynamo)
    ask(limiter, [100])

    assert ask(limiter, [10], at=-3_000, until=0) == []
    assert ask(open_limiter(dynamo), [10], at=-3_000, until=0) == []


def test_a_bucket_deleted_by_hand_is_full_again(dynamo: "DynamoDBClient") -> None:
    limiter = open_limiter(dynamo)
    limiter.push_back("write", TimeMs(NOW_MS), 10**9, 10**9)
    dynamo.delete_item(TableName="state", Key={"pk": {"S": "limiter#key"}, "sk": {"S": "LIMITER#write"}})

    assert ask(limiter, [100], until=0) == [0]


def test_one_update_is_enough_for_a_user_alone_and_two_always(dynamo: "DynamoDBClient") -> None:
    updates = updates_of(dynamo)
    alone = open_limiter(dynamo)
    for at in (0, 100, 5_000, 5_100, 20_000):
        ask(alone, [50, 50], at=at)
    assert len(updates) == 5

    updates.clear()
    ask(open_limiter(dynamo), [50, 50], at=20_100)
    assert len(updates) == 2


def test_a_bucket_of_a_newer_version_is_left_alone(dynamo: "DynamoDBClient") -> None:
    item: Any = {"pk": {"S": "limiter#key"}, "sk": {"S": "LIMITER#write"}, "v": {"N": "2"}}
    dynamo.put_item(TableName="state", Item=item)

    with pytest.raises(StateTooNew, match="LIMITER#write"):
        ask(open_limiter(dynamo), [1])


@pytest.mark.parametrize("fault", [throttled, request_lost, answer_lost])
def test_tokens_whose_reservation_is_unknown_are_not_spent(dynamo: "DynamoDBClient", fault: Fault) -> None:
    limiter = DynamoLimiter(FaultyClient(dynamo, fault), "state", "key")

    with pytest.raises(StateUnavailable):
        limiter.reserve("write", [100], TimeMs(NOW_MS), TimeMs(NOW_MS))


def test_tokens_reserved_under_a_lost_answer_are_never_granted_twice(dynamo: "DynamoDBClient") -> None:
    limiter = DynamoLimiter(FaultyClient(dynamo, sent_twice), "state", "key")
    now_ms, until_ms = TimeMs(NOW_MS), TimeMs(NOW_MS + 1_000)

    first = limiter.reserve("write", [60], now_ms, until_ms)
    second = limiter.reserve("write", [100], now_ms, until_ms)

    assert len(first) + len(second) <= 1


visits = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 1_500),
        st.integers(0, 2_500),
        st.lists(st.integers(1, 70), min_size=1, max_size=5),
    ),
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visits, st.integers(1, 700))
def test_two_users_together_never_spend_more_than_the_bucket_holds(
    dynamo: "DynamoDBClient", rows: list[tuple[int, int, int, list[int]]], rate: int
) -> None:
    limits = Limits(tier="any", read_rate=1, read_capacity=1, write_rate=rate, write_capacity=70)
    name = f"key-{next(_fresh)}"
    users = [open_limiter(dynamo, name), open_limiter(dynamo, name)]
    for user in users:
        user.configure(limits)
    reference, at = ReferenceBucket(rate, 70), 0

    for who, pause_ms, patience_ms, costs in rows:
        at += pause_ms
        for sent, cost in zip(ask(users[who], costs, at, at + patience_ms), costs, strict=False):
            assert at <= sent <= at + patience_ms
            reference.spend(NOW_MS + sent, cost)
            assert reference.level >= 0
