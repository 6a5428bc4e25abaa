"""Step 3 of a cycle: everything read from the exchange, in parallel, each read either whole or unknown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dora.core.evidence import Evidence, ask
from dora.core.journal import Journal
from dora.core.model import (
    Book,
    ExchangePosition,
    Fill,
    Market,
    Order,
    OrderGroup,
    Settlement,
    ShardStatus,
)
from dora.core.planning import split
from dora.core.ports import Outside
from dora.core.units import Money, TimeMs
from dora.flow.reads import Pending, Reader

BOOKS_PER_CALL, MARKETS_PER_CALL = 100, 200
FIXED_READS = 9
"""Calls of a cycle that do not grow with the markets: two stamps and seven account reads."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One look at the exchange. None is "could not be read", never "nothing there"; `failures` says why."""

    began_ms: TimeMs
    as_of_ms: TimeMs
    resting: tuple[Order, ...] | None = None
    fills: tuple[Fill, ...] | None = None
    settlements: tuple[Settlement, ...] | None = None
    positions: tuple[ExchangePosition, ...] | None = None
    cash: Mapping[int, Money] | None = None
    groups: tuple[OrderGroup, ...] | None = None
    status: Mapping[int, ShardStatus] | None = None
    books: Mapping[str, Book] = field(default_factory=dict)
    markets: Mapping[str, Market] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    auth_refused: bool = False

    @property
    def account_known(self) -> bool:
        """All that a placement rests on was read whole."""
        needed = (self.resting, self.fills, self.positions, self.cash, self.groups, self.status)
        return "as_of" not in self.failures and all(part is not None for part in needed)


def read_calls(book_tickers: int, market_tickers: int) -> int:
    """How many calls of the read bucket one snapshot is expected to make."""
    return FIXED_READS + -(-book_tickers // BOOKS_PER_CALL) + -(-market_tickers // MARKETS_PER_CALL)


def read_exchange(
    outside: Outside,
    *,
    fills_since_ms: TimeMs,
    settlements_since_ms: TimeMs,
    book_tickers: Sequence[str],
    market_tickers: Sequence[str],
) -> Snapshot:
    """All reads of a cycle, side by side."""
    exchange, began_ms = outside.exchange, outside.clock.now_ms()
    with Reader(outside.workers) as reader:
        first = reader.start("as_of", exchange.user_data_time_ms).result()
        resting = reader.start("resting", exchange.resting_orders)
        fills = reader.start("fills", exchange.fills_since, fills_since_ms)
        settlements = reader.start("settlements", exchange.settlements_since, settlements_since_ms)
        positions = reader.start("positions", exchange.positions)
        cash = reader.start("cash", exchange.cash)
        groups = reader.start("groups", exchange.order_groups)
        status = reader.start("status", exchange.status)
        books = _in_slices(reader, "books", exchange.books, book_tickers, BOOKS_PER_CALL)
        markets = _in_slices(reader, "markets", exchange.markets, market_tickers, MARKETS_PER_CALL)
        snapshot = Snapshot(
            began_ms=began_ms,
            as_of_ms=first or TimeMs(0),
            resting=resting.result(),
            fills=fills.result(),
            settlements=settlements.result(),
            positions=positions.result(),
            cash=cash.result(),
            groups=groups.result(),
            status=status.result(),
            books=_joined(books),
            markets=_joined(markets),
        )
        last = reader.start("as_of", exchange.user_data_time_ms).result()
    return replace(
        snapshot,
        as_of_ms=min(snapshot.as_of_ms, last or TimeMs(0)),
        failures=reader.failures,
        auth_refused=reader.auth_refused,
    )


def _in_slices(
    reader: Reader,
    name: str,
    read: Callable[[Sequence[str]], Mapping[str, Answer]],
    tickers: Sequence[str],
    size: int,
) -> list[Pending[Mapping[str, Answer]]]:
    return [reader.start(name, read, part) for part in split(tickers, size)]


def _joined(parts: list[Pending[Mapping[str, Answer]]]) -> dict[str, Answer]:
    joined: dict[str, Answer] = {}
    for part in parts:
        joined |= part.result() or {}
    return joined


def gather_evidence(outside: Outside, journal: Journal, snapshot: Snapshot, hold_ms: int) -> Evidence:
    """The snapshot's order rows, with single-order reads for what they leave open. Failed ones stay open."""
    began_ms = outside.clock.now_ms()
    evidence = Evidence(
        began_ms=began_ms,
        as_of_ms=snapshot.as_of_ms,
        resting=snapshot.resting,
        tripped=frozenset(group.group_id for group in snapshot.groups or () if group.tripped),
    )
    questions = ask(journal, snapshot.resting or (), began_ms, hold_ms)
    if snapshot.resting is None or not (questions.order_ids or questions.tickers):
        return evidence
    exchange = outside.exchange
    with Reader(outside.workers) as reader:
        rows = {i: reader.start(i, exchange.order, i) for i in questions.order_ids}
        lists = {t: reader.start(t, exchange.orders_of, t) for t in questions.tickers}
        listings = {ticker: pending.result() for ticker, pending in lists.items()}
        return replace(
            evidence,
            looked_up={order_id: pending.result() for order_id, pending in rows.items()},
            listings={ticker: found for ticker, found in listings.items() if found is not None},
        )
