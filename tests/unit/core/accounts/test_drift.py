"""Drift becomes an entry when two snapshots prove it, and no fill is counted twice for it."""

from typing import Any

import pytest

from dora.core.accounts.booking import PositionEntry, book_fill, enter_position
from dora.core.accounts.drift import (
    ABSENCE_MS,
    LASTING_MS,
    DriftReview,
    DriftWatch,
    HeldPosition,
    PositionSnapshot,
    review_drift,
)
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.settlement import settle
from dora.core.units import TimeMs
from tests.support.account_cases import MINUTE_MS, bid, booked, settled
from tests.support.examples import NOW, TICKER, contracts, dollars

OURS = booked([bid("0.40", "10", after_ms=7)])


def held(net: str, cost: str, after_ms: int = 7) -> HeldPosition:
    updated_ms = TimeMs(NOW + after_ms)
    return HeldPosition(ticker=TICKER, shard=0, net=contracts(net), cost=dollars(cost), updated_ms=updated_ms)


def snapshot(minute: int, *rows: HeldPosition, **more: Any) -> PositionSnapshot:
    return PositionSnapshot(TimeMs(NOW + minute * MINUTE_MS), {row.ticker: row for row in rows}, **more)


def reviewed(
    *snapshots: PositionSnapshot, ledger: MarketLedger | None = OURS, first: bool = False
) -> DriftReview:
    """The last of these snapshots, each compared in turn with the same books."""
    ledgers = {} if ledger is None else {TICKER: ledger}
    watches: dict[str, DriftWatch] = {}
    for number, one in enumerate(snapshots):
        review = review_drift(ledgers, one, watches, first=first and not number)
        watches = dict(review.watches)
    return review


def test_equal_counts_are_no_drift() -> None:
    assert reviewed(snapshot(1, held("10", "4"))) == DriftReview({}, ())


def test_drift_is_watched_once_and_entered_by_the_second_equal_snapshot() -> None:
    first = reviewed(snapshot(1, held("15", "6.25", 9)))
    assert first.entries == ()
    watch = first.watches[TICKER]
    assert (watch.ours, watch.theirs, watch.since_ms) == (contracts("10"), contracts("15"), NOW + MINUTE_MS)

    second = reviewed(snapshot(1, held("15", "6.25", 9)), snapshot(2, held("15", "6.25", 9)))
    assert second.watches == {}
    assert second.entries == (
        PositionEntry(
            ticker=TICKER, shard=0, net=contracts("15"), cost=dollars("6.25"), at_ms=TimeMs(NOW + 9)
        ),
    )


@pytest.mark.parametrize(
    "second",
    [
        snapshot(2, held("16", "6.65", 9)),
        snapshot(2, held("15", "6.3", 9)),
        snapshot(1, held("15", "6.25", 9)),
        snapshot(2, held("15", "6.25", 9), left_out=frozenset({TICKER})),
        snapshot(2, held("10", "4", 7)),
    ],
    ids=["other count", "other cost", "same stamp", "left out", "agrees again"],
)
def test_a_snapshot_that_is_not_equal_or_not_later_enters_nothing(second: PositionSnapshot) -> None:
    assert reviewed(snapshot(1, held("15", "6.25", 9)), second).entries == ()


def test_the_same_stamp_again_leaves_the_watch_to_be_confirmed_by_a_later_one() -> None:
    row = held("15", "6.25", 9)
    assert reviewed(snapshot(1, row), snapshot(1, row), snapshot(2, row)).entries


def test_a_fill_between_the_two_starts_the_watch_again_but_not_its_age() -> None:
    first = review_drift({TICKER: OURS}, snapshot(1, held("15", "6.25", 9)), {}, first=False)
    later = book_fill(OURS, bid("0.40", "1", after_ms=9))
    second = review_drift({TICKER: later}, snapshot(2, held("16", "6.65", 9)), first.watches, first=False)
    assert second.entries == ()
    assert second.watches[TICKER].since_ms == NOW + MINUTE_MS
    third = review_drift({TICKER: later}, snapshot(3, held("16", "6.65", 9)), second.watches, first=False)
    assert len(third.entries) == 1


