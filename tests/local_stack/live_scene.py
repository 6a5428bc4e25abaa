"""Where a paper session plays: live markets, as the real exchange shows them every few seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from dora.core.errors import ExchangeError
from tests.demo.options import DemoError
from tests.local_stack.live import LiveFeed, LiveReads, busiest, specs_of
from tests.local_stack.paper import Paper
from tests.replay.fill_models import FillModel
from tests.simulator.model import MarketSpec
from tests.world import config_items
from tests.world.cloud import CloudKind
from tests.world.setup import Setup, Wire
from tests.world.world import World

LOOK_MS = 10_000


@dataclass(frozen=True)
class LiveScene:
    """Markets of the real exchange, an account on paper, and the model that fills its orders."""

    reads: LiveReads
    markets: tuple[MarketSpec, ...]
    start_ms: int
    model: FillModel
    tier: str
    dollars: int
    """On each shard, on paper."""

    @property
    def tickers(self) -> tuple[str, ...]:
        """In the order they were chosen."""
        return tuple(own.ticker for own in self.markets)

    def setup(self, wire: Wire, cloud: CloudKind) -> Setup:
        """A world of these markets. Its key is made for it: the person's own is in `reads` alone."""
        return Setup(
            markets=self.markets,
            start_ms=self.start_ms,
            items=dict.fromkeys(self.tickers, config_items.SAMPLE),
            tier=self.tier,
            cash_dollars=self.dollars,
            wire=wire,
            cloud=cloud,
        )

    def play(self, world: World) -> LiveFeed:
        """Look at the real exchange now, and again and again as the world's clock moves."""
        paper = Paper(world.exchange, world.member, self.model)
        feed = LiveFeed(self.reads, world.exchange, paper, self.tickers)
        _look(feed, world)
        return feed


def _look(feed: LiveFeed, world: World) -> None:
    now_ms = world.clock.now_ms()
    feed.look(now_ms)
    world.clock.at(now_ms + LOOK_MS, partial(_look, feed, world))


def live_scene(
    reads: LiveReads,
    series: Sequence[str],
    *,
    most: int,
    start_ms: int,
    model: FillModel,
    tier: str = "advanced",
    dollars: int = 1_000,
) -> LiveScene:
    """The busiest open markets of these series. Raises DemoError."""
    try:
        found = busiest(reads, series, most)
        specs = specs_of(reads, [own.market for own in found])
    except ExchangeError as error:
        raise DemoError(f"the real exchange does not answer: {error}") from error
    if not specs:
        raise DemoError(f"no open market of {', '.join(series)} is quoted on both sides; name other --series")
    return LiveScene(reads, specs, start_ms, model, tier, dollars)
