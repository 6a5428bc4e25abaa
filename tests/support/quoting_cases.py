"""Markets at one moment for tests of quoting: a calm one, a warm memory, and anything that can happen."""

from typing import Any

from hypothesis import strategies as st

from dora.core.exchange.fees import FREE, FeeTerms
from dora.core.exchange.market import Book, Level, Side
from dora.core.quoting.decision import QuoteInputs, others_in
from dora.core.quoting.memory import STALE_MS, WARM_MS, Memory
from dora.core.units import Count, Price, PriceGrid
from tests.support.examples import GRIDS, NOW, TICKER, all_prices, book, config, market

MAKER_FEES = FeeTerms(7_000_000, 1_750_000)
CALM = book([("0.45", "50"), ("0.44", "50")], [("0.55", "50"), ("0.56", "50")])
MINUTE = 60_000


def inputs(**changes: Any) -> QuoteInputs:
    """A calm book around 50 cents, flat, without fees."""
    values: dict[str, Any] = {
        "market": market(),
        "config": config(),
        "book": CALM,
        "own": (),
        "net": Count(0),
        "fees": FREE,
        "now_ms": NOW,
    }
    values |= changes
    return QuoteInputs(**{"others": others_in(values["book"], values["own"]), **values})


def warm(**changes: Any) -> dict[str, object]:
    """Memory of a market that stood still for long enough at 50 cents."""
    values: dict[str, Any] = {
        "at_ms": NOW - MINUTE,
        "fair_e9": 500_000_000,
        "mid_e9": 500_000_000,
        "watched_ms": WARM_MS,
        "half_e9": 50_000_000,
    }
    return Memory(**{**values, **changes}).stored()


def with_book(asked: QuoteInputs, book: Book) -> QuoteInputs:
    """The same market with another book."""
    return asked._replace(book=book, others=others_in(book, asked.own))


Situation = tuple[QuoteInputs, dict[str, object] | None]


@st.composite
def situations(draw: st.DrawFn, most_levels: int = 1) -> Situation:
    """Anything that can stand before the quoter: every grid, book, own orders, positions, memories."""
    grid: PriceGrid = draw(st.sampled_from(list(GRIDS.values())))
    points = all_prices(grid)
    sizes = st.integers(1, 100_000).map(Count)
    cut = draw(st.integers(1, len(points) - 1))
    gap = draw(st.integers(0, 12))
    fewest = draw(st.sampled_from([0, 1, 1, 1]))
    bids = draw(st.lists(sizes, min_size=fewest, max_size=4))
    asks = draw(st.lists(sizes, min_size=fewest, max_size=4))
    shown = Book(
        TICKER,
        tuple(Level(points[cut - 1 - i], size) for i, size in enumerate(bids) if cut - 1 - i >= 0),
        tuple(Level(points[cut + gap + i], s) for i, s in enumerate(asks) if cut + gap + i < len(points)),
    )
    own = draw(st.lists(st.tuples(st.sampled_from(Side), st.sampled_from(points), sizes), max_size=3))
    cap = draw(st.integers(100, 100_000))
    rules = config(
        quote_size=Count(draw(st.integers(1, cap))),
        max_position=Count(cap),
        levels=draw(st.integers(1, most_levels)),
        level_gap=Price(draw(st.integers(1, 300))),
        min_edge=Price(draw(st.integers(0, 300))),
        min_half_spread=Price(draw(st.integers(1, 500))),
        max_spread=Price(draw(st.integers(1, 10_000))),
        min_book_width=Price(draw(st.integers(0, 500))),
        max_improve_ticks=draw(st.sampled_from([0, 1, 2, 50])),
        warm_up_minutes=draw(st.sampled_from([0, 5, 10])),
        skew_at_max=Price(draw(st.integers(0, 5_000))),
        min_price=Price(1),
        max_price=Price(9_999),
        volatility_percent_of_move=draw(st.integers(0, 1_000)),
    )
    remembered = st.builds(
        warm,
        at_ms=st.integers(NOW - 2 * STALE_MS, NOW + 10_000),
        fair_e9=st.integers(1, 10**9 - 1),
        watched_ms=st.integers(0, 10 * WARM_MS),
        variance_e12=st.integers(0, 10**17),
    )
    given_inputs = inputs(
        market=market(grid=grid),
        config=rules,
        book=shown,
        own=tuple(own),
        net=Count(draw(st.integers(-3 * cap, 3 * cap))),
        fees=draw(st.sampled_from([FREE, MAKER_FEES, FeeTerms(7_000_000, 0)])),
    )
    return given_inputs, draw(st.none() | remembered)


def nano(dollars: float | None) -> int:
    """A model value in 1e-9 $."""
    assert dollars is not None
    return round(dollars * 10**9)
