"""The deployed handlers on storage in memory do what they do on AWS, outages or not."""

from dataclasses import replace

import pytest

from dora.core.errors import StateUnavailable
from tests.support.small_world import TICKERS, Killed, broken, resting, set_book, setup
from tests.world import config_items
from tests.world.memory_bot import open_memory_world
from tests.world.memory_cloud import MemoryCloud, Outages, StoreFaults
from tests.world.output import Catcher, printed_to
from tests.world.world import World, open_world


def day(world: World) -> list[object]:
    """A short life with a moving market and an edited config; what was answered and what rested."""
    with printed_to(Catcher().stream):
        for ticker in TICKERS:
            set_book(world, ticker)
        seen: list[object] = [world.start()["status"]]
        for number in range(4):
            answer = world.cycle()
            seen += [answer["placed"], answer["cancelled"], answer["status"], resting(world)]
            set_book(world, TICKERS[number % 3], 4500 + 100 * number, 4800 + 100 * number)
        world.put_market(TICKERS[0], {**config_items.MARKET, "enabled": False})
        seen += [world.cycle()["cancelled"], resting(world), world.teardown()["status"], resting(world)]
    assert broken(world) == []
    return seen


def test_a_life_on_memory_is_the_life_on_dynamodb() -> None:
    with open_memory_world(setup(), MemoryCloud()) as world:
        on_memory = day(world)
    with open_world(setup()) as world:
        on_dynamodb = day(world)

    assert on_memory == on_dynamodb
    assert on_memory[-2:] == ["closed", {}]


def test_every_request_is_counted_by_method() -> None:
    cloud = MemoryCloud()
    with open_memory_world(setup(), cloud) as world, printed_to(Catcher().stream):
        world.start()
        cloud.calls.clear()
        world.cycle()

    once = ("lease.acquire", "configs.load", "state.load", "state.commit", "lease.release")
    assert [cloud.calls[name] for name in once] == [1, 1, 1, 1, 1]


def test_outages_are_those_of_their_seed_and_of_the_methods_named() -> None:
    def met(seed: int) -> list[str]:
        cloud = MemoryCloud(Outages(seed, requests=0.3, answers=0.3, only=frozenset({"state.load"})))
        cloud.serve("state.commit", lambda: None)
        return [_outcome(cloud) for _ in range(50)]

    assert met(1) == met(1) != met(2)
    assert set(met(1)) == {"answered", "request lost", "answer lost"}


def _outcome(cloud: MemoryCloud) -> str:
    done: list[bool] = []
    try:
        cloud.serve("state.load", lambda: done.append(True))
    except StateUnavailable:
        return "answer lost" if done else "request lost"
    return "answered"


def test_a_bot_whose_storage_fails_now_and_then_breaks_no_rule_and_recovers() -> None:
    outages = Outages(3, requests=0.03, answers=0.03)
    cloud = MemoryCloud()
    with open_memory_world(setup(), cloud) as world, printed_to(Catcher().stream):
        for ticker in TICKERS:
            set_book(world, ticker)
        world.start()
        cloud.faults = outages
        for number in range(25):
            world.cycle()
            set_book(world, TICKERS[number % 3], 4400 + 100 * (number % 2), 4700 + 100 * (number % 2))
        cloud.faults = StoreFaults()
        for _ in range(3):
            world.cycle()

        assert outages.met.keys() == {"request lost", "answer lost"}
        assert broken(world) == []
        assert len(resting(world)) == 2 * len(TICKERS)
        assert world.teardown()["status"] == "closed"


class KilledAt(StoreFaults):
    """The bot's process ends right after its n-th request to the cloud was carried out."""

    def __init__(self, number: int) -> None:
        self._left = number

    def after(self, method: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed


@pytest.mark.parametrize("number", [1, 3, 5, 7])
def test_a_process_may_end_after_any_request(number: int) -> None:
    cloud = MemoryCloud()
    with open_memory_world(replace(setup(), seed=number), cloud) as world, printed_to(Catcher().stream):
        for ticker in TICKERS:
            set_book(world, ticker)
        world.start()
        cloud.faults = KilledAt(number)
        with pytest.raises(Killed):
            world.cycle()
        cloud.faults = StoreFaults()
        for _ in range(4):
            world.cycle()

        assert broken(world) == []
        assert len(resting(world)) == 2 * len(TICKERS)
