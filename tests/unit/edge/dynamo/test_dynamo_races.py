"""Threads against one table: one winner, everything once. Every request is whole; the interleaving is not."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from dora.core.errors import StateConflict
from dora.core.state import LeaseGrant, LeaseRefused
from dora.core.units import TimeMs
from dora.edge.dynamo.lease import DynamoLease
from dora.edge.dynamo.limiter import DynamoLimiter
from tests.reference.positions import apply_fills
from tests.support.bookings import of_fills
from tests.support.dynamo_values import BOT, NOW_MS, fill, open_state, session, take_lease
from tests.support.reference_bucket import ReferenceBucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def _restless_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def race(runners: int, run: Callable[[int], Result]) -> list[Result]:
    """All at once, each with its number."""
    start = Barrier(runners)

    def begin(number: int) -> Result:
        start.wait()
        return run(number)

    with ThreadPoolExecutor(runners) as pool:
        return list(pool.map(begin, range(runners)))


@pytest.mark.parametrize("same_tick", [True, False])
def test_of_sixteen_runs_one_gets_the_lease(dynamo: "DynamoDBClient", same_tick: bool) -> None:
    def run(number: int) -> LeaseGrant | LeaseRefused:
        return DynamoLease(dynamo, "state", BOT).acquire(
            owner=f"run-{number}",
            tick_ms=TimeMs(100 if same_tick else 100 + number),
            now_ms=TimeMs(200),
            expires_ms=TimeMs(250),
        )

    answers = race(16, run)

    assert [answer for answer in answers if isinstance(answer, LeaseGrant)] == [LeaseGrant(1, TimeMs(250))]


def test_fills_that_eight_threads_book_are_booked_once(dynamo: "DynamoDBClient") -> None:
    fence, fills = take_lease(dynamo), [fill(number) for number in range(10)]

    def run(number: int) -> int:
        """Each begins elsewhere in the list and reads the position before every fill."""
        state, booked = open_state(dynamo), 0
        turned = fills[number:] + fills[:number]
        for own in turned:
            booked += _book_at_last(state, fence, own)
        return booked

    counts = race(8, run)

    assert sum(counts) == 10
    assert open_state(dynamo).load().positions == apply_fills({}, fills)


def _book_at_last(state: Any, fence: int, own: Any) -> bool:
    while True:
        try:
            booked: bool = state.book(fence, of_fills([own], state.load().books))
            return booked
        except StateConflict:
            continue


def test_of_eight_writers_of_a_session_one_wins(dynamo: "DynamoDBClient") -> None:
    def run(number: int) -> bool:
        try:
            open_state(dynamo).save_session(session(session_id=f"s{number}"))
        except StateConflict:
            return False
        return True

    assert sum(race(8, run)) == 1


def test_eight_users_of_one_bucket_spend_no_more_than_it_holds(dynamo: "DynamoDBClient") -> None:
    def run(_: int) -> list[int]:
        limiter = DynamoLimiter(dynamo, "state", "key")
        asked = [limiter.reserve("write", [10], TimeMs(NOW_MS), TimeMs(NOW_MS + 500)) for _ in range(4)]
        return [at_ms for sent in asked for at_ms in sent]

    sent = sorted(at_ms for own in race(8, run) for at_ms in own)

    assert 10 <= len(sent) <= 15
    reference = ReferenceBucket(rate=100, capacity=100)
    for at_ms in sent:
        reference.spend(at_ms, 10)
        assert reference.level >= 0
