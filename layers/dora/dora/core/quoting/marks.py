"""What open positions are worth now: prices to mark them by."""

from collections.abc import Iterable, Mapping

from dora.core.accounts.ledger import Position
from dora.core.config import DEFAULT_STRATEGY, MarketConfig
from dora.core.exchange.market import Book
from dora.core.quoting.registry import STRATEGIES
from dora.core.quoting.strategy import StoredMemory
from dora.core.units import Price


def marks(
    positions: Iterable[Position],
    books: Mapping[str, Book],
    memory: Mapping[str, StoredMemory],
    configs: Mapping[str, MarketConfig],
    traded: Mapping[str, Price] | None = None,
) -> dict[str, Price]:
    """By ticker, the price that would close a position, else the last value its strategy knows.

    Else that of the market's last trade, where `traded` has one: markets that are held and not quoted have
    neither. A position that nobody can put a price on is absent.
    """
    last = traded or {}
    found = {
        p.ticker: _closing_price(p, books.get(p.ticker))
        or _remembered(p.ticker, memory, configs)
        or last.get(p.ticker)
        for p in positions
    }
    return {ticker: mark for ticker, mark in found.items() if mark is not None}


def _closing_price(position: Position, book: Book | None) -> Price | None:
    levels = () if book is None else book.bids if position.net >= 0 else book.asks
    return levels[0].price if levels else None


def _remembered(
    ticker: str, memory: Mapping[str, StoredMemory], configs: Mapping[str, MarketConfig]
) -> Price | None:
    name = configs[ticker].strategy if ticker in configs else DEFAULT_STRATEGY
    return STRATEGIES[name].mark(memory[ticker]) if ticker in memory else None
