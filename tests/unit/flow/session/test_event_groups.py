"""A session whose events have order groups of their own is stopped whole, whoever stops it."""

from tests.simulator.fault_plan import Fault
from tests.support.event_group_stage import event_groups, recorded_as_triggered, store
from tests.support.small_world import broken, resting
from tests.support.teardown_stage import TRIGGER, A, Stage, armed, refused, stage
from tests.world.memory_cloud import Outages

BASIC_GROUPS = 197
"""Beside the session's own three: as many as the smallest account can trigger in 20 s."""
SILENT_MS, DAY_MS = 240_000, 86_400_000
READ = frozenset({"state.readable_event_groups"})


def order_in(scene: Stage, group_id: str) -> None:
    """An order of ours that rests in that group."""
    exchange, member = scene.world.exchange, scene.world.member
    exchange.invariants.expectations.groups = None
    name = f"{exchange.invariants.expectations.prefix}late"
    exchange.member_order(member, A, "bid", 3_000, 100, client_order_id=name, group_id=group_id)


def test_a_teardown_triggers_two_hundred_groups_within_a_minute_on_the_smallest_account() -> None:
    with stage(tier="basic") as scene:
        groups = event_groups(scene, BASIC_GROUPS)
        order_in(scene, groups[0].id)

        answer, took_ms = scene.torn_down()

        assert answer["status"] == "closed"
        assert took_ms <= 60_000
        assert (armed(scene), refused(scene)) == (0, 0)
        assert not resting(scene.world)
        assert scene.world.exchange.stats.cancels_404 == 0
        assert recorded_as_triggered(scene) == BASIC_GROUPS
        assert not broken(scene.world)


def test_a_watch_takes_a_silent_session_off_its_events_too_and_does_not_repeat_it() -> None:
    with stage() as scene:
        event_groups(scene, 3)
        scene.world.clock.advance_ms(SILENT_MS)

        first, again = (scene.world.session("session_watch") for _ in range(2))

        assert (first["status"], first["untriggered"], again["status"]) == ("triggered", [], "idle")
        assert armed(scene) == 0
        assert recorded_as_triggered(scene) == 3


def test_a_group_whose_trigger_was_not_answered_is_triggered_by_the_next_watch() -> None:
    with stage() as scene:
        event_groups(scene, 3)
        scene.world.clock.advance_ms(SILENT_MS)
        scene.faults.now(Fault(kind="lose-request", where=TRIGGER))
        left = scene.world.session("session_watch")["untriggered"]
        scene.faults.clear()
        scene.world.clock.advance_ms(60_000)

        assert len(left) == 6
        assert scene.world.session("session_watch")["untriggered"] == []
        assert armed(scene) == 0
        assert recorded_as_triggered(scene) == 3


def test_a_trigger_that_could_not_be_recorded_is_repeated() -> None:
    with stage() as scene:
        event_groups(scene, 3)
        scene.world.clock.advance_ms(SILENT_MS)
        scene.cloud.faults = Outages(1, requests=1.0, only=frozenset({"state.save_event_group"}))
        left = scene.world.session("session_watch")["untriggered"]
        scene.cloud.faults = Outages(1)

        assert (len(left), armed(scene)) == (3, 0)
        assert scene.world.session("session_watch")["untriggered"] == []
        assert recorded_as_triggered(scene) == 3


def test_while_the_groups_cannot_be_read_all_is_taken_off_but_nothing_is_proven() -> None:
    with stage() as scene:
        groups = event_groups(scene, 2)
        order_in(scene, groups[0].id)
        scene.cloud.faults = Outages(1, requests=1.0, only=READ)
        blind, _ = scene.torn_down()
        scene.cloud.faults = Outages(1)

        assert (blind["status"], armed(scene)) == ("closing", 2)
        assert not resting(scene.world)
        assert scene.torn_down()[0]["status"] == "closed"
        assert armed(scene) == 0


def test_a_watch_that_cannot_read_the_groups_says_so_and_the_next_one_triggers_them() -> None:
    with stage() as scene:
        event_groups(scene, 2)
        scene.world.clock.advance_ms(SILENT_MS)
        scene.cloud.faults = Outages(1, requests=1.0, only=READ)
        first, again = (scene.world.session("session_watch") for _ in range(2))
        scene.cloud.faults = Outages(1)

        assert [(one["status"], one["untriggered"]) for one in (first, again)] == [
            ("triggered", None),
            ("unknown", None),
        ]
        assert armed(scene) == 2
        assert scene.world.session("session_watch")["untriggered"] == []
        assert armed(scene) == 0


def test_a_status_that_cannot_read_the_groups_calls_them_unknown() -> None:
    with stage() as scene:
        event_groups(scene, 2)
        known = scene.world.status()
        scene.cloud.faults = Outages(1, requests=1.0, only=frozenset({"state.event_groups"}))
        unread = scene.world.status()

        assert (known["event_groups"], known["untriggered"]) == (2, [])
        assert (unread["event_groups"], unread["untriggered"]) == (None, None)


def test_a_group_that_the_exchange_does_not_know_is_forgotten_and_holds_nobody_up() -> None:
    with stage() as scene:
        (group,) = event_groups(scene, 1)
        scene.world.exchange.groups.delete(scene.world.member, group)

        assert scene.torn_down()[0]["status"] == "closed"
        assert [own.group_id for own in store(scene).event_groups()] == [""]


def test_a_reset_leaves_the_groups_of_events_triggered_for_the_cycle_to_arm_one_by_one() -> None:
    with stage() as scene:
        groups = event_groups(scene, 2)
        scene.world.clock.advance_ms(SILENT_MS)
        scene.world.session("session_watch")

        assert scene.world.session("session_reset")["status"] == "active"
        assert all(group.tripped for group in groups)


def test_groups_of_a_former_session_are_deleted_a_day_later_and_then_forgotten() -> None:
    with stage() as scene:
        groups = event_groups(scene, 2)
        scene.torn_down()
        scene.world.start()
        assert not any(group.deleted for group in groups)

        scene.world.clock.advance_ms(DAY_MS)
        scene.world.start()
        assert all(group.deleted for group in groups)
        scene.world.start()
        assert store(scene).event_groups() == ()


def test_where_no_event_ever_had_a_group_nobody_asks_for_them() -> None:
    with stage() as scene:
        scene.world.clock.advance_ms(SILENT_MS)
        scene.world.session("session_watch")
        scene.torn_down()

        assert scene.cloud.calls["state.readable_event_groups"] == 0
