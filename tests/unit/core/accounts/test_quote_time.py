"""Time quoted and the queue ahead, so that quoting can be judged on our own data."""

import pytest

from dora.core.accounts.quote_time import (
    LONGEST_GAP_MS,
    QuoteTimeRow,
    contracts_ahead,
    joined,
    time_quoted,
)
from dora.core.accounts.row_sums import added
from dora.core.calendar import exchange_day
from dora.core.exchange.book import Resting
from dora.core.exchange.market import Side
from dora.core.units import TimeMs
from tests.support.examples import NOW, TICKER, book, cents, contracts

TODAY = exchange_day(NOW)
EDGE = TimeMs(1_795_237_200_000)
BOTH = (Side.BID, Side.ASK)


@pytest.mark.parametrize(
    ("sides", "quoted_ms", "two_sided_ms"), [((Side.BID,), 60_000, 0), (BOTH, 60_000, 60_000)]
)
def test_a_side_that_is_quoted_at_two_looks_is_quoted_between_them(
    sides: tuple[Side, ...], quoted_ms: int, two_sided_ms: int
) -> None:
    (row,) = time_quoted(TICKER, "reservation", sides, NOW, TimeMs(NOW + 60_000))
    assert row.key == (TODAY, TICKER, "reservation")
    assert (row.quoted_ms, row.two_sided_ms) == (quoted_ms, two_sided_ms)


@pytest.mark.parametrize("gap_ms", [LONGEST_GAP_MS + 1, 0, -1])
def test_nothing_is_known_of_the_time_between_looks_far_apart(gap_ms: int) -> None:
    assert time_quoted(TICKER, "reservation", BOTH, NOW, TimeMs(NOW + gap_ms)) == ()
    assert len(time_quoted(TICKER, "reservation", BOTH, NOW, TimeMs(NOW + LONGEST_GAP_MS))) == 1
    assert time_quoted(TICKER, "reservation", (), NOW, TimeMs(NOW + 1_000)) == ()


def test_time_over_midnight_is_split_between_the_two_days() -> None:
    rows = time_quoted(TICKER, "reservation", BOTH, TimeMs(EDGE - 20_000), TimeMs(EDGE + 40_000))
    assert [(row.day, row.quoted_ms) for row in rows] == [
        (exchange_day(TimeMs(EDGE - 1)), 20_000),
        (exchange_day(EDGE), 40_000),
    ]
    until_midnight = time_quoted(TICKER, "reservation", BOTH, TimeMs(EDGE - 20_000), EDGE)
    assert [row.quoted_ms for row in until_midnight] == [20_000]


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


def test_rows_of_a_day_add() -> None:
    rows = [
        *time_quoted(TICKER, "reservation", BOTH, NOW, TimeMs(NOW + 60_000)),
        joined(TICKER, "reservation", contracts("27"), NOW),
        joined(TICKER, "reservation", contracts("3"), NOW),
        QuoteTimeRow(day=TODAY, ticker="idle", strategy="reservation"),
    ]
    (row,) = added(rows).values()
    assert (row.quoted_ms, row.two_sided_ms, row.joined, row.ahead) == (60_000, 60_000, 2, contracts("30"))
