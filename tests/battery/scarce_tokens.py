"""Far more markets than tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.battery.scene import Scene, scene
from tests.simulator.buckets import Tier
from tests.support.small_world import TICKERS, set_book, spec
from tests.world import config_items


def many(number: int) -> dict[str, Any]:
    """So many markets on three shards, three of them the usual ones."""
    tickers = (*TICKERS, *(f"KXM-26NOV21N{n:03}-T1" for n in range(number - len(TICKERS))))
    markets = tuple(spec(ticker, shard % 3) for shard, ticker in enumerate(tickers))
    return {"markets": markets, "items": dict.fromkeys(tickers, config_items.MARKET)}


def set_books(stage: Scene, bid_e4: int = 4400) -> None:
    for market in stage.world.setup.markets:
        set_book(stage.world, market.ticker, bid_e4, bid_e4 + 300)


MARKETS, PLACED_AT_LEAST = 60, 5


SCARCE = Tier(read_rate=200, read_capacity=400, write_rate=4, write_capacity=100, balance_rate=1)
"""A cycle of scarce tokens places about a tenth of all quotes."""


@contextmanager
def scarce(**changes: Any) -> Iterator[Scene]:
    """Twice as many slots as markets, and tokens for a few of them."""
    globals_ = {**config_items.GLOBAL, "placement_margin_ms": 30_000}
    with scene(started=False, globals=globals_, tier="basic", **many(MARKETS), **changes) as stage:
        member = stage.world.member
        for buckets in (member.buckets, member.fair_buckets):
            buckets.limits = SCARCE
            buckets._buckets.clear()
        set_books(stage)
        assert stage.world.start()["status"] == "active"
        stage.world.clock.advance_ms(30_000)
        yield stage


def placed_by_cycle(stage: Scene, cycles: int) -> list[set[tuple[str, str]]]:
    """The slots in which each cycle placed, while every minute a third of the books moves a little."""
    placed, before = [], 0
    for minute in range(cycles):
        for market in stage.world.setup.markets[minute % 3 :: 3]:
            bid_e4 = 4400 + 100 * (minute // 3 % 2)
            set_book(stage.world, market.ticker, bid_e4, bid_e4 + 300)
        stage.run(1)
        orders = stage.world.member.orders
        placed.append({(order.market.ticker, order.side) for order in orders[before:]})
        before = len(orders)
    return placed
