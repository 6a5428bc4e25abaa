"""A 429 to a write that waits for nobody else is told to everybody who uses the key."""

from collections.abc import Callable

import pytest

from tests.simulator.fault_plan import Fault
from tests.support.teardown_stage import CANCEL, TRIGGER, UNGROUPED, Stage, stage
from tests.world import config_items
from tests.world.memory_cloud import StoreFaults

MINUTE_MS = 60_000
PROBE = "POST /portfolio/events/orders"


class Requests(StoreFaults):
    """Notes the requests of the store."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def before(self, method: str) -> None:
        self.made.append(method)


def watch(scene: Stage) -> None:
    scene.world.clock.advance_ms(4 * MINUTE_MS)
    scene.world.session("session_watch")


def reset(scene: Stage) -> None:
    watch(scene)
    scene.world.session("session_reset")


def change_limit(scene: Stage) -> None:
    scene.world.put_global({**config_items.GLOBAL, "group_burst_limit": 700})
    scene.world.cycle()


def tear_down(scene: Stage) -> None:
    scene.world.exchange.invariants.expectations.groups = None
    assert scene.world.teardown()["status"] == "closed"


CASES: list[tuple[str, Callable[[Stage], None]]] = [
    (TRIGGER, watch),
    ("PUT /portfolio/order_groups/*/reset", reset),
    ("PUT /portfolio/order_groups/*/limit", change_limit),
]


@pytest.mark.parametrize(("where", "act"), CASES)
def test_a_429_to_a_call_about_a_group_is_told_to_the_shared_bucket(
    where: str, act: Callable[[Stage], None]
) -> None:
    with stage() as scene:
        scene.world.cycle()
        scene.cloud.faults = told = Requests()
        scene.faults.now(Fault(kind="refuse", where=where, amount=429, times=1))
        act(scene)

        assert "limiter.push_back" in told.made


def test_a_429_to_a_cancel_of_a_teardown_is_told_to_the_shared_bucket_until_one_passes() -> None:
    with stage(globals=UNGROUPED) as scene:
        scene.world.cycle()
        scene.cloud.faults = told = Requests()
        scene.faults.now(Fault(kind="refuse", where=CANCEL, amount=429, times=1))
        tear_down(scene)

        assert "limiter.push_back" in told.made
        assert set(scene.cloud.hits.values()) == {0}


def test_a_429_to_a_probe_of_a_teardown_ends_its_round_and_is_told_to_the_shared_bucket() -> None:
    with stage(globals=UNGROUPED) as scene:
        create = "POST /portfolio/events/orders/batched"
        scene.faults.now(Fault(kind="lose-request", where=create))
        scene.world.cycle()
        scene.cloud.faults = told = Requests()
        scene.faults.now(Fault(kind="refuse", where=PROBE, amount=429, for_ms=3 * MINUTE_MS))
        scene.world.clock.advance_ms(2 * MINUTE_MS)
        scene.world.teardown()
        refused = scene.faults.struck["refuse"]
        scene.faults.clear()
        tear_down(scene)

        assert told.made.count("limiter.push_back") == refused > 0
