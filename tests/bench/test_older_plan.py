"""The yardstick quotes as its description says, so that it does the work that is timed."""

from datetime import timedelta

import pytest

from tests.bench.older_cycle import OlderPlan
from tests.bench.older_plan import (
    NOW,
    Book,
    Order,
    Params,
    Position,
    Trade,
    compute,
    diff,
    fair_value,
    parse_book,
    parse_trades,
    volatility,
)

WIDE = Book(bids=[(0.45, 100), (0.44, 50)], asks=[(0.55, 80), (0.56, 20)])


def trade(price: float, *, count: int = 100, hours: float = 1.0) -> Trade:
    return Trade("t", "A", price, count, "yes", NOW - timedelta(hours=hours))


CALM = [trade(0.50) for _ in range(6)]


def quotes(book: Book, trades: list[Trade], position: Position | None = None) -> list[tuple[str, float, int]]:
    decision = compute("A", book, trades, position or Position(), Params())
    return [(order.side, order.price, order.size) for order in decision.targets]


def test_a_wide_market_is_quoted_a_tick_inside_the_touch() -> None:
    assert quotes(WIDE, CALM) == [("bid", 0.46, 10), ("ask", 0.54, 10)]


def test_a_narrow_one_is_joined() -> None:
    narrow = Book(bids=[(0.48, 100)], asks=[(0.52, 100)])

    assert quotes(narrow, CALM) == [("bid", 0.48, 10), ("ask", 0.52, 10)]


def test_no_quote_passes_fair_value() -> None:
    assert quotes(WIDE, [trade(0.40)]) == [("bid", 0.4, 10), ("ask", 0.54, 10)]


def test_a_wild_market_is_left_alone_but_for_a_profitable_exit() -> None:
    wild = [trade(price) for price in (0.2, 0.8, 0.2, 0.8, 0.2)]

    assert quotes(WIDE, wild) == []
    assert quotes(WIDE, wild, Position(net=5, average=0.30))


def test_a_position_grows_the_side_that_reduces_it_and_tapers_the_other() -> None:
    sizes = {side: size for side, _, size in quotes(WIDE, CALM, Position(net=90, average=0.5))}

    assert sizes == {"bid": 5, "ask": 90}


def test_fair_value_trusts_the_recent_and_the_large() -> None:
    old, recent = trade(0.40, hours=23), trade(0.60, hours=1)

    assert fair_value([recent, old], WIDE, NOW)[0] > 0.5
    assert fair_value([trade(0.60, count=1), trade(0.40, count=400)], WIDE, NOW)[0] < 0.45
    assert fair_value([trade(0.60, hours=30)], WIDE, NOW) == (0.60, "last_trade")
    assert fair_value([], WIDE, NOW) == (0.5, "mid")


def test_volatility_takes_twelve_hours_where_they_hold_more_trades() -> None:
    assert volatility([trade(0.5)], NOW) == 0.0
    assert volatility([*CALM, trade(0.9), trade(0.9, hours=13)], NOW) == pytest.approx(0.14, abs=0.001)


def test_answers_are_read_without_our_own_orders() -> None:
    book = parse_book(
        '{"orderbook": {"yes": [[44, 5], [45, 10]], "no": [[45, 7]]}}', [Order("A", "bid", 0.45, 10)]
    )

    assert book == Book(bids=[(0.44, 5)], asks=[(0.55, 7)])
    assert parse_trades('{"trades": []}') == []


def test_the_diff_wants_price_and_exact_size() -> None:
    live = [Order("A", "bid", 0.46, 10, "1"), Order("A", "ask", 0.54, 7, "2"), Order("B", "bid", 0.3, 1, "3")]
    wanted = [Order("A", "bid", 0.46, 10), Order("A", "ask", 0.54, 10)]

    cancels, places = diff(wanted, live)

    assert [order.order_id for order in cancels] == ["2", "3"]
    assert places == [wanted[1]]


def test_a_tenth_of_the_markets_moves_a_tenth_of_the_orders() -> None:
    plan = OlderPlan(20)

    assert plan.cycle_cpu_ms(0) > 0
    assert (plan.placed, plan.cancelled) == (40, 0)
    plan.cycle_cpu_ms(0.1)
    assert (plan.placed, plan.cancelled) == (4, 4)
