"""A market is watched before it is quoted, and a halt of ours costs no new warm-up; a pause does."""

from collections.abc import Callable

import pytest

from dora.core.reasons import Reason
from tests.support.small_world import TICKERS, Seen, setup, small_world
from tests.world import config_items
from tests.world.world import World

WARM_UP = 3
ITEMS = dict.fromkeys(TICKERS, {**config_items.MARKET, "warm_up_minutes": WARM_UP})
A = TICKERS[0]
ALL_QUOTES = 2 * len(TICKERS)


def placed(seen: Seen, cycles: int) -> list[object]:
    return [seen.world.cycle()["placed"] for _ in range(cycles)]


def skips(seen: Seen) -> list[str]:
    return [fact["skip_reason"] for fact in seen.facts("DECISION_MADE") if fact["market"] == A]


def test_nothing_is_placed_before_a_market_was_watched_for_long_enough() -> None:
    with small_world(setup(items=ITEMS)) as seen:
        seen.world.start()
        assert placed(seen, WARM_UP) == [0] * WARM_UP
        assert sum(placed(seen, 2)) == ALL_QUOTES
        assert skips(seen) == [Reason.WARMING_UP, ""]


def test_before_a_session_and_in_a_halt_the_books_are_watched_all_the_same() -> None:
    with small_world(setup(items=ITEMS)) as seen:
        world = seen.world
        assert placed(seen, WARM_UP + 2) == [0] * (WARM_UP + 2)
        world.start()
        assert placed(seen, 1) == [ALL_QUOTES]
        world.session("session_halt_cancel")
        assert placed(seen, 8) == [0] * 8
        world.session("session_resume")
        assert placed(seen, 1) == [ALL_QUOTES]


def shard_pauses(world: World) -> None:
    world.exchange.pause_trading(0)


def halted_shard_pauses(world: World) -> None:
    world.session("session_halt")
    world.exchange.pause_trading(0)


@pytest.mark.parametrize("pauses", [shard_pauses, halted_shard_pauses])
def test_after_a_pause_of_more_than_five_minutes_a_market_warms_up_again(
    pauses: Callable[[World], None],
) -> None:
    with small_world(setup(items=ITEMS)) as seen:
        world = seen.world
        world.start()
        assert sum(placed(seen, WARM_UP + 2)) == ALL_QUOTES
        pauses(world)
        placed(seen, 6)
        world.exchange.resume(0)
        world.session("session_resume")
        placed(seen, WARM_UP + 2)
        assert skips(seen)[-2:] == [Reason.WARMING_UP, ""]
