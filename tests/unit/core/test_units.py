"""Numbers are exact or refused, and every price grid keeps its laws."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.errors import NumberInvalid
from dora.core.units import (
    ONE_DOLLAR,
    Count,
    Money,
    Price,
    PriceGrid,
    PriceRange,
    complement,
    format_count,
    format_money,
    format_price,
    format_scaled,
    parse_count,
    parse_counts,
    parse_money,
    parse_price,
    parse_scaled,
    value_of,
)
from tests.support.examples import GRIDS, TAPERED_GRID, all_prices, cents, grid

WHOLE = st.integers(-(10**15), 10**15)
DECIMALS = st.integers(0, 8)
NAMED_GRIDS = st.sampled_from(list(GRIDS.values()))
PRICES = st.integers(0, ONE_DOLLAR).map(Price)


@st.composite
def mixed_grids(draw: st.DrawFn) -> PriceGrid:
    """Grids of any number of ranges, each with a step that divides it."""
    edges = sorted({0, ONE_DOLLAR, *draw(st.lists(st.integers(1, ONE_DOLLAR - 1), max_size=4))})
    rows = []
    for start, end in zip(edges, edges[1:], strict=False):
        length = end - start
        divisors = [step for step in (1, 2, 5, 10, 20, 50, 100, 500) if length % step == 0]
        rows.append(PriceRange(Price(start), Price(end), Price(draw(st.sampled_from(divisors)))))
    return PriceGrid(tuple(rows))


ANY_GRID = NAMED_GRIDS | mixed_grids()


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [
        ("0.4600", 4, 4_600),
        ("0.46", 4, 4_600),
        ("0.460000", 4, 4_600),
        ("10.00", 2, 1_000),
        ("10", 2, 1_000),
        ("10.", 2, 1_000),
        ("-30.00", 2, -3_000),
        ("0.013041", 6, 13_041),
        ("00.50", 2, 50),
        ("-0.00", 2, 0),
    ],
)
def test_decimal_strings_become_exact_ints(text: str, decimals: int, value: int) -> None:
    assert parse_scaled(text, decimals) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".5",
        "-",
        "+1",
        "1e3",
        "1_000",
        "1,000",
        " 1",
        "1 ",
        "1\n",
        "0x1",
        "nan",
        "inf",
        "0.00001",
        "٣",
        "--1",
    ],
)
def test_a_string_that_is_not_exact_is_refused(text: str) -> None:
    with pytest.raises(NumberInvalid):
        parse_scaled(text, 4)


@pytest.mark.parametrize("value", [1, 0.46, None, b"1", Decimal("0.46"), True])
def test_only_text_is_read(value: object) -> None:
    with pytest.raises(NumberInvalid):
        parse_price(value)


@given(WHOLE, DECIMALS)
def test_text_and_number_are_the_same_thing(value: int, decimals: int) -> None:
    text = format_scaled(value, decimals)
    assert parse_scaled(text.rstrip("."), decimals) == value
    assert Decimal(text) == Decimal(value).scaleb(-decimals)


@given(WHOLE)
def test_each_unit_has_its_own_decimals(value: int) -> None:
    assert parse_price(format_price(Price(value))) == value
    assert parse_count(format_count(Count(value))) == value
    assert parse_money(format_money(Money(value))) == value
    assert [len(write(value).partition(".")[2]) for write in (format_price, format_count, format_money)] == [
        4,
        2,
        6,
    ]


COUNT_TEXTS = st.one_of(
    WHOLE.map(lambda value: format_count(Count(value))),
    st.text("0123456789.,-", max_size=7),
    st.sampled_from(["1", "1.5", "1.000", ".50", "", "1.00,2.00", "٣.00", "+1.00", "1_0.00"]),
)


@given(st.lists(COUNT_TEXTS, max_size=6))
def test_counts_in_a_row_are_read_as_one_by_one(texts: list[str]) -> None:
    try:
        expected = [parse_count(text) for text in texts]
    except NumberInvalid:
        with pytest.raises(NumberInvalid):
            parse_counts(texts)
    else:
        assert parse_counts(texts) == expected


@given(PRICES, st.integers(-(10**15), 10**15))
def test_price_times_count_is_money_exactly(price: int, count: int) -> None:
    dollars = Decimal(format_price(Price(price))) * Decimal(format_count(Count(count)))
    assert Decimal(format_money(value_of(Price(price), Count(count)))) == dollars


@given(PRICES)
def test_the_complement_of_the_complement_is_the_price(price: Price) -> None:
    assert complement(complement(price)) == price
    assert price + complement(price) == ONE_DOLLAR


# --- price grids ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (("0", "0.5", "0.01"),),
        (("0.01", "1", "0.01"),),
        (("0", "0.5", "0.01"), ("0.6", "1", "0.01")),
        (("0", "0.6", "0.01"), ("0.5", "1", "0.01")),
        (("0", "1", "0"),),
        (("0", "1", "-0.01"),),
        (("0", "1", "0.03"),),
        (("0", "0", "0.01"), ("0", "1", "0.01")),
        (("0", "1", "0.01"), ("1", "2", "0.01")),
        (("0.5", "1", "0.01"), ("0", "0.5", "0.01")),
    ],
)
def test_ranges_that_make_no_grid_are_refused(rows: tuple[tuple[str, str, str], ...]) -> None:
    with pytest.raises(NumberInvalid):
        grid(*rows)


@pytest.mark.parametrize("structure", GRIDS)
def test_a_grid_holds_exactly_the_points_of_its_ranges(structure: str) -> None:
    points = set(all_prices(GRIDS[structure]))
    assert {price for price in range(-10, ONE_DOLLAR + 11) if price in GRIDS[structure]} == points


@pytest.mark.parametrize("value", [0, ONE_DOLLAR, -100, ONE_DOLLAR + 100, 50.0, "0.5", None])
def test_nothing_and_a_dollar_and_other_things_are_no_prices(value: object) -> None:
    assert value not in GRIDS["linear_cent"]


@given(ANY_GRID, PRICES)
def test_floor_and_ceil_are_the_nearest_points_on_either_side(of: PriceGrid, price: Price) -> None:
    points = [0, *all_prices(of), ONE_DOLLAR]
    assert of.floor(price) == max(point for point in points if point <= price)
    assert of.ceil(price) == min(point for point in points if point >= price)


@given(ANY_GRID, PRICES)
def test_above_and_below_are_the_next_points_strictly_beyond(of: PriceGrid, price: Price) -> None:
    points = [0, *all_prices(of), ONE_DOLLAR]
    assert of.above(price) == min((point for point in points if point > price), default=ONE_DOLLAR)
    assert of.below(price) == max((point for point in points if point < price), default=0)


@given(ANY_GRID, PRICES, st.integers(0, 60))
def test_many_steps_are_as_many_single_ones(of: PriceGrid, price: Price, ticks: int) -> None:
    up = down = price
    for _ in range(ticks):
        up, down = of.above(up), of.below(down)
    assert (of.moved(price, ticks), of.moved(price, -ticks)) == (up, down)


@given(ANY_GRID, PRICES)
def test_a_step_up_and_a_step_down_undo_each_other(of: PriceGrid, price: Price) -> None:
    point = of.floor(price)
    if point < ONE_DOLLAR:
        assert of.below(of.above(point)) == point
    if point > 0:
        assert of.above(of.below(point)) == point


@given(ANY_GRID, st.integers(-ONE_DOLLAR, 0).map(Price), st.integers(ONE_DOLLAR, 2 * ONE_DOLLAR).map(Price))
def test_prices_beyond_the_grid_are_held_at_its_ends(of: PriceGrid, low: Price, high: Price) -> None:
    assert (of.floor(low), of.ceil(low), of.below(low)) == (0, 0, 0)
    assert (of.floor(high), of.ceil(high), of.above(high)) == (ONE_DOLLAR, ONE_DOLLAR, ONE_DOLLAR)


@given(ANY_GRID, st.data())
def test_ticks_between_two_points_count_the_steps(of: PriceGrid, data: st.DataObject) -> None:
    points = [Price(0), *all_prices(of), ONE_DOLLAR]
    low, high = (data.draw(st.integers(0, len(points) - 1)) for _ in range(2))
    assert of.ticks_between(points[low], points[high]) == high - low


@given(ANY_GRID, PRICES, PRICES)
def test_ticks_between_any_two_prices_are_those_of_each_range(
    of: PriceGrid, one: Price, other: Price
) -> None:
    low, high = sorted((one, other))
    spans = [(min(high, row.end) - max(low, row.start), row.step) for row in of.ranges]
    assert of.ticks_between(low, high) == sum(-(-span // step) for span, step in spans if span > 0)


@given(ANY_GRID, PRICES, PRICES)
def test_ticks_between_are_the_same_with_another_sign_in_the_other_direction(
    of: PriceGrid, one: Price, other: Price
) -> None:
    assert of.ticks_between(one, other) == -of.ticks_between(other, one)
    assert (of.ticks_between(one, other) > 0) == (one < other)


def test_the_tick_at_a_seam_is_that_of_the_range_above() -> None:
    assert TAPERED_GRID.tick_at(cents("0.0999")) == cents("0.001")
    assert TAPERED_GRID.tick_at(cents("0.10")) == cents("0.01")
    assert TAPERED_GRID.tick_at(cents("0.90")) == cents("0.001")
    assert TAPERED_GRID.above(cents("0.10")) == cents("0.11")
    assert TAPERED_GRID.below(cents("0.10")) == cents("0.099")
    assert TAPERED_GRID.ticks_between(cents("0.099"), cents("0.11")) == 2
