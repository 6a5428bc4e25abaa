"""A world small enough for a test: two or three markets with standing books, on three shards."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from tests.simulator.faults import Faults
from tests.simulator.model import MarketSpec
from tests.simulator.wire import ConnectionDroppedError, Reply, Request
from tests.support.batch_lines import answered
from tests.world import config_items
from tests.world.bot import Deployment, deployed_bot
from tests.world.memory_bot import open_memory_world
from tests.world.memory_cloud import MemoryCloud
from tests.world.output import Catcher, facts_in, printed_to
from tests.world.setup import Setup
from tests.world.world import World, open_world

START_MS = 1_795_183_200_000
DAY_MS = 86_400_000
TICKERS = ("KXA-26NOV21-T1", "KXB-26NOV21-T1", "KXC-26NOV21-T1")


def spec(ticker: str, shard: int, **changes: Any) -> MarketSpec:
    event = ticker.rsplit("-", 1)[0]
    market = MarketSpec(
        ticker=ticker,
        event_ticker=event,
        series_ticker=event.split("-", maxsplit=1)[0],
        shard=shard,
        open_ms=START_MS - DAY_MS,
        close_ms=START_MS + DAY_MS,
    )
    return replace(market, **changes)


ONE_SHARD = tuple(spec(ticker, 0) for ticker in TICKERS)
"""The three markets, all on shard 0."""


def setup(**changes: Any) -> Setup:
    """Three markets, one on each of three shards, all configured alike."""
    markets = tuple(spec(ticker, shard) for shard, ticker in enumerate(TICKERS))
    items = dict.fromkeys(TICKERS, config_items.MARKET)
    return replace(Setup(markets=markets, start_ms=START_MS, items=items), **changes)


def small_world(
    chosen: Setup | None = None, cloud: MemoryCloud | None = None
) -> AbstractContextManager["Seen"]:
    """The world with a 44/47 book in each market, and what the handlers print.

    What the bot keeps lies in memory, at a tenth of what the embedded AWS costs: `small_aws_world` is for
    tests that look into tables, or that need another service.
    """
    quick = replace(chosen or setup(), key="shared")
    return _seen(open_memory_world(quick, cloud or MemoryCloud()))


def small_aws_world(
    chosen: Setup | None = None, deploy: Deployment = deployed_bot
) -> AbstractContextManager["Seen"]:
    """The same on the embedded AWS, as deployed."""
    return _seen(open_world(chosen or setup(), deploy))


@contextmanager
def _seen(opened: AbstractContextManager[World]) -> Iterator["Seen"]:
    catcher = Catcher()
    with opened as world, printed_to(catcher.stream):
        for ticker in TICKERS:
            if any(market.ticker == ticker for market in world.setup.markets):
                set_book(world, ticker)
        yield Seen(world, catcher)


class Seen:
    """A world and the facts its handlers printed."""

    def __init__(self, world: World, catcher: Catcher) -> None:
        self.world, self._catcher, self._facts = world, catcher, list[dict[str, Any]]()

    def facts(self, event_type: str) -> list[dict[str, Any]]:
        """Every fact of one type so far."""
        self._facts += facts_in(self._catcher.take())
        return [fact for fact in self._facts if fact.get("event_type") == event_type]

    def placed(self) -> list[dict[str, str]]:
        """Every order that the exchange took, by its line's names in `tests.support.batch_lines`."""
        return answered(self.facts("BATCH_PLACED"), self.facts("BATCH_PLACE"))

    def cancelled(self) -> list[dict[str, str]]:
        """Every order that the exchange took off."""
        return answered(self.facts("BATCH_CANCELLED"), self.facts("BATCH_CANCEL"))


def set_book(world: World, ticker: str, bid_e4: int = 4400, ask_e4: int = 4700) -> None:
    """Others' quotes: 500 contracts on each side."""
    world.exchange.set_background_book(ticker, [(bid_e4, 50_000)], [(ask_e4, 50_000)])


def resting(world: World) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """The bot's live orders by market and side: (price, remaining), as the engine holds them."""
    found = {}
    for ticker in TICKERS:
        for side in ("bid", "ask"):
            orders = [(order.price_e4, order.remaining_e2) for order in world.resting(ticker, side)]
            if orders:
                found[ticker, side] = orders
    return found


def broken(world: World) -> list[str]:
    return [f"{breach.invariant} {breach.text}" for breach in world.exchange.invariants.broken]


class Killed(BaseException):
    """The bot's process is gone: nothing of the bot may catch this."""


class Scripted(Faults):
    """Loses the request or the answer of chosen calls, or kills the bot after them.

    `drop` maps "METHOD path-part" to "request", "answer" or "kill".
    """

    def __init__(self, drop: Mapping[str, str]) -> None:
        self.drop = dict(drop)

    def _wanted(self, request: Request, what: str) -> bool:
        return any(
            part.split()[0] == request.method and part.split()[1] in request.path and lost == what
            for part, lost in self.drop.items()
        )

    def before(self, request: Request) -> Reply | None:
        if self._wanted(request, "request"):
            raise ConnectionDroppedError
        return None

    def after(self, request: Request, reply: Reply) -> Reply:
        if self._wanted(request, "answer"):
            raise ConnectionDroppedError
        if self._wanted(request, "kill"):
            raise Killed
        return reply
