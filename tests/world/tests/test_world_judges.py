"""A world judges its bot: a sound one passes, each flaw is seen, over both kinds of wire and cloud."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.simulator.model import MarketSpec
from tests.world import config_items
from tests.world.crude_bot import crude
from tests.world.setup import Setup
from tests.world.world import World, open_world

START_MS = 1_772_463_600_000  # 2026-03-02T15:00:00Z
MINUTE_MS = 60_000
MARKET = MarketSpec(
    ticker="KXA-1",
    event_ticker="KXA",
    series_ticker="KXA",
    open_ms=START_MS - MINUTE_MS,
    close_ms=START_MS + 600 * MINUTE_MS,
)
SETUP = Setup(
    markets=(MARKET,), start_ms=START_MS, items={"KXA-1": dict(config_items.MARKET) | {"quote_size": 20}}
)


@contextmanager
def crude_world(flaw: str = "", setup: Setup = SETUP) -> Iterator[World]:
    with open_world(setup, crude(flaw)) as world:
        world.exchange.set_background_book("KXA-1", [(3_900, 50_000)], [(6_100, 50_000)])
        yield world


def run(world: World) -> set[str]:
    """A short session with a fill in the middle; returns the rules that were broken."""
    world.start()
    world.cycle()
    world.exchange.background_take("KXA-1", "ask", 4_000, 700)
    world.cycle()
    world.teardown()
    return {breach.invariant for breach in world.exchange.invariants.broken}


@pytest.mark.parametrize(("wire", "cloud"), [("adapter", "process"), ("http", "server")])
def test_a_sound_bot_breaks_no_rule(wire: str, cloud: str) -> None:
    with crude_world(setup=replace(SETUP, wire=wire, cloud=cloud)) as world:
        assert run(world) == set()
        assert [fill.trade.count_e2 for fill in world.member.fills] == [700]
        assert (world.open_orders(), world.books.audits, world.books.wrong_nets) == (0, 3, 0)


@pytest.mark.parametrize(
    ("flaw", "rule"),
    [
        ("doubles", "I1"),
        ("oversizes", "I2"),
        ("forgets the group", "I3"),
        ("dawdles", "I8"),
        ("loses the books", "I9"),
        ("lives on", "I10"),
    ],
)
def test_every_flaw_is_seen(flaw: str, rule: str) -> None:
    with crude_world(flaw) as world:
        assert rule in run(world)


def test_each_cycle_begins_on_a_minute_of_its_own() -> None:
    with crude_world() as world:
        world.start()
        begins = []
        for _ in range(3):
            begins.append(world.next_tick_ms())
            world.cycle()
        assert begins == [START_MS + n * MINUTE_MS for n in range(3)]


def test_one_world_leaves_nothing_for_the_next() -> None:
    for _ in range(2):
        with crude_world() as world:
            assert run(world) == set()


def test_a_market_without_an_item_may_hold_no_order() -> None:
    with crude_world() as world:
        assert world.exchange.invariants.expectations.order_limit("KXB-1", "bid") == 0
        assert world.exchange.invariants.expectations.order_limit("KXA-1", "bid") == 1
