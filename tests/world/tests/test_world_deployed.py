"""A world with the real handlers: a session opens, cycles and closes as it would on Lambda."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.support.small_world import TICKERS, set_book, setup
from tests.world import config_items
from tests.world.output import Catcher, printed_to
from tests.world.setup import Setup
from tests.world.world import MINUTE_MS, World, open_world

SIDES = ("bid", "ask")


@contextmanager
def deployed(chosen: Setup) -> Iterator[World]:
    with open_world(chosen) as world, printed_to(Catcher().stream):
        for ticker in TICKERS:
            set_book(world, ticker)
        yield world


def quoted(world: World) -> list[int]:
    """How many of our orders stand in each slot."""
    return [len(world.resting(ticker, side)) for ticker in TICKERS for side in SIDES]


@pytest.mark.parametrize(
    ("key", "wire", "cloud"), [("ed25519", "adapter", "process"), ("rsa", "http", "server")]
)
def test_a_session_opens_quotes_every_slot_and_closes(key: str, wire: str, cloud: str) -> None:
    with deployed(replace(setup(), key=key, wire=wire, cloud=cloud)) as world:
        assert world.start()["status"] == "active"
        assert world.cycle()["status"] == "completed"
        assert quoted(world) == [1] * 6
        assert world.status()["status"] == "active"
        assert world.teardown()["status"] == "closed"
        assert (world.open_orders(), world.exchange.invariants.broken) == (0, [])


def test_the_books_are_audited_after_every_cycle_that_ran_and_after_the_close() -> None:
    with deployed(setup()) as world:
        world.start()
        world.cycle()
        world.exchange.background_take(TICKERS[0], "ask", 100, 10_000_000)
        world.cycle()
        world.teardown()
        assert len(world.member.fills) > 0
        assert (world.books.audits, world.books.wrong_nets) == (3, 0)


def test_an_item_written_in_mid_session_counts_for_the_bot_and_for_its_judge() -> None:
    with deployed(setup()) as world:
        world.start()
        world.cycle()
        world.put_market(TICKERS[0], dict(config_items.MARKET) | {"quote_size": 5})
        world.cycle()
        world.cycle()
        assert [order.remaining_e2 for side in SIDES for order in world.resting(TICKERS[0], side)] == [
            500,
            500,
        ]
        assert world.exchange.invariants.expectations.contract_limit_e2(TICKERS[0], "bid") == 500


def test_a_dry_run_writes_nothing_on_the_exchange() -> None:
    with deployed(replace(setup(), dry_run=True)) as world:
        world.start()
        world.cycle()
        assert (quoted(world), len(world.member.groups)) == ([0] * 6, 0)


def test_a_cycle_comes_a_minute_after_the_one_before_however_short_that_was() -> None:
    with deployed(setup()) as world:
        world.start()
        first_ms = world.next_tick_ms()
        world.cycle()
        assert world.next_tick_ms() == first_ms + MINUTE_MS
        assert world.cycle()["status"] == "completed"
