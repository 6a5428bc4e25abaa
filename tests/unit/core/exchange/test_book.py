"""The book we price from is everybody else's."""

from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.book import best_ask, best_bid, is_crossed, weighted_mid, without
from dora.core.exchange.market import Book, Level, Side
from dora.core.units import Count, Price
from tests.support.examples import book, cents, contracts

PRICES = st.integers(1, 99).map(lambda n: Price(n * 100))
COUNTS = st.integers(1, 5_000).map(Count)


@st.composite
def books(draw: st.DrawFn) -> Book:
    """Books of any shape: empty sides and crossed ones too."""
    sides = [
        sorted(draw(st.dictionaries(PRICES, COUNTS, max_size=5)).items(), reverse=flip)
        for flip in (True, False)
    ]
    return Book("T", *(tuple(Level(price, count) for price, count in side) for side in sides))


OWN = st.lists(st.tuples(st.sampled_from(Side), PRICES, COUNTS), max_size=6)


ALL = 100
"""More levels than any of these books has."""


def test_own_contracts_leave_the_book() -> None:
    raw = book([("0.44", "75.50"), ("0.43", "120")], [("0.46", "10"), ("0.47", "5")])

    theirs = without(
        raw,
        [
            (Side.BID, cents("0.44"), contracts("25.50")),
            (Side.ASK, cents("0.46"), contracts("4")),
            (Side.ASK, cents("0.46"), contracts("6")),
        ],
        ALL,
    )

    assert theirs == book([("0.44", "50"), ("0.43", "120")], [("0.47", "5")])


def test_a_book_of_only_our_own_orders_is_empty() -> None:
    raw = book([("0.44", "10")], [("0.46", "10")])
    own = [(Side.BID, cents("0.44"), contracts("10")), (Side.ASK, cents("0.46"), contracts("10"))]
    assert without(raw, own, ALL) == book([], [])


def test_an_own_order_that_the_book_does_not_show_changes_nothing() -> None:
    raw = book([("0.44", "10")], [("0.46", "10")])
    assert without(raw, [(Side.BID, cents("0.46"), contracts("3"))], ALL) == raw


@given(books(), OWN)
def test_taking_off_never_leaves_less_than_nothing_and_never_adds(
    raw: Book, own: list[tuple[Side, Price, Count]]
) -> None:
    theirs = without(raw, own, ALL)
    for side, before, after in ((Side.BID, raw.bids, theirs.bids), (Side.ASK, raw.asks, theirs.asks)):
        left = {level.price: level.count for level in after}
        assert all(count > 0 for count in left.values())
        for level in before:
            mine = sum(count for s, price, count in own if (s, price) == (side, level.price))
            assert left.get(level.price, 0) == max(level.count - mine, 0)
        assert [level.price for level in after] == [x.price for x in before if x.price in left]


@given(books(), OWN, st.integers(1, 4))
def test_the_best_levels_of_others_are_the_best_of_all_theirs(
    raw: Book, own: list[tuple[Side, Price, Count]], most: int
) -> None:
    every, best = without(raw, own, ALL), without(raw, own, most)
    assert (best.bids, best.asks) == (every.bids[:most], every.asks[:most])


def test_questions_about_an_empty_side_have_no_answer() -> None:
    empty = book([], [])
    assert (best_bid(empty), best_ask(empty), is_crossed(empty)) == (None, None, False)


def test_a_locked_book_counts_as_crossed() -> None:
    assert is_crossed(book([("0.46", "1")], [("0.46", "1")]))
    assert is_crossed(book([("0.47", "1")], [("0.46", "1")]))
    assert not is_crossed(book([("0.45", "1")], [("0.46", "1")]))
    assert not is_crossed(book([], [("0.46", "1")]))


def test_depth_counts_the_best_levels_only() -> None:
    shown = book([("0.44", "1"), ("0.43", "2"), ("0.42", "5")], [("0.46", "3"), ("0.50", "6")])
    assert weighted_mid(shown, 2) == (4_400 * 9 + 4_600 * 3) / (12 * 10_000)
    assert weighted_mid(shown, 9) == (4_400 * 9 + 4_600 * 8) / (17 * 10_000)


def test_the_weighted_mid_leans_to_the_thin_side() -> None:
    assert weighted_mid(book([("0.40", "30")], [("0.50", "10")]), 1) == 0.475
    assert weighted_mid(book([("0.40", "10")], [("0.50", "10")]), 1) == 0.45


@given(books(), st.integers(1, 5))
def test_the_weighted_mid_lies_between_the_best_prices(shown: Book, levels: int) -> None:
    bid, ask = best_bid(shown), best_ask(shown)
    if bid is None or ask is None or is_crossed(shown):
        return
    assert bid / 10_000 < weighted_mid(shown, levels) < ask / 10_000
