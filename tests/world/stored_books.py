"""I11: what lies in the storage of a bot adds up: rows to ledgers, and ledgers are the positions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow
from tests.world.books import BookedPosition

Figures = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoredBooks:
    """Ledgers by ticker, and all profit rows, as durably stored."""

    ledgers: Mapping[str, MarketLedger]
    rows: Iterable[ProfitRow]


def unlike(stored: StoredBooks, positions: Mapping[str, BookedPosition]) -> Iterator[str]:
    """Each market whose books contradict themselves, in words."""
    sums: defaultdict[str, Figures] = defaultdict(lambda: (0,) * 7)
    for row in stored.rows:
        sums[row.ticker] = tuple(a + b for a, b in zip(sums[row.ticker], _of_row(row), strict=True))
    for ticker in sorted(positions.keys() | stored.ledgers.keys() | sums.keys()):
        ledger = stored.ledgers.get(ticker)
        if ledger is None or ledger.position != positions.get(ticker):
            yield f"{ticker}: books {ledger and ledger.position}, position {positions.get(ticker)}"
        elif sums[ticker] != _of_ledger(ledger):
            yield f"{ticker}: rows come to {sums[ticker]}, books to {_of_ledger(ledger)}"


def _of_row(row: ProfitRow) -> Figures:
    earned = row.realised + row.settlement
    return row.fills, row.traded, row.volume, earned, row.unrealised, row.fees, row.rewards


def _of_ledger(own: MarketLedger) -> Figures:
    return own.fills, own.traded, own.volume, own.realised, own.marked, own.fees, own.rewards
