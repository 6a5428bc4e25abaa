"""What an older version left is taken over whole, and may be left to it again once nothing rests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from dora.core.errors import StateError
from dora.core.orders.journal import Journal, OrderState, Plan
from dora.core.state import BotState, Changes
from dora.edge.dynamo.codec import CHUNK_ROWS, Collection, Item, chunk_items
from dora.edge.dynamo.state_reader import stored_state
from tests.support.dynamo_values import BOT, journal, open_state, order, plan, stored, take_lease, values
from tests.support.first_schema import memory_items, orders_items, plan_items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MEMORY: dict[str, dict[str, object]] = {"KXA-1": {"fair_e9": 1}}
MANY = 2 * CHUNK_ROWS + 1


def older(client: Any, items: Sequence[Item]) -> None:
    """What an older version writes."""
    for item in items:
        client.put_item(TableName="state", Item=item)


def version(client: Any) -> str:
    """The head's: an older version stops at 2."""
    text: str = stored(client)["JOURNAL"]["v"]["N"]
    return text


def leftovers(client: Any) -> list[str]:
    return [sk for sk in stored(client) if "#" in sk]


@given(values(Plan))
def test_a_plan_of_the_first_schema_is_read(own: Plan) -> None:
    named = own._replace(fence=7, phase="place")

    assert stored_state(BOT, plan_items(BOT, named), []).state.plans == (named,)


@pytest.mark.parametrize("rows", [[["places"]], [["elsewhere", {}]], [3], [["places", {"price": 1}]]])
def test_a_plan_with_a_row_that_is_not_understood_is_refused(rows: list[Any]) -> None:
    head = {"fence": 1, "phase": "place", "cycle_id": "c", "until_ms": 1}

    with pytest.raises(StateError, match="stored PLAN#000000000001#place"):
        stored_state(BOT, chunk_items(BOT, "PLAN#000000000001#place", Collection(head, rows)), [])


def test_a_state_of_the_first_schema_is_taken_over(dynamo: "DynamoDBClient") -> None:
    older(
        dynamo, [*orders_items(BOT, journal(MANY)), *memory_items(BOT, MEMORY), *plan_items(BOT, plan(1, 2))]
    )
    before = open_state(dynamo).load()
    assert before == BotState(journal=journal(MANY), memory=MEMORY, plans=(plan(1, 2),))

    state = open_state(dynamo)
    state.commit(take_lease(dynamo), Changes(journal=journal(MANY + 1), memory=MEMORY))

    assert open_state(dynamo).load() == BotState(journal=journal(MANY + 1), memory=MEMORY)
    assert (version(dynamo), leftovers(dynamo)) == ("2", [])


def test_a_plan_keeps_the_older_version_off_and_what_it_left_alive(dynamo: "DynamoDBClient") -> None:
    """The new version died in its first cycle, between plan and commit."""
    older(dynamo, orders_items(BOT, journal(3)))
    fence = take_lease(dynamo)

    open_state(dynamo).write_plan(plan(fence, 2))

    assert open_state(dynamo).load() == BotState(journal=journal(3), plans=(plan(fence, 2),))
    assert version(dynamo) == "2"


def test_leftovers_keep_the_older_version_off_until_they_are_cleared_away(dynamo: "DynamoDBClient") -> None:
    """It would believe them. There are more than one request may clear."""
    plans = [item for number in range(40) for item in plan_items(BOT, plan(1, 1, phase=f"p{number}"))]
    older(dynamo, [*orders_items(BOT, journal(3)), *plans])
    fence, state = take_lease(dynamo), open_state(dynamo)

    state.commit(fence, Changes(journal=Journal()))
    assert (version(dynamo), len(leftovers(dynamo))) == ("2", 41 - 25)
    state.commit(fence, Changes(journal=Journal()))
    assert leftovers(dynamo) == []
    state.commit(fence, Changes(journal=Journal()))

    assert version(dynamo) == "1"
    assert open_state(dynamo).load() == BotState()


@pytest.mark.parametrize("state", list(OrderState))
def test_the_older_version_may_go_on_where_every_order_has_ended(
    dynamo: "DynamoDBClient", state: OrderState
) -> None:
    ended = Journal().with_orders([order(1)._replace(state=state)])

    open_state(dynamo).commit(take_lease(dynamo), Changes(journal=ended))

    assert version(dynamo) == ("1" if state is OrderState.CLOSED else "2")


def test_what_the_older_version_did_meanwhile_is_taken_over_again(dynamo: "DynamoDBClient") -> None:
    closed = order(9)._replace(state=OrderState.CLOSED)
    open_state(dynamo).commit(take_lease(dynamo), Changes(journal=Journal().with_orders([closed]), memory={}))
    older(dynamo, [*orders_items(BOT, journal(3)), *memory_items(BOT, MEMORY), *plan_items(BOT, plan(2, 4))])

    loaded = open_state(dynamo).load()

    assert dict(loaded.journal.orders) == {**journal(3).orders, closed.client_order_id: closed}
    assert (loaded.plans, loaded.memory) == ((plan(2, 4),), MEMORY)
    state = open_state(dynamo)
    state.commit(take_lease(dynamo, 2), Changes(journal=journal(4), memory=MEMORY))
    assert open_state(dynamo).load() == BotState(journal=journal(4), memory=MEMORY)
    assert (version(dynamo), leftovers(dynamo)) == ("2", [])
