"""What raises while one market is computed costs that market alone, and never makes its exposure vanish."""

from dataclasses import replace
from typing import Any

import pytest

from dora.core.accounts.ledger import Position
from dora.core.exchange.fees import FeeTerms
from dora.core.exchange.market import Level, MarketStatus, Side, Slot
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.diff import plan_slots
from dora.core.orders.expiry import RENEW_MS
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.keeping import Rules
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.reasons import CancelReason, Reason
from dora.core.risk.caps import apply_caps
from dora.core.risk.facts import RiskFacts
from dora.core.risk.gates import Permission
from dora.core.risk.worst_cases import worst_cases
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.state import ReferenceData
from dora.core.units import TimeMs
from dora.flow.cycle.compute import decide
from dora.flow.cycle.inputs import Choice, Inputs
from dora.flow.cycle.order_requests import Naming, order_requests
from tests.support.examples import (
    CENT_GRID,
    NOW,
    SERIES,
    book,
    cents,
    config,
    contracts,
    dollars,
    event,
    limits,
    market,
    series,
    target,
)

ODD, FINE = "KXODD-1-T1", "KXFINE-1-T1"
UNREADABLE = FeeTerms(0, None)
"""Terms that raise as soon as a fee is worked out of them."""


def order(ticker: str, side: Side = Side.BID, count: str = "10", **changes: Any) -> TrackedOrder:
    values: dict[str, Any] = {
        "client_order_id": f"{ticker}-{side}",
        "slot": Slot(ticker, side),
        "shard": 0,
        "price": cents("0.44"),
        "count": contracts(count),
        "remaining": contracts(count),
        "state": OrderState.LIVE,
        "sent_ms": TimeMs(0),
        "order_id": f"o-{ticker}-{side}",
        "expires_ms": TimeMs(NOW + 10 * RENEW_MS),
    }
    return TrackedOrder(**{**values, **changes})


def held(ticker: str, net: str) -> Position:
    return Position(ticker=ticker, shard=0, net=contracts(net), cash=dollars("-2"), fees=dollars("0.01"))


# --- risk -------------------------------------------------------------------------------------------------


def facts(**changes: Any) -> RiskFacts:
    """Two markets of one event; of the first nothing that a fee is part of can be worked out."""
    values: dict[str, Any] = {
        "limits": limits(),
        "markets": {ticker: market(ticker=ticker) for ticker in (ODD, FINE)},
        "configs": {ticker: config(ticker=ticker) for ticker in (ODD, FINE)},
        "events": {},
        "positions": {},
        "orders": (order(ODD), order(ODD, Side.ASK, state=OrderState.PENDING_NEW)),
        "external": (),
        "cash": {0: dollars("1000")},
        "fees": {ODD: UNREADABLE},
    }
    return RiskFacts(**{**values, **changes})


WANTED = [target(Side.BID, "0.45", "10", ticker=ticker) for ticker in (ODD, FINE)]


def test_a_market_whose_worst_case_cannot_be_computed_is_not_quoted_and_the_other_is() -> None:
    result = apply_caps(WANTED, facts())

    assert [kept.slot.ticker for kept in result.kept] == [FINE]
    assert result.refused == ((Slot(ODD, Side.BID), Reason.COMPUTE_FAILED),)
    assert result.failed.keys() == {ODD}
    assert result.failed[ODD].startswith("TypeError: ")


def test_it_counts_at_face_value_with_all_it_holds_and_rests() -> None:
    """Ten contracts bid, ten asked, five held: each may lose its dollar, and the five the $2.01 they cost."""
    worst = worst_cases(facts(positions={ODD: held(ODD, "5")}))[ODD]

    assert (worst.yes, worst.no) == (dollars("17.01"), dollars("17.01"))
    assert worst.cash >= worst_cases(facts(fees={}))[ODD].cash
    assert worst.open_orders == 2


@pytest.mark.parametrize("cap, why", [("14.50", None), ("14.49", Reason.EVENT_CAP)])
def test_its_face_value_uses_up_the_caps_of_the_others(cap: str, why: Reason | None) -> None:
    """$10 of face value at worst in either outcome, and $4.50 of the other market's quote, in one event."""
    result = apply_caps(WANTED, facts(limits=limits(max_event_loss=dollars(cap))))

    assert result.cut == (() if why is None else ((Slot(FINE, Side.BID), why),))


def test_a_market_of_which_a_fact_failed_before_is_judged_alike() -> None:
    broken = facts(fees={}, failed={ODD: "ValueError: odd value"})
    result = apply_caps(WANTED, broken)

    assert result.failed == {ODD: "ValueError: odd value"}
    before, after = worst_cases(facts())[ODD], worst_cases(broken)[ODD]
    assert (after.yes, after.no) == (before.yes, before.no)


def test_one_that_raises_only_while_it_is_admitted_keeps_nothing() -> None:
    """Without orders its worst case is plain; the fee of its first target raises."""
    result = apply_caps(WANTED, facts(orders=()))

    assert [kept.slot.ticker for kept in result.kept] == [FINE]
    assert result.failed.keys() == {ODD}


# --- the diff -----------------------------------------------------------------------------------------------


def view(*orders: TrackedOrder) -> ReconciledOrders:
    return ReconciledOrders(
        journal=Journal().with_orders(orders),
        external=(),
        frozen=frozenset(),
        blocked=frozenset(),
        resolutions=(),
    )


