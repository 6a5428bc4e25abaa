"""Each write under each fault: nothing lost, nothing doubled, and what could not be done says so."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from dora.core.errors import LeaseLost, StateConflict, StateError, StateUnavailable
from dora.core.state import BotState, Changes, Cursors, KillSwitch, Progress
from dora.core.units import TimeMs
from dora.edge.dynamo.store import DynamoState
from tests.reference.positions import apply_fills
from tests.support.bookings import FIRST, PAYOUT, of_fills
from tests.support.dynamo_values import (
    BOT,
    LIMITS,
    Fault,
    FaultyClient,
    answer_lost,
    conflict,
    event_group,
    fill,
    having_read,
    incompressible,
    journal,
    open_state,
    plan,
    request_lost,
    sent_twice,
    session,
    take_lease,
    throttled,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Write = Callable[[DynamoState, int], object]

PROGRESS = Progress(cycle_id="cycle-1")
WRITES: dict[str, Write] = {
    "write_plan": lambda state, fence: state.write_plan(plan(fence, 3)),
    "book_fills": lambda state, fence: state.book(fence, FIRST),
    "book_settlement": lambda state, fence: state.book(fence, PAYOUT),
    "commit": lambda state, fence: state.commit(
        fence, Changes(journal=journal(3), cursors=Cursors(fills_ms=TimeMs(4)), progress=PROGRESS)
    ),
    "save_session": lambda state, _: state.save_session(session()),
    "save_history": lambda state, _: state.save_history(session(2)),
    "set_control": lambda state, _: state.set_control(KillSwitch(halted=True, at_ms=TimeMs(4))),
    "save_limits": lambda state, _: state.save_limits(LIMITS),
    "save_event_group": lambda state, _: state.save_event_group(event_group()),
}
FENCED = ("write_plan", "book_fills", "book_settlement", "commit")
READS: dict[str, Callable[[DynamoState], object]] = {
    "load": lambda state: state.load(),
    "read_kill_switch": lambda state: state.read_kill_switch(),
    "emergency_state": lambda state: state.emergency_state(),
    "booked": lambda state: state.booked(["fill-1"]),
    "history": lambda state: state.history(3),
    "event_groups": lambda state: state.event_groups(),
    "readable_event_groups": lambda state: state.readable_event_groups(),
}


def everything(client: Any) -> list[Any]:
    """All items of the state table, in order."""
    items = client.scan(TableName="state", ConsistentRead=True)["Items"]
    return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def expected(client: "DynamoDBClient", write: Write, fence: int) -> list[Any]:
    """The table as one undisturbed write leaves it; put back afterwards."""
    before = everything(client)
    write(open_state(client), fence)
    after = everything(client)
    for item in after:
        client.delete_item(TableName="state", Key={"pk": item["pk"], "sk": item["sk"]})
    for item in before:
        client.put_item(TableName="state", Item=item)
    return after


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("fault", [throttled, request_lost])
def test_a_write_that_did_not_arrive_says_so_and_may_be_repeated(
    dynamo: "DynamoDBClient", name: str, fault: Fault
) -> None:
    fence, write = take_lease(dynamo), WRITES[name]
    wanted, before = expected(dynamo, write, fence), everything(dynamo)
    state, _ = having_read(dynamo, fault)

    with pytest.raises(StateUnavailable):
        write(state, fence)
    assert everything(dynamo) == before
    write(state, fence)

    assert everything(dynamo) == wanted != before


@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_answer_was_lost_stands_once_when_repeated(dynamo: "DynamoDBClient", name: str) -> None:
    fence, write = take_lease(dynamo), WRITES[name]
    wanted = expected(dynamo, write, fence)
    state, _ = having_read(dynamo, answer_lost)

    with pytest.raises(StateUnavailable):
        write(state, fence)
    assert everything(dynamo) == wanted
    if name == "book_settlement":
        with pytest.raises(StateConflict):
            write(state, fence)
    else:
        assert (write(state, fence) is False) is (name == "book_fills")

    assert everything(dynamo) == wanted


@pytest.mark.parametrize("name", [name for name in WRITES if not name.startswith("book_")])
def test_a_write_that_botocore_sends_twice_succeeds_once(dynamo: "DynamoDBClient", name: str) -> None:
    fence, write = take_lease(dynamo), WRITES[name]
    wanted = expected(dynamo, write, fence)

    write(having_read(dynamo, sent_twice)[0], fence)

    assert everything(dynamo) == wanted


@pytest.mark.parametrize("name", FENCED)
def test_a_cancelled_transaction_is_tried_again_at_once(dynamo: "DynamoDBClient", name: str) -> None:
    fence, write = take_lease(dynamo), WRITES[name]
    wanted = expected(dynamo, write, fence)

    assert write(having_read(dynamo, conflict, conflict)[0], fence) is not False

    assert everything(dynamo) == wanted


@pytest.mark.parametrize("name", FENCED)
def test_a_transaction_that_is_always_in_conflict_is_unavailable(dynamo: "DynamoDBClient", name: str) -> None:
    fence, write = take_lease(dynamo), WRITES[name]
    before = everything(dynamo)
    state, client = having_read(dynamo, *[conflict] * 9)

    with pytest.raises(StateUnavailable, match="TransactionConflict"):
        write(state, fence)

    assert everything(dynamo) == before
    assert client.calls == ["transact_write_items"] * 3


@pytest.mark.parametrize("name", FENCED)
def test_a_repeat_after_the_lease_was_lost_writes_nothing(dynamo: "DynamoDBClient", name: str) -> None:
    fence, write = take_lease(dynamo), WRITES[name]
    state, _ = having_read(dynamo, request_lost)
    with pytest.raises(StateUnavailable):
        write(state, fence)
    take_lease(dynamo, 2)
    before = everything(dynamo)

    with pytest.raises(LeaseLost):
        write(state, fence)

    assert everything(dynamo) == before


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("fault", [throttled, request_lost])
def test_a_read_that_failed_is_never_an_empty_answer(
    dynamo: "DynamoDBClient", name: str, fault: Fault
) -> None:
    with pytest.raises(StateUnavailable):
        READS[name](open_state(FaultyClient(dynamo, fault)))


def test_a_later_page_that_fails_fails_the_read(dynamo: "DynamoDBClient") -> None:
    open_state(dynamo).commit(take_lease(dynamo), Changes(memory=incompressible(10_000)))
    client = FaultyClient(dynamo, lambda call: call(), request_lost)

    with pytest.raises(StateUnavailable):
        open_state(client).load()

    assert client.calls == ["query", "query"]


def test_a_state_rewritten_while_being_read_is_read_again(dynamo: "DynamoDBClient") -> None:
    """Of the segment that the head names, an answer shows nothing yet."""
    open_state(dynamo).commit(take_lease(dynamo), Changes(journal=journal(3)))

    def too_early(_: Callable[[], Any]) -> Any:
        return {"Items": []}

    def passes(call: Callable[[], Any]) -> Any:
        return call()

    early = (too_early, passes, passes)
    assert open_state(FaultyClient(dynamo, *early, *early)).load().journal == journal(3)
    with pytest.raises(StateUnavailable, match="left behind while it was being read"):
        open_state(FaultyClient(dynamo, *early, *early, *early)).load()


class OneItemPages:
    """A client whose queries answer one item a page; something else happens after one of the pages."""

    def __init__(self, client: Any, page: int, happens: Callable[[], object]) -> None:
        self._client, self._left, self._happens = client, page, happens

    def query(self, **given: Any) -> Any:
        answer = self._client.query(**given, Limit=1)
        self._left -= 1
        if self._left == 0:
            self._happens()
        return answer


@pytest.mark.parametrize("page", range(1, 5))
def test_a_commit_between_two_pages_of_a_read_never_hides_an_intent(
    dynamo: "DynamoDBClient", page: int
) -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    state.commit(fence, Changes(journal=journal(0), progress=PROGRESS))
    state.write_plan(plan(fence, 1))
    folded = Changes(journal=journal(1), progress=PROGRESS)

    seen = open_state(OneItemPages(dynamo, page, lambda: state.commit(fence, folded))).load()

    assert seen.journal.orders or seen.plans
    assert not state.load().plans


def test_items_left_unread_are_asked_for_again(dynamo: "DynamoDBClient") -> None:
    open_state(dynamo).set_control(KillSwitch(halted=True, at_ms=TimeMs(1)))
    client = FaultyClient(dynamo, _left_unread)

    assert open_state(client).read_kill_switch()[0].halted
    with pytest.raises(StateUnavailable, match="unread"):
        open_state(FaultyClient(dynamo, *[_left_unread] * 3)).read_kill_switch()


def _left_unread(_: Callable[[], Any]) -> Any:
    keys = [{"pk": {"S": BOT}, "sk": {"S": "CONTROL"}}]
    return {"Responses": {}, "UnprocessedKeys": {"state": {"Keys": keys, "ConsistentRead": True}}}


def test_a_malformed_request_is_not_mistaken_for_an_outage(dynamo: "DynamoDBClient") -> None:
    with pytest.raises(StateError, match="malformed") as caught:
        open_state(dynamo, pk="").load()

    assert not isinstance(caught.value, StateUnavailable)


def test_lost_fills_are_found_booked_and_later_ones_need_a_fresh_position(dynamo: "DynamoDBClient") -> None:
    """The whole road after a lost answer: refused, looked up, loaded again, the rest booked."""
    fence, state = take_lease(dynamo), open_state(FaultyClient(dynamo, answer_lost))
    first = [fill(1), fill(2)]
    with pytest.raises(StateUnavailable):
        state.book(fence, of_fills(first))
    every = [*first, fill(3)]

    assert not state.book(fence, of_fills(every))
    left = [own for own in every if own.fill_id not in state.booked([own.fill_id for own in every])]
    assert state.book(fence, of_fills(left, state.load().books))

    assert state.load().positions == apply_fills({}, every)
    assert [row.fills for row in state.profit_rows()] == [3]


def test_a_fault_free_state_is_what_an_empty_table_gives(dynamo: "DynamoDBClient") -> None:
    assert open_state(FaultyClient(dynamo)).load() == BotState()
