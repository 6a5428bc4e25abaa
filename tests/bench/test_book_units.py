"""A guard on what booking a fill costs, which no machine makes more or less."""

from tests.bench.book_units import BEFORE_BOOKS, book_units


def test_the_books_cost_a_fill_no_more_than_six_write_units_beyond_marker_and_position() -> None:
    units = book_units()

    assert max(units.values()) == units["alone"] <= BEFORE_BOOKS + 6
    assert units["33 of one market"] <= 2.4
    assert units["24 of 24 markets"] <= 8.1