def test_a_market_whose_diff_raises_keeps_its_orders_and_the_others_are_planned() -> None:
    odd, fine = order(ODD), order(FINE)
    rules = {ODD: Rules(None, config(ticker=ODD)), FINE: Rules(CENT_GRID, config(ticker=FINE))}
    plan = plan_slots([target(Side.BID, "0.46", "10", ticker=t) for t in (ODD, FINE)], view(odd, fine), rules)

    assert plan.kept == (odd,)
    assert [request.client_order_id for request in plan.cancels] == [fine.client_order_id]
    assert [place.slot.ticker for place in plan.places] == [FINE]
    assert plan.failed.keys() == {ODD}


def test_an_uncomputed_market_keeps_its_orders_though_nothing_of_it_is_wanted() -> None:
    odd, fine = order(ODD), order(FINE)
    plan = plan_slots([], view(odd, fine), {}, uncomputed={ODD})

    assert plan.kept == (odd,)
    assert plan.why == {fine.client_order_id: CancelReason.NOT_WANTED}


# --- all of it ---------------------------------------------------------------------------------------------

SESSION = SessionMetadata(
    session_id="s1",
    status=SessionStatus.ACTIVE,
    created_at_ms=NOW,
    contracts_limit=contracts("5000"),
    use_order_groups=False,
)
EVENTS = {ODD: "KXODD-1", FINE: "KXFINE-1"}


def inputs(*orders: TrackedOrder, odd: dict[str, Any] | None = None, **changes: Any) -> Inputs:
    """Two quiet markets of two events; `odd` is what is strange about the first."""
    markets = {ticker: market(ticker=ticker, event_ticker=EVENTS[ticker]) for ticker in (ODD, FINE)}
    markets[ODD] = markets[ODD]._replace(**(odd or {}))
    books = {t: book([("0.44", "500")], [("0.47", "500")], ticker=t) for t in (ODD, FINE)}
    snapshot = Snapshot(
        began_ms=NOW,
        as_of_ms=NOW,
        resting=(),
        positions=(),
        cash={0: dollars("1000")},
        books=books,
        markets=markets,
    )
    values: dict[str, Any] = {
        "now_ms": NOW,
        "globals_": limits(),
        "wanted": {ticker: config(ticker=ticker) for ticker in (ODD, FINE)},
        "reference": ReferenceData(
            events={own: event(event_ticker=own) for own in EVENTS.values()}, series={SERIES: series()}
        ),
        "snapshot": snapshot,
        "view": view(*orders),
        "positions": {},
        "nets": {},
        "permission": Permission(),
        "memory": {},
        "session": SESSION,
    }
    return Inputs(**{**values, **changes})


def skips(choice: Choice) -> dict[str, Reason | None]:
    return {decision.ticker: decision.skip for decision in choice.decisions}


ODDITIES: dict[str, dict[str, Any]] = {
    "a close that is no time": {"close_ms": None},
    "an expected end that is no time": {"expected_expiration_ms": "noon"},
    "a waiver that is no time": {"fee_waiver_until_ms": "noon"},
    "no grid": {"grid": None},
}


@pytest.mark.parametrize("name", ODDITIES)
def test_an_odd_market_is_skipped_and_its_orders_are_kept_while_the_other_is_quoted(name: str) -> None:
    resting = order(ODD), order(ODD, Side.ASK, price=cents("0.47"))
    choice = decide(inputs(*resting, odd=ODDITIES[name]))

    assert skips(choice) == {ODD: Reason.COMPUTE_FAILED, FINE: None}
    assert choice.failed.keys() == {ODD}
    assert set(choice.plan.kept) == set(resting)
    assert not choice.plan.cancels
    assert {place.slot.ticker for place in choice.plan.places} == {FINE}


def test_a_book_that_cannot_be_reckoned_with_costs_its_market_alone() -> None:
    given = inputs()
    bad = given.snapshot.books[ODD]._replace(bids=(Level("0.44", contracts("500")),))
    books = {**given.snapshot.books, ODD: bad}
    choice = decide(given._replace(snapshot=replace(given.snapshot, books=books)))

    assert skips(choice) == {ODD: Reason.COMPUTE_FAILED, FINE: None}
    assert choice.decisions[1].error.startswith("TypeError")


def test_a_market_that_is_skipped_anyway_is_still_pulled_though_its_fees_raise() -> None:
    """Why it is skipped is known; that its exposure is not costs the caps, and is said."""
    resting = order(ODD)
    odd = {**ODDITIES["a waiver that is no time"], "status": MarketStatus.INACTIVE}
    wanted = {ODD: config(ticker=ODD, enabled=False), FINE: config(ticker=FINE)}
    choice = decide(inputs(resting, odd=odd, wanted=wanted))

    assert skips(choice) == {ODD: Reason.MARKET_DISABLED, FINE: None}
    assert choice.failed.keys() == {ODD}
    assert choice.plan.why == {resting.client_order_id: Reason.MARKET_DISABLED}


def test_what_one_market_remembers_is_kept_while_it_cannot_be_computed() -> None:
    choice = decide(inputs(odd={"close_ms": None}, memory={ODD: {"fair": 1}}))

    assert choice.memory[ODD] == {"fair": 1}
    assert FINE in choice.memory


def test_a_request_that_cannot_be_made_is_told_and_not_placed() -> None:
    given = inputs()
    places = decide(given).plan.places
    later = given._replace(wanted={FINE: given.wanted[FINE]})
    requests, failed = order_requests(places, later, Naming(prefix="d-", cycle_id="c1", session=SESSION))

    assert {request.slot.ticker for request in requests} == {FINE}
    assert failed.keys() == {ODD}
