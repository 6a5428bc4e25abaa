"""How long orders rest by themselves: to the close, the session's end, or the longest life of an order."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dora.core.config_items import parse_global
from dora.core.errors import ConfigInvalid
from dora.core.orders.diff import plan_slots
from dora.core.orders.expiry import QUIET_MS, RENEW_MS, expires_ms, is_over
from dora.core.orders.keeping import Rules
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.units import Count, TimeMs
from tests.support.diff_cases import BID, live, names, view
from tests.support.examples import CENT_GRID, NOW, TICKER, config, limits, market, target
from tests.support.small_world import TICKERS, broken, resting, set_book, setup
from tests.world import config_items
from tests.world.memory_bot import open_memory_world
from tests.world.memory_cloud import MemoryCloud
from tests.world.output import Catcher, printed_to
from tests.world.world import World

A, B, C = TICKERS
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
SESSION = SessionMetadata(
    session_id="s1",
    status=SessionStatus.ACTIVE,
    created_at_ms=NOW,
    contracts_limit=Count(100),
    ends_at_ms=TimeMs(NOW + 24 * HOUR_MS),
)


def later(ms: int) -> TimeMs:
    return TimeMs((NOW + ms) // 1000 * 1000)


# --- when an order expires -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "close_h, end_h, life_s, expected_ms",
    [
        (1, 24, 0, HOUR_MS - 300_000),
        (48, 24, 0, 24 * HOUR_MS),
        (48, 24, 3600, HOUR_MS),
        (48, None, 0, 48 * HOUR_MS - 300_000),
    ],
)
def test_an_order_expires_at_the_first_of_close_guard_session_end_and_longest_life(
    close_h: int, end_h: int | None, life_s: int, expected_ms: int
) -> None:
    listed = market()._replace(close_ms=TimeMs(NOW + close_h * HOUR_MS))
    session = SESSION._replace(ends_at_ms=TimeMs(NOW + end_h * HOUR_MS) if end_h else None)

    found = expires_ms(listed, config(), limits(order_life_s=life_s), session, NOW)
    assert found == later(expected_ms)


def test_a_session_is_over_shortly_before_its_end_and_one_without_an_end_never() -> None:
    end = TimeMs(NOW + 24 * HOUR_MS)

    assert not is_over(SESSION, TimeMs(end - QUIET_MS - 1))
    assert is_over(SESSION, TimeMs(end - QUIET_MS))
    assert not is_over(SESSION._replace(ends_at_ms=None), TimeMs(end))


@pytest.mark.parametrize("life_s", [1, 599])
def test_an_order_life_that_is_nothing_but_renewals_is_refused(life_s: int) -> None:
    with pytest.raises(ConfigInvalid, match="order_life_s"):
        parse_global({"group_burst_limit": "10", "order_life_s": str(life_s)})


@pytest.mark.parametrize("expires_in_ms, replaced", [(RENEW_MS - 1, True), (RENEW_MS, False), (None, False)])
def test_an_order_that_would_expire_before_it_can_be_renewed_is_replaced_ahead_of_it(
    expires_in_ms: int | None, replaced: bool
) -> None:
    end = None if expires_in_ms is None else TimeMs(NOW + expires_in_ms)
    held = live("0.44", "10")._replace(expires_ms=end)
    rules = {TICKER: Rules(CENT_GRID, config(), renew_before_ms=TimeMs(NOW + RENEW_MS))}
    plan = plan_slots([target(BID.side, "0.44", "10")], view([held]), rules)
    key = held.client_order_id

    assert names(plan) == (([], [], [key], [key]) if replaced else ([key], [], [], []))
    assert plan.why == ({key: "renewed"} if replaced else {})


# --- in a world ----------------------------------------------------------------------------------------


@contextmanager
def opened(**globals_: Any) -> Iterator[World]:
    chosen = setup(globals={**config_items.GLOBAL, **globals_})
    with open_memory_world(chosen, MemoryCloud()) as world, printed_to(Catcher().stream):
        for ticker in TICKERS:
            set_book(world, ticker)
        assert world.start()["status"] == "active"
        yield world


def quotes_through(world: World, minutes: int) -> set[int]:
    """How many slots were quoted after each of these cycles and just before the next."""
    found = set()
    for _ in range(minutes):
        world.cycle()
        found.add(len(resting(world)))
        world.clock.advance_ms(MINUTE_MS - 1_000)
        found.add(len(resting(world)))
    return found


def expiries(world: World) -> set[int | None]:
    """Seconds at which what rests expires."""
    return {order.expiration_s for order in world.member.resting.values()}


def test_orders_are_renewed_before_their_life_is_over_so_that_no_quote_vanishes() -> None:
    with opened(order_life_s=600, extend_expiry=False) as world:
        assert quotes_through(world, 30) == {6}
        assert world.exchange.stats.orders >= 6 * 3
        assert max(expiries(world)) <= world.clock.now_ms() // 1000 + 600
        assert not broken(world)


def test_without_an_order_life_orders_rest_to_the_end_of_the_session() -> None:
    with opened(order_life_s=0, session_hours=2) as world:
        quotes_through(world, 30)

        assert expiries(world) == {world.setup.start_ms // 1000 + 7_200}


def test_nothing_is_quoted_near_the_end_of_a_session_and_the_status_says_why() -> None:
    with opened(session_hours=1, order_life_s=0) as world:
        world.cycle()
        rested_to_s = expiries(world)
        end_ms = world.setup.start_ms + HOUR_MS
        world.clock.advance_to(end_ms - QUIET_MS)
        over = world.cycle()
        status = world.status()

        assert rested_to_s == {end_ms // 1000}
        assert (over["status"], over["reason"], world.open_orders()) == ("halted", "session_over", 0)
        assert status["why_not_quoting"] == ["session_over"]
        assert status["ends_at"] == "2026-11-20T15:00:00.000Z"


def test_starting_an_open_session_again_begins_its_hours_anew() -> None:
    with opened(session_hours=1) as world:
        world.clock.advance_ms(HOUR_MS)
        assert world.cycle()["reason"] == "session_over"
        again = world.start()

        assert again["ends_at"].startswith("2026-11-20T16:00:")
        assert quotes_through(world, 2) == {6}


def test_orders_of_a_bot_that_died_are_gone_when_their_life_is_over() -> None:
    with opened(order_life_s=600) as world:
        world.cycle()
        world.clock.advance_ms(10 * MINUTE_MS)

        assert world.open_orders() == 0
