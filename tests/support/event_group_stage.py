"""Order groups of single events in a session that is to be stopped, armed and recorded as a cycle would."""

from dora.core.event_group import EventGroup
from dora.core.units import Count, TimeMs
from tests.simulator.groups import Group
from tests.support.teardown_stage import Stage
from tests.world.memory_store import MemoryStore

LIMIT_E2 = 900


def store(scene: Stage) -> MemoryStore:
    """What the bot's state is kept in."""
    (pk,) = scene.cloud.partitions
    return MemoryStore(scene.cloud, pk)


def event_groups(scene: Stage, count: int) -> list[Group]:
    """So many of them on three shards."""
    return [_event_group(scene, number) for number in range(count)]


def _event_group(scene: Stage, number: int) -> Group:
    exchange, member, now_ms = scene.world.exchange, scene.world.member, scene.world.clock.now_ms()
    group = exchange.groups.create(member, number % 3, LIMIT_E2, 0)
    recorded = EventGroup(
        session_id=str(scene.world.status()["session_id"]),
        event=f"EV{number:03}",
        shard=group.shard,
        burst_limit=Count(LIMIT_E2),
        asked_ms=TimeMs(now_ms),
        group_id=group.id,
        armed_ms=TimeMs(now_ms),
    )
    store(scene).save_event_group(recorded)
    return group


def recorded_as_triggered(scene: Stage) -> int:
    """How many of them have answered their trigger, by their items."""
    return sum(group.triggered for group in store(scene).event_groups())
