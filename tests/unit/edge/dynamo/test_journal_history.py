"""The journal over any history of commits: what a read shows is what was committed last, and litter goes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dora.core.errors import StateConflict, StateError, StateUnavailable
from dora.core.orders.journal import Journal, OrderState
from dora.core.state import BotState, Changes, Progress
from dora.edge.dynamo import journal_writer
from dora.edge.dynamo.codec import Item, generation_of, item_of
from dora.edge.dynamo.journal_items import Head, head_item, plan_items, segment_items
from dora.edge.dynamo.journal_reader import StoredJournal
from dora.edge.dynamo.journal_writer import Append, append
from dora.edge.dynamo.state_reader import stored_state
from tests.support.dynamo_values import (
    BOT,
    FaultyClient,
    empty_tables,
    having_read,
    journal,
    open_state,
    order,
    plan,
    request_lost,
    stored,
    take_lease,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SEGMENTS = journal_writer.SEGMENTS


def read(head: Head | None, own: list[Item]) -> StoredJournal:
    return stored_state(BOT, [] if head is None else [head_item(BOT, head)], own).journal


# --- any history -------------------------------------------------------------------------------------

numbers = st.dictionaries(st.integers(0, 9), st.integers(0, 3), max_size=6)
"""Which orders a journal holds, and in what shape."""


@given(st.lists(numbers, max_size=60))
def test_a_read_shows_what_was_committed_last(history: list[dict[int, int]]) -> None:
    own: dict[str, Item] = {}
    kept = StoredJournal()
    for shapes in history:
        wanted = Journal().with_orders(
            order(number)._replace(unseen=shape) for number, shape in shapes.items()
        )
        made = append(BOT, kept, wanted)
        if made is not None:
            kept = made.after
            own |= {item["sk"]["S"]: item for item in made.items}
            for _, sk in kept.litter:
                del own[sk]
            kept = journal_writer.cleared(kept, len(kept.litter))

        assert read(kept.head, list(own.values())) == kept
        assert dict(kept.orders) == dict(wanted.orders)


def commits(count: int, wanted: Callable[[int], Journal]) -> list[Append]:
    kept, made = StoredJournal(), []
    for number in range(count):
        step = append(BOT, kept, wanted(number))
        assert step is not None
        made.append(step)
        kept = step.after
    return made


def test_old_segments_are_left_behind_a_few_orders_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand orders rest for hours while another changes every minute."""
    monkeypatch.setattr(journal_writer, "CARRIED", 300)
    resting = [order(number) for number in range(1_000)]
    changing = [order(1_000)._replace(unseen=number) for number in range(SEGMENTS + 5)]

    made = commits(len(changing), lambda number: Journal().with_orders([*resting, changing[number]]))

    rows = [sum(segment == step.head.last for segment in step.after.segment_of.values()) for step in made]
    assert rows == [1_001, *[1] * (SEGMENTS - 1), 301, 301, 301, 101, 1]
    assert [step.head.first for step in made] == [1] * (SEGMENTS + 3) + [SEGMENTS + 1] * 2


