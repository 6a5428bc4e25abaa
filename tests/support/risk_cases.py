"""What risk is judged by: for a market at rest, and for markets in any state with caps that bite."""

from collections.abc import Iterable
from itertools import product
from typing import Any

from hypothesis import strategies as st

from dora.core.accounts.ledger import Position
from dora.core.exchange.account import Order, OrderStatus
from dora.core.exchange.fees import FeeTerms
from dora.core.exchange.market import Side, Slot
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.requests import TargetOrder
from dora.core.risk.facts import RiskFacts, RiskResult
from dora.core.units import Count, Money
from tests.support.examples import (
    EVENT,
    NOW,
    TICKER,
    cents,
    config,
    contracts,
    dollars,
    event,
    limits,
    market,
    target,
)

OTHER, THIRD = "KXRAIN-26NOV21-T2", "KXSNOW-26NOV21-T1"


def facts(**changes: Any) -> RiskFacts:
    """Three flat markets, two of them of one event, and more money than any test needs."""
    tickers = (TICKER, OTHER, THIRD)
    values: dict[str, Any] = {
        "limits": limits(max_event_loss=dollars("10000"), max_total_loss=dollars("10000")),
        "markets": {
            t: market(ticker=t, event_ticker=EVENT if t != THIRD else "KXSNOW-26NOV21") for t in tickers
        },
        "configs": {t: config(ticker=t, max_position=contracts("100")) for t in tickers},
        "events": {EVENT: event(), "KXSNOW-26NOV21": event(event_ticker="KXSNOW-26NOV21")},
        "positions": {},
        "orders": (),
        "external": (),
        "cash": {0: dollars("10000")},
    }
    return RiskFacts(**{**values, **changes})


MAKER_FEES = FeeTerms(7_000_000, 1_750_000)


def order(side: Side, price: str, count: str, **changes: Any) -> TrackedOrder:
    """A live order of ours."""
    values: dict[str, Any] = {
        "client_order_id": f"{side}-{price}-{count}",
        "slot": Slot(changes.pop("ticker", TICKER), side, changes.pop("level", 0)),
        "shard": 0,
        "price": cents(price),
        "count": contracts(count),
        "remaining": contracts(count),
        "state": OrderState.LIVE,
        "sent_ms": NOW,
        "order_id": f"id-{side}-{price}-{count}",
    }
    return TrackedOrder(**{**values, **changes})


def external(side: Side, price: str, count: str, ticker: str = TICKER) -> Order:
    """A resting order of somebody else on our account."""
    return Order(
        order_id=f"x-{side}-{price}-{count}",
        client_order_id="by-hand",
        ticker=ticker,
        shard=0,
        side=side,
        price=cents(price),
        status=OrderStatus.RESTING,
        initial=contracts(count),
        remaining=contracts(count),
        filled=Count(0),
        updated_ms=NOW,
    )


def position(net: str, cash: str, fees: str = "0", **changes: Any) -> Position:
    """A position of the test market."""
    values: dict[str, Any] = {"ticker": TICKER, "shard": 0, "net": contracts(net), "cash": dollars(cash)}
    return Position(**{**values, "fees": dollars(fees), **changes})


def kept(result: RiskResult) -> dict[Slot, Count]:
    """Kept sizes by slot."""
    return {wanted.slot: wanted.count for wanted in result.kept}


SIDES = st.sampled_from(Side)
SIZES = st.sampled_from([50, 100, 300, 1_000, 2_500]).map(Count)
STATES = st.sampled_from(
    [OrderState.LIVE, OrderState.LIVE, OrderState.PENDING_NEW, OrderState.PENDING_CHANGE]
)
TICKERS = (TICKER, OTHER)
CENTS = st.integers(1, 99).map(lambda n: f"0.{n:02}")


@st.composite
def orders(draw: st.DrawFn) -> tuple[TrackedOrder, ...]:
    """Up to three open orders, some of unknown fate, some partly filled and unbooked."""
    made = []
    for number in range(draw(st.integers(0, 3))):
        size = draw(SIZES)
        one = order(draw(SIDES), draw(CENTS), "1", ticker=draw(st.sampled_from(TICKERS)))
        filled = Count(draw(st.sampled_from([0, 0, size // 2])))
        made.append(
            one._replace(
                client_order_id=str(number),
                order_id=str(number),
                state=draw(STATES),
                count=size,
                remaining=Count(size - filled),
            )
        )
    return tuple(made)


def _like(resting: Iterable[TrackedOrder], slot: Slot) -> list[dict[str, int]]:
    """Price and count of each order in a slot: a target may be just what rests."""
    return [{"price": one.price, "count": one.remaining} for one in resting if one.slot == slot]


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[TargetOrder], RiskFacts]:
    """Targets and facts of two markets that share an event, with caps tight enough to bite."""
    positions = {
        ticker: Position(
            ticker=ticker,
            shard=0,
            net=Count(draw(st.integers(-30, 30)) * 100),
            cash=Money(draw(st.integers(-30, 30)) * 500_000),
            fees=Money(draw(st.integers(0, 100_000))),
            settled=False,
        )
        for ticker in TICKERS
        if draw(st.booleans())
    }
    hand = [
        external(draw(SIDES), draw(CENTS), "3", draw(st.sampled_from(TICKERS)))
        for _ in range(draw(st.integers(0, 1)))
    ]
    resting = draw(orders())
    wanted = [
        target(side, draw(CENTS), "1", ticker=ticker, level=level, edge=draw(st.integers(0, 300)))._replace(
            **draw(st.sampled_from([{"count": draw(SIZES)}, *_like(resting, Slot(ticker, side, level))]))
        )
        for ticker, side, level in product(TICKERS, Side, (0, 1))
        if draw(st.sampled_from([True, False]))
    ]
    given_facts = facts(
        limits=limits(
            max_event_loss=Money(draw(st.integers(0, 40)) * 500_000),
            max_total_loss=Money(draw(st.integers(0, 40)) * 500_000),
            max_open_orders=draw(st.integers(0, 8)),
            cash_reserve=dollars("1"),
        ),
        configs={
            t: config(
                ticker=t, quote_size=contracts("25"), max_position=Count(draw(st.integers(25, 60)) * 100)
            )
            for t in TICKERS
        },
        events={EVENT: event(exclusive=draw(st.booleans()))},
        positions=positions,
        orders=resting,
        external=tuple(hand),
        cash={0: Money(draw(st.integers(0, 40)) * 500_000)},
        fees={TICKER: MAKER_FEES} if draw(st.booleans()) else {},
        drift={TICKER: Count(draw(st.sampled_from([0, 0, 0, -500, 500])))},
    )
    return wanted, given_facts
