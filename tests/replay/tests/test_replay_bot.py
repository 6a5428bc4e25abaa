"""Our orders in a recorded book."""

import pytest

from dora.core.exchange.book import Resting, without
from dora.core.exchange.market import Book, Level, Side
from dora.core.units import Count, Price
from tests.replay.bot import with_ours

BOOK = Book(
    "M",
    (Level(Price(4_000), Count(500)), Level(Price(3_900), Count(100))),
    (Level(Price(5_000), Count(700)),),
)


@pytest.mark.parametrize(
    ("ours", "bids"),
    [
        ((Side.BID, 4_100, 30), [(4_100, 30), (4_000, 500), (3_900, 100)]),
        ((Side.BID, 4_000, 30), [(4_000, 530), (3_900, 100)]),
        ((Side.BID, 3_950, 30), [(4_000, 500), (3_950, 30), (3_900, 100)]),
        ((Side.BID, 3_000, 30), [(4_000, 500), (3_900, 100), (3_000, 30)]),
    ],
    ids=["inside", "at the touch", "between", "behind all"],
)
def test_a_bid_stands_at_its_price_among_the_others(ours: Resting, bids: list[tuple[int, int]]) -> None:
    assert list(with_ours(BOOK, [ours]).bids) == bids


def test_an_ask_stands_the_other_way_round() -> None:
    ours = [(Side.ASK, Price(4_900), Count(1)), (Side.ASK, Price(5_100), Count(2))]
    assert list(with_ours(BOOK, ours).asks) == [(4_900, 1), (5_000, 700), (5_100, 2)]


def test_what_the_product_takes_off_again_is_the_recorded_book() -> None:
    ours = [(Side.BID, Price(4_000), Count(30)), (Side.ASK, Price(4_500), Count(10))]
    assert without(with_ours(BOOK, ours), ours, 3) == BOOK
