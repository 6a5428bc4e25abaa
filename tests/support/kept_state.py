"""A store in memory that holds some books, and the ports that accounting needs."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import cast

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow, RowKey, row_between
from dora.core.calendar import exchange_day
from dora.core.ports import Ports
from tests.support.examples import NOW
from tests.support.kalshi_fakes import FakeFacts
from tests.world.books import BookedPosition
from tests.world.memory_cloud import LeaseRecord, MemoryCloud
from tests.world.memory_store import MemoryStore, positions_of, stored_books
from tests.world.stored_books import StoredBooks, of_markets


class KeptState:
    """What a bot keeps, booked before; one lease is held for good."""

    fence = 7

    def __init__(self, ledgers: Iterable[MarketLedger]) -> None:
        cloud = MemoryCloud()
        self.partition = cloud.partitions["bot"]
        self.partition.lease = LeaseRecord(fence=self.fence)
        for own in ledgers:
            place = f"{own.shard}#{own.ticker}"
            self.partition.books[place], self.partition.positions[place] = own, own.position
            self.partition.rows[place] = _row(own)
        self.state = MemoryStore(cloud, "bot")
        self.facts = FakeFacts()
        clock = SimpleNamespace(now_ms=lambda: NOW)
        self.ports = cast(Ports, SimpleNamespace(state=self.state, facts=self.facts, clock=clock))

    def books(self) -> StoredBooks:
        """Of all markets."""
        return stored_books(self.partition)

    def positions(self) -> Mapping[str, BookedPosition]:
        """Likewise."""
        return of_markets(positions_of(self.partition), self.partition.retired)


def _row(own: MarketLedger) -> ProfitRow:
    """All that its market ever did."""
    key = RowKey(exchange_day(NOW), own.ticker, "reservation", "s")
    return row_between(MarketLedger(ticker=own.ticker, shard=own.shard), own, key)
