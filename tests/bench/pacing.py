"""How a tier's write tokens are used when more is wanted than they pay for; in virtual time.

Every market moves in every cycle and the markets are so many that replacing all quotes would take about a
quarter more tokens than a cycle can have. Reads take no time; each write takes the given delay.

- utilisation: tokens spent, of those that the bucket holds at a cycle's beginning or gains until placing must
  end;
- refused_429: writes that the exchange refused for lack of tokens;
- longest_wait: the most cycles in a row at whose end one slot stood empty;
- empty_slots: the share of slots that stand empty at a cycle's end, on average;
- empty_later: the same of the later half of the cycles alone: it does not grow while the demand stays;
- fair_share: Jain's index of how often each market's slots were filled: 1 when all alike, 1/n when one has
  all.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

from tests.bench.case import GLOBAL, Case, MovingBook
from tests.simulator.buckets import TIERS, WRITE
from tests.simulator.wire import Reply, Request
from tests.world.lambda_context import CYCLE_TIMEOUT_MS
from tests.world.memory_bot import open_memory_world
from tests.world.memory_cloud import MemoryCloud
from tests.world.output import printed_to
from tests.world.world import World

MARGIN_MS = 8_000
"""Placing ends so long before the function does: configured, so that the window is known here."""
SLOT_TOKENS = 12
"""A cancel and a create."""
DEMAND_PERCENT = 125
DELAYS: dict[str, tuple[int, int]] = {"0": (0, 0), "50": (50, 50), "20-80": (20, 80)}
"""Least and most ms of a write."""
HOUR_CYCLES = 60
GROWING_CYCLES = 8
"""Until averages are warm, from when on quotes are narrower: that change alone leaves some where they are."""
PLACES, STEP_CENTS = 3, 2
"""Of a book: what waited for a cycle is not back on its target, so that the demand stays the same, and no
move takes one side of our quotes beyond where the other still rests."""
SIDES = ("bid", "ask")


@dataclass(frozen=True)
class Demand:
    """One tier, at one kind of delay, for so many cycles."""

    tier: str
    delay: str
    cycles: int
    seed: int = 1

    @property
    def budget(self) -> int:
        """Write tokens of one cycle, from a full bucket."""
        tier = TIERS[self.tier]
        return tier.write_capacity + tier.write_rate * (CYCLE_TIMEOUT_MS - MARGIN_MS) // 1000

    @property
    def markets(self) -> int:
        """Enough to want more than that."""
        return self.budget * DEMAND_PERCENT // 100 // (len(SIDES) * SLOT_TOKENS)


def pacing(demand: Demand) -> dict[str, Any]:
    """The figures named above."""
    with printed_to(StringIO()), open_demand(demand) as world:
        world.start()
        books = {ticker: MovingBook(demand.seed, ticker, PLACES, STEP_CENTS) for ticker in world.setup.items}
        for _ in range(GROWING_CYCLES):
            moved_cycle(world, books)
        stats = world.exchange.venue.stats
        stats.tokens.clear()
        stats.too_many_requests.clear()
        filled = [moved_cycle(world, books) for _ in range(demand.cycles)]
        spent, refused = stats.spent(WRITE), sum(stats.too_many_requests.values())
    slots = [(ticker, side) for ticker in books for side in SIDES]
    return {
        "utilisation": round(spent / (demand.budget * demand.cycles), 3),
        "refused_429": refused,
        "longest_wait": longest_wait(filled, slots),
        "fair_share": round(fair_share(filled, list(books)), 3),
        "empty_slots": round(empty_share(filled, len(slots)), 3),
        "empty_later": round(empty_share(filled[len(filled) // 2 :], len(slots)), 3),
        "markets": demand.markets,
    }


Slot = tuple[str, str]


def longest_wait(filled: Sequence[frozenset[Slot]], slots: Sequence[Slot]) -> int:
    """Cycles in a row that the unluckiest slot was not among the filled ones."""
    longest, waits = 0, Counter[Slot]()
    for cycle in filled:
        for slot in slots:
            waits[slot] = 0 if slot in cycle else waits[slot] + 1
            longest = max(longest, waits[slot])
    return longest


def empty_share(filled: Sequence[frozenset[Slot]], slots: int) -> float:
    """Of so many slots, those that stand empty at a cycle's end; the mean of the cycles."""
    return 1 - sum(map(len, filled)) / (slots * len(filled))


def fair_share(filled: Sequence[frozenset[Slot]], tickers: Sequence[str]) -> float:
    """Jain's index over the markets of slots filled at the ends of cycles; 1.0 where nobody had any."""
    counts = Counter(ticker for cycle in filled for ticker, _ in cycle)
    squares = sum(count * count for count in counts.values())
    return sum(counts.values()) ** 2 / (len(tickers) * squares) if squares else 1.0


def moved_cycle(world: World, books: dict[str, MovingBook]) -> frozenset[Slot]:
    """Everything moves; the slots that are filled when the cycle ends."""
    for ticker, book in books.items():
        book.move()
        world.exchange.set_background_book(ticker, *book.sides())
    world.cycle()
    return frozenset(slot for slot, orders in world.member.live.items() if orders)


@contextmanager
def open_demand(demand: Demand) -> Iterator[World]:
    """A world in memory with so many markets; each write takes its delay."""
    case = Case(demand.markets, tier=demand.tier, seed=demand.seed, key="shared")
    margin = {"placement_margin_ms": MARGIN_MS}
    setup = replace(case.setup(), wire="adapter", cloud="process", globals={**GLOBAL, **margin})
    with open_memory_world(setup, MemoryCloud()) as world:
        _delay_writes(world, demand)
        yield world


def _delay_writes(world: World, demand: Demand) -> None:
    """Each write moves virtual time on by a delay drawn for it."""
    exchange, chance, (least, most) = world.exchange, random.Random(demand.seed), DELAYS[demand.delay]
    handle = exchange.handle

    def delayed(request: Request) -> Reply:
        if request.method != "GET":
            exchange.knobs = replace(exchange.knobs, write_latency_ms=chance.randint(least, most))
        return handle(request)

    exchange.handle = delayed  # type: ignore[method-assign]  # the adapter's only way in
