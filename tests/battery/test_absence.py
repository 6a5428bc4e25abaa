"""An order that no list shows is not gone: blank, frozen and misdated lists, and a stamp that stands still.

What became of a create that was never answered is settled by a row of it, or by a probe of its id.
"""

from dataclasses import replace

import pytest

from tests.battery.scene import (
    CANCEL,
    CLIENT_IDS,
    CREATE,
    HOLD_CYCLES,
    IDLE_STAMP,
    SLOTS,
    UNKNOWNS,
    fill,
    scene,
    unlike,
)
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.small_world import TICKERS, broken, set_book
from tests.world import config_items
from tests.world.outside_calls import Killed

A, B, C = TICKERS
ONE_FILL = {**config_items.MARKET, "max_position": 10}
LISTS = "GET /portfolio/orders"
PROBE = "POST /portfolio/events/orders"


@pytest.mark.parametrize("knobs", CLIENT_IDS, ids=unlike)
@pytest.mark.parametrize("trouble", ["no-ids", "lose-answer"])
def test_scenario_18_blank_lists_do_not_prove_that_an_unanswered_create_is_not_there(
    knobs: Knobs, trouble: str
) -> None:
    with scene(knobs) as stage:
        stage.struck(Fault(kind=trouble, where=CREATE))
        stage.world.clock.advance_ms(120_000)
        stage.struck(Fault(kind="blank", where=LISTS))
        assert stage.world.exchange.stats.orders == SLOTS

        stage.run(HOLD_CYCLES)
        stage.sound()


def test_scenario_18_a_list_that_lacks_orders_which_rest_is_reported() -> None:
    with scene() as stage:
        stage.run(1)
        stage.struck(Fault(kind="blank", where=LISTS))

        (alarm,) = [f for f in stage.seen.facts("ERROR") if f["what"] == "list of resting orders"]
        assert len(alarm["orders"].split("; ")) == SLOTS
        stage.run(1)
        stage.sound()


@pytest.mark.parametrize("knobs", CLIENT_IDS, ids=unlike)
@pytest.mark.parametrize("ahead_ms", [150_000, 600_000])
def test_scenario_15_frozen_reads_under_a_stamp_that_runs_ahead_do_not_prove_absence(
    knobs: Knobs, ahead_ms: int
) -> None:
    with scene(knobs) as stage:
        stage.faults.now(
            Fault(kind="lose-answer", where=CREATE, for_ms=60_000),
            Fault(kind="freeze-reads", for_ms=300_000),
            Fault(kind="stamp-ahead", for_ms=300_000, amount=ahead_ms),
        )
        stage.run(5)
        assert stage.world.exchange.stats.orders == SLOTS

        stage.faults.clear()
        stage.run(HOLD_CYCLES)
        stage.sound()


@pytest.mark.parametrize("kind", ["lose-request", "refuse"])
def test_scenario_02_a_create_that_was_not_applied_is_placed_again_though_the_stamp_is_idle(
    kind: str,
) -> None:
    with scene(IDLE_STAMP) as stage:
        stage.struck(Fault(kind=kind, where=CREATE))
        stage.run(HOLD_CYCLES)

        assert stage.world.exchange.stats.orders == SLOTS
        stage.sound()


@pytest.mark.parametrize("kind", ["lose-request", "refuse"])
def test_scenario_11_a_cancel_that_was_not_applied_is_sent_again_though_the_stamp_is_idle(kind: str) -> None:
    with scene(IDLE_STAMP) as stage:
        stage.run(1)
        stage.move()
        stage.struck(Fault(kind=kind, where=CANCEL))
        stage.run(HOLD_CYCLES)

        assert all(order.price_e4 > 4400 for order in stage.world.member.resting.values())
        stage.sound()


@pytest.mark.parametrize("knobs", CLIENT_IDS, ids=unlike)
@pytest.mark.parametrize("trouble", ["lose-request", "lose-answer", "refuse"])
def test_scenario_02_a_probe_whose_own_fate_is_unknown_doubles_nothing_and_freezes_nothing_for_good(
    knobs: Knobs, trouble: str
) -> None:
    with scene(knobs) as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.run(1)
        stage.struck(Fault(kind=trouble, where=PROBE))
        assert not stage.world.member.resting

        stage.run(HOLD_CYCLES)
        stage.sound()


def test_scenario_02_no_probe_is_sent_while_the_bot_is_halted() -> None:
    with scene() as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.world.session("session_halt")
        stage.run(HOLD_CYCLES)
        assert PROBE not in stage.world.exchange.stats.calls

        stage.world.session("session_resume")
        stage.run(2)
        stage.sound()


