"""Book shapes: sums, order and grid."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.price_grid import (
    CENTER_DECI_EDGE_CENTI_CENT,
    LINEAR_CENT,
    TAPERED_DECI_CENT,
    finest_ranges,
    ladder,
)
from tests.simulator.shapes import (
    MAX_LEVELS,
    SPREAD_WEIGHTS,
    ShapeSource,
    scaled_to,
    shape_of_book,
    typical_shapes,
    typical_size_e2,
    with_best,
)

GRIDS = (LINEAR_CENT, TAPERED_DECI_CENT, CENTER_DECI_EDGE_CENTI_CENT)


@given(st.integers(0, 2**32), st.sampled_from(GRIDS), st.data())
def test_dressed_levels_stand_on_the_grid_best_first(seed: int, ranges: object, data: st.DataObject) -> None:
    grid = ladder(ranges)
    best_e4 = data.draw(st.sampled_from(grid.prices_e4))
    source = ShapeSource(typical_shapes(random.Random(seed)), random.Random(seed))
    for levels, order in ((source.bids(grid, best_e4), -1), (source.asks(grid, best_e4), 1)):
        prices = [price for price, _ in levels]
        assert prices[0] == best_e4
        assert prices == sorted(set(prices), key=lambda price: price * order)
        assert all(price in grid for price in prices)
        assert all(count > 0 for _, count in levels)


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=12), st.integers(1, 10**10))
def test_a_side_scaled_to_a_total_holds_exactly_that_total(counts: list[int], total_e2: int) -> None:
    levels = [(100 * (99 - at), count) for at, count in enumerate(counts)]
    scaled = scaled_to(levels, total_e2)
    assert sum(count for _, count in scaled) == total_e2
    assert scaled[0][0] == levels[0][0], "the best price must not vanish"
    assert all(count > 0 for _, count in scaled)


def test_an_unknown_size_leaves_the_shape_as_it_is() -> None:
    levels = [(4_000, 300), (3_900, 500)]
    assert scaled_to(levels, None) == with_best(levels, None) == levels
    assert with_best(levels, 7) == [(4_000, 7), (3_900, 500)]


@given(st.integers(0, 2**32))
def test_typical_shapes_keep_to_their_documented_ranges(seed: int) -> None:
    for shape in typical_shapes(random.Random(seed), 8):
        assert shape.spread_ticks in SPREAD_WEIGHTS
        for side in (shape.bids, shape.asks):
            assert side[0][0] == 0
            assert len(side) <= MAX_LEVELS


def test_typical_sizes_centre_on_their_median() -> None:
    rng = random.Random(1)
    sizes = sorted(typical_size_e2(rng, 10_000) for _ in range(2_001))
    assert 9_000 <= sizes[1_000] <= 11_000
    assert sizes[-1] > 20 * sizes[1_000]
    assert all(size % 100 == 0 for size in sizes)


@pytest.mark.parametrize(
    ("bids", "asks"), [([], [(4_000, 1)]), ([(4_000, 1)], []), ([(1_000, 1)], [(9_000, 1)])]
)
def test_a_one_sided_or_very_wide_book_has_no_shape(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]]
) -> None:
    assert shape_of_book(bids, asks) is None


def test_levels_within_one_cent_are_one_level_of_a_shape() -> None:
    shape = shape_of_book([(950, 1), (941, 2), (850, 4)], [(1_100, 8)])
    assert shape is not None
    assert (shape.spread_ticks, shape.bids, shape.asks) == (1, ((0, 3), (1, 4)), ((0, 8),))


@given(st.lists(st.integers(1, 9_999), min_size=1))
def test_derived_ranges_hold_every_price_seen(prices_e4: list[int]) -> None:
    grid = ladder(finest_ranges(prices_e4))
    assert all(price in grid for price in prices_e4)


@pytest.mark.parametrize(
    ("prices_e4", "ranges"),
    [
        ((100, 4_300, 9_900), LINEAR_CENT),
        ((110, 4_300), TAPERED_DECI_CENT),
        ((9_999, 4_310), CENTER_DECI_EDGE_CENTI_CENT),
    ],
)
def test_derived_ranges_are_no_finer_than_the_prices_prove(
    prices_e4: tuple[int, ...], ranges: object
) -> None:
    assert finest_ranges(prices_e4) == ranges
