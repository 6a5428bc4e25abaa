"""The case that is measured: how many markets, what their books look like, and how they move.

Two sides of one level, 32 levels a side in the book, prices in whole cents, five markets to an event. A
market "moves" by three cents up or back down, which is more than the tolerance of the diff: both of its
quotes are wanted elsewhere, and neither would cross the other's old place. The strategy's answers to speed
are switched off, so a move in one cycle asks for nothing in the next. Everywhere else one size deep in the
book changes in every second market, because real books are never quite the same a minute later: a bot that
compares them must find that out.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from tests.simulator.model import MarketSpec
from tests.world.config_items import Item
from tests.world.keys import KeyKind
from tests.world.setup import Setup

START_MS = int(datetime(2026, 3, 2, 15, 0, tzinfo=UTC).timestamp()) * 1000
DAY_MS = 86_400_000
UNLIMITED = "unlimited"
LEVELS = 32
MARKETS_PER_EVENT, EVENTS_PER_SERIES = 5, 40
CENT_E4, CONTRACT_E2 = 100, 100
HALF_SPREAD_CENTS, STEP_CENTS = 5, 3
LOWEST_MID, HIGHEST_MID = 43, 57
NEAR_LEVELS, DEEP_LEVEL = 4, 12
"""From here on no quote looks at a level."""

GLOBAL: Item = {
    "trading_enabled": True,
    "group_burst_limit": 1_000_000,
    "session_contract_limit": 10_000_000,
    "max_event_loss_dollars": 1_000_000,
    "max_total_loss_dollars": 1_000_000,
    "max_open_orders": 200_000,
}
MARKET: Item = {
    "enabled": True,
    "volatility_percent_of_move": 0,
    "max_speed_percent": 10_000,
    "resume_speed_percent": 10_000,
    "min_half_spread_dollars": Decimal("0.025"),
    "max_improve_ticks": 5,
    "min_book_width_dollars": 0,
    "warm_up_minutes": 0,
}
"""Everything else as a person gets it who says nothing."""

Ladder = list[tuple[int, int]]


@dataclass(frozen=True)
class Case:
    """One size of account. `tier` UNLIMITED has tokens without end."""

    markets: int
    tier: str = UNLIMITED
    seed: int = 1
    key: KeyKind = "rsa"

    @property
    def tickers(self) -> tuple[str, ...]:
        """All markets, in order."""
        return tuple(spec.ticker for spec in self.specs())

    def specs(self) -> Iterator[MarketSpec]:
        """The markets, open for another ten days."""
        for number in range(self.markets):
            event = number // MARKETS_PER_EVENT
            series = f"KXBENCH{event // EVENTS_PER_SERIES:02d}"
            yield MarketSpec(
                ticker=f"{series}-26MAR{event:04d}-T{number % MARKETS_PER_EVENT}",
                event_ticker=f"{series}-26MAR{event:04d}",
                series_ticker=series,
                open_ms=START_MS - DAY_MS,
                close_ms=START_MS + 10 * DAY_MS,
            )

    def setup(self) -> Setup:
        """The same as a world's setup: what the deployment and its owner leave behind."""
        return Setup(
            markets=tuple(self.specs()),
            start_ms=START_MS,
            items=dict.fromkeys(self.tickers, MARKET),
            globals=GLOBAL,
            tier=self.tier,
            seed=self.seed,
            cash_dollars=10_000_000,
            wire="http",
            cloud="server",
            key=self.key,
        )


class MovingBook:
    """The book of one market, at one of a few places, each so many cents above the one before."""

    def __init__(self, seed: int, ticker: str, places: int = 2, step_cents: int = STEP_CENTS) -> None:
        self._chance = random.Random(f"{seed} {ticker}")
        self._mid = self._chance.randint(LOWEST_MID, HIGHEST_MID)
        self._places, self._place, self._step_cents = places, 0, step_cents
        self._bids, self._asks = self._side(), self._side()

    def move(self) -> None:
        """A place up; from the highest back down to the lowest."""
        self._place = (self._place + 1) % self._places

    def rustle(self) -> None:
        """One size changes where no quote looks."""
        sizes = self._chance.choice((self._bids, self._asks))
        sizes[self._chance.randrange(DEEP_LEVEL, LEVELS)] = self._size()

    def sides(self) -> tuple[Ladder, Ladder]:
        """Bids and asks, best first: (price in 1e-4 $, count in 0.01 contract)."""
        mid = self._mid + self._step_cents * self._place
        bid, ask = mid - HALF_SPREAD_CENTS, mid + HALF_SPREAD_CENTS
        bids = [((bid - level) * CENT_E4, size) for level, size in enumerate(self._bids)]
        return bids, [((ask + level) * CENT_E4, size) for level, size in enumerate(self._asks)]

    def _side(self) -> list[int]:
        """Near the touch both sides weigh alike, so that fair value stays amid and a move meets no quote."""
        near = [self._chance.randint(100, 130) * CONTRACT_E2 for _ in range(NEAR_LEVELS)]
        return [*near, *(self._size() for _ in range(LEVELS - NEAR_LEVELS))]

    def _size(self) -> int:
        """Contracts over three orders of magnitude, every fifth size with a fraction."""
        whole = int(self._chance.lognormvariate(4.6, 1.1)) + 1
        return whole * CONTRACT_E2 + (self._chance.randrange(CONTRACT_E2) if whole % 5 == 0 else 0)
