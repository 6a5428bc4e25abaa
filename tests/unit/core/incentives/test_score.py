"""The scorer: worked by hand, and equal to a slow and literal reading of the rules on any book."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.exchange.market import Book, Level, Side
from dora.core.exchange.public_data import IncentiveProgram
from dora.core.incentives.score import E9, Score, Terms, earned, paid, score, terms_of
from dora.core.units import Count, Money, Price, TimeMs
from tests.reference import incentives as literal
from tests.support.examples import TICKER, book, cents, contracts

TERMS = Terms(contracts("300"), 5_000)
PLENTY = [("0.55", "300")]
"""The asks of a book whose bids matter."""
DAY_MS = 86_400_000


def bids(levels: list[tuple[str, str]], *own: tuple[str, str]) -> Score:
    mine = tuple((Side.BID, cents(price), contracts(count)) for price, count in own)
    return score(book(levels, PLENTY), mine, TERMS)


def test_the_reference_is_where_a_fifth_of_the_target_is_reached_and_not_before() -> None:
    assert bids([("0.45", "60"), ("0.44", "240")]).bid.reference == cents("0.45")
    assert bids([("0.45", "59.99"), ("0.44", "240.01")]).bid.reference == cents("0.44")
    assert bids([("0.45", "10"), ("0.44", "20"), ("0.41", "270")]).bid.reference == cents("0.41")
    assert bids([("0.45", "59.99")]).bid.reference is None


def test_in_front_of_the_reference_a_contract_weighs_no_more_and_a_tick_behind_it_half() -> None:
    levels = [("0.45", "40"), ("0.44", "40"), ("0.43", "40"), ("0.41", "180")]
    # 40 + 40 at full weight, 40 x 1/2, 180 x 1/8
    assert bids(levels).bid.others_e9 == int(12_250 * E9)
    assert bids(levels, ("0.45", "40")).bid.share_e9 == bids(levels, ("0.44", "40")).bid.share_e9
    assert bids(levels, ("0.43", "40")).bid.share_e9 == 20 * E9 * 10 // 1_225


def test_a_tie_is_shared_by_size() -> None:
    seen = bids([("0.45", "400")], ("0.45", "100"))
    assert (seen.bid.share_e9, seen.bid.others_e9) == (E9 // 4, 30_000 * E9)


def test_behind_the_price_that_completes_the_target_nothing_is_earned() -> None:
    levels = [("0.45", "299.99"), ("0.44", "50"), ("0.43", "1000")]
    assert bids(levels, ("0.44", "50")).bid.share_e9 > 0
    assert bids(levels, ("0.43", "1000")).bid.share_e9 == 0


def test_our_own_size_completes_the_target_and_moves_the_reference() -> None:
    alone, with_us = [("0.45", "30"), ("0.44", "250")], [("0.45", "60"), ("0.44", "250")]
    assert not bids(alone).counted
    seen = bids(with_us, ("0.45", "30"))
    assert (seen.counted, seen.bid.reference) == (True, cents("0.45"))
    assert seen.bid.share_e9 == E9 * 3_000 // (6_000 + 12_500)


def test_while_one_side_is_short_nobody_earns_on_either() -> None:
    mine = ((Side.BID, cents("0.45"), contracts("100")),)
    seen = score(book([("0.45", "300")], [("0.55", "299.99")]), mine, TERMS)
    assert (seen.counted, seen.shares_e9) == (False, 0)
    assert seen.bid.share_e9 > 0


def test_of_an_own_order_only_what_the_book_shows_counts() -> None:
    assert bids([("0.45", "300")], ("0.45", "500"), ("0.44", "10")).bid.share_e9 == E9


def test_a_look_earns_its_span_of_the_pool_and_each_side_is_half() -> None:
    pool = Money(25_000_000)
    assert earned(pool, 2 * E9, DAY_MS, DAY_MS) == pool
    assert earned(pool, E9, DAY_MS, DAY_MS) == pool // 2
    assert earned(pool, E9 // 2, DAY_MS // 1_440, DAY_MS) == 4_340  # 25 $ / 4 / 1,440


@pytest.mark.parametrize(
    ("estimate", "most", "credit"),
    [
        (999_999, None, 0),
        (1_000_000, None, 1_000_000),
        (1_509_999, None, 1_500_000),
        (9_000_000, 5_000_000, 5_000_000),
        (9_000_000, 900_000, 0),
    ],
)
def test_the_cliff_whole_cents_and_the_most_an_account_gets(
    estimate: int, most: int | None, credit: int
) -> None:
    assert paid(estimate, None if most is None else Money(most)) == credit


@pytest.mark.parametrize(
    ("target", "discount"), [(None, 5_000), (30_000, None), (0, 5_000), (30_000, -1), (30_000, 10_001)]
)
def test_a_program_that_does_not_say_what_it_asks_for_is_not_scored(
    target: int | None, discount: int | None
) -> None:
    asked = None if target is None else Count(target)
    program = IncentiveProgram("p", TICKER, "liquidity", TimeMs(0), TimeMs(1), Money(1), asked, discount)
    assert terms_of(program) is None


@st.composite
def books(draw: st.DrawFn) -> tuple[Book, tuple[tuple[Side, Price, Count], ...], Terms]:
    """Sides of up to 13 prices in whole cents, small targets, own orders on and off what is shown."""
    cut = draw(st.integers(2, 98))
    sizes = st.integers(1, 3_000).map(Count)
    below = sorted(draw(st.sets(st.integers(1, cut - 1), max_size=13)), reverse=True)
    above = sorted(draw(st.sets(st.integers(cut, 99), max_size=13)))
    shown = Book(
        TICKER,
        tuple(Level(Price(100 * own), draw(sizes)) for own in below),
        tuple(Level(Price(100 * own), draw(sizes)) for own in above),
    )
    prices = st.sampled_from([level.price for level in (*shown.bids, *shown.asks)] or [Price(100)])
    own = draw(st.lists(st.tuples(st.sampled_from(Side), prices, sizes), max_size=4))
    terms = Terms(Count(draw(st.integers(1, 10_000))), draw(st.sampled_from([0, 5_000, 9_999])))
    return shown, tuple(own), terms


@given(books())
def test_it_equals_a_literal_reading_of_the_rules(
    case: tuple[Book, tuple[tuple[Side, Price, Count], ...], Terms],
) -> None:
    shown, own, terms = case
    seen = score(shown, own, terms)
    yes, no = literal.shares(shown, own, terms.target, terms.discount_bps)
    counted = (seen.bid.share_e9, seen.ask.share_e9) if seen.counted else (0, 0)
    assert counted == (int(yes * E9), int(no * E9))
    assert seen.shares_e9 == sum(counted)
    assert Fraction(seen.shares_e9, E9) <= 2
