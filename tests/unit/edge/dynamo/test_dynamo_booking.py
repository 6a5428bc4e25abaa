"""Fills and payouts reach the positions exactly once, and never over an outdated one."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dora.core.accounts.ledger import apply_fills, apply_settlement
from dora.core.errors import StateConflict
from dora.core.units import Price, TimeMs
from tests.support.dynamo_values import (
    BOT,
    NOW_MS,
    StandingClock,
    fill,
    open_state,
    position,
    settlement,
    stored,
    take_lease,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def test_fills_and_their_positions_are_booked_together(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    fills = [fill(1), fill(2), fill(3, "KXB-1")]

    assert state.book_fills(fence, fills, apply_fills({}, fills))

    assert state.load().positions == apply_fills({}, fills)
    assert state.booked(["fill-1", "fill-9", "fill-3", "fill-1"]) == {"fill-1", "fill-3"}
    marker = stored(dynamo, f"{BOT}#fills")["FILL#fill-1"]
    assert int(marker["expires_at"]["N"]) == NOW_MS // 1000 + 120 * 86_400


def test_a_fill_is_booked_once(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    once = apply_fills({}, [fill(1)])
    state.book_fills(fence, [fill(1)], once)
    both = apply_fills(once, [fill(1), fill(2)])

    assert not state.book_fills(fence, [fill(1), fill(2)], both)

    assert state.load().positions == once
    assert state.booked(["fill-1", "fill-2"]) == {"fill-1"}


def test_a_position_made_from_an_outdated_one_is_refused(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    state.book_fills(fence, [fill(1)], apply_fills({}, [fill(1)]))

    with pytest.raises(StateConflict, match="position"):
        state.book_fills(fence, [fill(2)], apply_fills({}, [fill(2)]))

    assert state.load().positions == apply_fills({}, [fill(1)])
    assert state.booked(["fill-2"]) == frozenset()


def test_a_fill_does_not_undo_a_payout_that_came_between(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    before = apply_fills({}, [fill(1)])
    state.book_fills(fence, [fill(1)], before)
    state.book_settlement(fence, settlement(), apply_settlement(before["KXA-1"], settlement()))

    with pytest.raises(StateConflict):
        state.book_fills(fence, [fill(2)], apply_fills(before, [fill(2)]))

    assert state.load().positions["KXA-1"].settled


def test_a_transaction_takes_at_most_49_fills(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    fills = [fill(n, f"KXA-{n}") for n in range(50)]

    assert state.book_fills(fence, fills[:49], apply_fills({}, fills[:49]))
    with pytest.raises(ValueError, match="50 fills"):
        state.book_fills(fence, fills, apply_fills({}, fills))


def test_fills_and_positions_must_be_of_the_same_markets(dynamo: "DynamoDBClient") -> None:
    state = open_state(dynamo)

    with pytest.raises(ValueError, match="markets"):
        state.book_fills(1, [fill(1)], {})
    with pytest.raises(ValueError, match="markets"):
        state.book_fills(1, [fill(1)], {"KXA-1": position(), "KXB-1": position("KXB-1")})
    with pytest.raises(ValueError, match="twice"):
        state.book_fills(1, [fill(1), fill(1)], {"KXA-1": position()})


def test_more_fills_are_looked_up_than_one_request_may_name(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    state.book_fills(fence, [fill(150)], apply_fills({}, [fill(150)]))

    assert state.booked([f"fill-{n}" for n in range(205)]) == {"fill-150"}


def test_a_payout_is_booked_once_and_a_correction_again(dynamo: "DynamoDBClient") -> None:
    fence, state = take_lease(dynamo), open_state(dynamo)
    before = apply_fills({}, [fill(1)])
    state.book_fills(fence, [fill(1)], before)
    paid = apply_settlement(before["KXA-1"], settlement())
    corrected = replace(settlement(), value=Price(0), settled_ms=TimeMs(NOW_MS + 5))

    assert state.book_settlement(fence, settlement(), paid)
    assert not state.book_settlement(fence, settlement(), paid)
    assert state.book_settlement(fence, corrected, replace(paid, cash=before["KXA-1"].cash))

    assert state.load().positions["KXA-1"] == replace(paid, cash=before["KXA-1"].cash)
    assert len(stored(dynamo, f"{BOT}#settlements")) == 2


def test_a_settled_position_still_counts_in_what_was_traded(dynamo: "DynamoDBClient") -> None:
    clock = StandingClock()
    fence, state = take_lease(dynamo), open_state(dynamo, clock)
    before = apply_fills({}, [fill(1)])
    state.book_fills(fence, [fill(1)], before)
    state.book_settlement(fence, settlement(), apply_settlement(before["KXA-1"], settlement()))

    clock.sleep_ms(10**12)

    assert [(own.settled, own.traded) for own in state.load().positions.values()] == [(True, fill(1).count)]
    assert "expires_at" not in stored(dynamo)["POSITION#1#KXA-1"]