def test_scenario_02_probes_that_are_answered_slowly_do_not_take_the_time_of_the_cycle() -> None:
    with scene() as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.run(1)
        stage.struck(Fault(kind="slow", where=PROBE, amount=4_000))

        assert stage.world.exchange.stats.calls[PROBE] == 2
        stage.run(HOLD_CYCLES)
        stage.sound()


def test_scenario_02_a_429_to_a_probe_ends_the_probes_and_everybody_who_uses_the_key_backs_off() -> None:
    with scene() as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.run(1)
        refused = Fault(kind="refuse", where=PROBE, amount=429)
        stage.struck(refused)

        assert stage.faults.struck["refuse"] == 1
        assert {told["endpoint"] for told in stage.seen.facts("RATE_LIMIT")} == {"probe_id"}
        stage.run(HOLD_CYCLES)
        stage.sound()


# --- id probes: what a grant is worth, when one is asked for, and when not --------------------------------

FREED = Knobs(client_id_scope="open_only")
"""Ids of finished orders are free again: a probe is granted although the create came."""
VERY_LATE_MS = 300_000


def late(lag_ms: int = VERY_LATE_MS, **changes: int) -> Knobs:
    """Every read of orders, fills and positions is so old."""
    lags = dict.fromkeys(("orders_lag_ms", "fills_lag_ms", "positions_lag_ms"), lag_ms)
    return replace(FREED, **lags, **changes)


@pytest.mark.parametrize("ahead_ms", [0, 60_000, 600_000])
def test_scenario_69_a_probe_that_is_later_than_the_reads_is_no_reason_to_place(ahead_ms: int) -> None:
    """Applied unheard, filled, its id free again, and none of it in the reads when the probe is granted."""
    with scene(late(user_data_timestamp_offset_ms=ahead_ms), items={A: ONE_FILL}) as stage:
        stage.struck(Fault(kind="lose-answer", where=CREATE))
        fill(stage.world, A, "bid")
        fill(stage.world, A, "ask")
        set_book(stage.world, A)
        stage.run(4)
        granted = stage.world.exchange.stats.calls[PROBE]
        placed_blind = [order for order in stage.world.member.orders if order.post_only]
        stage.run(6)

        assert granted == 2
        assert len(placed_blind) == 2
        assert {fact["evidence"] for fact in stage.seen.facts("ORDER_RESOLVED")} == {"row says executed"}
        assert not broken(stage.world), broken(stage.world)


@pytest.mark.parametrize("ahead_ms", [0, 600_000])
def test_scenario_69_a_create_that_never_came_is_placed_again_once_late_reads_show_its_probe(
    ahead_ms: int,
) -> None:
    with scene(late(120_000, user_data_timestamp_offset_ms=ahead_ms)) as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.run(6)

        assert stage.world.exchange.stats.calls[PROBE] == SLOTS
        stage.sound()


def test_scenario_69_a_create_that_a_list_shows_beside_its_probe_is_what_counts() -> None:
    """Reads that were behind catch up at once: the probe's row is the later one of that id."""
    with scene(late(), items={A: ONE_FILL}) as stage:
        stage.struck(Fault(kind="lose-answer", where=CREATE))
        stage.world.exchange.set_background_book(A, [], [])
        for side in ("bid", "ask"):
            (order,) = stage.world.resting(A, side)
            taker = "ask" if side == "bid" else "bid"
            stage.world.exchange.background_take(A, taker, order.price_e4, order.remaining_e2)
        stage.run(3)
        stage.world.exchange.knobs = FREED
        stage.run(1)

        assert stage.world.exchange.stats.calls[PROBE] == 2
        assert {fact["evidence"] for fact in stage.seen.facts("ORDER_RESOLVED")} == {"row says executed"}
        assert not broken(stage.world), broken(stage.world)


def test_scenario_02_where_the_stamp_never_moves_a_slot_waits_for_its_orders_own_expiry() -> None:
    short_lived = {**config_items.GLOBAL, "order_life_s": 600}
    with scene(Knobs(user_data_timestamp_offset_ms=-3_600_000), globals=short_lived) as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.run(9)
        waiting = stage.world.exchange.stats.calls[PROBE], stage.slots()
        stage.run(3)

        assert waiting == (SLOTS, 0)
        assert {fact["evidence"] for fact in stage.seen.facts("ORDER_RESOLVED")} == {
            "never answered, and expired"
        }
        stage.sound()


