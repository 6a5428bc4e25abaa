"""What the ports promise of fills and payouts: exactly once, and never over an outdated position."""

from dataclasses import replace

import pytest

from dora.core.accounts.ledger import apply_fills, apply_settlement
from dora.core.errors import StateConflict
from dora.core.units import Price, TimeMs
from tests.support.dynamo_values import NOW_MS, fill, position, settlement
from tests.support.store_backings import Backing, take_fence

PAID = apply_settlement(position(), settlement())


def test_fills_and_their_positions_are_booked_together(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    fills = [fill(1), fill(2), fill(3, "KXB-1")]

    assert state.book_fills(fence, fills, apply_fills({}, fills))

    assert state.load().positions == apply_fills({}, fills)
    assert list(state.load().positions) == ["KXB-1", "KXA-1"]
    assert state.booked(["fill-1", "fill-9", "fill-3", "fill-1"]) == {"fill-1", "fill-3"}


def test_a_batch_that_overlaps_what_is_booked_books_nothing(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    once = apply_fills({}, [fill(1)])
    state.book_fills(fence, [fill(1)], once)

    assert not state.book_fills(fence, [fill(1), fill(2)], apply_fills(once, [fill(1), fill(2)]))
    assert not state.book_fills(fence, [fill(2), fill(1)], apply_fills({}, [fill(2), fill(1)]))

    assert (state.load().positions, state.booked(["fill-2"])) == (once, frozenset())


def test_a_position_made_from_an_outdated_one_is_refused(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    first = [fill(1), fill(2, "KXB-1")]
    state.book_fills(fence, first, apply_fills({}, first))
    later = [fill(3), fill(4, "KXB-1")]
    half_stale = apply_fills({"KXB-1": apply_fills({}, first)["KXB-1"]}, later)

    with pytest.raises(StateConflict, match="position"):
        state.book_fills(fence, later, half_stale)
    with pytest.raises(StateConflict, match="position"):
        state.book_settlement(fence, settlement(), PAID)

    assert state.load().positions == apply_fills({}, first)
    assert state.booked(["fill-3", "fill-4"]) == frozenset()


def test_a_fill_does_not_undo_a_payout_that_came_between(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    before = apply_fills({}, [fill(1)])
    state.book_fills(fence, [fill(1)], before)
    state.book_settlement(fence, settlement(), apply_settlement(before["KXA-1"], settlement()))

    with pytest.raises(StateConflict):
        state.book_fills(fence, [fill(2)], apply_fills(before, [fill(2)]))

    assert state.load().positions["KXA-1"].settled


def test_a_payout_is_booked_once_and_a_correction_again(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    corrected = replace(settlement(), value=Price(0), settled_ms=TimeMs(NOW_MS + 5))

    assert state.book_settlement(fence, settlement(), PAID)
    assert not state.book_settlement(fence, settlement(), replace(PAID, cash=PAID.fees))
    assert state.book_settlement(fence, corrected, replace(PAID, cash=PAID.fees))

    assert state.load().positions == {"KXA-1": replace(PAID, cash=PAID.fees)}


def test_a_booking_names_each_fill_once_and_its_markets_and_no_other(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    many = [fill(number, f"KXA-{number}") for number in range(50)]

    assert state.book_fills(fence, many[:49], apply_fills({}, many[:49]))
    with pytest.raises(ValueError, match="50 fills"):
        state.book_fills(fence, many, apply_fills({}, many))
    with pytest.raises(ValueError, match="twice"):
        state.book_fills(fence, [fill(1), fill(1)], {"KXA-1": position()})
    for positions in ({}, {"KXA-1": position(), "KXB-1": position("KXB-1")}):
        with pytest.raises(ValueError, match="markets"):
            state.book_fills(fence, [fill(1)], positions)
