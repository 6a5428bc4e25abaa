"""Scenarios 75 and 76: empty lists as null or left out, and rows of others that cannot be read."""

import pytest

from tests.battery.scene import CREATE, SLOTS, Scene, fill, scene
from tests.simulator.fault_foreign import FLAWS
from tests.simulator.fault_plan import Fault
from tests.support.small_world import TICKERS, broken, resting, set_book
from tests.world import config_items

A, B, C = TICKERS
LISTS = {
    "orders": "GET /portfolio/orders",
    "fills": "GET /portfolio/fills",
    "market_positions": "GET /portfolio/positions",
    "settlements": "GET /portfolio/settlements",
    "order_groups": "GET /portfolio/order_groups",
    "balance_breakdown": "GET /portfolio/balance",
}
ORDERS = LISTS["orders"]
ROWS = [(name, flaw) for name, found in FLAWS.items() for flaw in found]


# --- 75: empty lists ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where, code", [("*", ""), (LISTS["order_groups"], "absent")], ids=["null", "groups-left-out"]
)
def test_scenario_75_a_fresh_account_whose_empty_lists_are_null_or_left_out_is_started_and_quoted(
    where: str, code: str
) -> None:
    with scene(started=False) as stage:
        stage.faults.now(Fault(kind="null-lists", where=where, code=code))
        started = stage.world.start()
        stage.world.clock.advance_ms(10_000)
        (first,) = stage.run(1)
        stage.run(2)

        assert started["status"] == "active", started
        assert (first["status"], first["placed"]) == ("completed", SLOTS)
        stage.sound()
        assert stage.world.teardown()["status"] == "closed"


@pytest.mark.parametrize("name", ["orders", "fills", "market_positions"])
def test_scenario_75_a_list_that_every_answer_must_have_is_unknown_where_it_is_left_out(name: str) -> None:
    with scene() as stage:
        answer = stage.struck(Fault(kind="null-lists", where=LISTS[name], code="absent"))
        stage.run(1)

        assert (answer["status"], answer["reason"], answer["placed"]) == ("degraded", "read_unknown", 0)
        stage.sound()


def test_scenario_75_a_null_list_while_orders_rest_is_no_evidence() -> None:
    with scene() as stage:
        stage.run(1)
        before = resting(stage.world)
        stage.faults.now(Fault(kind="null-lists", where=ORDERS, code="blank"))
        blank = stage.run(3)
        during = resting(stage.world)
        stage.faults.clear()
        stage.run(1)

        assert [(answer["placed"], answer["cancelled"]) for answer in blank] == [(0, 0)] * 3
        assert during == before
        stage.sound()


@pytest.mark.parametrize("code", ["blank", "blank absent"])
def test_scenario_75_cash_that_is_in_no_answer_is_unknown_and_takes_no_quote_off(code: str) -> None:
    with scene() as stage:
        stage.run(1)
        before = resting(stage.world)
        stage.faults.now(Fault(kind="null-lists", where=LISTS["balance_breakdown"], code=code))
        (blank,) = stage.run(1)
        during = resting(stage.world)
        stage.faults.clear()
        stage.run(1)

        assert (blank["status"], blank["reason"]) == ("degraded", "read_unknown")
        assert (blank["placed"], blank["cancelled"], during) == (0, 0, before)
        stage.sound()


# --- 76: rows of others ----------------------------------------------------------------------------------


def set_apart(stage: Scene) -> list[dict[str, object]]:
    return [fact for fact in stage.seen.facts("WARNING") if fact["what"] == "unreadable rows set apart"]


@pytest.mark.parametrize("name, flaw", ROWS)
def test_scenario_76_a_row_of_somebody_else_that_cannot_be_read_does_not_stop_the_bot(
    name: str, flaw: str
) -> None:
    with scene() as stage:
        stage.faults.now(Fault(kind="foreign-rows", where=LISTS[name], code=flaw))
        (first,) = stage.run(1)
        stage.move()
        (moved,) = stage.run(1)
        stage.sound()
        told = set_apart(stage)
        assert (first["status"], first["placed"]) == ("completed", SLOTS)
        assert (moved["status"], moved["cancelled"], moved["placed"]) == ("completed", SLOTS, SLOTS)
        assert len(told) == (0 if flaw == "limit" or name == "balance_breakdown" else 2), told
        assert stage.world.teardown()["status"] == "closed"


def test_scenario_76_rows_in_all_lists_at_once_are_counted_in_one_line_of_each_cycle() -> None:
    with scene() as stage:
        stage.faults.now(
            *(Fault(kind="foreign-rows", where=where, code="counts flag") for where in LISTS.values())
        )
        stage.run(2)
        told = set_apart(stage)

        assert [fact["rows"] for fact in told] == [5, 5]
        stage.sound()


def test_scenario_76_a_session_starts_beside_groups_of_others_that_cannot_be_read_and_says_so() -> None:
    with scene(started=False) as stage:
        stage.faults.now(Fault(kind="foreign-rows", where=LISTS["order_groups"], code="flag"))
        assert stage.world.start()["status"] == "active"
        assert {fact["lists"] for fact in set_apart(stage)} == {"order_groups 1"}


@pytest.mark.parametrize("name", ["orders"])
def test_scenario_76_a_teardown_says_which_rows_of_others_it_could_not_read(name: str) -> None:
    with scene() as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="foreign-rows", where=LISTS[name], code="counts"))
        answer = stage.world.teardown()

        assert answer["status"] == "closed"
        assert {fact["lists"] for fact in set_apart(stage)} == {f"{name} 1"}


