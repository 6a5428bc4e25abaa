"""One decision can be asked for: its id stands on whatever follows from it, in the log and in the journal."""

from typing import Any

import pytest

from dora.core.orders.journal import Journal, Plan, decision_id, fold_plans, planned_order
from dora.core.reasons import CancelReason, Reason
from dora.core.units import TimeMs
from tests.support.execution_fakes import Desk, cancels_refused, decrease, request, resting
from tests.support.small_world import TICKERS, Killed, Scripted, Seen, set_book, small_world
from tests.world import config_items

BATCH = "/portfolio/events/orders/batched"
A, B, C = TICKERS
CYCLE = "2026-11-20T14:00:00.000Z"


def of_market(seen: Seen, event_type: str, ticker: str = A) -> list[dict[str, Any]]:
    return [fact for fact in seen.facts(event_type) if fact["market"] == ticker]


def ids(seen: Seen, event_type: str, ticker: str = A) -> set[str]:
    return {fact["decision_id"] for fact in of_market(seen, event_type, ticker)}


def test_an_id_is_short_and_its_own_for_each_market_and_cycle() -> None:
    found = {decision_id(cycle, ticker) for cycle in (CYCLE, "another") for ticker in TICKERS}

    assert len(found) == 6
    assert {len(one) for one in found} == {12}
    assert decision_id(CYCLE, A) == decision_id(CYCLE, A)


def test_a_plan_that_was_cut_short_gives_its_orders_the_ids_they_were_sent_with() -> None:
    asked = request(A)
    plan = Plan(fence=1, phase="3place", cycle_id=CYCLE, until_ms=TimeMs(1), places=(asked,))
    (found,) = fold_plans(Journal(), [plan]).orders.values()

    assert found.decision_id == decision_id(CYCLE, A)
    assert found == planned_order(asked, TimeMs(1), CYCLE)


def test_what_one_decision_led_to_carries_its_id_from_the_decision_to_the_fill() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        (order,) = world.resting(A, "bid")
        world.exchange.set_background_book(A, [], [(4700, 50_000)])
        world.exchange.background_take(A, "ask", order.price_e4, 400)
        set_book(world, A)
        world.cycle()

        (decided,) = ids(seen, "ORDER_FILLED")
        assert {own["decision_id"] for own in seen.placed() if own["market"] == A} == {decided}
        assert of_market(seen, "DECISION_MADE")[0]["decision_id"] == decided
        assert decided not in {own["decision_id"] for own in seen.placed() if own["market"] == B}
        assert order.id in {own["order_id"] for own in seen.placed() if own["decision_id"] == decided}
        (batch,) = {
            fact["orders"] for fact in seen.facts("BATCH_PLACE") if order.client_order_id in fact["orders"]
        }
        line = next(line for line in batch.split("; ") if order.client_order_id in line)
        assert line == f"{A} bid 0.4400 10.00 {order.client_order_id} - {decided} new"
        assert all("decision_id" not in fact for fact in seen.facts("CYCLE"))


@pytest.mark.parametrize("fate", ["answer", "kill"])
def test_an_order_that_is_found_again_carries_the_id_of_the_decision_that_placed_it(fate: str) -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.exchange.faults = Scripted({f"POST {BATCH}": fate})
        try:
            world.cycle()
        except Killed:
            assert fate == "kill"
        world.exchange.faults = Scripted({})
        world.cycle()
        cycle_id = seen.facts("BATCH_PLACE")[0]["cycle_id"]

        assert ids(seen, "ORDER_RESOLVED") == {decision_id(cycle_id, A)}


def test_a_failed_order_carries_its_decision() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.exchange.faults = Scripted({f"POST {BATCH}": "answer"})
        world.cycle()

        assert ids(seen, "BATCH_PLACE_FAILED") == ids(seen, "DECISION_MADE")


def test_a_cancel_carries_the_decision_that_led_to_it_and_why() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        set_book(world, A, 4600, 4900)
        world.put_market(B, {**config_items.MARKET, "enabled": False})
        world.cycle()
        world.session("session_halt", reason="lunch")
        world.cycle()

        first, then, halted = [fact["cycle_id"] for fact in seen.facts("CYCLE")]
        told = {(own["decision_id"], own["reason"]) for own in seen.cancelled()}
        assert told == {
            (decision_id(then, A), CancelReason.REPRICED),
            (decision_id(then, B), Reason.MARKET_DISABLED),
            (decision_id(halted, A), Reason.HALTED),
            (decision_id(halted, C), Reason.HALTED),
        }
        replaced = [own for own in seen.placed() if (own["market"], own["cycle_id"]) == (A, then)]
        assert {own["reason"] for own in replaced} == {CancelReason.REPRICED}
        assert first not in (then, halted)
        lines = "; ".join(fact["orders"] for fact in seen.facts("BATCH_CANCEL")).split("; ")
        assert {line.split()[-1] for line in lines} == {"repriced", "market_disabled", "halted"}
        assert all(len(line.split()) == 8 and line.split()[5] != "-" for line in lines)


def test_a_change_in_place_carries_the_decision_of_its_cycle() -> None:
    held = resting("A")
    desk = Desk(held)
    desk.decrease(decrease(held, 400))

    (told,) = desk.facts.of("ORDER_DECREASED")
    assert told["decision_id"] == decision_id("c1", "A")


def test_a_cancel_that_failed_says_why_it_was_sent() -> None:
    held = resting("A")
    desk = Desk(held)
    desk.exchange.cancels = cancels_refused("not_found")
    desk.cancel([held], why={held.client_order_id: CancelReason.RESIZED})

    (told,) = desk.facts.of("BATCH_CANCEL_FAILED")
    assert (told["reason"], told["error_code"]) == (CancelReason.RESIZED, "not_found")
