"""Teardown, watch and halt while something that they do not need is broken: they act first, and ask later."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from dora.core.errors import StateError, StateTooNew, StateUnavailable
from tests.battery.scene import Scene, scene
from tests.support.teardown_stage import Stage, armed, stage, ungrouped
from tests.world.memory_cloud import StoreFaults
from tests.world.setup import CONFIG_TABLE, STATE_TABLE

MINUTE_MS = 60_000
TOO_NEW = StateTooNew("JOURNAL has schema version 3, this code reads up to 2")


class Broken(StoreFaults):
    """Some requests of the store fail, all the time."""

    def __init__(self, error: StateError, *methods: str) -> None:
        self._error, self._methods = error, methods

    def before(self, method: str) -> None:
        if method in self._methods:
            raise self._error


@contextmanager
def broken_store(*methods: str, error: StateError = TOO_NEW) -> Iterator[Stage]:
    """A bot with resting quotes, whose store then fails at these requests."""
    with stage() as scene_:
        scene_.world.cycle()
        assert scene_.world.open_orders() == 6
        scene_.cloud.faults = Broken(error, *methods)
        yield scene_


# --- teardown ------------------------------------------------------------------------------------------


def test_a_teardown_whose_journal_cannot_be_read_triggers_every_group_and_says_why_it_is_closing() -> None:
    with broken_store("state.load") as own:
        answer = own.world.teardown()

        assert (armed(own), own.world.open_orders()) == (0, 0)
        assert (answer["status"], answer["untriggered"]) == ("closing", [])
        assert "schema version 3" in answer["why_unproven"]


@pytest.mark.parametrize(
    "methods",
    [
        ("configs.load",),
        ("limiter.charge", "limiter.reserve", "limiter.level", "limiter.push_back"),
        ("state.read_kill_switch",),
    ],
)
def test_a_teardown_does_not_need(methods: tuple[str, ...]) -> None:
    with broken_store(*methods, error=StateUnavailable("no answer")) as own:
        assert own.world.teardown()["status"] == "closed"
        assert (armed(own), own.world.open_orders()) == (0, 0)


@pytest.mark.parametrize("method", ["state.save_session", "lease.acquire", "lease.release", "state.commit"])
def test_a_teardown_whose_state_takes_no_writes_triggers_and_is_not_closed(method: str) -> None:
    with broken_store(method, error=StateUnavailable("no answer")) as own:
        answer = own.world.teardown()
        own.cloud.faults = StoreFaults()

        assert (armed(own), own.world.open_orders()) == (0, 0)
        assert answer["status"] in ("closing", "failed") or method == "lease.release"
        assert own.world.teardown()["status"] == "closed"


def test_a_teardown_that_reaches_no_state_at_all_takes_off_what_carries_our_prefix() -> None:
    methods = ("state.emergency_state", "state.load", "lease.acquire", "limiter.charge")
    with broken_store(*methods, error=StateUnavailable("no answer")) as own:
        assert own.world.teardown()["status"] == "failed"
        assert (armed(own), own.world.open_orders()) == (0, 0)


def test_a_teardown_without_groups_cancels_though_the_session_cannot_be_saved() -> None:
    with ungrouped() as own:
        own.world.cycle()
        own.cloud.faults = Broken(StateUnavailable("no answer"), "state.save_session")

        assert own.world.teardown()["status"] == "failed"
        assert own.world.open_orders() == 0


# --- watch and halt ------------------------------------------------------------------------------------


def test_a_watch_whose_journal_cannot_be_read_pulls_a_silent_session_off_the_market() -> None:
    with broken_store("state.load") as own:
        own.world.clock.advance_ms(4 * MINUTE_MS)
        answer = own.world.session("session_watch")

        assert (answer["status"], answer["untriggered"], armed(own)) == ("triggered", [], 0)


def test_a_halt_is_in_force_though_nothing_else_can_be_read() -> None:
    with broken_store("state.load", "configs.load") as own:
        answer = own.world.session("session_halt", reason="lunch")
        own.cloud.faults = StoreFaults()

        assert (answer["status"], answer["halted"]) == ("unknown", True)
        assert "schema version 3" in answer["message"]
        assert own.world.status()["halt_reason"] == "lunch"


# --- items of a newer version, as they lie in the table -----------------------------------------------


def put_newer(sk: str, **fields: Any) -> None:
    """Rewrite an item of the state table as a later version would; its other fields stay."""
    table, key = boto3.client("dynamodb"), {"pk": {"S": "dora"}, "sk": {"S": sk}}
    stored = table.get_item(TableName=STATE_TABLE, Key=key, ConsistentRead=True)["Item"]
    table.put_item(TableName=STATE_TABLE, Item=stored | {"v": {"N": "9"}} | fields)


def spoil(sk: str) -> None:
    """Leave an item that makes no sense to anybody."""
    key = {"pk": {"S": "dora"}, "sk": {"S": sk}, "v": {"N": "1"}}
    boto3.client("dynamodb").put_item(TableName=STATE_TABLE, Item=key | {"body": {"S": "?"}})


def newer_journal(_: Scene) -> None:
    put_newer("JOURNAL")


def newer_progress(_: Scene) -> None:
    put_newer("PROGRESS")


def newer_limits(_: Scene) -> None:
    put_newer("LIMITS", tokens={"S": "many"})


def newer_session(_: Scene) -> None:
    put_newer("SESSION", shape={"S": "new"})


def newer_control(_: Scene) -> None:
    key = {"pk": {"S": "dora"}, "sk": {"S": "CONTROL"}}
    boto3.client("dynamodb").put_item(TableName=STATE_TABLE, Item=key | {"v": {"N": "9"}})


def spoiled_limits(_: Scene) -> None:
    spoil("LIMITS")


def spoiled_progress(_: Scene) -> None:
    spoil("PROGRESS")


def no_configs(_: Scene) -> None:
    boto3.client("dynamodb").delete_table(TableName=CONFIG_TABLE)


BREAKS = (
    newer_journal,
    newer_progress,
    newer_limits,
    newer_session,
    newer_control,
    spoiled_limits,
    spoiled_progress,
    no_configs,
)


@pytest.mark.parametrize("break_", BREAKS)
def test_a_teardown_triggers_every_group_beside(break_: Callable[[Scene], None]) -> None:
    with scene() as own:
        own.run(1)
        break_(own)
        answer = own.world.session("session_teardown")

        assert all(group.tripped for group in own.world.member.groups.values())
        assert not own.world.open_orders()
        assert answer["status"] == ("closed" if break_ is no_configs else "closing")
        assert own.seen.facts("ERROR")


@pytest.mark.parametrize("break_", BREAKS)
def test_a_watch_triggers_a_silent_session_beside(break_: Callable[[Scene], None]) -> None:
    with scene() as own:
        own.run(1)
        own.world.clock.advance_ms(4 * MINUTE_MS)
        break_(own)
        answer = own.world.session("session_watch")

        assert (answer["status"], answer["untriggered"]) == ("triggered", [])
        assert all(group.tripped for group in own.world.member.groups.values())


def test_a_watch_that_cannot_read_the_session_leaves_it_alone_while_cycles_finish() -> None:
    """A newer version's cycles run beside an older watch while a stack is being updated."""
    with scene() as own:
        own.run(1)
        newer_session(own)
        answer = own.world.session("session_watch")

        assert answer["status"] == "ok"
        assert own.seen.facts("ERROR")
        assert not any(group.tripped for group in own.world.member.groups.values())


def test_a_session_of_which_no_group_can_be_read_is_torn_down_by_the_prefix_of_its_orders() -> None:
    with scene() as own:
        own.run(1)
        put_newer("SESSION", order_groups={"S": "elsewhere"})
        answer = own.world.session("session_teardown")

        assert (answer["status"], own.world.open_orders()) == ("closing", 0)
        assert "schema version 9" in answer["why_unproven"]