def test_a_row_from_before_our_latest_fill_proves_nothing() -> None:
    stale = held("4", "1.6", 6)
    review = reviewed(*(snapshot(minute, stale) for minute in range(1, 40)))
    assert review.entries == ()
    assert review.watches[TICKER].lasts(TimeMs(NOW + MINUTE_MS + LASTING_MS))
    assert not review.watches[TICKER].lasts(TimeMs(NOW + MINUTE_MS + LASTING_MS - 1))


def test_a_row_from_before_our_latest_entry_does_not_undo_it() -> None:
    entered = enter_position(OURS, ENTRY._replace(at_ms=TimeMs(NOW + 20)))
    stale = held("10", "4", 19)
    assert reviewed(snapshot(1, stale), snapshot(2, stale), ledger=entered).entries == ()


ENTRY = PositionEntry(ticker=TICKER, shard=0, net=contracts("15"), cost=dollars("6.25"), at_ms=NOW)


def test_a_row_dated_in_whole_seconds_holds_the_fills_of_its_second() -> None:
    row = held("15", "6.25", 0)
    (entry,) = reviewed(snapshot(1, row), snapshot(2, row)).entries
    assert entry.at_ms == NOW + 999


def test_absence_of_a_row_counts_long_after_our_latest_fill_and_for_as_long_alone() -> None:
    minutes = ABSENCE_MS // MINUTE_MS
    proven = minutes + 1
    assert reviewed(*(snapshot(minute) for minute in range(1, proven + minutes))).entries == ()
    (entry,) = reviewed(*(snapshot(minute) for minute in range(1, proven + minutes + 1))).entries
    assert (entry.net, entry.cost, entry.at_ms) == (0, 0, NOW + (proven + minutes) * MINUTE_MS)


def test_lists_that_lost_a_row_for_a_while_are_no_proof_that_it_is_gone() -> None:
    minutes = ABSENCE_MS // MINUTE_MS
    shown = snapshot(minutes + 5, held("10", "4"))
    later = (snapshot(minute) for minute in range(minutes + 6, 2 * minutes + 6))
    assert reviewed(*(snapshot(minute) for minute in range(1, minutes + 5)), shown, *later).entries == ()


def test_what_stood_in_the_first_comparison_opens_the_books() -> None:
    row = held("-30", "16.8", 3)
    (entry,) = reviewed(snapshot(1, row), snapshot(2, row), ledger=None, first=True).entries
    assert entry.opening
    opened = enter_position(MarketLedger(ticker=TICKER, shard=0), entry)
    assert (opened.net, opened.cost, opened.movement) == (contracts("-30"), dollars("16.8"), 0)


def test_an_opening_position_stays_one_while_we_trade_on_top_of_it() -> None:
    first = review_drift({}, snapshot(1, held("30", "12", 3)), {}, first=True)
    ledger = booked([bid("0.40", "10", after_ms=7)])
    rows = [snapshot(minute, held("40", "16")) for minute in (2, 3)]
    second = review_drift({TICKER: ledger}, rows[0], first.watches, first=False)
    (entry,) = review_drift({TICKER: ledger}, rows[1], second.watches, first=False).entries
    opened = enter_position(ledger, entry)
    assert (entry.opening, opened.net, opened.brought) == (True, contracts("40"), dollars("12"))
    assert opened.movement == dollars("-4")


def test_a_position_that_appears_later_is_an_adjustment() -> None:
    row = held("-30", "16.8", 3)
    (entry,) = reviewed(snapshot(0), snapshot(1, row), snapshot(2, row), ledger=None, first=True).entries
    assert not entry.opening


def test_a_settled_market_is_not_compared() -> None:
    row = held("10", "4")
    review = reviewed(snapshot(1, row), snapshot(2, row), ledger=settle(OURS, settled("1")))
    assert review == DriftReview({}, ())


def test_scenario_63_a_fill_that_lags_behind_the_entry_is_not_counted_twice() -> None:
    row = held("15", "6.25", 9)
    (entry,) = reviewed(snapshot(1, row), snapshot(2, row)).entries
    entered = enter_position(OURS, entry)
    lagging, later = bid("0.45", "5", "0.01", after_ms=9), bid("0.45", "1", after_ms=10)
    after = book_fill(book_fill(entered, lagging), later)
    assert (after.net, after.unexplained) == (contracts("16"), 0)
    assert (after.cash, after.fees) == (dollars("-6.70"), dollars("0.01"))
    assert reviewed(snapshot(3, held("16", "6.70", 10)), ledger=after) == DriftReview({}, ())