def test_a_closed_order_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is forgotten before its segment is old."""
    closed = order(0)._replace(state=OrderState.CLOSED)
    changing = [order(1)._replace(unseen=number) for number in range(SEGMENTS + 2)]
    forgotten = 30

    def wanted(number: int) -> Journal:
        return Journal().with_orders([closed, changing[number]] if number < forgotten else [changing[number]])

    made = commits(len(changing), wanted)

    assert all(step.after.segment_of.get(closed.client_order_id, 1) == 1 for step in made)


def test_nothing_is_appended_where_nothing_changed() -> None:
    (made,) = commits(1, lambda _: journal(3))

    assert append(BOT, made.after, journal(3)) is None


# --- what stands in the table --------------------------------------------------------------------------


def test_each_commit_clears_away_what_the_one_before_left(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    for number in range(4):
        state.write_plan(plan(fence, 2, phase=f"phase-{number}"))
        state.commit(fence, Changes(journal=journal(1 + number % 2)))

    own = sorted(stored(dynamo, f"{BOT}#journal"))
    assert [sk for sk in own if sk.startswith("PLAN")] == []
    assert len(own) == 4


def test_litter_that_could_not_be_cleared_away_goes_later_and_counts_for_nothing(
    dynamo: "DynamoDBClient",
) -> None:
    fence, (state, client) = take_lease(dynamo), having_read(dynamo)
    state.write_plan(plan(fence, 2))
    client.faults = [lambda call: call(), request_lost]
    with pytest.raises(StateUnavailable):
        state.commit(fence, Changes(journal=journal(1)))
    assert client.calls[-2:] == ["transact_write_items", "batch_write_item"]
    assert open_state(dynamo).load() == BotState(journal=journal(1))

    state.commit(fence, Changes(journal=journal(2)))

    assert sorted(stored(dynamo, f"{BOT}#journal")) == ["LOG#000000000001#00", "LOG#000000000002#00"]


def test_a_segment_that_nobody_finished_is_overwritten(dynamo: "DynamoDBClient") -> None:
    """A run died among the parts of a large commit; the next one's is smaller."""
    fence = take_lease(dynamo)
    for item in segment_items(BOT, 1, [order(number) for number in range(9_000)], []):
        dynamo.put_item(TableName="state", Item=item)
    assert len(stored(dynamo, f"{BOT}#journal")) > 1
    state = open_state(dynamo)
    assert state.load() == BotState()

    state.commit(fence, Changes(journal=journal(2)))
    assert open_state(dynamo).load().journal == journal(2)

    state = open_state(dynamo)
    state.commit(fence, Changes(journal=journal(3)))
    assert sorted(stored(dynamo, f"{BOT}#journal")) == ["LOG#000000000001#00", "LOG#000000000002#00"]


