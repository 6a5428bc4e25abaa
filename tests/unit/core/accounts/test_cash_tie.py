"""Our cash ties to the exchange's, or the difference is named, dated and never counted twice."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.cash_tie import (
    ALLOWANCE,
    TRANSIT_MS,
    CashBooks,
    CashOutcome,
    CashRead,
    CashTie,
    movements,
    tie_cash,
)
from dora.core.exchange.fees import CENT
from dora.core.units import Money, TimeMs
from tests.support.account_cases import MINUTE_MS, ask, bid, booked
from tests.support.examples import NOW, dollars


def read(
    minute: int, balances: dict[int, str], moved: dict[int, str], fills: int = 0, **more: Any
) -> CashRead:
    return CashRead(
        at_ms=TimeMs(NOW + minute * MINUTE_MS),
        known_ms=TimeMs(NOW + more.get("known", minute) * MINUTE_MS),
        balances=money(balances),
        movements=money(moved),
        fills=fills,
        reserved=money(more.get("reserved", {})),
    )


def money(by_shard: Mapping[int, str]) -> dict[int, Money]:
    return {shard: dollars(text) for shard, text in by_shard.items()}


OPENED = tie_cash(CashBooks(), read(0, {0: "100", 2: "50"}, {0: "-7"}, 3)).books


def tied(*reads: CashRead, books: CashBooks = OPENED) -> CashTie:
    """The last of these reads, tied in turn."""
    for one in reads:
        tie = tie_cash(books, one)
        books = tie.books
    return tie


def test_the_first_read_anchors_and_judges_nothing() -> None:
    assert tie_cash(CashBooks(), read(0, {0: "100"}, {})).outcome is CashOutcome.OPENED
    assert [(anchor.shard, anchor.balance) for anchor in OPENED.anchors] == [
        (0, dollars("100")),
        (2, dollars("50")),
    ]


def test_what_the_books_moved_the_balance_moved() -> None:
    tie = tied(read(1, {0: "95.60", 2: "51"}, {0: "-11.40", 2: "1"}, 4))
    assert (tie.outcome, tie.difference, tie.by_shard) == (CashOutcome.TIED, 0, {})


def test_rounding_is_a_line_of_its_own() -> None:
    first = tied(read(1, {0: "95.59", 2: "50"}, {0: "-11.40"}, 4))
    assert (first.outcome, first.books.residue) == (CashOutcome.TIED, dollars("-0.01"))
    second = tied(read(2, {0: "95.61", 2: "50"}, {0: "-11.40"}, 4), books=first.books)
    assert (second.books.residue, second.books.unexplained) == (dollars("0.01"), 0)


@pytest.mark.parametrize(("beyond", "outcome"), [(0, CashOutcome.TIED), (1, CashOutcome.PENDING)])
def test_a_cent_a_fill_and_a_dime_are_rounding_and_a_millionth_more_is_not(
    beyond: int, outcome: CashOutcome
) -> None:
    balances = {0: Money(dollars("100") + 2 * CENT + ALLOWANCE + beyond), 2: dollars("50")}
    seen = read(1, {}, {0: "-7"}, 5)._replace(balances=balances)
    assert tie_cash(OPENED, seen).outcome is outcome


def test_a_deposit_is_named_by_the_second_read_dated_by_the_first_and_told_once() -> None:
    paid_in = {0: "100", 2: "75"}
    first = tied(read(1, paid_in, {0: "-7"}, 3))
    assert (first.outcome, first.books.unexplained) == (CashOutcome.PENDING, 0)
    second = tied(read(2, paid_in, {0: "-7"}, 3), books=first.books)
    assert (second.outcome, second.difference) == (CashOutcome.UNEXPLAINED, dollars("25"))
    assert (second.since_ms, second.by_shard) == (NOW + MINUTE_MS, {2: dollars("25")})
    third = tied(read(3, paid_in, {0: "-7"}, 3), books=second.books)
    assert (third.outcome, third.books.unexplained) == (CashOutcome.TIED, dollars("25"))


def test_fills_between_the_two_reads_may_round_but_not_more() -> None:
    first = tied(read(1, {0: "125", 2: "50"}, {0: "-7"}, 3))
    rounded = tied(read(2, {0: "122.99", 2: "50"}, {0: "-9"}, 4), books=first.books)
    assert (rounded.outcome, rounded.difference) == (CashOutcome.UNEXPLAINED, dollars("24.99"))
    other = tied(read(2, {0: "122.98", 2: "50"}, {0: "-9"}, 4), books=first.books)
    assert (other.outcome, other.since_ms) == (CashOutcome.PENDING, NOW + 2 * MINUTE_MS)


def test_the_same_read_twice_confirms_nothing() -> None:
    seen = read(1, {0: "125", 2: "50"}, {0: "-7"}, 3)
    assert tied(seen, seen).outcome is CashOutcome.PENDING


def test_a_balance_that_knows_a_fill_before_the_books_do_ties_when_they_do() -> None:
    early = tied(read(1, {0: "95.60", 2: "50"}, {0: "-7"}, 3))
    assert early.outcome is CashOutcome.PENDING
    tie = tied(read(2, {0: "95.60", 2: "50"}, {0: "-11.40"}, 4), books=early.books)
    assert (tie.outcome, tie.books.residue, tie.books.pending) == (CashOutcome.TIED, 0, 0)


def test_cash_on_its_way_between_shards_is_awaited_and_its_arrival_is_no_finding() -> None:
    left, arrived = {0: "70", 2: "50"}, {0: "70", 2: "80"}
    waiting = tied(read(1, left, {0: "-7"}, 3), read(2, left, {0: "-7"}, 3))
    assert (waiting.outcome, waiting.difference) == (CashOutcome.IN_TRANSIT, dollars("-30"))
    tie = tied(read(59, arrived, {0: "-7"}, 3), books=waiting.books)
    assert (tie.outcome, tie.difference) == (CashOutcome.TIED, 0)
    assert tie.by_shard == {0: dollars("-30"), 2: dollars("30")}


@pytest.mark.parametrize(
    ("minutes", "outcome"), [(60, CashOutcome.IN_TRANSIT), (61, CashOutcome.UNEXPLAINED)]
)
def test_what_has_not_arrived_within_the_hour_was_withdrawn(minutes: int, outcome: CashOutcome) -> None:
    assert TRANSIT_MS == 60 * MINUTE_MS
    left = {0: "70", 2: "50"}
    assert tied(read(1, left, {0: "-7"}, 3), read(minutes, left, {0: "-7"}, 3)).outcome is outcome


def test_a_shard_that_is_not_listed_leaves_all_as_it_was() -> None:
    tie = tied(read(1, {0: "100"}, {0: "-7"}, 3))
    assert (tie.outcome, tie.books) == (CashOutcome.UNKNOWN, OPENED)


def test_a_shard_that_is_empty_may_be_left_out_and_come_back() -> None:
    away, back, moved = {0: "154"}, {0: "124", 2: "30"}, {0: "-7", 2: "4"}
    tie = tied(read(1, {0: "154", 2: "0"}, moved, 3), read(2, away, moved, 3))
    assert (tie.outcome, tie.by_shard) == (CashOutcome.TIED, {})
    again = tied(read(3, back, moved, 3), books=tie.books)
    assert (again.outcome, again.by_shard) == (CashOutcome.TIED, {0: dollars("-30"), 2: dollars("30")})


def test_a_balance_that_leaves_out_what_orders_hold_ties_as_well() -> None:
    quoting = {"reserved": {0: "20", 2: "5"}}
    tie = tied(read(1, {0: "80", 2: "45"}, {0: "-7"}, 3, **quoting))
    assert (tie.outcome, tie.difference) == (CashOutcome.TIED, 0)
    assert tied(read(2, {0: "100", 2: "50"}, {0: "-7"}, 3), books=tie.books).outcome is CashOutcome.TIED


def test_a_trickle_too_small_for_one_read_is_named_when_it_adds_up() -> None:
    outcomes, books = [], OPENED
    for minute in range(1, 4):
        tie = tied(read(minute, {0: f"{100 + minute * 0.05:.2f}", 2: "50"}, {0: "-7"}, 3), books=books)
        outcomes.append(tie.outcome)
        books = tie.books
    assert outcomes == [CashOutcome.TIED, CashOutcome.TIED, CashOutcome.UNEXPLAINED]
    assert (tie.difference, tie.since_ms) == (dollars("0.15"), NOW)
    assert (books.residue, books.unexplained) == (0, dollars("0.15"))


def test_movements_are_summed_by_shard() -> None:
    held = booked([bid("0.44", "10", "0.01")])
    closed = booked([ask("0.5", "10", after_ms=1)], held)
    far = held._replace(ticker="far", shard=2)
    other = closed._replace(ticker="other")
    assert movements([closed, far, other]) == ({0: dollars("1.18"), 2: dollars("-4.41")}, 5)


def test_books_that_tie_to_the_millionth_need_not_be_stored_again() -> None:
    tie = tied(read(9, {0: "100", 2: "50"}, {0: "-7"}, 3, reserved={0: "20"}))
    assert (tie.outcome, tie.books) == (CashOutcome.TIED, OPENED)


def test_lists_older_than_the_difference_confirm_nothing_until_their_stamp_is_past_waiting_for() -> None:
    """A fill that the balance knew first is in lists of later: those are waited for, but not for ever."""
    first = tied(read(1, {0: "125", 2: "50"}, {0: "-7"}, 3))
    late = [
        tied(read(minute, {0: "125", 2: "50"}, {0: "-7"}, 3, known=1), books=first.books)
        for minute in (2, 10, 11)
    ]
    expected = [CashOutcome.PENDING, CashOutcome.PENDING, CashOutcome.UNEXPLAINED]
    assert [tie.outcome for tie in late] == expected
    assert {tie.since_ms for tie in late} == {NOW + MINUTE_MS}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["trade", "transfer", "pay in"]),
        st.integers(-50_000_000, 50_000_000),
        st.integers(0, CENT),
    ),
    max_size=20,
)


@given(STEPS)
def test_residue_and_what_is_unexplained_are_all_that_the_books_do_not_know(
    steps: list[tuple[str, int, int]],
) -> None:
    balances, moved = {0: Money(10**9), 2: Money(10**9)}, {0: Money(0), 2: Money(0)}
    books, fills, foreign, minute = CashBooks(), 0, 0, 0
    for kind, amount, rounding in [("open", 0, 0), *steps]:
        shard = 0 if amount % 2 else 2
        if kind == "trade":
            moved[shard] += amount
            balances[shard] += amount - rounding
            fills, foreign = fills + 1, foreign - rounding
        elif kind == "transfer":
            balances[0] -= amount
            balances[2] += amount
        elif kind == "pay in":
            balances[shard] += amount
            foreign += amount
        for _ in range(3):
            minute += 60
            seen = read(minute, {}, {}, fills)._replace(balances=dict(balances), movements=dict(moved))
            tie = tie_cash(books, seen)
            books = tie.books
        assert tie.outcome is CashOutcome.TIED
        assert books.residue + books.unexplained == foreign
