"""Half of all targets move every minute, two levels deep, on a tier's own tokens: what becomes of a session.

The bot runs against the exchange's rules and the embedded DynamoDB, in one process and in virtual time, which
moves when the bot waits and stands while requests are under way: nothing here is a matter of speed. Every
cycle is held to every rule that the simulator knows.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from tests.bench import cloud_counts
from tests.bench.case import MARKET, Case, MovingBook
from tests.world.disruption import Disruption
from tests.world.output import Catcher, printed_to
from tests.world.world import World, open_world

SHARE, LEVELS = 0.5, 2
SIDES = 2


@dataclass(frozen=True)
class Storm:
    """One tier and size of account, for so many cycles."""

    tier: str
    markets: int
    cycles: int
    seed: int = 1


@dataclass
class Seen:
    """What the cycles came to."""

    statuses: Counter[str] = field(default_factory=Counter)
    placed: int = 0
    cancelled: int = 0
    quoted: list[int] = field(default_factory=list)
    """Slots with a quote, at the end of each cycle."""
    units: list[int] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)


def storm(given: Storm) -> dict[str, Any]:
    """Figures of all cycles. `broken` lists rules that were broken, and must be empty."""
    case = Case(given.markets, tier=given.tier, seed=given.seed, key="ed25519")
    items = dict.fromkeys(case.tickers, {**MARKET, "levels": LEVELS})
    setup = replace(case.setup(), wire="adapter", cloud="process", items=items)
    catcher, steady = Catcher(), Disruption()
    with printed_to(catcher.stream), cloud_counts.counting(), open_world(setup, steady.deploy) as world:
        steady.join(world)
        world.start()
        seen = _cycles(world, given, catcher)
        status, broken = world.status(), world.exchange.invariants.broken
        refused = sum(world.exchange.venue.stats.too_many_requests.values())
    slots = given.markets * LEVELS * SIDES
    half = len(seen.quoted) // 2
    return {
        "cycles": given.cycles,
        "slots": slots,
        "statuses": dict(seen.statuses),
        "placed": seen.placed,
        "cancelled": seen.cancelled,
        "refused_429": refused,
        "quoted_first_half": round(fmean(seen.quoted[:half]) / slots, 3),
        "quoted_second_half": round(fmean(seen.quoted[half:]) / slots, 3),
        "wru": round(fmean(seen.units), 1),
        "wru_max": max(seen.units),
        "dynamodb_calls_max": max(seen.calls),
        "unfinished_plans": status["unfinished_plans"],
        "broken": [str(breach) for breach in broken],
    }


def _cycles(world: World, given: Storm, catcher: Catcher) -> Seen:
    books = {ticker: MovingBook(given.seed, ticker) for ticker in world.setup.items}
    chance, seen = random.Random(given.seed), Seen()
    for ticker, book in books.items():
        world.exchange.set_background_book(ticker, *book.sides())
    for _ in range(given.cycles):
        for ticker in chance.sample(list(books), round(SHARE * len(books))):
            books[ticker].move()
            world.exchange.set_background_book(ticker, *books[ticker].sides())
        cloud_counts.take()
        answer = world.cycle()
        counts = cloud_counts.take()
        catcher.take()
        seen.statuses[str(answer["status"])] += 1
        seen.placed += answer["placed"]
        seen.cancelled += answer["cancelled"]
        seen.quoted.append(sum(len(orders) for orders in world.member.live.values()))
        seen.units.append(counts.write_units)
        seen.calls.append(sum(counts.calls.values()))
    return seen
