"""Quotes of a market that could not be computed: they stay while they are harmless and young, and go else."""

from dataclasses import replace
from typing import Any

import pytest

from dora.core.config import MarketConfig
from dora.core.exchange.account import OrderGroup
from dora.core.exchange.market import Book, Level, Side
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.journal import Journal, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.reasons import Reason
from dora.core.risk.gates import Permission
from dora.core.state import ReferenceData
from dora.core.units import Count, Price, TimeMs
from dora.flow.cycle.inputs import Inputs
from dora.flow.cycle.plain_plans import leave_all
from dora.flow.cycle.protect import protect
from tests.support.examples import limits
from tests.support.execution_fakes import SESSION
from tests.support.journal_cases import LATER, SLOT, WRITE, tracked

AGE_S = 300
FAIR_BOOK = Book(SLOT.ticker, (Level(Price(4_400), Count(500)),), (Level(Price(4_700), Count(500)),))
BID = tracked(price=Price(4_500), write_ms=WRITE)
ASK = tracked(
    client_order_id="ask",
    order_id="o-2",
    slot=SLOT._replace(side=Side.ASK),
    price=Price(4_500),
    write_ms=WRITE,
)


def inputs(*orders: TrackedOrder, book: Book | None, now_ms: int = LATER, **changes: Any) -> Inputs:
    view = ReconciledOrders(
        journal=Journal().with_orders(orders),
        external=(),
        frozen=frozenset(),
        blocked=frozenset(),
        resolutions=(),
        shown=frozenset(order.client_order_id for order in orders),
    )
    groups = (OrderGroup("g-1", 0, False, Count(100)),)
    snapshot = Snapshot(
        began_ms=LATER, as_of_ms=LATER, resting=(), groups=groups, books={SLOT.ticker: book} if book else {}
    )
    return Inputs(
        now_ms=TimeMs(now_ms),
        globals_=limits(max_unpriced_age_s=AGE_S),
        wanted={SLOT.ticker: MarketConfig(ticker=SLOT.ticker, enabled=True, max_spread=Price(500))},
        reference=ReferenceData(),
        snapshot=replace(snapshot, **changes),
        view=view,
        positions={},
        nets={},
        permission=Permission(),
        memory={},
    )


def cancelled(
    given: Inputs, *, of: str = SLOT.ticker, triggered: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Why each cancel is sent, by client order id."""
    plan, _ = protect(given, leave_all(given.view), Reason.COMPUTE_FAILED, [of], triggered)
    assert {r.client_order_id for r in plan.cancels}.isdisjoint(o.client_order_id for o in plan.kept)
    return {request.client_order_id: plan.why[request.client_order_id] for request in plan.cancels}


def test_of_a_market_that_could_not_be_computed_only_what_is_dangerous_goes() -> None:
    assert cancelled(inputs(BID, ASK, book=FAIR_BOOK)) == {"ask": "dangerous"}
    assert cancelled(inputs(BID, ASK, book=FAIR_BOOK), of="another") == {}


ODD_PRICE: Any = "odd"
"""No price, as a fault of a reader would leave it."""


@pytest.mark.parametrize(
    "book",
    [
        None,
        Book(SLOT.ticker, FAIR_BOOK.bids, ()),
        Book(SLOT.ticker, FAIR_BOOK.bids, (Level(Price(5_000), Count(500)),)),
        Book(SLOT.ticker, (Level(ODD_PRICE, Count(500)),), FAIR_BOOK.asks),
    ],
    ids=["unread", "one-sided", "too wide", "a book that raises"],
)
def test_what_cannot_be_priced_goes_by_its_age(book: Book | None) -> None:
    at_last_ms = WRITE + AGE_S * 1000

    assert cancelled(inputs(BID, book=book, now_ms=at_last_ms)) == {}
    assert cancelled(inputs(BID, book=book, now_ms=at_last_ms + 1)) == {BID.client_order_id: "unpriced"}


def test_what_can_be_priced_but_not_computed_goes_by_its_age_too() -> None:
    at_last_ms = WRITE + AGE_S * 1000

    assert cancelled(inputs(BID, book=FAIR_BOOK, now_ms=at_last_ms)) == {}
    assert cancelled(inputs(BID, book=FAIR_BOOK, now_ms=at_last_ms + 1)) == {BID.client_order_id: "unpriced"}


@pytest.mark.parametrize(
    ("latched_ms", "as_of_ms", "goes"),
    [(None, 0, True), (None, LATER, True), (LATER, 0, False), (LATER, LATER, False), (WRITE, LATER, True)],
)
def test_with_the_groups_unread_an_order_goes_whose_reads_are_later_than_the_latch_or_that_has_none(
    latched_ms: int | None, as_of_ms: int, goes: bool
) -> None:
    given = inputs(ASK, book=FAIR_BOOK, groups=None, as_of_ms=TimeMs(as_of_ms))
    at_ms = None if latched_ms is None else TimeMs(latched_ms)
    given = given._replace(session=SESSION._replace(limit_reached_at_ms=at_ms))

    assert cancelled(given) == ({"ask": "dangerous"} if goes else {})


def test_what_a_trigger_took_off_is_not_cancelled() -> None:
    given = inputs(ASK, book=FAIR_BOOK)

    assert cancelled(given, triggered=frozenset({"g-1"})) == {}
    assert cancelled(given, triggered=frozenset({"g-2"})) == {"ask": "dangerous"}
