"""The end of a session: what proves that nothing rests, what keeps it open, and how long it takes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dora.core.orders.journal import Journal, OrderState
from dora.core.orders.requests import IdProbe
from tests.simulator.fault_plan import Fault
from tests.support.small_world import broken
from tests.support.teardown_stage import (
    BASIC_CREATES_A_CYCLE,
    CANCEL,
    CREATE,
    LISTS,
    ONE_ORDER,
    TRIGGER,
    UNGROUPED,
    Stage,
    many_orders,
    refused,
    stage,
    ungrouped,
)

# --- what proves zero ----------------------------------------------------------------------------------


def test_blank_lists_do_not_close_a_session_without_groups_whose_orders_rest() -> None:
    with ungrouped() as scene:
        scene.world.cycle()
        scene.faults.now(Fault(kind="blank", where=LISTS), Fault(kind="lose-request", where=CANCEL))
        answer, _ = scene.torn_down()

        assert (answer["status"], answer["unproven"]) == ("closing", 6)
        assert scene.world.open_orders() == 6
        scene.faults.clear()
        assert scene.torn_down()[0]["status"] == "closed"
        assert scene.world.open_orders() == 0


def test_orders_that_blank_lists_hide_are_found_by_their_own_rows_and_cancelled() -> None:
    with ungrouped() as scene:
        scene.world.cycle()
        scene.faults.now(Fault(kind="blank", where=LISTS))
        answer, _ = scene.torn_down()

        assert (answer["status"], scene.world.open_orders()) == ("closed", 0)
        assert scene.world.exchange.stats.cancels_404 == 0
        assert not broken(scene.world)


def test_orders_of_a_session_before_that_are_still_open_are_settled_by_their_own_rows() -> None:
    """Their groups are none of this session's, so no trigger of its own proves them gone."""
    with stage() as scene:
        scene.world.cycle()
        (partition,) = (part for part in scene.cloud.partitions.values() if part.state.session)
        partition.state = partition.state._replace(session=partition.state.session._replace(order_groups=()))
        scene.faults.now(Fault(kind="blank", where=LISTS))
        answer, _ = scene.torn_down()

        assert (answer["status"], scene.world.open_orders()) == ("closed", 0)


def test_orders_of_a_group_that_somebody_deleted_are_settled_by_their_own_rows() -> None:
    with stage() as scene:
        scene.world.cycle()
        deleted, *_ = scene.world.member.groups.values()
        scene.world.exchange.groups.delete(scene.world.member, deleted)
        before = scene.world.exchange.stats.calls[ONE_ORDER]
        answer, _ = scene.torn_down()

        assert (answer["status"], scene.world.open_orders()) == ("closed", 0)
        assert scene.world.exchange.stats.calls[ONE_ORDER] == before + 2


def test_triggered_groups_need_no_read_of_single_orders() -> None:
    with stage() as scene:
        scene.world.cycle()
        before = scene.world.exchange.stats.calls[ONE_ORDER]
        answer, _ = scene.torn_down()

        assert answer["status"] == "closed"
        assert scene.world.exchange.stats.calls[ONE_ORDER] == before


@pytest.mark.parametrize("kind", ["lose-answer", "lose-request"])
def test_a_create_without_a_group_that_was_never_answered_is_settled_by_the_engine_before_closed(
    kind: str,
) -> None:
    with ungrouped() as scene:
        scene.faults.now(Fault(kind=kind, where=CREATE))
        scene.world.cycle()
        scene.faults.now(Fault(kind="blank", where=LISTS))
        first, _ = scene.torn_down()
        while_blank = scene.world.open_orders()
        scene.faults.clear()
        last = scene.torn_down()[0]

        assert first["status"] == "closing" or while_blank == 0
        assert (last["status"], scene.world.open_orders()) == ("closed", 0)
        assert scene.world.status()["unproven_orders"] == 0


def test_grants_of_probes_are_kept_though_the_fills_cannot_be_read_after_them() -> None:
    """A probe spends its id: asked once more, the engine says taken for ever."""
    with ungrouped() as scene:
        scene.faults.now(Fault(kind="lose-request", where=CREATE))
        scene.world.cycle()
        scene.world.clock.advance_ms(120_000)
        scene.faults.now(Fault(kind="refuse", where="GET /portfolio/fills"))
        assert scene.torn_down()[0]["status"] == "closing"
        (partition,) = (part for part in scene.cloud.partitions.values() if part.state.session)

        probes = {order.probe for order in partition.state.journal.orders.values()}
        assert probes == {IdProbe.GRANTED}


