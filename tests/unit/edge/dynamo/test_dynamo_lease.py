"""One holder, no tick twice, a fence that only grows."""

from contextlib import suppress

import pytest

from dora.core.errors import StateTooNew, StateUnavailable
from dora.core.state import LeaseGrant, LeaseRefused
from dora.core.units import TimeMs
from dora.edge.dynamo.lease import DynamoLease
from tests.support.dynamo_values import (
    BOT,
    Fault,
    FaultyClient,
    answer_lost,
    request_lost,
    sent_twice,
    throttled,
)


def acquire(
    client: object, owner: str, tick: int, now: int | None = None, pk: str = BOT
) -> LeaseGrant | LeaseRefused:
    """A lease of 50 ms from `now` (the tick's time by default)."""
    at = tick if now is None else now
    return DynamoLease(client, "state", pk).acquire(
        owner=owner, tick_ms=TimeMs(tick), now_ms=TimeMs(at), expires_ms=TimeMs(at + 50)
    )


def test_the_first_tick_gets_the_first_fence(dynamo: object) -> None:
    assert acquire(dynamo, "a", 100) == LeaseGrant(1, TimeMs(150))


def test_a_held_lease_is_refused(dynamo: object) -> None:
    acquire(dynamo, "a", 100)

    assert acquire(dynamo, "b", 110) == LeaseRefused("lease_held")


def test_a_released_lease_is_free_at_once_under_a_higher_fence(dynamo: object) -> None:
    first = acquire(dynamo, "a", 100)
    assert isinstance(first, LeaseGrant)

    DynamoLease(dynamo, "state", BOT).release(first)

    assert acquire(dynamo, "b", 110) == LeaseGrant(2, TimeMs(160))


def test_an_expired_lease_is_taken_over_under_a_higher_fence(dynamo: object) -> None:
    acquire(dynamo, "a", 100)

    assert acquire(dynamo, "b", 110, now=149) == LeaseRefused("lease_held")
    assert acquire(dynamo, "b", 110, now=150) == LeaseGrant(2, TimeMs(200))


@pytest.mark.parametrize("tick", [100, 99])
def test_a_tick_already_seen_is_refused_in_every_state(dynamo: object, tick: int) -> None:
    first = acquire(dynamo, "a", 100)
    assert isinstance(first, LeaseGrant)
    assert acquire(dynamo, "b", tick) == LeaseRefused("tick_seen")
    assert acquire(dynamo, "b", tick, now=1_000) == LeaseRefused("tick_seen")

    DynamoLease(dynamo, "state", BOT).release(first)

    assert acquire(dynamo, "b", tick) == LeaseRefused("tick_seen")


def test_a_grant_whose_answer_was_lost_is_found_again(dynamo: object) -> None:
    assert acquire(dynamo, "a", 100) == acquire(dynamo, "a", 100) == LeaseGrant(1, TimeMs(150))


def test_a_late_release_does_not_free_a_newer_lease(dynamo: object) -> None:
    old = acquire(dynamo, "a", 100)
    assert isinstance(old, LeaseGrant)
    acquire(dynamo, "b", 110, now=160)

    DynamoLease(dynamo, "state", BOT).release(old)

    assert acquire(dynamo, "c", 170) == LeaseRefused("lease_held")


def test_a_release_may_be_repeated(dynamo: object) -> None:
    lease = DynamoLease(dynamo, "state", BOT)
    grant = acquire(dynamo, "a", 100)
    assert isinstance(grant, LeaseGrant)

    lease.release(grant)
    lease.release(grant)

    assert acquire(dynamo, "b", 101) == LeaseGrant(2, TimeMs(151))


def test_leases_of_different_bots_are_apart(dynamo: object) -> None:
    acquire(dynamo, "a", 100)

    assert acquire(dynamo, "b", 100, pk=f"{BOT}#dry") == LeaseGrant(1, TimeMs(150))


def test_a_lease_of_a_newer_version_is_left_alone(dynamo: object) -> None:
    item = {"pk": {"S": BOT}, "sk": {"S": "LEASE"}, "v": {"N": "2"}, "fence": {"N": "9"}}
    dynamo.put_item(TableName="state", Item=item)

    with pytest.raises(StateTooNew, match="LEASE"):
        acquire(dynamo, "a", 100)


@pytest.mark.parametrize("fault", [sent_twice, answer_lost])
def test_a_lease_whose_answer_was_lost_is_ours(dynamo: object, fault: Fault) -> None:
    """Whether botocore asks again or the caller does."""
    client = FaultyClient(dynamo, fault)
    with suppress(StateUnavailable):
        acquire(client, "a", 100)

    assert acquire(dynamo, "a", 100) == LeaseGrant(1, TimeMs(150))
    assert acquire(dynamo, "b", 100) == LeaseRefused("tick_seen")


@pytest.mark.parametrize("fault", [throttled, request_lost])
def test_a_lease_that_was_not_asked_for_is_nobodys(dynamo: object, fault: Fault) -> None:
    with pytest.raises(StateUnavailable):
        acquire(FaultyClient(dynamo, fault), "a", 100)

    assert acquire(dynamo, "b", 100) == LeaseGrant(1, TimeMs(150))


def test_a_release_that_botocore_sends_twice_frees_the_lease(dynamo: object) -> None:
    grant = acquire(dynamo, "a", 100)
    assert isinstance(grant, LeaseGrant)

    DynamoLease(FaultyClient(dynamo, sent_twice), "state", BOT).release(grant)

    assert acquire(dynamo, "b", 101) == LeaseGrant(2, TimeMs(151))
