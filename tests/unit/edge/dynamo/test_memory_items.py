"""Strategy memory in chunks that each stand alone."""

from typing import TYPE_CHECKING, Any

import pytest

from dora.core.errors import LeaseLost, StateError
from dora.core.state import Changes
from dora.edge.dynamo import memory_items as module
from dora.edge.dynamo.memory_items import Memory, memory_items, read_memory
from tests.support.dynamo_values import BOT, having_read, incompressible, journal, open_state, take_lease

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MANY = module.TICKERS_A_CHUNK + 1


def memory(count: int, value: int = 0) -> dict[str, dict[str, object]]:
    return {f"KXA-{number:05d}": {"n": value} for number in range(count)}


@pytest.mark.parametrize("own", [{}, {"KXA": {"pair": [1, None, {"z": True}]}}, memory(MANY)])
def test_memory_comes_back_in_the_order_of_its_tickers(own: Memory) -> None:
    read = read_memory(reversed(memory_items(BOT, own, after=3)))

    assert (read, list(read)) == (own, sorted(own))


def test_no_chunk_is_larger_than_an_item_may_be() -> None:
    items = memory_items(BOT, incompressible(MANY, size=400), after=1)

    assert len(items) > 2
    assert read_memory(items) == incompressible(MANY, size=400)


def test_a_commit_that_was_cut_short_leaves_the_older_word_on_the_rest() -> None:
    older, newer = memory_items(BOT, memory(MANY, 1), after=1), memory_items(BOT, memory(MANY, 2), after=2)

    mixed = read_memory([newer[0], older[1]])

    assert [mixed[ticker]["n"] for ticker in list(mixed)[-2:]] == [2, 1]


def test_a_chunk_of_an_earlier_larger_memory_counts_no_more() -> None:
    older, newer = memory_items(BOT, memory(MANY), after=1), memory_items(BOT, memory(3), after=2)

    assert read_memory([*newer, older[1]]) == memory(3)


@pytest.mark.parametrize("change", [{"body": {"B": b"x"}}, {"after": {"S": "1"}}, {"chunks": {"NULL": True}}])
def test_a_damaged_chunk_is_refused_by_name(change: Any) -> None:
    (item,) = memory_items(BOT, memory(1), after=1)

    with pytest.raises(StateError, match="alpha#journal / MEMORY#00"):
        read_memory([{**item, **change}])


def test_a_run_that_was_overtaken_replaces_no_newer_memory(dynamo: "DynamoDBClient") -> None:
    """Its last transaction passed, and then it slept until somebody else had finished a cycle."""
    first, state = take_lease(dynamo), having_read(dynamo)[0]
    slow, client = having_read(dynamo)
    put = client.put_item

    def late(**given: Any) -> Any:
        state.load()
        state.commit(take_lease(dynamo, 2), Changes(journal=journal(2), memory=memory(1, 2)))
        return put(**given)

    client.put_item = late
    with pytest.raises(LeaseLost, match="a later commit"):
        slow.commit(first, Changes(journal=journal(1), memory=memory(1, 1)))

    assert open_state(dynamo).load().memory == memory(1, 2)