def test_a_plan_after_a_commit_of_the_same_lease_is_one_of_its_own(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    state.write_plan(plan(fence, 1))
    state.commit(fence, Changes(journal=journal(1)))

    state.write_plan(plan(fence, 2))

    assert open_state(dynamo).load().plans == (plan(fence, 2),)


def test_who_read_before_another_commit_writes_nothing(dynamo: "DynamoDBClient") -> None:
    """A lease guards against it; should that fail, the head does."""
    fence, (late, _) = take_lease(dynamo), having_read(dynamo)
    open_state(dynamo).commit(fence, Changes(journal=journal(1)))
    before = stored(dynamo, f"{BOT}#journal")

    for write in (
        lambda: late.write_plan(plan(fence)),
        lambda: having_read_before(dynamo, late).commit(fence, Changes(journal=journal(2))),
    ):
        with pytest.raises(StateConflict, match="moved on"):
            write()

    assert stored(dynamo, f"{BOT}#journal") == before


def having_read_before(client: Any, _: object) -> Any:
    """A state that read an empty table, and now meets another one."""
    state = open_state(FaultyClient(client, *[lambda _: {"Items": []}] * 3))
    state.load()
    return state


# --- what is not understood ----------------------------------------------------------------------------


def whole() -> tuple[Head, list[Item]]:
    items = segment_items(BOT, 1, [order(1)], ["gone"])
    head = Head(first=1, last=1, generation=generation_of(items), holds=True)
    return head, [*items, *plan_items(BOT, plan(7, 2), after=1)]


def spoiled(number: int, **changes: Any) -> list[Item]:
    items = whole()[1]
    items[number] = {**items[number], **changes}
    return items


@pytest.mark.parametrize(
    ("head", "own", "complaint"),
    [
        (None, whole()[1], "alpha / JOURNAL is missing beside PLAN#000000000001#7#place"),
        (whole()[0]._replace(last=2), whole()[1], "LOG#000000000002 is missing"),
        (whole()[0]._replace(generation="other"), whole()[1], "LOG#000000000001 is not what the head names"),
        (
            whole()[0],
            [*whole()[1], item_of(f"{BOT}#journal", "LOG#x#00", {})],
            "LOG#x: this key belongs to no",
        ),
        (whole()[0], [*whole()[1], item_of(f"{BOT}#journal", "PLAN#00", {})], "PLAN: this key belongs to no"),
        (Head(), whole()[1], "PLAN#000000000001#7#place comes after segment 0, the last one"),
        (whole()[0], spoiled(0, body={"B": b"x"}), "LOG#000000000001#00: body is not gzip'd JSON"),
        (whole()[0], spoiled(0, body=whole()[1][1]["body"]), "LOG#000000000001#00: a segment holds"),
        (whole()[0], spoiled(1, body=whole()[1][0]["body"]), "PLAN#000000000001#7#place#00: "),
        (whole()[0], spoiled(1, v={"N": "3"}), "schema version 3, this code reads up to 2"),
    ],
)
def test_a_damaged_journal_is_refused_by_name(head: Head | None, own: list[Item], complaint: str) -> None:
    with pytest.raises(StateError, match=complaint):
        read(head, own)


def test_a_plan_of_any_size_comes_back(dynamo: "DynamoDBClient") -> None:
    large = plan(3, 9_000)

    items = plan_items(BOT, large, after=0)

    assert len(items) > 1
    assert read(Head(holds=True), items).plans == (large,)


# --- what is kept between two invocations -------------------------------------------------------------


@pytest.mark.parametrize("others", [0, 1])
def test_a_warm_environment_reads_little_and_a_foreign_commit_makes_it_read_all(
    dynamo: "DynamoDBClient", others: int
) -> None:
    state, client = having_read(dynamo)
    state.commit(take_lease(dynamo), Changes(journal=journal(2), progress=Progress(cycle_id="a")))
    for number in range(others):
        fence = take_lease(dynamo, 2 + number)
        open_state(dynamo).commit(fence, Changes(journal=journal(3), progress=Progress(cycle_id="b")))
    client.calls.clear()

    loaded = state.load(take_lease(dynamo, 9))

    assert loaded == open_state(dynamo).load()
    assert client.calls == (["query"] * 3 if others else ["batch_get_item"])


def test_a_lease_item_that_begins_anew_does_not_make_the_kept_state_true(dynamo: "DynamoDBClient") -> None:
    """A person deleted the lease, so that fences repeat; what every commit writes tells."""
    state, client = having_read(dynamo)
    fence = take_lease(dynamo)
    state.commit(fence, Changes(journal=journal(2), progress=Progress(cycle_id="a")))
    open_state(dynamo).commit(fence, Changes(journal=journal(3)))
    client.calls.clear()

    assert state.load(fence + 1).journal == journal(3)
    assert client.calls == ["batch_get_item", *["query"] * 3]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["mine", "other", "plan", "fail"]), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    )
)
def test_what_a_warm_environment_loads_is_what_a_read_of_everything_shows(
    dynamo: "DynamoDBClient", steps: list[tuple[str, int]]
) -> None:
    empty_tables(dynamo)
    state, client = having_read(dynamo)
    for tick, (what, number) in enumerate(steps):
        fence = take_lease(dynamo, 1 + tick)
        own = state if what != "other" else open_state(dynamo)
        assert own.load(fence) == open_state(dynamo).load()
        if what == "plan":
            own.write_plan(plan(fence, number))
            continue
        changes = Changes(
            journal=journal(number),
            memory={"KXA": {"n": number}},
            progress=Progress(cycle_id=f"cycle-{tick}"),
        )
        client.faults = [request_lost] if what == "fail" else []
        try:
            own.commit(fence, changes)
        except StateUnavailable:
            assert what == "fail"
    assert state.load(take_lease(dynamo, 99)) == open_state(dynamo).load()
