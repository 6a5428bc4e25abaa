"""Time quoted, the queue ahead and markouts, summed so that memory holds them."""

import json

import pytest

from dora.core.accounts.markout_memory import from_memory, to_memory
from dora.core.accounts.markouts import take_marks, with_fills
from dora.core.accounts.posting import Attribution
from dora.core.accounts.quote_quality import (
    LONGEST_GAP_MS,
    QualityTally,
    contracts_ahead,
    time_between,
)
from dora.core.calendar import exchange_day
from dora.core.exchange.book import Resting
from dora.core.exchange.market import Side
from dora.core.units import TimeMs
from tests.support.account_cases import MINUTE_MS, bid
from tests.support.examples import NOW, TICKER, book, cents, contracts, dollars

TODAY, TOMORROW = "2026-11-20", "2026-11-21"
EDGE = TimeMs(1_795_237_200_000)
OURS = {"o": Attribution("reservation", "s")}


@pytest.mark.parametrize("gap_ms", [LONGEST_GAP_MS + 1, 0, -1])
def test_nothing_is_known_of_the_time_between_looks_far_apart(gap_ms: int) -> None:
    assert time_between(NOW, TimeMs(NOW + gap_ms)) == ()
    assert time_between(NOW, TimeMs(NOW + LONGEST_GAP_MS)) == ((TODAY, LONGEST_GAP_MS),)


def test_time_over_midnight_is_split_between_the_two_days() -> None:
    before, after = TimeMs(EDGE - 20_000), TimeMs(EDGE + 40_000)
    assert exchange_day(before) == TODAY
    assert time_between(before, after) == ((TODAY, 20_000), (TOMORROW, 40_000))
    assert time_between(before, EDGE) == ((TODAY, 20_000),)


SHOWN = book([("0.45", "7"), ("0.44", "20"), ("0.43", "5")], [("0.47", "3"), ("0.48", "4")])


@pytest.mark.parametrize(
    ("own", "side", "price", "ahead"),
    [
        ([], Side.BID, "0.44", "27"),
        ([], Side.BID, "0.46", "0"),
        ([], Side.BID, "0.43", "32"),
        ([], Side.ASK, "0.47", "3"),
        ([], Side.ASK, "0.50", "7"),
        ([(Side.BID, cents("0.44"), contracts("15"))], Side.BID, "0.44", "12"),
    ],
)
def test_ahead_is_what_others_rest_at_the_price_or_better(
    own: list[Resting], side: Side, price: str, ahead: str
) -> None:
    assert contracts_ahead(SHOWN, own, side, cents(price)) == contracts(ahead)


def test_sums_go_on_from_memory_and_are_told_once_when_their_day_is_over() -> None:
    tally = QualityTally({})
    tally.quoted("reservation", TICKER, ((TODAY, 60_000), (TOMORROW, 1)), two_sided=True)
    tally = QualityTally(json.loads(json.dumps(tally.stored())))
    tally.quoted("reservation", TICKER, ((TODAY, 30_000),), two_sided=False)
    tally.joined(TODAY, "reservation", TICKER, contracts("27"))
    _, (row,) = take_marks(
        with_fills((), [bid("0.40", "10")], OURS), {TICKER: cents("0.42")}, TimeMs(NOW + MINUTE_MS)
    )
    tally.marked(row)

    assert list(tally.take_before(TODAY)) == []
    (told,) = tally.take_before(TOMORROW)
    assert (told.day, told.strategy, told.ticker) == (TODAY, "reservation", TICKER)
    assert (told.quoted_ms, told.two_sided_ms, told.joined, told.ahead) == (90_000, 60_000, 1, 2_700)
    assert (told.marked, told.gains) == ((contracts("10"), 0, 0), (dollars("0.2"), 0, 0))
    assert list(tally.take_before(TOMORROW)) == []
    assert tally.stored().keys() == {f"{TOMORROW} reservation"}


def test_memory_that_is_not_understood_is_begun_anew() -> None:
    key = f"{TODAY} reservation"
    kept = QualityTally({key: {"A": [1] * 13, "B": [1] * 12, "C": ["x"] * 13}, "odd": 7}).stored()
    assert kept == {key: {"A": [1] * 13}}
    assert from_memory({}) == from_memory({"rows": 7}) == from_memory({"rows": [7, [1], None]}) == ()


def test_fills_that_wait_for_marks_read_back_as_they_were() -> None:
    pending = with_fills((), [bid("0.40", "10"), bid("0.41", "2", after_ms=MINUTE_MS)], OURS)
    assert from_memory(json.loads(json.dumps(to_memory(pending)))) == pending
