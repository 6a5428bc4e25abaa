"""Fills, payouts and entries for tests of the books, from decimal strings as the exchange writes them."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from dora.core.accounts.booking import PositionEntry, book_fill
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.exchange.account import Fill, Settlement
from dora.core.exchange.market import Side
from dora.core.units import ONE_DOLLAR, Count, Money, Price, TimeMs
from tests.support.examples import NOW, TICKER, cents, contracts, dollars

FLAT = MarketLedger(ticker=TICKER, shard=0)
MINUTE_MS = 60_000


def fill(side: Side, price: str, count: str, fee: str = "0", *, after_ms: int = 0, **changes: Any) -> Fill:
    """One of our fills; its id is its time unless another is named."""
    values: dict[str, Any] = {
        "fill_id": f"f{after_ms}",
        "order_id": "o",
        "ticker": TICKER,
        "shard": 0,
        "side": side,
        "price": cents(price),
        "count": contracts(count),
        "is_taker": False,
        "fee": dollars(fee),
        "at_ms": NOW + after_ms,
    }
    return Fill(**{**values, **changes})


def bid(price: str, count: str, fee: str = "0", **changes: Any) -> Fill:
    """A fill that bought YES."""
    return fill(Side.BID, price, count, fee, **changes)


def ask(price: str, count: str, fee: str = "0", **changes: Any) -> Fill:
    """A fill that sold YES, that is: bought NO."""
    return fill(Side.ASK, price, count, fee, **changes)


def settled(
    value: str, result: str = "", *, after_ms: int = MINUTE_MS, revenue: str = "0", ticker: str = TICKER
) -> Settlement:
    """A payout row: what a YES contract was worth."""
    return Settlement(
        ticker=ticker,
        shard=0,
        value=cents(value),
        revenue=dollars(revenue),
        fee=Money(0),
        settled_ms=TimeMs(NOW + after_ms),
        result=result,
    )


def entry(net: str, cost: str, *, after_ms: int = 0, opening: bool = False) -> PositionEntry:
    """What the exchange counted at a time."""
    at_ms = TimeMs(NOW + after_ms)
    return PositionEntry(
        ticker=TICKER, shard=0, net=contracts(net), cost=dollars(cost), at_ms=at_ms, opening=opening
    )


def booked(fills: Sequence[Fill], ledger: MarketLedger = FLAT) -> MarketLedger:
    """The books after these fills."""
    for one in fills:
        ledger = book_fill(ledger, one)
    return ledger


PRICES = st.integers(1, ONE_DOLLAR - 1).map(Price)
COUNTS = st.integers(1, 10**5).map(Count)
MARKS = st.integers(0, ONE_DOLLAR).map(Price)


@st.composite
def histories(draw: st.DrawFn, largest: int = 12) -> list[Fill]:
    """Fills of one market, a second apart."""
    rows = draw(
        st.lists(st.tuples(st.sampled_from(Side), PRICES, COUNTS, st.integers(0, 10**5)), max_size=largest)
    )
    return [
        fill(side, "0.5", "1", after_ms=1_000 * number)._replace(price=price, count=count, fee=Money(fee))
        for number, (side, price, count, fee) in enumerate(rows, 1)
    ]