def test_scenario_02_one_list_of_every_status_settles_a_create_before_its_hold_is_over() -> None:
    with scene() as stage:
        stage.struck(Fault(kind="lose-answer", where=CREATE))
        fill(stage.world, A, "bid")
        set_book(stage.world, A)
        stage.run(1)
        settled = {fact["evidence"] for fact in stage.seen.facts("ORDER_RESOLVED")}

        assert settled == {"resting row", "row says executed"}
        assert PROBE not in stage.world.exchange.stats.calls
        stage.run(1)
        stage.sound()


@pytest.mark.parametrize(("bid_e4", "ask_e4"), [(100, 200), (9_800, 9_900)])
def test_scenario_02_no_probe_is_sent_where_it_might_trade(bid_e4: int, ask_e4: int) -> None:
    """The opposite best is within one tick of the outermost price: only the other side is probed."""
    with scene(items={A: config_items.MARKET}) as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        set_book(stage.world, A, bid_e4, ask_e4)
        stage.run(HOLD_CYCLES)
        probed = stage.world.exchange.stats.calls[PROBE]

        assert probed == 1
        assert not stage.world.member.fills
        set_book(stage.world, A)
        stage.run(HOLD_CYCLES)
        assert stage.world.exchange.stats.calls[PROBE] == 2
        stage.slots()


def test_scenario_07_an_id_that_is_taken_freezes_its_slot_until_a_row_shows_the_order() -> None:
    with scene() as stage:
        stage.struck(Fault(kind="lose-answer", where=CREATE))
        stage.faults.now(Fault(kind="blank", where=LISTS))
        stage.run(HOLD_CYCLES + 4)
        asked, orders = stage.world.exchange.stats.calls[PROBE], stage.world.exchange.stats.orders

        assert (asked, orders) == (SLOTS, SLOTS)
        stage.faults.clear()
        stage.run(2)
        assert {fact["evidence"] for fact in stage.seen.facts("ORDER_RESOLVED")} == {"resting row"}
        stage.sound()


@pytest.mark.parametrize("knobs", CLIENT_IDS, ids=unlike)
def test_scenario_21_a_teardown_without_groups_waits_until_no_unanswered_create_can_land(
    knobs: Knobs,
) -> None:
    """Its rounds are seconds apart: a probe before the hold is over would be followed by the create."""
    ungrouped = {**config_items.GLOBAL, "use_order_groups": False}
    with scene(knobs, globals=ungrouped) as stage:
        stage.world.exchange.invariants.expectations.groups = None
        stage.faults.now(Fault(kind="hold", where=CREATE, amount=55_000))
        assert stage.world.cycle()["unknown"] == SLOTS
        stage.faults.clear()
        answers = [stage.world.teardown() for _ in range(3)]
        stage.world.clock.advance_ms(60_000)

        assert answers[-1]["status"] == "closed", answers
        assert len(stage.faults.script.landed) == 1
        assert not stage.world.member.resting
        assert not broken(stage.world), broken(stage.world)


@pytest.mark.parametrize("knobs", CLIENT_IDS, ids=unlike)
def test_scenario_20_a_cycle_that_dies_with_its_first_probe_doubles_nothing(knobs: Knobs) -> None:
    with scene(knobs) as stage:
        stage.struck(Fault(kind="lose-request", where=CREATE))
        stage.run(1)
        stage.meanwhile(PROBE, stage.faults.calls.die)
        with pytest.raises(Killed):
            stage.world.cycle()
        stage.run(HOLD_CYCLES)

        assert stage.world.exchange.stats.calls[PROBE] == SLOTS
        stage.sound()


LATE_MS = 90_000
"""Longer than the hold of an unanswered create."""


@pytest.mark.parametrize("knobs", UNKNOWNS, ids=unlike)
def test_scenario_14_reads_later_than_the_hold_double_nothing_whatever_the_exchange_answers(
    knobs: Knobs,
) -> None:
    late = [
        Fault(kind="lag", where=name, amount=LATE_MS) for name in ("orders", "fills", "positions", "balance")
    ]
    with scene(knobs) as stage:
        stage.world.clock.advance_ms(LATE_MS)
        stage.faults.now(
            *late,
            Fault(kind="late-groups"),
            Fault(kind="part-batch", where=CREATE, for_ms=60_000, times=1),
            Fault(kind="lose-answer", where=CANCEL, at_ms=240_000, for_ms=240_000, times=1),
            seed=7,
        )
        stage.run(1)
        part = stage.slots()
        for minute in range(8):
            if minute == 2:
                stage.move()
            stage.run(1)
            stage.slots()
        stage.faults.clear()
        stage.run(HOLD_CYCLES)

        assert 0 < part < SLOTS
        assert stage.faults.struck["part-batch"] == stage.faults.struck["lose-answer"] == 1
        stage.sound()
