"""Ladders on every grid, finer than a cent too: the more is held the lower they stand, and NO as YES."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.config import MarketConfig
from dora.core.exchange.market import Book, Level, Side
from dora.core.quoting.decision import QuoteInputs
from dora.core.quoting.strategies.join import Join, JoinSettings
from dora.core.quoting.strategies.reservation import Reservation
from dora.core.quoting.strategy import Strategy
from dora.core.units import ONE_DOLLAR, Count, Price
from tests.support.examples import GRIDS, TICKER, all_prices, config, market
from tests.support.quoting_cases import inputs, warm, with_book

ROOM = Count(100_000)
STRATEGIES = {"reservation": (Reservation(), {}), "join": (Join(), {"settings": JoinSettings()})}

each_strategy = pytest.mark.parametrize(
    ("strategy", "rules"),
    [
        (strategy, config(max_position=ROOM, max_improve_ticks=1, **own))
        for strategy, own in STRATEGIES.values()
    ],
    ids=list(STRATEGIES),
)


@st.composite
def ladders(draw: st.DrawFn) -> tuple[QuoteInputs, int]:
    """A two-sided book on some grid, seen with up to five levels a side; and the mid, in 1e-9 $."""
    grid = draw(st.sampled_from(list(GRIDS.values())))
    points = all_prices(grid)
    at = draw(st.integers(0, len(points) - 2))
    best_bid, best_ask = points[at], points[min(at + draw(st.integers(1, 30)), len(points) - 1)]
    size = Count(draw(st.integers(1, 50_000)))
    book = Book(TICKER, (Level(best_bid, size),), (Level(best_ask, size),))
    net = Count(draw(st.integers(-90_000, 90_000)))
    return inputs(book=book, market=market(grid=grid), net=net), (best_bid + best_ask) * 50_000


def seen(asked: QuoteInputs, rules: MarketConfig, levels: int) -> QuoteInputs:
    wide = {"min_price": Price(1), "max_price": Price(9_999), "max_spread": ONE_DOLLAR}
    return asked._replace(config=replace(rules, levels=levels, level_gap=Price(15), **wide))


def prices(strategy: Strategy, asked: QuoteInputs, mid_e9: int) -> dict[tuple[Side, int], Price]:
    decision, _ = strategy.quote(asked, warm(fair_e9=mid_e9, mid_e9=mid_e9))
    return {(target.slot.side, target.slot.level): target.price for target in decision.targets}


@each_strategy
@given(ladders(), st.integers(1, 5), st.integers(-90_000, 90_000))
def test_more_inventory_never_raises_a_level(
    strategy: Strategy, rules: MarketConfig, ladder: tuple[QuoteInputs, int], levels: int, other: int
) -> None:
    asked, mid_e9 = ladder
    less, more = sorted((asked.net, Count(other)))
    high = prices(strategy, seen(asked._replace(net=less), rules, levels), mid_e9)
    low = prices(strategy, seen(asked._replace(net=more), rules, levels), mid_e9)
    for slot in low.keys() & high.keys():
        assert low[slot] <= high[slot]


@each_strategy
@given(ladders(), st.integers(1, 5))
def test_no_is_quoted_as_yes_is(
    strategy: Strategy, rules: MarketConfig, ladder: tuple[QuoteInputs, int], levels: int
) -> None:
    asked, mid_e9 = ladder
    assert asked.book is not None
    bids, asks = (
        tuple(Level(Price(ONE_DOLLAR - price), count) for price, count in side)
        for side in (asked.book.asks, asked.book.bids)
    )
    mirror = with_book(asked._replace(net=Count(-asked.net)), Book(TICKER, bids, asks))
    ours = prices(strategy, seen(asked, rules, levels), mid_e9)
    theirs = prices(strategy, seen(mirror, rules, levels), 10**9 - mid_e9)
    other = {Side.BID: Side.ASK, Side.ASK: Side.BID}
    assert {(other[side], level): ONE_DOLLAR - price for (side, level), price in ours.items()} == theirs
