"""A payout is booked once, corrected once more when it is amended, and pays late fills as well."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.basis import Basis
from dora.core.accounts.settlement import (
    Result,
    book_late_fill,
    latest_payouts,
    payout,
    payout_difference,
    result_of,
    settle,
)
from dora.core.errors import SettlementRefused
from dora.core.exchange.account import Fill
from dora.core.units import Price
from tests.support.account_cases import FLAT, MARKS, ask, bid, booked, histories, settled
from tests.support.examples import TICKER, cents, contracts, dollars

LONG = booked([bid("0.44", "10", "0.02")])
SHORT = booked([ask("0.44", "10")])


@pytest.mark.parametrize(
    ("net", "cost", "result", "value", "paid"),
    [
        ("10", "4.4", Result.YES, "1", "10"),
        ("10", "4.4", Result.NO, "0", "0"),
        ("-10", "5.6", Result.NO, "0", "10"),
        ("-10", "5.6", Result.YES, "1", "0"),
        ("0.01", "0.0044", Result.YES, "1", "0.01"),
        ("10", "4.4", Result.SCALAR, "0.37", "3.7"),
        ("-10", "5.6", Result.SCALAR, "0.37", "6.3"),
        ("0.5", "0.2", Result.SCALAR, "0.37", "0.18"),
        ("10", "4.4", Result.VOID, "0", "4.4"),
        ("0", "0", Result.YES, "1", "0"),
    ],
)
def test_the_payout_by_result(net: str, cost: str, result: Result, value: str, paid: str) -> None:
    assert payout(Basis(contracts(net), dollars(cost)), result, cents(value)) == dollars(paid)


def test_a_payout_is_realised_and_leaves_the_market_flat() -> None:
    paid = settle(LONG, settled("1", "yes", revenue="10"))
    assert (paid.net, paid.cost, paid.settled) == (0, 0, True)
    assert (paid.realised, paid.movement) == (dollars("5.60"), dollars("5.58"))
    assert (paid.settled_net, paid.settled_cost, paid.paid) == (
        contracts("10"),
        dollars("4.4"),
        dollars("10"),
    )
    assert payout_difference(paid, settled("1", "yes", revenue="10")) == 0


@pytest.mark.parametrize(("book", "result", "realised"), [(LONG, "void", "0"), (SHORT, "no", "4.4")])
def test_no_contracts_and_void_markets_are_paid_too(book: Any, result: str, realised: str) -> None:
    assert settle(book, settled("0", result)).realised == dollars(realised)


def test_a_payout_that_is_booked_already_changes_nothing() -> None:
    paid = settle(LONG, settled("1", "yes"))
    assert settle(paid, settled("1", "yes")) is paid
    assert settle(paid, settled("1", after_ms=90_000)) is paid


def test_an_amended_payout_is_corrected_once_and_its_older_row_does_not_undo_it() -> None:
    first, amended = settled("1", "yes"), settled("0", "no", after_ms=90_000)
    paid = settle(LONG, first)
    corrected = settle(paid, amended)
    assert (corrected.realised, corrected.paid, corrected.net) == (dollars("-4.40"), 0, 0)
    assert corrected.movement - paid.movement == dollars("-10")
    assert settle(settle(corrected, first), amended) == corrected


def test_a_row_that_is_amended_in_place_is_corrected_too() -> None:
    corrected = settle(settle(SHORT, settled("1", "yes")), settled("0.25", "scalar"))
    assert (corrected.paid, corrected.realised) == (dollars("7.5"), dollars("1.9"))


def test_a_fill_that_is_listed_after_the_payout_is_paid_with_the_rest() -> None:
    late = book_late_fill(settle(LONG, settled("1", "yes")), bid("0.50", "2", "0.01"))
    assert (late.net, late.paid, late.fees) == (0, dollars("12"), dollars("0.03"))
    assert late.realised == dollars("6.60")
    assert payout_difference(late, settled("1", revenue="12")) == 0


def test_unlike_positions_show_in_the_payout() -> None:
    paid = settle(LONG, settled("1", "yes", revenue="12"))
    assert payout_difference(paid, settled("1", "yes", revenue="12")) == dollars("2")


@given(histories(8), MARKS, st.sampled_from(["", "scalar", "void"]))
def test_a_payout_may_come_before_any_of_its_fills(fills: list[Fill], value: Price, result: str) -> None:
    row = settled("0.5", result)
    row = settled(f"0.{value % 10_000:04}", result) if value else row
    right = settle(booked(fills), row)
    for early in range(len(fills) + 1):
        ledger = settle(booked(fills[:early]), row)
        for one in fills[early:]:
            ledger = book_late_fill(ledger, one)
        assert ledger == right


@pytest.mark.parametrize(
    ("value", "result", "expected"),
    [
        ("1", "", Result.YES),
        ("0", "", Result.NO),
        ("0.4", "", Result.SCALAR),
        ("1", "scalar", Result.SCALAR),
        ("0", "void", Result.VOID),
    ],
)
def test_the_result_is_the_exchange_s_word_or_follows_from_the_value(
    value: str, result: str, expected: Result
) -> None:
    assert result_of(settled(value, result)) is expected


@pytest.mark.parametrize(
    ("value", "result"), [("0", "yes"), ("0.4", "no"), ("1", "refund"), ("1.5", "scalar")]
)
def test_what_no_rule_covers_is_refused_by_name(value: str, result: str) -> None:
    with pytest.raises(SettlementRefused, match=TICKER):
        settle(LONG, settled(value, result))


def test_of_several_payouts_of_a_market_the_latest_counts() -> None:
    rows = [settled("1", "yes"), settled("0", "no", after_ms=90_000), settled("1", ticker="other")]
    for order in permutations(rows):
        latest, refused = latest_payouts(order)
        assert latest == {TICKER: rows[1], "other": rows[2]}
        assert refused == {}


def test_payouts_of_one_time_that_contradict_each_other_are_refused() -> None:
    latest, refused = latest_payouts([settled("1", "yes"), settled("0", "no"), settled("1", ticker="other")])
    assert set(latest) == {"other"}
    assert "two results" in str(refused[TICKER])


def test_a_doubled_row_is_no_contradiction_and_an_unknown_result_refuses_its_market_alone() -> None:
    rows = [settled("1", "yes"), settled("1"), settled("1", "refund", ticker="odd")]
    latest, refused = latest_payouts(rows)
    assert set(latest) == {TICKER}
    assert set(refused) == {"odd"}


def test_nothing_is_paid_for_a_market_that_was_never_held() -> None:
    paid = settle(FLAT, settled("1", "yes"))
    assert (paid.paid, paid.realised, paid.settled) == (0, 0, True)
