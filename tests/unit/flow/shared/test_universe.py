"""Series roll over: markets are chosen, old ones drained, and without known fees nothing is quoted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dora.core.config_items import parse_series
from dora.core.state import Configs, ReferenceData
from dora.flow.shared.fee_changes import NOTHING_READ, FeeChanges, read_fee_changes
from dora.flow.shared.universe import wanted_markets
from tests.simulator.faults import Faults
from tests.support.small_world import DAY_MS, START_MS, Scripted, Seen, set_book, setup, spec
from tests.world import config_items
from tests.world.memory_bot import open_memory_world
from tests.world.memory_cloud import MemoryCloud
from tests.world.output import Catcher, printed_to

OLD, NEW, FAR = "KXA-26NOV21-T1", "KXA-26NOV21-T2", "KXA-26NOV21-T3"
TEN_MINUTES_MS = 600_000


@contextmanager
def opened(**series: Any) -> Iterator[Seen]:
    """A series of three strikes, and the template that says which of them are quoted."""
    markets = tuple(spec(ticker, 0) for ticker in (OLD, NEW, FAR))
    cloud, catcher = MemoryCloud(), Catcher()
    with open_memory_world(setup(markets=markets, items={}), cloud) as world, printed_to(catcher.stream):
        put_series(cloud, **series)
        for ticker, bid_e4 in ((OLD, 4_400), (NEW, 3_000), (FAR, 1_000)):
            set_book(world, ticker, bid_e4, bid_e4 + 300)
        world.start()
        yield Seen(world, catcher)


def put_series(cloud: MemoryCloud, **series: Any) -> None:
    item = {**config_items.MARKET, "max_markets": 5, **series}
    cloud.put_config(config_items.as_attributes("dora", "SERIES#KXA", item))


def sizes(seen: Seen) -> dict[tuple[str, str], int]:
    """What rests of ours by market and side, in 0.01 contract."""
    slots = [(ticker, side) for ticker in (OLD, NEW, FAR) for side in ("bid", "ask")]
    found = {slot: [order.remaining_e2 for order in seen.world.resting(*slot)] for slot in slots}
    return {slot: size for slot, own in found.items() for size in own}


def quoted(seen: Seen) -> set[str]:
    return {ticker for ticker, _ in sizes(seen)}


def test_the_strikes_nearest_to_the_money_are_quoted() -> None:
    with opened(strikes_per_event=2) as seen:
        seen.world.cycle()
        assert quoted(seen) == {OLD, NEW}


def test_what_is_held_of_a_market_that_is_chosen_no_longer_is_drained_and_its_other_quotes_go() -> None:
    with opened(strikes_per_event=1) as seen:
        world = seen.world
        world.cycle()
        (order,) = world.resting(OLD, "bid")
        world.exchange.set_background_book(OLD, [], [])
        held = world.exchange.background_take(OLD, "ask", order.price_e4, order.remaining_e2)
        set_book(world, OLD, 3_800, 4_100)
        set_book(world, NEW, 4_800, 5_100)
        world.clock.advance_ms(TEN_MINUTES_MS)
        for _ in range(3):
            world.cycle()

        assert sizes(seen).keys() == {(OLD, "ask"), (NEW, "bid"), (NEW, "ask")}
        assert sizes(seen)[OLD, "ask"] == held


def test_a_series_that_is_not_drained_keeps_what_it_holds() -> None:
    with opened(strikes_per_event=1, drain=False) as seen:
        world = seen.world
        world.exchange.member_order(world.member, NEW, "bid", 3_300, 200)
        world.cycle()
        world.cycle()
        assert quoted(seen) == {OLD}


def test_a_fast_market_is_read_without_a_quote_and_another_takes_its_place() -> None:
    with opened(strikes_per_event=1, fastest_percent=10, warm_up_minutes=8) as seen:
        world = seen.world
        for minute in range(24):
            low = 4_400 + 300 * (minute % 2)
            set_book(world, OLD, low, low + 300)
            world.cycle()
            assert OLD not in quoted(seen)
        assert quoted(seen) == {NEW}


def test_the_priority_of_a_series_goes_to_each_of_its_markets() -> None:
    series = parse_series("KXA", {"enabled": True, "priority": "700"})
    listed = ReferenceData(listings={"KXA": (OLD, NEW)})
    wanted = wanted_markets(Configs(None, {}, {"KXA": series}, ()), listed)
    assert {ticker: own.priority for ticker, own in wanted.items()} == {OLD: 700, NEW: 700}


# --- fees -----------------------------------------------------------------------------------------------


def test_an_announced_change_to_fees_that_are_not_known_ends_the_quotes_in_time() -> None:
    with opened() as seen:
        world = seen.world
        world.exchange.schedule_fees("KXA", "flat", 10_000, world.clock.now_ms() + 3 * 60_000)
        world.cycle()
        before = quoted(seen)
        world.cycle()
        world.cycle()
        world.cycle()
        assert (before, quoted(seen)) == ({OLD, NEW, FAR}, set())
        assert world.status()["markets_not_quoted"] == {"fees_unknown": 3}


def test_an_announced_override_of_an_event_is_applied() -> None:
    with opened() as seen:
        world = seen.world
        at_ms = world.clock.now_ms() + 60_000
        world.exchange.schedule_fees("KXA", "flat", 10_000, at_ms, event="KXA-26NOV21")
        world.cycle()
        world.cycle()
        assert quoted(seen) == set()


@pytest.mark.parametrize("read", ["/series/fee_changes", "/events/fee_changes"])
def test_while_the_announced_changes_cannot_be_read_nothing_new_is_quoted(read: str) -> None:
    with opened() as seen:
        world = seen.world
        world.exchange.faults = Scripted({f"GET {read}": "request"})
        world.cycle()
        assert quoted(seen) == set()
        world.exchange.faults = Faults()
        world.cycle()
        assert quoted(seen) == {OLD, NEW, FAR}


def test_the_changes_are_read_hourly() -> None:
    with opened() as seen:
        world = seen.world
        calls = world.exchange.stats.calls
        for _ in range(3):
            world.cycle()
        once = calls["GET /series/fee_changes"], calls["GET /events/fee_changes"]
        world.clock.advance_ms(60 * 60_000)
        world.cycle()
        again = calls["GET /series/fee_changes"], calls["GET /events/fee_changes"]
        assert (once, again) == ((1, 1), (2, 2))


@pytest.mark.parametrize(
    "stored", [{}, {"read_ms": 5}, {"read_ms": 5, "changes": [["S", "", "soon", None, 1]]}]
)
def test_what_memory_lost_of_them_was_never_read(stored: dict[str, object]) -> None:
    assert read_fee_changes(stored) == NOTHING_READ
    assert read_fee_changes(FeeChanges(5, ()).stored()) == FeeChanges(5, ())


def test_a_market_too_far_from_its_close_waits_until_it_is_time() -> None:
    with opened(max_life_s=DAY_MS // 1000 - 900) as seen:
        world = seen.world
        assert world.clock.now_ms() < START_MS + 600_000
        world.cycle()
        assert quoted(seen) == set()
        world.clock.advance_ms(16 * 60_000)
        world.start()
        world.cycle()
        assert quoted(seen) == {OLD, NEW, FAR}
