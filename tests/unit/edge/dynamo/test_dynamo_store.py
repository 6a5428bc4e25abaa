"""What the state store promises, against the embedded DynamoDB."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from dora.core.errors import LeaseLost, StateConflict
from dora.core.exchange.market import Event
from dora.core.orders.journal import Journal
from dora.core.state import BotState, Changes, Cursors, Progress, ReferenceData
from dora.core.units import TimeMs
from dora.edge.dynamo.journal_items import ROWS_AT_ONCE
from tests.support.bookings import FIRST, PAYOUT
from tests.support.dynamo_values import (
    BOT,
    LIMITS,
    NOW_MS,
    incompressible,
    journal,
    open_state,
    plan,
    stored,
    take_lease,
    unlike,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PROGRESS = Progress(cycle_id="cycle-1", completed_ms=TimeMs(NOW_MS), status="completed")


def test_a_bot_that_stored_nothing_has_an_empty_state(dynamo: "DynamoDBClient") -> None:
    assert open_state(dynamo).load() == BotState()


def test_a_commit_comes_back_whole(dynamo: "DynamoDBClient") -> None:
    fence = take_lease(dynamo)
    event = Event(event_ticker="KXA-E", series_ticker="KXA", exclusive=True)
    changes = Changes(
        journal=journal(5),
        memory={"KXA-1": {"fair_e9": 1}},
        cursors=Cursors(fills_ms=TimeMs(1), settlements_ms=TimeMs(2)),
        progress=PROGRESS,
        reference=ReferenceData(learned_ms=TimeMs(3), events={"KXA-E": event}, listings={"KXA": ("KXA-1",)}),
        summary={"placed": 4},
    )

    open_state(dynamo).commit(fence, changes)

    state = open_state(dynamo).load()
    assert state == BotState(
        journal=journal(5),
        memory=changes.memory or {},
        cursors=changes.cursors or Cursors(),
        progress=PROGRESS,
        reference=changes.reference or ReferenceData(),
    )


def test_a_commit_leaves_alone_what_it_does_not_name(dynamo: "DynamoDBClient") -> None:
    state = open_state(dynamo)
    state.save_limits(LIMITS)
    state.commit(take_lease(dynamo), Changes(journal=journal(5)))

    state.commit(take_lease(dynamo, 2), Changes(cursors=Cursors(fills_ms=TimeMs(9))))

    assert (state.load().journal, state.load().limits) == (journal(5), LIMITS)


def test_a_store_that_never_read_writes_a_readable_journal(dynamo: "DynamoDBClient") -> None:
    fence = take_lease(dynamo)
    open_state(dynamo).commit(fence, Changes(journal=journal(7)))

    open_state(dynamo).commit(fence, Changes(journal=journal(1)))

    assert open_state(dynamo).load().journal == journal(1)


@pytest.mark.long
def test_a_large_commit_is_made_by_its_last_transaction(dynamo: "DynamoDBClient") -> None:
    """Two hundred thousand orders of which nothing is alike; until the head names them they are not there."""
    fence, state = take_lease(dynamo), open_state(dynamo)
    large = Journal().with_orders(unlike(number) for number in range(200_000))
    requests, seen = [], []

    def look(params: Mapping[str, Any], **_: Any) -> None:
        if requests:
            seen.append(len(open_state(dynamo).load().journal.orders))
        requests.append([*map(_key_of, params["TransactItems"])])

    dynamo.meta.events.register("before-parameter-build.dynamodb.TransactWriteItems", look)
    state.commit(fence, Changes(journal=large, progress=PROGRESS))

    assert len(requests) > 2
    assert [keys for keys in requests if "JOURNAL" in keys or "PROGRESS" in keys] == requests[-1:]
    assert seen == [0] * (len(requests) - 1)
    assert len(open_state(dynamo).load().journal.orders) == 200_000


def _key_of(element: Any) -> str:
    (own,) = element.values()
    key: str = own.get("Key", own.get("Item"))["sk"]["S"]
    return key


def test_a_summary_is_kept_for_a_while_under_its_cycle(dynamo: "DynamoDBClient") -> None:
    changes = Changes(progress=PROGRESS, summary={"placed": 3})

    open_state(dynamo).commit(take_lease(dynamo), changes)

    record = stored(dynamo, f"{BOT}#cycles")["cycle-1"]
    assert int(record["expires_at"]["N"]) == NOW_MS // 1000 + 14 * 86_400


def test_a_dry_run_keeps_its_state_apart(dynamo: "DynamoDBClient") -> None:
    dry = open_state(dynamo, pk=f"{BOT}#dry")
    fence = take_lease(dynamo, pk=f"{BOT}#dry")

    dry.commit(fence, Changes(journal=journal(2)))
    dry.book(fence, FIRST)

    assert dry.load().journal == journal(2)
    assert open_state(dynamo).load() == BotState()
    assert open_state(dynamo).booked(["fill-1"]) == frozenset()


# --- plans -------------------------------------------------------------------------------------------


def test_a_plan_is_there_until_the_commit_that_folds_it(dynamo: "DynamoDBClient") -> None:
    fence = take_lease(dynamo)
    state = open_state(dynamo)
    large, small = plan(fence, ROWS_AT_ONCE + 1), plan(fence, 3, phase="cancel")

    state.write_plan(large)
    state.write_plan(small)

    assert open_state(dynamo).load().plans == (small, large)
    open_state(dynamo).commit(fence, Changes(journal=Journal()))
    assert open_state(dynamo).load().plans == ()
    assert not stored(dynamo, f"{BOT}#journal")


def test_a_plan_never_overwrites_another(dynamo: "DynamoDBClient") -> None:
    fence = take_lease(dynamo)
    state = open_state(dynamo)
    state.write_plan(plan(fence, 2))
    state.write_plan(plan(fence, 2))

    with pytest.raises(StateConflict, match="plan 1#place"):
        state.write_plan(plan(fence, 3))

    assert state.load().plans == (plan(fence, 2),)


# --- fences ------------------------------------------------------------------------------------------


def test_an_overtaken_run_writes_nothing_more(dynamo: "DynamoDBClient") -> None:
    old, state = take_lease(dynamo), open_state(dynamo)
    take_lease(dynamo, 2)
    before = stored(dynamo)

    for write in (
        lambda: state.write_plan(plan(old)),
        lambda: state.commit(old, Changes(journal=journal(1))),
        lambda: state.book(old, FIRST),
        lambda: state.book(old, PAYOUT),
    ):
        with pytest.raises(LeaseLost, match=f"fence {old}"):
            write()

    assert stored(dynamo) == before
    assert state.booked(["fill-1"]) == frozenset()


def test_nothing_fenced_is_written_without_a_lease(dynamo: "DynamoDBClient") -> None:
    with pytest.raises(LeaseLost):
        open_state(dynamo).write_plan(plan(0))


def test_a_state_of_several_pages_is_read_to_the_end(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    noise = incompressible(10_000)
    pages: list[int] = []
    dynamo.meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: pages.append(parsed["Count"])
    )
    state.commit(fence, Changes(memory=noise, journal=journal(3)))
    state.book(fence, FIRST)

    loaded = state.load()

    assert len(pages) > 1
    assert (loaded.memory, loaded.journal) == (noise, journal(3))
    assert loaded.positions == FIRST.positions
