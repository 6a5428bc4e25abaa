"""The join strategy: where it stands, how a position moves it, and the rules that every quote keeps."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.core.config import MarketConfig
from dora.core.exchange.book import without
from dora.core.exchange.fees import maker_fee_per_contract
from dora.core.exchange.market import Book, Level, Side
from dora.core.quoting.checked import checked
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.strategies.join import Join, JoinSettings
from dora.core.units import ONE_DOLLAR, Count, Price, PriceGrid
from tests.support.examples import CENT_GRID, DECI_GRID, NOW, book, cents, config, contracts
from tests.support.quoting_cases import MINUTE, Situation, inputs, situations, warm, with_book

quote = Join().quote


def rules(**changes: object) -> MarketConfig:
    return config(settings=JoinSettings(), max_improve_ticks=1, **changes)


def prices(decision: Decision) -> dict[Side, Price]:
    return {target.slot.side: target.price for target in decision.targets}


@pytest.mark.parametrize(
    ("bid", "ask", "our_bid", "our_ask"),
    [("0.48", "0.52", "0.48", "0.52"), ("0.47", "0.52", "0.48", "0.51"), ("0.45", "0.55", "0.46", "0.54")],
)
def test_it_joins_narrow_books_and_improves_wide_ones_by_a_tick(
    bid: str, ask: str, our_bid: str, our_ask: str
) -> None:
    shown = book([(bid, "50")], [(ask, "50")])
    decision, _ = quote(inputs(book=shown, config=rules()), warm())
    assert prices(decision) == {Side.BID: cents(our_bid), Side.ASK: cents(our_ask)}


def test_a_position_moves_both_quotes_against_it_and_never_further_inside() -> None:
    long, _ = quote(inputs(net=contracts("60"), config=rules()), warm())
    short, _ = quote(inputs(net=contracts("-60"), config=rules()), warm())
    assert prices(long) == {Side.BID: cents("0.43"), Side.ASK: cents("0.54")}
    assert prices(short) == {Side.BID: cents("0.46"), Side.ASK: cents("0.57")}


@given(situations(most_levels=5), st.integers(0, 600))
def test_every_quote_keeps_every_rule(situation: Situation, improve_from: int) -> None:
    asked, memory = situation
    asked = asked._replace(
        config=replace(asked.config, settings=JoinSettings(improve_from=Price(improve_from)))
    )
    decision, _ = checked(quote(asked, memory), asked)
    own, grid, fees = asked.config, asked.market.grid, asked.fees
    assert asked.book is not None
    theirs = without(asked.book, asked.own, 100)
    for target in decision.targets:
        sign = target.slot.side.sign
        same, opposite = (theirs.bids, theirs.asks)[::sign]
        assert sign * (opposite[0].price - target.price) > 0
        assert target.edge >= own.min_edge
        assert sign * asked.net + target.count <= own.max_position
        lead = sign * grid.ticks_between(grid.floor(same[0].price), target.price)
        assert lead <= own.max_improve_ticks + (same[0].price not in grid)
        assert maker_fee_per_contract(fees, target.price, target.count, target.slot.side) >= 0
    bids, asks = ([t.price for t in decision.targets if t.slot.side is side] for side in Side)
    assert max(bids, default=Price(0)) < min(asks, default=ONE_DOLLAR)


@given(st.integers(-10_000, 10_000), st.integers(-10_000, 10_000))
def test_more_inventory_never_raises_a_quote(one: int, other: int) -> None:
    less, more = sorted((one, other))
    low, _ = quote(inputs(net=Count(more), config=rules(max_position=Count(100_000))), warm())
    high, _ = quote(inputs(net=Count(less), config=rules(max_position=Count(100_000))), warm())
    for side in Side:
        assert prices(low)[side] <= prices(high)[side]


def mirrored(asked: QuoteInputs) -> QuoteInputs:
    """The same market with YES and NO in each other's place."""
    assert asked.book is not None
    bids, asks = (
        tuple(Level(Price(ONE_DOLLAR - price), count) for price, count in side)
        for side in (asked.book.asks, asked.book.bids)
    )
    return with_book(asked._replace(net=Count(-asked.net)), Book(asked.book.ticker, bids, asks))


@given(
    st.sampled_from([CENT_GRID, DECI_GRID]),
    st.integers(5, 60),
    st.integers(1, 30),
    st.integers(1, 500),
    st.integers(1, 500),
    st.integers(-90, 90),
)
def test_it_quotes_no_as_it_quotes_yes(
    grid: PriceGrid, bid: int, width: int, bid_size: int, ask_size: int, net: int
) -> None:
    low, high = Level(Price(bid * 100), Count(bid_size)), Level(Price((bid + width) * 100), Count(ask_size))
    asked = inputs(config=rules(max_spread=Price(5_000)), net=Count(net * 100))
    asked = with_book(asked, Book(asked.market.ticker, (low,), (high,)))
    asked = asked._replace(market=asked.market._replace(grid=grid))
    memory = warm(at_ms=NOW - 20 * MINUTE)
    ours, theirs = prices(quote(asked, memory)[0]), prices(quote(mirrored(asked), memory)[0])
    assert {side: ONE_DOLLAR - price for side, price in ours.items()} == {
        Side.ASK if side is Side.BID else Side.BID: price for side, price in theirs.items()
    }