def test_a_late_create_without_a_group_keeps_the_session_closing_until_its_hold_is_over() -> None:
    with ungrouped() as scene:
        scene.faults.now(Fault(kind="hold", where=CREATE, amount=55_000))
        scene.world.cycle()
        assert not scene.faults.script.landed
        answer, _ = scene.torn_down()

        assert len(scene.faults.script.landed) == 1
        assert (answer["status"], scene.world.open_orders()) == ("closed", 0)
        assert not broken(scene.world)


@pytest.mark.parametrize("kind", ["lose-answer", "lose-request"])
def test_250_unanswered_creates_outside_groups_are_settled_within_one_teardown(kind: str) -> None:
    """Nor are their cancels answered, so each one's own row must say that it ended."""
    with many_orders(250, tier="prime", globals={**UNGROUPED, "create_batch_size": 250}) as scene:
        scene.world.exchange.invariants.expectations.groups = None
        scene.faults.now(Fault(kind=kind, where=CREATE))
        scene.world.cycle()
        assert scene.world.status()["unproven_orders"] == 250
        scene.faults.now(Fault(kind="lose-answer", where=CANCEL))
        answer, _ = scene.torn_down()

        assert (answer["status"], scene.world.open_orders()) == ("closed", 0)
        assert refused(scene) == 0, scene.world.exchange.stats.too_many_requests


def test_a_filled_order_that_is_missing_under_an_id_that_nobody_has_does_not_keep_a_session_open() -> None:
    with ungrouped() as scene:
        scene.world.cycle()
        name, order = next(iter(scene.world.member.resting.items()))
        (partition,) = (part for part in scene.cloud.partitions.values() if part.state.session)
        journal = partition.state.journal
        known = journal.orders[order.client_order_id]
        missing = known._replace(state=OrderState.NOT_FOUND, order_id="nobody's")
        partition.state = partition.state._replace(journal=journal.with_orders([missing]))
        taker, count_e2 = "ask" if order.side == "bid" else "bid", order.remaining_e2
        scene.world.exchange.set_background_book(order.market.ticker, [], [])
        scene.world.exchange.background_take(order.market.ticker, taker, order.price_e4, count_e2)
        scene.world.clock.advance_ms(200_000)
        answer, _ = scene.torn_down()

        assert name not in scene.world.member.resting
        assert answer["status"] == "closed"


def test_orders_in_no_journal_whose_cancels_were_unanswered_are_each_looked_at_before_closed() -> None:
    with many_orders(250, tier="prime", globals=UNGROUPED) as scene:
        scene.world.exchange.invariants.expectations.groups = None
        scene.world.cycle()
        assert scene.world.open_orders() == 250
        scene.lose_state()
        scene.faults.now(Fault(kind="lose-answer", where=CANCEL))
        answer, _ = scene.torn_down()

        assert (answer["status"], scene.world.open_orders()) == ("closed", 0)
        assert scene.world.exchange.stats.calls[ONE_ORDER] == 250


def test_400_single_order_reads_and_100_lists_of_a_teardown_stay_within_the_read_budget() -> None:
    """In each market four orders are known by id, the create of one was never answered; lists are blank."""
    with many_orders(1_000, tier="basic") as scene:
        for _ in range(6):
            scene.world.cycle()
        scene.world.clock.advance_ms(10_000)
        (partition,) = (part for part in scene.cloud.partitions.values() if part.state.session)
        orders = sorted(partition.state.journal.orders.values(), key=lambda order: order.slot)
        known = [order for number, order in enumerate(orders) if number % 10 < 4]
        unknown = [
            order._replace(state=OrderState.PENDING_NEW, order_id=None)
            for number, order in enumerate(orders)
            if number % 10 == 4
        ]
        session = partition.state.session._replace(order_groups=())
        journal = Journal().with_orders([*known, *unknown])
        partition.state = partition.state._replace(session=session, journal=journal)
        scene.faults.now(Fault(kind="blank", where=LISTS))
        scene.torn_down()

        assert scene.world.exchange.stats.calls[ONE_ORDER] >= 400
        assert refused(scene) == 0, scene.world.exchange.stats.too_many_requests


# --- a state that is lost ------------------------------------------------------------------------------


def test_a_bot_that_lost_its_state_is_torn_down_by_the_prefix_of_its_orders() -> None:
    with stage() as scene:
        scene.world.cycle()
        external = scene.place_of_another_bot(group=True)
        scene.place_of_another_bot(group=False)
        scene.lose_state()
        answer, _ = scene.torn_down()
        left = {order.client_order_id for order in scene.world.member.resting.values()}
        groups = scene.world.member.groups

        assert answer["status"] == "closed"
        assert "no record of a session" in answer["reason"]
        assert left == {"another-True", "another-False"}
        assert [group_id for group_id, group in groups.items() if not group.tripped] == [external]
        assert scene.torn_down()[0]["status"] == "closed"


