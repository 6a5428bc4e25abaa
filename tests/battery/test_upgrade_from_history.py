"""Scenario 90 with the artifacts of an earlier commit: an upgrade in mid-session, and the way back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.battery.earlier_version import Deployer, TwoVersions, taken_from_history
from tests.battery.scene import BATCH, HOLD_CYCLES, SLOTS
from tests.simulator.faults import Faults
from tests.support.small_world import TICKERS, Scripted, broken, resting, set_book, setup
from tests.world.world import World, open_world


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return taken_from_history(tmp_path_factory.mktemp("earlier"))


@pytest.fixture
def world(earlier: Path) -> Iterator[World]:
    """Over sockets, for the earlier version is a process of its own."""
    with open_world(setup(wire="http", cloud="server"), Deployer(earlier).deploy) as opened:
        _books(opened, 4400)
        yield opened


def test_scenario_90_an_upgrade_in_mid_session_doubles_nothing_that_was_not_answered(world: World) -> None:
    with _versions(world).before():
        assert world.start()["status"] == "active"
        world.clock.advance_ms(10_000)
        assert world.cycle()["status"] == "completed"
        assert _slots(world) == SLOTS
        _books(world, 4600)
        world.exchange.faults = Scripted({f"POST {BATCH}": "answer"})
        assert world.cycle()["unknown"] > 0
        world.exchange.faults = Faults()

    answers = [world.cycle()["status"] for _ in range(HOLD_CYCLES + 1)]

    assert set(answers) == {"completed"}
    assert _slots(world) == SLOTS
    assert not broken(world), broken(world)
    status = world.status()
    assert (status["status"], status["unfinished_plans"], status["open_orders"]) == ("active", 0, SLOTS)


def test_scenario_90_the_way_back_is_a_teardown_until_closed_and_then_the_earlier_version(
    world: World,
) -> None:
    world.start()
    world.clock.advance_ms(10_000)
    world.cycle()
    _books(world, 4600)
    world.exchange.faults = Scripted({f"POST {BATCH}": "answer"})
    assert world.cycle()["unknown"] > 0
    world.exchange.faults = Faults()
    _drain(world)

    with _versions(world).before():
        started = world.start()["status"]
        world.clock.advance_ms(10_000)
        cycled = world.cycle()["status"]

        assert (started, cycled) == ("active", "completed")
        assert _slots(world) == SLOTS
        assert not broken(world), broken(world)


def _versions(world: World) -> TwoVersions:
    assert isinstance(world.bot, TwoVersions)
    return world.bot


def _books(world: World, bid_e4: int) -> None:
    for ticker in TICKERS:
        set_book(world, ticker, bid_e4, bid_e4 + 300)


def _slots(world: World) -> int:
    """How many hold exactly one order; more than one anywhere is a failure."""
    live = resting(world)
    assert all(len(orders) == 1 for orders in live.values()), live
    return len(live)


def _drain(world: World) -> None:
    """As the documents have it: teardown until closed, then cycles until nothing is open or unfinished."""
    for _ in range(5):
        if world.teardown()["status"] == "closed":
            break
    for _ in range(HOLD_CYCLES):
        world.cycle()
        status = world.status()
        if (status["status"], status["open_orders"], status["unfinished_plans"]) == ("closed", 0, 0):
            return
    raise AssertionError(status)
