"""I11: what lies in the storage of a bot adds up: rows to ledgers, and ledgers are the positions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.retirement import is_totals, retire, totals_of
from tests.world.books import BookedPosition

Figures = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoredBooks:
    """Ledgers by ticker, and all profit rows, as durably stored. `retired`: those out of the state."""

    ledgers: Mapping[str, MarketLedger]
    rows: Iterable[ProfitRow]
    retired: frozenset[str] = frozenset()
    totals: Mapping[str, MarketLedger] = field(default_factory=dict)

    @classmethod
    def of(
        cls, state: Mapping[str, MarketLedger], records: Mapping[str, MarketLedger], rows: Iterable[ProfitRow]
    ) -> "StoredBooks":
        """Out of the books as they lie in the state, and the records of markets that have left it."""
        totals = {ticker: own for ticker, own in state.items() if is_totals(ticker)}
        ledgers = {ticker: own for ticker, own in state.items() if not is_totals(ticker)}
        return cls({**records, **ledgers}, rows, frozenset(records.keys() - ledgers.keys()), totals)


def of_markets(
    positions: Mapping[str, BookedPosition], records: Mapping[str, MarketLedger]
) -> dict[str, BookedPosition]:
    """Positions of all markets, of those that have left the state as well."""
    left: dict[str, BookedPosition] = {ticker: own.position for ticker, own in records.items()}
    return left | {ticker: own for ticker, own in positions.items() if not is_totals(ticker)}


def unlike(stored: StoredBooks, positions: Mapping[str, BookedPosition]) -> Iterator[str]:
    """Each market whose books contradict themselves, in words. A row that only estimates needs no books."""
    sums: defaultdict[str, Figures] = defaultdict(lambda: (0,) * 7)
    for row in (own for own in stored.rows if any(_of_row(own))):
        sums[row.ticker] = tuple(a + b for a, b in zip(sums[row.ticker], _of_row(row), strict=True))
    for ticker in sorted(positions.keys() | stored.ledgers.keys() | sums.keys()):
        ledger = stored.ledgers.get(ticker)
        if ledger is None or ledger.position != positions.get(ticker):
            yield f"{ticker}: books {ledger and ledger.position}, position {positions.get(ticker)}"
        elif sums[ticker] != _of_ledger(ledger):
            yield f"{ticker}: rows come to {sums[ticker]}, books to {_of_ledger(ledger)}"

    yield from _unlike_totals(stored)


def _unlike_totals(stored: StoredBooks) -> Iterator[str]:
    """The totals of markets that have left the state are the sums of their ledgers."""
    sums: dict[str, MarketLedger] = {}
    for ticker in stored.retired:
        own = stored.ledgers[ticker]
        before = totals_of(sums, own.shard)
        sums[before.ticker] = retire(before, own)
    for ticker in sorted(sums.keys() | stored.totals.keys()):
        shard = int(ticker.rsplit("-", 1)[1])
        if totals_of(stored.totals, shard) != totals_of(sums, shard):
            yield f"{ticker}: totals {stored.totals.get(ticker)}, markets come to {sums.get(ticker)}"


def _of_row(row: ProfitRow) -> Figures:
    earned = row.realised + row.settlement
    return row.fills, row.traded, row.volume, earned, row.unrealised, row.fees, row.rewards


def _of_ledger(own: MarketLedger) -> Figures:
    return own.fills, own.traded, own.volume, own.realised, own.marked, own.fees, own.rewards
