"""What the ports promise of the books: exactly once, all or nothing, and never over outdated ones."""

from dataclasses import replace

import pytest

from dora.core.accounts.cash_tie import CashBooks, ShardAnchor, UnexplainedCash
from dora.core.accounts.posting import EXTERNAL, post_mark, post_reward
from dora.core.accounts.retirement import readmit, retire, totals_of
from dora.core.accounts.rewards import Reward, RewardKind, explained
from dora.core.accounts.row_sums import added
from dora.core.accounts.stored_books import FILLS_PER_TRANSACTION, BookChange, Booking
from dora.core.errors import StateConflict, StateUnavailable
from dora.core.state import Changes
from dora.core.units import Money, Price, TimeMs
from tests.reference.positions import apply_fills, apply_settlement
from tests.support.bookings import FIRST, PAYOUT, of_fills, of_payout, of_posting
from tests.support.dynamo_values import NOW_MS, fill, settlement
from tests.support.store_backings import Backing, take_fence

BOOKS = FIRST.ledgers["KXA-1"]
CREDIT = Reward(
    program="p1", ticker="KXA-1", shard=1, kind=RewardKind.CREDITED, amount=Money(25), at_ms=TimeMs(NOW_MS)
)


def test_fills_books_positions_and_rows_are_booked_together(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    fills = [fill(1), fill(2), fill(3, "KXB-1")]
    booking = of_fills(fills)

    assert state.book(fence, booking)

    loaded = backing.state().load()
    assert loaded.positions == state.load().positions == apply_fills({}, fills)
    assert loaded.books == state.load().books == booking.ledgers
    assert list(loaded.positions) == list(loaded.books) == ["KXB-1", "KXA-1"]
    assert set(state.profit_rows()) == set(booking.rows)
    assert state.booked(["fill-1", "fill-9", "fill-3", "fill-1"]) == {"fill-1", "fill-3"}


def test_rows_of_one_key_add_up_and_are_shown_by_day(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    tomorrow = fill(2)._replace(at_ms=TimeMs(NOW_MS + 86_400_000))
    bookings = [FIRST, of_fills([fill(3)], FIRST.ledgers)]
    bookings.append(of_fills([tomorrow], bookings[1].ledgers))
    for booking in bookings:
        state.book(fence, booking)

    rows = [row for booking in bookings for row in booking.rows]
    assert state.profit_rows() == tuple(added(rows).values())
    assert state.profit_rows(rows[-1].day) == (rows[-1],)
    assert state.profit_rows("2020-01-01") == ()


@pytest.mark.parametrize("booking", [FIRST, PAYOUT, of_posting(post_mark(BOOKS, Price(1), NOW_MS, EXTERNAL))])
def test_a_booking_whose_answer_was_lost_counts_once(backing: Backing, booking: object) -> None:
    fence, state = take_fence(backing), backing.state(lose="answer")
    with pytest.raises(StateUnavailable):
        state.book(fence, booking)  # type: ignore[arg-type]
    stood = state.load(), state.profit_rows(), state.payouts()

    for _ in range(2):
        try:
            assert not state.book(fence, booking)  # type: ignore[arg-type]
        except StateConflict:
            assert booking is not FIRST

    assert (state.load(), state.profit_rows(), state.payouts()) == stood


def test_a_batch_that_overlaps_what_is_booked_books_nothing(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    state.book(fence, FIRST)

    assert not state.book(fence, of_fills([fill(1), fill(2)], FIRST.ledgers))
    assert not state.book(fence, of_fills([fill(2), fill(1)]))

    assert state.load().books == FIRST.ledgers
    assert (state.booked(["fill-2"]), state.profit_rows()) == (frozenset(), FIRST.rows)


def test_books_made_from_outdated_ones_are_refused(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    first = of_fills([fill(1), fill(2, "KXB-1")])
    state.book(fence, first)
    half_stale = of_fills([fill(3), fill(4, "KXB-1")], {"KXB-1": first.ledgers["KXB-1"]})

    for outdated in (half_stale, PAYOUT):
        with pytest.raises(StateConflict, match="books"):
            state.book(fence, outdated)

    assert state.load().books == first.ledgers
    assert (state.booked(["fill-3", "fill-4"]), state.payouts()) == (frozenset(), ())


def test_a_fill_does_not_undo_a_payout_that_came_between(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    state.book(fence, FIRST)
    state.book(fence, of_payout(settlement(), BOOKS))

    with pytest.raises(StateConflict):
        state.book(fence, of_fills([fill(2)], FIRST.ledgers))

    assert state.load().positions["KXA-1"].settled


def test_a_payout_is_booked_once_and_its_amendment_again(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    amended = settlement()._replace(value=Price(0))
    state.book(fence, FIRST)
    paid = of_payout(settlement(), BOOKS)

    assert state.book(fence, paid)
    assert state.load().positions == {"KXA-1": apply_settlement(FIRST.positions["KXA-1"], settlement())}
    with pytest.raises(StateConflict):
        state.book(fence, paid)
    assert state.book(fence, of_payout(amended, paid.ledgers["KXA-1"]))

    assert state.load().positions == {"KXA-1": apply_settlement(FIRST.positions["KXA-1"], amended)}
    assert state.payouts() == (amended, settlement())


def test_a_market_leaves_the_state_for_a_record_and_comes_back_as_it_was(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    state.book(fence, of_fills([fill(1), fill(2, "KXB-1")]))
    left = state.load().books["KXB-1"]
    totals = retire(totals_of({}, left.shard), left)
    leaving = Booking(changes=(BookChange(totals),), leaving=(left,))

    assert state.book(fence, leaving)
    with pytest.raises(StateConflict):
        state.book(fence, leaving)

    for loaded in (state.load(), backing.state().load()):
        assert loaded.books == {"KXA-1": BOOKS, totals.ticker: totals}
        assert loaded.positions == {"KXA-1": BOOKS.position, totals.ticker: totals.position}
        assert list(loaded.books) == list(loaded.positions)
    assert state.retired(["KXB-1", "KXA-1", "KXC-1"]) == {"KXB-1": left}

    none = readmit(totals, left)
    returning = Booking(changes=(BookChange(none, totals, totals.position),), returning=(left,))
    assert state.book(fence, returning)
    with pytest.raises(StateConflict):
        state.book(fence, returning)

    assert backing.state().load().books == {"KXB-1": left, "KXA-1": BOOKS, none.ticker: none}
    assert state.retired(["KXB-1"]) == {}


def test_a_market_that_changed_since_does_not_leave(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    state.book(fence, FIRST)
    state.book(fence, of_fills([fill(2)], FIRST.ledgers))

    with pytest.raises(StateConflict):
        state.book(fence, Booking(changes=(BookChange(totals_of({}, 0)),), leaving=(BOOKS,)))

    assert state.load().positions["KXA-1"].net == 200
    assert state.retired(["KXA-1"]) == {}


def test_cash_books_are_kept_by_a_commit(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    assert state.load().cash == CashBooks()
    anchor = ShardAnchor(shard=2, balance=Money(7), movement=Money(-7), reserved=Money(1))
    cash = CashBooks(anchors=(anchor,), unexplained=Money(25))
    found = UnexplainedCash(since_ms=NOW_MS, found_ms=NOW_MS, amount=Money(25), by_shard={2: Money(25)})

    for _ in range(2):
        state.commit(fence, Changes(cash=cash, unexplained=found))

    assert state.load().cash == backing.state().load().cash == cash
    with pytest.raises(ValueError, match="cash books"):
        state.commit(fence, Changes(unexplained=found))


def test_a_credit_is_booked_once_with_the_cash_that_it_explains(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    state.book(fence, FIRST)
    anchor = ShardAnchor(shard=1, balance=Money(7), movement=Money(-7), reserved=Money(1))
    found = UnexplainedCash(since_ms=NOW_MS, found_ms=NOW_MS, amount=Money(25), by_shard={1: Money(25)})
    expected = replace(CREDIT, kind=RewardKind.EXPECTED)
    cash = explained(CashBooks(anchors=(anchor,), unexplained=Money(25)), [CREDIT])
    booking = replace(of_posting(post_reward(BOOKS, CREDIT.amount, NOW_MS, EXTERNAL), BOOKS), cash=cash)
    booking = replace(booking, rewards=(CREDIT, expected), found=found)

    assert state.book(fence, booking)
    for again in (booking, replace(booking, rewards=(CREDIT,)), replace(booking, rewards=(expected,))):
        assert not state.book(fence, again)

    assert state.load().cash == backing.state().load().cash == cash
    assert state.load().books == booking.ledgers
    other = CREDIT.name._replace(program="p2")
    assert state.rewarded([CREDIT.name, other, expected.name]) == {CREDIT.name, expected.name}
    assert sum(row.rewards for row in state.profit_rows()) == CREDIT.amount
    with pytest.raises(ValueError, match="cash books"):
        replace(booking, cash=None)
    with pytest.raises(ValueError, match="reward twice"):
        replace(booking, rewards=(CREDIT, CREDIT))


def test_a_booking_names_each_fill_once_and_its_markets_and_no_other(backing: Backing) -> None:
    fence, state = take_fence(backing), backing.state()
    many = [fill(number) for number in range(FILLS_PER_TRANSACTION + 1)]

    assert state.book(fence, of_fills(many[:-1]))
    with pytest.raises(ValueError, match="34 fills"):
        of_fills(many)
    with pytest.raises(ValueError, match="100 items"):
        of_fills([fill(number, f"KXA-{number}") for number in range(25)])
    with pytest.raises(ValueError, match="twice"):
        of_fills([fill(1), fill(1)])
    for changes in ((), of_fills([fill(1), fill(2, "KXB-1")]).changes):
        with pytest.raises(ValueError, match="markets"):
            replace(FIRST, changes=changes)
    with pytest.raises(ValueError, match="34 markets"):
        replace(FIRST, fills=(), changes=FIRST.changes * 34)
