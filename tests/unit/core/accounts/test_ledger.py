"""Cash flow is kept exactly: no order of fills and no split of them changes what was earned."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dora.core.accounts.ledger import Drift, Position, apply_fill, apply_fills, apply_settlement, find_drift
from dora.core.exchange.account import Fill, Settlement
from dora.core.exchange.market import Side
from dora.core.units import ONE_DOLLAR, Count, Money, Price, TimeMs, format_count, format_money, format_price
from tests.support.examples import NOW, TICKER, cents, contracts, dollars

FLAT = Position(ticker=TICKER, shard=0)


def fill(side: Side, price: str, count: str, fee: str = "0", **changes: Any) -> Fill:
    """One of our fills."""
    values: dict[str, Any] = {
        "fill_id": "f",
        "order_id": "o",
        "ticker": TICKER,
        "shard": 0,
        "side": side,
        "price": cents(price),
        "count": contracts(count),
        "is_taker": False,
        "fee": dollars(fee),
        "at_ms": NOW,
    }
    return Fill(**{**values, **changes})


def settlement(value: str) -> Settlement:
    """The market paid this per YES contract."""
    return Settlement(
        ticker=TICKER, shard=0, value=cents(value), revenue=Money(0), fee=Money(0), settled_ms=TimeMs(NOW)
    )


FILLS = st.lists(
    st.builds(
        lambda side, price, count, fee: replace(fill(side, "0.5", "1"), price=price, count=count, fee=fee),
        st.sampled_from(Side),
        st.integers(1, ONE_DOLLAR - 1).map(Price),
        st.integers(1, 10**7).map(Count),
        st.integers(0, 10**7).map(Money),
    ),
    max_size=12,
)
MARKS = st.integers(0, ONE_DOLLAR).map(Price)


def after(fills: Sequence[Fill]) -> Position:
    """A flat position after these fills."""
    return apply_fills({TICKER: FLAT}, fills).get(TICKER, FLAT)


def test_a_round_trip_earns_the_spread_less_fees() -> None:
    held = apply_fill(FLAT, fill(Side.BID, "0.44", "10", "0.01"))
    assert (held.net, held.cash, held.fees) == (contracts("10"), dollars("-4.40"), dollars("0.01"))

    flat = apply_fill(held, fill(Side.ASK, "0.46", "10", "0.02"))
    assert (flat.net, flat.cash, flat.fees) == (0, dollars("0.20"), dollars("0.03"))
    assert flat.profit(cents("0.01")) == flat.profit(cents("0.99")) == dollars("0.17")
    assert flat.traded == contracts("20")


def test_selling_first_is_the_same_trade_mirrored() -> None:
    short = apply_fill(FLAT, fill(Side.ASK, "0.46", "3", "0.013041"))
    assert short.net == contracts("-3")
    assert short.profit(cents("0.46")) == dollars("-0.013041")
    assert short.profit(cents("0")) == dollars("1.366959")


def test_settlement_pays_the_position_once_and_leaves_it_flat() -> None:
    held = apply_fill(FLAT, fill(Side.BID, "0.44", "10"))
    paid = apply_settlement(held, settlement("1"))
    assert (paid.net, paid.settled, paid.cash) == (0, True, dollars("5.60"))
    assert apply_settlement(paid, settlement("1")) == paid


@given(FILLS, MARKS)
def test_profit_is_what_each_fill_earned_at_the_mark(fills: list[Fill], mark: Price) -> None:
    expected = Decimal(0)
    for one in fills:
        paid = Decimal(format_price(one.price)) - Decimal(format_price(mark))
        expected -= one.side.sign * paid * Decimal(format_count(one.count)) + Decimal(format_money(one.fee))
    assert Decimal(format_money(after(fills).profit(mark))) == expected


@given(FILLS, st.randoms(use_true_random=False))
def test_the_order_of_fills_does_not_matter(fills: list[Fill], chance: Any) -> None:
    shuffled = [*fills]
    chance.shuffle(shuffled)
    assert after(shuffled) == after(fills)


@given(FILLS, MARKS)
def test_settling_realises_exactly_the_profit_at_the_settled_value(fills: list[Fill], value: Price) -> None:
    held = after(fills)
    paid = apply_settlement(held, settlement(format_price(value)))
    assert paid.profit(Price(0)) == paid.profit(ONE_DOLLAR) == held.profit(value)


@given(st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), FILLS), max_size=4))
def test_fills_of_each_market_touch_that_market_only(groups: list[tuple[str, list[Fill]]]) -> None:
    mixed = [replace(one, ticker=ticker) for ticker, fills in groups for one in fills]
    changed = apply_fills({}, mixed)
    assert set(changed) == {one.ticker for one in mixed}
    for ticker, position in changed.items():
        own = [one for one in mixed if one.ticker == ticker]
        assert position == apply_fills({}, own)[ticker]


def test_fills_add_to_the_position_that_stands() -> None:
    standing = {TICKER: apply_fill(FLAT, fill(Side.BID, "0.44", "10"))}
    changed = apply_fills(standing, [fill(Side.BID, "0.40", "5")])
    assert (changed[TICKER].net, changed[TICKER].cash) == (contracts("15"), dollars("-6.40"))
    assert standing[TICKER].net == contracts("10")


def test_drift_names_every_market_whose_counts_differ() -> None:
    ours = {
        "same": replace(FLAT, ticker="same", net=contracts("3")),
        "off": replace(FLAT, ticker="off", net=contracts("3")),
        "ours": replace(FLAT, ticker="ours", net=contracts("-1")),
        "flat": replace(FLAT, ticker="flat"),
        "paid": replace(FLAT, ticker="paid", settled=True),
    }
    theirs = {"same": contracts("3"), "off": contracts("4"), "theirs": contracts("2")}
    assert find_drift(ours, theirs) == (
        Drift("off", contracts("3"), contracts("4")),
        Drift("ours", contracts("-1"), Count(0)),
        Drift("theirs", Count(0), contracts("2")),
    )
