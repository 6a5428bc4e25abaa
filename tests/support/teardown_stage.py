"""A session to be ended, its storage at hand: small, without groups, or too large for one burst of calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.small_world import TICKERS, set_book, setup, spec
from tests.world import config_items
from tests.world.disruption import Disruption
from tests.world.memory_bot import open_memory_world
from tests.world.memory_cloud import MemoryCloud
from tests.world.output import Catcher, printed_to
from tests.world.world import World

A, *_ = TICKERS
CREATE = "POST /portfolio/events/orders/batched"
CANCEL = "DELETE /portfolio/events/orders/batched"
LISTS = "GET /portfolio/orders"
ONE_ORDER = "GET /portfolio/orders/:order_id"
TRIGGER = "PUT /portfolio/order_groups/*/trigger"
UNGROUPED = {**config_items.GLOBAL, "use_order_groups": False}


@dataclass
class Stage:
    """A world whose storage is at hand, and its faults."""

    world: World
    cloud: MemoryCloud
    faults: Disruption

    def torn_down(self) -> tuple[dict[str, Any], int]:
        """What a teardown answers, and how long it took."""
        began_ms = self.world.clock.now_ms()
        answer = self.world.teardown()
        return answer, self.world.clock.now_ms() - began_ms

    def lose_state(self) -> None:
        """The state table is empty; the configs stand."""
        self.cloud.partitions.clear()

    def place_of_another_bot(self, group: bool) -> str:
        """An order under another prefix, in a group of its own if asked for; returns the group."""
        exchange, member = self.world.exchange, self.world.member
        group_id = exchange.groups.create(member, 0, 100_000, 0).id if group else ""
        exchange.invariants.expectations.groups = None
        name = f"another-{group}"
        exchange.member_order(member, A, "bid", 4000, 100, client_order_id=name, group_id=group_id)
        return group_id


@contextmanager
def stage(**changes: Any) -> Iterator[Stage]:
    """An open session on three shards, its first tokens refilled."""
    cloud, faults, chosen = MemoryCloud(), Disruption(), setup(**changes)
    with open_memory_world(chosen, cloud) as world, printed_to(Catcher().stream):
        faults.join(world)
        for market in chosen.markets:
            set_book(world, market.ticker)
        assert world.start()["status"] == "active"
        world.clock.advance_ms(10_000)
        yield Stage(world, cloud, faults)


@contextmanager
def ungrouped() -> Iterator[Stage]:
    """The same without order groups, which the judge is told."""
    with stage(globals=UNGROUPED) as scene:
        scene.world.exchange.invariants.expectations.groups = None
        yield scene


# --- large sessions ------------------------------------------------------------------------------------

GROUPS = 30

BASIC_CREATES_A_CYCLE = 250


@contextmanager
def many_groups(**changes: Any) -> Iterator[Stage]:
    """Thirty markets, each with a strategy tag of its own: thirty order groups on three shards."""
    markets = tuple(spec(f"KX{number:03}-26NOV21-T1", number % 3) for number in range(GROUPS))
    items = {
        market.ticker: {**config_items.MARKET, "strategy_tag": f"t{number}"}
        for number, market in enumerate(markets)
    }
    with stage(tier="basic", markets=markets, items=items, **changes) as scene:
        yield scene


@contextmanager
def many_orders(count: int, **changes: Any) -> Iterator[Stage]:
    """So many quotes (a multiple of ten) on three shards, ten a market; none is placed yet."""
    markets = tuple(spec(f"KX{number:03}-26NOV21-T1", number % 3) for number in range(count // 10))
    item = {**config_items.MARKET, "quote_size": 1, "levels": 5, "max_position": 50}
    limits = {**config_items.GLOBAL, "max_total_loss_dollars": 10_000, **changes.pop("globals", {})}
    items = {market.ticker: item for market in markets}
    with stage(markets=markets, items=items, globals=limits, **changes) as scene:
        yield scene


def armed(scene: Stage) -> int:
    """Groups of the bot that would take an order."""
    return sum(not (group.tripped or group.deleted) for group in scene.world.member.groups.values())


def refused(scene: Stage) -> int:
    """Requests that the exchange answered with a 429."""
    return sum(scene.world.exchange.stats.too_many_requests.values())
