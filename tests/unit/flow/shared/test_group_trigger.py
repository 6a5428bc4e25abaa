"""Triggers of order groups: at the pace of the account's tier, and again until every group has answered."""

import pytest

from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.support.teardown_stage import GROUPS, TRIGGER, armed, many_groups, refused, stage
from tests.world import config_items

MINUTE_MS = 60_000
USED_UP = {**config_items.GLOBAL, "session_contract_limit": 5}


def test_thirty_groups_are_triggered_within_the_write_budget_by_a_teardown() -> None:
    with many_groups() as scene:
        began_ms = scene.world.clock.now_ms()
        assert scene.world.teardown()["status"] == "closed"

        assert (armed(scene), refused(scene)) == (0, 0)
        assert scene.world.clock.now_ms() - began_ms < 25_000


def test_thirty_groups_are_triggered_within_the_write_budget_by_the_watch() -> None:
    with many_groups() as scene:
        scene.world.clock.advance_ms(4 * MINUTE_MS)
        answer = scene.world.session("session_watch")

        assert (answer["status"], answer["untriggered"]) == ("triggered", [])
        assert (armed(scene), refused(scene)) == (0, 0)


def test_thirty_groups_are_triggered_within_the_write_budget_by_the_cycle_that_latches() -> None:
    with many_groups() as scene:
        scene.world.cycle()
        tripped, *_ = scene.world.member.groups.values()
        scene.world.exchange.groups.trip(scene.world.member, tripped)
        scene.world.clock.advance_ms(MINUTE_MS)
        scene.world.cycle()

        assert scene.world.status()["status"] == "limit_reached"
        assert (armed(scene), refused(scene)) == (0, 0)


def test_thirty_groups_are_reset_within_the_write_budget() -> None:
    with many_groups() as scene:
        scene.world.clock.advance_ms(4 * MINUTE_MS)
        scene.world.session("session_watch")
        scene.world.clock.advance_ms(MINUTE_MS)

        assert scene.world.session("session_reset")["status"] == "active"
        assert (armed(scene), refused(scene)) == (GROUPS, 0)


def test_a_group_whose_trigger_was_lost_by_the_watch_is_triggered_by_its_next_run() -> None:
    with many_groups() as scene:
        scene.world.clock.advance_ms(4 * MINUTE_MS)
        scene.faults.now(Fault(kind="lose-request", where=TRIGGER))
        first = scene.world.session("session_watch")
        listed = scene.world.status()["untriggered"]
        scene.faults.clear()
        scene.world.clock.advance_ms(MINUTE_MS)
        second = scene.world.session("session_watch")

        assert first["untriggered"] == listed
        assert len(listed) == GROUPS
        assert (second["status"], second["untriggered"], armed(scene)) == ("triggered", [], 0)
        assert scene.world.status()["untriggered"] == []
        assert scene.world.session("session_watch")["status"] == "idle"


def test_a_group_whose_trigger_was_lost_by_the_latch_is_triggered_by_the_next_cycle() -> None:
    with many_groups() as scene:
        scene.world.cycle()
        tripped, *_ = scene.world.member.groups.values()
        scene.world.exchange.groups.trip(scene.world.member, tripped)
        scene.world.clock.advance_ms(MINUTE_MS)
        scene.faults.now(Fault(kind="lose-request", where=TRIGGER))
        scene.world.cycle()
        unheard = scene.world.status()["untriggered"]
        scene.faults.clear()
        scene.world.cycle()

        assert len(unheard) >= GROUPS - 1
        assert (armed(scene), scene.world.status()["untriggered"]) == (0, [])


def test_a_group_that_a_teardown_could_not_trigger_is_triggered_by_the_next_cycle() -> None:
    """The watch may be off: the cycle goes on with the fence of a session that is being closed."""
    with many_groups() as scene:
        scene.world.cycle()
        scene.faults.now(Fault(kind="refuse", where=TRIGGER))
        closing = scene.world.teardown()
        scene.faults.clear()
        scene.world.cycle()

        assert len(closing["untriggered"]) == GROUPS
        assert armed(scene) == 0


def test_a_closed_session_whose_record_says_a_group_is_armed_has_it_triggered() -> None:
    """A reset beside the teardown may have armed it again and then died."""
    with many_groups() as scene:
        assert scene.world.teardown()["status"] == "closed"
        (partition,) = (part for part in scene.cloud.partitions.values() if part.state.session)
        session = partition.state.session
        first, *others = session.order_groups
        scene.world.exchange.groups.reset(scene.world.member, scene.world.member.groups[first.group_id])
        groups = (first._replace(tripped=False), *others)
        partition.state = partition.state._replace(session=session._replace(order_groups=groups))
        scene.world.session("session_watch")

        assert armed(scene) == 0


@pytest.mark.parametrize("code", ["not_found", "order_group_not_found", "ORDER_GROUP_NOT_FOUND"])
def test_a_group_that_is_gone_is_not_triggered_for_ever_however_the_exchange_spells_that(code: str) -> None:
    with stage(knobs=Knobs(unknown_group_code=code)) as scene:
        scene.world.cycle()
        deleted, *_ = scene.world.member.groups.values()
        scene.world.exchange.groups.delete(scene.world.member, deleted)
        scene.world.clock.advance_ms(4 * MINUTE_MS)
        silent = scene.world.session("session_watch")

        assert (silent["status"], silent["untriggered"]) == ("triggered", [])
        assert scene.world.teardown()["status"] == "closed"
