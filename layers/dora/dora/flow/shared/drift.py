"""Positions that are not ours alone to know: those held before the bot began, and drift that heals."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dora.core.accounts.booking import PositionEntry, before_entry
from dora.core.accounts.drift import DriftWatch, HeldPosition, PositionSnapshot, review_drift
from dora.core.accounts.drift_memory import from_memory, to_memory
from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import post_entry
from dora.core.accounts.stored_books import MARKETS_PER_TRANSACTION
from dora.core.calendar import format_time
from dora.core.exchange.account import ExchangePosition
from dora.core.orders.batches import split
from dora.core.orders.journal import Journal, OrderState
from dora.core.ports import Facts, Ports
from dora.core.state import BotState
from dora.core.units import Count, TimeMs, format_count, format_money
from dora.flow.shared.bookkeeping import Bookkeeper

DRIFT, CYCLE = "#drift", "#cycle"
"""Where the strategies' memory keeps what is watched, and which cycle left it: no ticker begins so."""


class PositionList(NamedTuple):
    """The exchange's own count, complete, as of a time. `left_out`: markets that cannot be compared."""

    as_of_ms: TimeMs
    rows: tuple[ExchangePosition, ...]
    left_out: frozenset[str]


def heal_drift(
    ports: Ports, books: Bookkeeper, state: BotState, journal: Journal, listed: PositionList
) -> dict[str, object]:
    """Enter what two lists show alike; returns what is watched from now on, for the memory.

    Safe to repeat: an entry that stands is no drift any more.
    """
    held = {row.ticker: own for row in listed.rows if (own := _held(row)) is not None}
    unclear = frozenset(row.ticker for row in listed.rows) - held.keys() | frozenset(_unproven(journal))
    snapshot = PositionSnapshot(listed.as_of_ms, held, listed.left_out | unclear)
    watched = from_memory(state.memory.get(DRIFT, {}))
    review = review_drift(books.ledgers, snapshot, watched, first=_is_first(state))
    for part in split(review.entries, MARKETS_PER_TRANSACTION):
        before = {entry.ticker: books.ledger(entry.ticker, entry.shard).net for entry in part}
        books.post([post_entry(books.ledger(entry.ticker, entry.shard), entry) for entry in part])
        for entry in part:
            _tell_entered(ports.facts, entry, before[entry.ticker])
    _tell_lasting(ports.facts, review.watches.values(), listed.as_of_ms)
    return to_memory(review.watches)


def entered_before(state: BotState, ledgers: Mapping[str, MarketLedger]) -> dict[str, Position]:
    """By ticker, positions without an entry that a cycle has stored which then died before its commit.

    What the last commit watched stands entered in the books by then, and no day knows of it yet. Memory that
    an older cycle left says nothing: the commit after it may have known.
    """
    found: dict[str, Position] = {}
    if state.memory.get(CYCLE, {}).get("cycle_id") != state.progress.cycle_id:
        return found
    for ticker, watch in from_memory(state.memory.get(DRIFT, {})).items():
        own = ledgers.get(ticker)
        if own is None or own.net == watch.ours:
            continue
        before = before_entry(own, watch.theirs, watch.cost)
        if before is not None:
            found[ticker] = before.position
    return found


def _held(row: ExchangePosition) -> HeldPosition | None:
    """None where the row does not say what it cost or when it changed."""
    if row.cost is None or row.updated_ms is None:
        return None
    return HeldPosition(
        ticker=row.ticker, shard=row.shard, net=row.net, cost=row.cost, updated_ms=row.updated_ms
    )


def _unproven(journal: Journal) -> Iterator[str]:
    """Markets of orders that may have fills which no list shows yet: those are not to be entered."""
    for order in journal.orders.values():
        proven = order.state in (OrderState.LIVE, OrderState.CLOSED)
        if order.unbooked or not proven:
            yield order.slot.ticker


def _is_first(state: BotState) -> bool:
    """Whether nothing was ever compared: what is held then was held before the books began."""
    return not state.progress.cycle_id or not (state.books or DRIFT in state.memory)


def _tell_entered(facts: Facts, entry: PositionEntry, before: Count) -> None:
    facts.emit(
        "POSITION_ADJUSTED",
        market=entry.ticker,
        ours=format_count(before),
        theirs=format_count(entry.net),
        cost_dollars=format_money(entry.cost),
        dated=format_time(entry.at_ms),
        opening=entry.opening,
    )


def _tell_lasting(facts: Facts, watches: Iterable[DriftWatch], now_ms: TimeMs) -> None:
    for watch in watches:
        if watch.lasts(now_ms):
            facts.emit(
                "ERROR",
                what=f"position in {watch.ticker}",
                why=f"it differs from the exchange's since {format_time(watch.since_ms)}",
            )