def test_orders_of_a_lost_session_without_groups_are_cancelled_by_batch() -> None:
    with ungrouped() as scene:
        scene.world.cycle()
        scene.place_of_another_bot(group=False)
        scene.lose_state()
        answer, _ = scene.torn_down()

        assert answer["status"] == "closed"
        assert len(scene.world.member.resting) == 1


def test_a_lost_session_that_cannot_be_closed_yet_is_closed_by_the_watch() -> None:
    with stage() as scene:
        scene.world.cycle()
        scene.lose_state()
        scene.faults.now(Fault(kind="refuse", where=TRIGGER))
        first, _ = scene.torn_down()
        scene.faults.clear()

        assert first["status"] == "closing"
        assert scene.world.session("session_watch")["status"] == "closed"
        assert scene.world.open_orders() == 0


def test_without_a_record_and_without_orders_there_is_nothing_to_tear_down() -> None:
    with stage() as scene:
        scene.lose_state()
        external = scene.place_of_another_bot(group=True)
        answer, _ = scene.torn_down()

        assert answer["status"] == "none"
        assert not scene.world.member.groups[external].tripped


def test_a_lost_session_whose_orders_cannot_be_listed_is_a_failure_not_nothing() -> None:
    with stage() as scene:
        scene.world.cycle()
        scene.lose_state()
        scene.faults.now(Fault(kind="refuse", where=LISTS))

        assert scene.torn_down()[0]["status"] == "failed"


# --- pauses --------------------------------------------------------------------------------------------


def test_a_trading_pause_does_not_keep_a_session_from_closing() -> None:
    with ungrouped() as scene:
        scene.world.cycle()
        for order in scene.world.member.resting.values():
            order.cancel_on_pause = False
        scene.world.exchange.pause_trading()

        assert scene.torn_down()[0]["status"] == "closed"
        assert scene.world.open_orders() == 0


def test_an_exchange_pause_is_said_with_what_rests_on_each_shard_and_the_watch_goes_on() -> None:
    with ungrouped() as scene:
        scene.world.cycle()
        for order in scene.world.member.resting.values():
            order.cancel_on_pause = False
        scene.world.exchange.pause_exchange(1)
        answer, _ = scene.torn_down()
        scene.world.exchange.resume(1)

        assert (answer["status"], answer["reason"]) == ("closing", "exchange paused on shard 1")
        assert answer["resting_by_shard"] == {"1": 2}
        assert len(str(answer)) < 400
        assert scene.world.session("session_watch")["status"] == "closed"
        assert scene.world.open_orders() == 0


# --- how long it takes ---------------------------------------------------------------------------------


@contextmanager
def thousand_orders() -> Iterator[Stage]:
    """A thousand quotes on three shards, placed by the bot itself at the pace of a Basic account."""
    with many_orders(1_000, tier="basic") as scene:
        for _ in range(1_000 // BASIC_CREATES_A_CYCLE + 2):
            scene.world.cycle()
        assert scene.world.open_orders() == 1_000
        yield scene


def test_a_thousand_orders_are_torn_down_within_20_s_when_triggers_work() -> None:
    with thousand_orders() as scene:
        answer, span_ms = scene.torn_down()

        assert (answer["status"], scene.world.open_orders()) == ("closed", 0)
        assert span_ms < 20_000
        assert not broken(scene.world)


def test_a_thousand_orders_are_cancelled_by_batch_within_40_s_when_every_trigger_fails() -> None:
    with thousand_orders() as scene:
        scene.faults.now(Fault(kind="lose-request", where=TRIGGER))
        emptied = list[int]()
        scene.world.exchange.venue.observers.append(
            lambda event: emptied.append(event.at_ms) if not scene.world.member.resting else None
        )
        began_ms = scene.world.clock.now_ms()
        answer, _ = scene.torn_down()

        assert (answer["status"], answer["resting"]) == ("closing", 0)
        assert emptied[0] - began_ms < 40_000
        assert not broken(scene.world)


@pytest.mark.parametrize("fails", [True, False])
def test_a_teardown_under_a_draining_write_bucket_backs_off(fails: bool) -> None:
    with stage(tier="basic") as scene:
        scene.world.cycle()
        scene.world.exchange.invariants.expectations.tolerate_429 = True
        faults = [Fault(kind="starve", where="write", at_ms=at_ms) for at_ms in range(0, 60_000, 50)]
        faults += [Fault(kind="lose-request", where=TRIGGER)] if fails else []
        scene.faults.now(*faults)
        answer, _ = scene.torn_down()

        assert sum(scene.world.exchange.stats.too_many_requests.values()) < 20
        assert scene.world.open_orders() == 0
        assert answer["status"] == ("closing" if fails else "closed")