@pytest.mark.parametrize("flaw", ["status", "client-id", "times"])
def test_scenario_76_an_order_of_somebody_else_in_a_quoted_market_counts_as_far_as_it_can_be_read(
    flaw: str,
) -> None:
    with scene(items=dict.fromkeys(TICKERS, {**config_items.MARKET, "max_position": 12})) as stage:
        stage.faults.now(Fault(kind="foreign-rows", where=ORDERS, code=f"{flaw} {A}"))
        (answer,) = stage.run(1)
        placed = {slot: sum(count for _, count in orders) for slot, orders in resting(stage.world).items()}

        assert (answer["status"], answer["placed"]) == ("completed", SLOTS)
        assert placed == {(t, s): 1_000 for t in TICKERS for s in ("bid", "ask")} | {(A, "bid"): 700}
        stage.sound()


def test_scenario_76_a_market_is_not_quoted_where_an_order_of_somebody_else_says_no_count() -> None:
    with scene() as stage:
        stage.run(1)
        stage.faults.now(Fault(kind="foreign-rows", where=ORDERS, code=f"counts {A}"))
        (answer,) = stage.run(1)
        status = stage.world.status()
        during = resting(stage.world)
        stage.faults.clear()
        stage.run(1)

        assert (answer["status"], answer["cancelled"]) == ("completed", 2)
        assert {ticker for ticker, _ in during} == {B, C}
        assert status["markets_not_quoted"] == {"read_unknown": 1}
        stage.sound()


@pytest.mark.parametrize(
    "name, flaw",
    [("fills", "order-id"), ("fills", "counts"), ("fills", "times"), ("market_positions", "counts")],
)
def test_scenario_76_a_row_that_may_be_ours_leaves_its_whole_list_unknown(name: str, flaw: str) -> None:
    with scene() as stage:
        stage.faults.now(Fault(kind="foreign-rows", where=LISTS[name], code=f"{flaw} {A}"))
        (answer,) = stage.run(1)
        stage.faults.clear()
        stage.run(1)

        assert (answer["status"], answer["reason"], answer["placed"]) == ("degraded", "read_unknown", 0)
        stage.sound()


@pytest.mark.parametrize("flaw", ["result", "counts"])
def test_scenario_76_a_settlement_of_ours_that_cannot_be_read_is_refused_by_name_and_others_are_booked(
    flaw: str,
) -> None:
    with scene() as stage:
        stage.run(1)
        for ticker in (A, B):
            fill(stage.world, ticker, "bid")
        stage.run(2)
        stage.faults.now(Fault(kind="foreign-rows", where=LISTS["settlements"], code=f"{flaw} {A}"))
        stage.world.exchange.settle(B, "yes")
        stage.run(25)
        positions = stage.world.bot.positions()
        named = [fact for fact in stage.seen.facts("ERROR") if fact["what"] == f"settlement of {A}"]

        assert positions[B].settled
        assert (positions[A].settled, positions[A].net) == (False, 1_000)
        assert len(named) == 25
        assert not broken(stage.world)


# --- ids in the answer to a create ---------------------------------------------------------------------


def test_scenario_06_order_ids_swapped_in_the_answer_to_a_create_are_put_right_by_the_rows() -> None:
    with scene() as stage:
        stage.count_cancels()
        swapped = stage.struck(Fault(kind="swap-ids", where=CREATE))
        held = {order.client_order_id: order.id for order in stage.world.member.resting.values()}
        stage.run(1)
        stage.move()
        (moved,) = stage.run(1)
        stage.run(1)
        gone = stage.seen.cancelled()

        assert swapped["placed"] == SLOTS
        assert {own["client_order_id"]: own["order_id"] for own in gone} == held
        assert (moved["cancelled"], moved["unknown"], moved["placed"]) == (SLOTS, 0, SLOTS)
        assert set(stage.cancelled.values()) == {1}
        stage.sound()


@pytest.mark.parametrize("lag_ms", [0, 90_000])
def test_scenario_06_fills_under_swapped_order_ids_count_for_the_order_that_was_filled(lag_ms: int) -> None:
    with scene() as stage:
        stage.struck(Fault(kind="swap-ids", where=CREATE))
        fill(stage.world, A, "bid", 400)
        fill(stage.world, B, "ask", 700)
        for ticker in (A, B):
            set_book(stage.world, ticker)
        if lag_ms:
            stage.faults.now(Fault(kind="lag", where="orders", amount=lag_ms))
        stage.run(3)
        stage.faults.clear()
        stage.run(3)

        nets = {ticker: position.net for ticker, position in stage.world.bot.positions().items()}
        assert (nets[A], nets[B]) == (400, -700)
        assert stage.world.status()["contracts_matched"] == "11.00"
        assert not stage.seen.facts("POSITION_DRIFT")
        stage.sound()


def test_scenario_06_a_filled_order_whose_create_named_an_id_that_nobody_has_is_found_by_its_client_id() -> (
    None
):
    with scene() as stage:
        stage.run(1)
        fill(stage.world, A, "bid")
        set_book(stage.world, A)
        lone = stage.struck(Fault(kind="swap-ids", where=CREATE))
        fill(stage.world, A, "bid")
        set_book(stage.world, A)
        stage.run(9)
        resolved = [fact["state"] for fact in stage.seen.facts("ORDER_RESOLVED") if fact["was"] == "missing"]

        assert lone["placed"] == 1
        assert resolved == ["closed"]
        assert stage.world.status()["contracts_matched"] == "20.00"
        stage.sound()
