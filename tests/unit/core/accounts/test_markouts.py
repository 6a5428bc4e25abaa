"""What the mid did after our fills, taken from looks that come once a minute or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.markouts import (
    HORIZONS_MS,
    LATE_MS,
    MarkoutRow,
    PendingMarkout,
    mid_price,
    take_marks,
    with_fills,
)
from dora.core.accounts.posting import Attribution
from dora.core.accounts.row_sums import added
from dora.core.calendar import exchange_day
from dora.core.exchange.account import Fill
from dora.core.exchange.market import Book
from dora.core.units import Price, TimeMs
from tests.support.account_cases import ask, bid, histories
from tests.support.examples import NOW, TICKER, book, cents, contracts, dollars

OURS = {"o": Attribution("reservation", "s1")}
ONE, FIVE, THIRTY = HORIZONS_MS


def looked(pending: tuple[PendingMarkout, ...], mids: dict[int, str | None]) -> MarkoutRow:
    """The sums after looks at these times, each with the mid that it found."""
    rows = []
    for after_ms, mid in mids.items():
        found = {} if mid is None else {TICKER: cents(mid)}
        pending, new = take_marks(pending, found, TimeMs(NOW + after_ms))
        rows += new
    assert len(added(rows)) <= 1
    return next(iter(added(rows).values()), MarkoutRow(day="", ticker="", strategy=""))


def test_a_bid_gains_what_the_mid_rises_above_its_price() -> None:
    pending = with_fills((), [bid("0.40", "10")], OURS)
    row = looked(pending, {ONE: "0.43", FIVE: "0.41", THIRTY: "0.35"})
    assert row.key == (exchange_day(NOW), TICKER, "reservation")
    assert row.gains == (dollars("0.3"), dollars("0.1"), dollars("-0.5"))
    assert row.contracts == (contracts("10"),) * 3
    assert row.missed == (0, 0, 0)


def test_an_ask_gains_what_it_falls_and_both_together_their_sum() -> None:
    fills = [bid("0.40", "10"), ask("0.46", "4", after_ms=1)]
    row = looked(with_fills((), fills, OURS), {ONE + 1: "0.43"})
    assert row.gains[0] == dollars("0.42")
    assert row.contracts[0] == contracts("14")


def test_a_mark_is_taken_by_the_first_look_at_its_time_or_later() -> None:
    pending = with_fills((), [bid("0.40", "10")], OURS)
    row = looked(pending, {ONE - 1: "0.9", ONE + 45_000: "0.42", ONE + 60_000: "0.1"})
    assert row.gains == (dollars("0.2"), 0, 0)


@pytest.mark.parametrize(("late_ms", "marked"), [(LATE_MS, True), (LATE_MS + 1, False)])
def test_a_look_that_comes_too_late_misses_its_mark(late_ms: int, marked: bool) -> None:
    row = looked(with_fills((), [bid("0.40", "10")], OURS), {ONE + late_ms: "0.42"})
    assert (row.contracts[0] > 0, row.missed[0] > 0) == (marked, not marked)


def test_a_book_without_a_mid_is_awaited_and_then_missed() -> None:
    pending = with_fills((), [bid("0.40", "10")], OURS)
    assert looked(pending, {ONE: None, ONE + 60_000: "0.42"}).gains[0] == dollars("0.2")
    missed = looked(pending, {ONE: None, ONE + LATE_MS: None, FIVE: "0.42"})
    assert missed.missed == (contracts("10"), 0, 0)
    assert missed.gains == (0, dollars("0.2"), 0)


def test_after_a_long_pause_every_mark_is_missed_and_nothing_waits_any_more() -> None:
    pending = with_fills((), [bid("0.40", "10")], OURS)
    left, (row,) = take_marks(pending, {TICKER: cents("0.42")}, TimeMs(NOW + 10 * THIRTY))
    assert left == ()
    assert row.missed == (contracts("10"),) * 3


def test_fills_of_a_minute_wait_as_one_and_those_of_others_not_at_all() -> None:
    by_hand = bid("0.40", "5")._replace(order_id="hand")
    pending = with_fills((), [bid("0.40", "1"), bid("0.42", "1", after_ms=59_999), by_hand], OURS)
    assert [(own.contracts, own.at_ms) for own in pending] == [(contracts("2"), NOW + 59_999)]
    assert len(with_fills(pending, [bid("0.42", "1", after_ms=60_000)], OURS)) == 2


def test_a_fill_that_is_listed_after_its_minute_was_marked_waits_beside_it() -> None:
    pending = with_fills((), [bid("0.40", "1")], OURS)
    pending, _ = take_marks(pending, {TICKER: cents("0.5")}, TimeMs(NOW + ONE))
    pending = with_fills(pending, [bid("0.40", "2", after_ms=5)], OURS)
    pending, _ = take_marks(pending, {TICKER: cents("0.5")}, TimeMs(NOW + ONE + 5))
    pending = with_fills(pending, [bid("0.40", "4", after_ms=6)], OURS)
    assert sum(own.contracts for own in pending) == contracts("7")


@given(histories(), st.lists(st.tuples(st.integers(0, 90), st.integers(1, 9_999) | st.none()), max_size=40))
def test_every_contract_is_marked_or_missed_once_at_each_horizon(
    fills: list[Fill], looks: list[tuple[int, int | None]]
) -> None:
    pending, rows = with_fills((), fills, OURS), list[MarkoutRow]()
    now_ms = NOW
    for seconds, mid in [*looks, (60_000, None)]:
        now_ms = TimeMs(now_ms + seconds * 1_000)
        found = {} if mid is None else {TICKER: Price(mid)}
        pending, new = take_marks(pending, found, now_ms)
        rows += new
    assert pending == ()
    total = sum(fill.count for fill in fills)
    for row in added(rows).values():
        assert [a + b for a, b in zip(row.contracts, row.missed, strict=True)] == [total] * 3


@pytest.mark.parametrize(
    ("shown", "mid"),
    [
        (book([("0.44", "1")], [("0.47", "1")]), "0.455"),
        (book([("0.9999", "1")], [("1", "1")]), "0.9999"),
        (book([], [("0.47", "1")]), None),
        (book([("0.48", "1")], [("0.47", "1")]), None),
    ],
)
def test_the_mid_is_half_way_between_the_best_prices(shown: Book, mid: str | None) -> None:
    assert mid_price(shown) == (None if mid is None else cents(mid))
