"""Of a book its best levels are read, whatever order they are written in, and each of those strictly."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.errors import WireInvalid
from dora.core.exchange.read_calls import BOOK_LEVELS
from dora.core.units import ONE_DOLLAR, Count, Price, format_count, format_price
from dora.edge.kalshi.wire import JsonObject
from dora.edge.kalshi.wire_markets import parse_book

SIDES = st.dictionaries(st.integers(1, 9_999), st.integers(1, 10**9), max_size=40)


def row(**sides: list[Any]) -> JsonObject:
    return JsonObject("a book", {"yes_dollars": [], "no_dollars": [], **sides})


def written(side: dict[int, int], order: list[int]) -> list[list[str]]:
    return [[format_price(Price(price)), format_count(Count(side[price]))] for price in order]


@given(SIDES, SIDES, st.sampled_from(["best last", "best first", "any"]), st.randoms(use_true_random=False))
def test_the_best_levels_are_read_in_whatever_order_they_are_written(
    yes: dict[int, int], no: dict[int, int], order: str, chance: Random
) -> None:
    orders = [sorted(side, reverse=order == "best first") for side in (yes, no)]
    for prices in orders if order == "any" else ():
        chance.shuffle(prices)

    book = parse_book("T", row(yes_dollars=written(yes, orders[0]), no_dollars=written(no, orders[1])))

    assert list(book.bids) == sorted(yes.items(), reverse=True)[:BOOK_LEVELS]
    assert list(book.asks) == sorted((ONE_DOLLAR - price, count) for price, count in no.items())[:BOOK_LEVELS]


@pytest.mark.parametrize("texts", [["0.4", "0.44"], ["0.44", "0.4400", "0.5"], ["0.4400000", "0.45"]])
def test_prices_of_any_number_of_digits_are_ordered_by_their_value(texts: list[str]) -> None:
    far = [[f"0.{number:04}", "1.00"] for number in range(1, BOOK_LEVELS + 1)]
    best = parse_book("T", row(yes_dollars=[*far, *([text, "2.00"] for text in texts)])).bids[: len(texts)]
    assert [level.count for level in best] == [200] * len(texts)


def test_a_level_that_nothing_looks_at_spoils_no_book() -> None:
    many = [[f"0.{number:04}", "1.00"] for number in range(1, 2 * BOOK_LEVELS)]
    book = parse_book("T", row(yes_dollars=[["0.0000", "odd"], *many]))
    assert len(book.bids) == BOOK_LEVELS


@pytest.mark.parametrize("bad", [3, None, [], {}, {"price": "0.44"}, [None, "1.00"], [["0.44"], "1.00"]])
@pytest.mark.parametrize("others", [0, 2 * BOOK_LEVELS])
def test_what_is_no_level_costs_its_own_book_alone_however_long_it_is(bad: Any, others: int) -> None:
    levels: list[Any] = written(
        {100 + 10 * n: 100 for n in range(others)}, [100 + 10 * n for n in range(others)]
    )

    with pytest.raises(WireInvalid, match="a book: yes_dollars"):
        parse_book("T", row(yes_dollars=[*levels, bad]))
