"""The bot's books beside the exchange's account, to 1e-6 $; None for a bot that keeps none."""

from collections import defaultdict
from fractions import Fraction

from dora.core.accounts.market_ledger import MarketLedger
from tests.demo.observation import Observation
from tests.simulator.account import Position
from tests.world.stored_books import StoredBooks
from tests.world.world import World

DOLLAR_E6 = 1_000_000


def ledger_difference_e6(world: World, books: StoredBooks | None) -> int | None:
    """Contracts, cost, realised profit, fees, dollars traded: all differences of all markets added up."""
    if books is None:
        return None
    theirs = world.member.accounts[0].positions
    return sum(
        _difference(books.ledgers.get(ticker), theirs.get(ticker, Position()))
        for ticker in sorted(books.ledgers.keys() | theirs.keys())
    )


def _difference(ours: MarketLedger | None, theirs: Position) -> int:
    booked = (ours.net, ours.cost, ours.realised, ours.fees, ours.volume) if ours else (0,) * 5
    right = (theirs.position_e2, theirs.cost_e6, theirs.realized_e6, theirs.fees_e6, theirs.traded_e6)
    return sum(abs(own - other) for own, other in zip(booked, right, strict=True))


def cash_difference_e6(world: World, books: StoredBooks | None) -> int | None:
    """What each shard's cash moved since the start, less what the books say it moved, added up."""
    if books is None:
        return None
    moved: defaultdict[int, int] = defaultdict(int)
    for ledger in books.ledgers.values():
        moved[ledger.shard] += ledger.movement
    began = dict.fromkeys(world.setup.shards, world.setup.cash_dollars * DOLLAR_E6)
    cash = world.member.accounts[0].cash_e6
    shards = began.keys() | cash.keys() | moved.keys()
    return sum(abs(cash.get(shard, 0) - began.get(shard, 0) - moved[shard]) for shard in shards)


def profit_by_market(seen: Observation, books: StoredBooks | None) -> dict[str, Fraction]:
    """Dollars by the bot's books, fees in, open contracts at the last mark; markets that traded."""
    traded = {ticker: own for ticker, own in (books.ledgers if books else {}).items() if own.fills}
    return {
        ticker: (own.cash - own.fees + own.net * seen.samples[ticker][-1].mark_e4) / Fraction(DOLLAR_E6)
        for ticker, own in sorted(traded.items())
        if ticker in seen.samples
    }
