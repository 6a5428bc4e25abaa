"""Step 5 of a cycle: fills and settlements into positions, exactly once, checked against the exchange."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.accounts.ledger import Drift, Position, find_drift
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.overdue import OverduePayout, overdue_payouts
from dora.core.accounts.posting import Attribution
from dora.core.empty import EMPTY
from dora.core.exchange.account import Fill
from dora.core.exchange.listed import UnreadableRow
from dora.core.exchange.market import MarketStatus
from dora.core.exchange.snapshot import AccountReads
from dora.core.orders.journal import Journal, TrackedOrder, note_fills
from dora.core.orders.ownership import POSITIONS, SETTLEMENTS
from dora.core.ports import Facts, Ports
from dora.core.state import BotState, Cursors
from dora.core.units import ONE_DOLLAR, Count, Money, Price, TimeMs, format_count, format_money, format_price
from dora.flow.shared.bookkeeping import Bookkeeper
from dora.flow.shared.drift import PositionList, entered_before, heal_drift
from dora.flow.shared.earners import Earners
from dora.flow.shared.retirement import readmit, retire_markets
from dora.flow.shared.settlements import book_settlements

_OVER = (MarketStatus.DETERMINED, MarketStatus.DISPUTED, MarketStatus.AMENDED, MarketStatus.FINALIZED)


class Accounts(NamedTuple):
    """The ledger after this cycle's fills and settlements."""

    positions: Mapping[str, Position]
    books: Mapping[str, MarketLedger]
    journal: Journal
    cursors: Cursors
    drift: tuple[Drift, ...] | None = None
    """None: fills or positions were not read, so nobody knows."""
    watched: Mapping[str, object] | None = None
    """Drift that is watched, as the memory keeps it; None: nothing was compared."""
    before_entries: Mapping[str, Position] = EMPTY
    """By ticker, the positions that entries of this cycle took the place of."""
    overdue: tuple[OverduePayout, ...] = ()
    """Payouts that are late."""
    new_fills: tuple[Fill, ...] = ()
    """Booked in this cycle."""
    earners: Mapping[str, Attribution] = EMPTY
    """By order id, whose fills they are; all others are external."""
    booked: int | None = None
    """None: fills were not read."""

    @property
    def traded(self) -> Count:
        """Contracts ever traded, by the ledger."""
        return Count(sum(position.traded for position in self.positions.values()))

    @property
    def net(self) -> Count:
        """Net contracts held, every market counted by its size."""
        return Count(sum(abs(position.net) for position in self.positions.values()))

    @property
    def fees(self) -> Money:
        """Fees paid so far."""
        return Money(sum(position.fees for position in self.positions.values()))

    def profit(self, marks: Mapping[str, Price]) -> Money:
        """Profit so far, open positions at their marks; without one at the worst that can come."""
        return Money(sum(_at(position, marks) for position in self.positions.values()))

    def entered_profit(self, marks: Mapping[str, Price]) -> Money:
        """What entries of this cycle changed the profit by, at the same marks."""
        changed = ((self.positions[ticker], before) for ticker, before in self.before_entries.items())
        return Money(sum(_at(after, marks) - _at(before, marks) for after, before in changed))

    def unmarked(self, marks: Mapping[str, Price]) -> int:
        """Open positions that nobody can put a price on: in the profit they stand at the worst."""
        return sum(1 for p in self.positions.values() if p.net and p.ticker not in marks)


def _at(position: Position, marks: Mapping[str, Price]) -> Money:
    return position.profit(marks.get(position.ticker, _worst(position)))


def _worst(position: Position) -> Price:
    return Price(0) if position.net >= 0 else ONE_DOLLAR


def keep_accounts(
    ports: Ports,
    fence: int,
    state: BotState,
    journal: Journal,
    reads: AccountReads,
    strategies: Mapping[str, str],
) -> Accounts:
    """Book what is new, then compare with the exchange's own positions. Safe to repeat: fills book once.

    `strategies`: by ticker, of the markets that are configured.
    """
    accounts = Accounts(positions=state.positions, books=state.books, journal=journal, cursors=state.cursors)
    if reads.fills is None:
        return accounts
    books = Bookkeeper(ports, fence, state.books, state.positions)
    earners = Earners(state.session, journal, strategies)
    books.take_over(reads.positions or ())
    new = books.unbooked(reads.fills)
    readmit(ports, books, reads, new, state.cursors.settlements_ms)
    by_order_id = earners.of_fills(new)
    books.book_fills(new, by_order_id)
    refused = book_settlements(ports, books, reads.settlements or (), earners)
    unpaid = [*_unpaid(books.positions, reads), *refused]
    for row in unpaid:
        ports.facts.emit("ERROR", what=f"settlement of {row.ticker or 'an unnamed market'}", why=row.problem)
    _emit_fills(ports.facts, new, journal.by_order_id())
    journal = note_fills(journal, reads.fills)
    compared = _listed(reads)
    before = books.positions | entered_before(state, books.ledgers)
    watched = heal_drift(ports, books, state, journal, compared) if compared and compared.as_of_ms else None
    entered = _replaced(before, books.positions)
    retire_markets(books, reads, journal, strategies, reads.began_ms)
    return accounts._replace(
        positions=books.positions,
        books=books.ledgers,
        journal=journal,
        cursors=_advance(state.cursors, reads, hold_settlements=bool(unpaid)),
        drift=_drift(books.positions, compared) if compared else None,
        watched=watched,
        before_entries=entered,
        overdue=overdue_payouts(books.ledgers.values(), reads.markets, reads.began_ms),
        new_fills=tuple(new),
        earners=by_order_id,
        booked=len(new),
    )


def _replaced(before: Mapping[str, Position], after: Mapping[str, Position]) -> dict[str, Position]:
    """The positions that are others now; a new market's was empty."""
    return {
        ticker: before.get(ticker) or Position(ticker=ticker, shard=own.shard)
        for ticker, own in after.items()
        if own != before.get(ticker)
    }


def _unpaid(positions: Mapping[str, Position], reads: AccountReads) -> list[UnreadableRow]:
    """Settlements that were not understood, of markets that the ledger holds unsettled, or of any market."""
    rows = (row for row in reads.set_apart if row.list_name == SETTLEMENTS)
    open_ = {ticker for ticker, position in positions.items() if not position.settled}
    return [row for row in rows if row.ticker is None or row.ticker in open_]


def _emit_fills(facts: Facts, fills: Iterable[Fill], orders: Mapping[str, TrackedOrder]) -> None:
    for fill in fills:
        order = orders.get(fill.order_id)
        facts.emit(
            "ORDER_FILLED",
            market=fill.ticker,
            order_id=fill.order_id,
            client_order_id=order.client_order_id if order else "",
            decision_id=order.decision_id if order else "",
            fill_id=fill.fill_id,
            side=fill.side,
            price=format_price(fill.price),
            size=format_count(fill.count),
            fee=format_money(fill.fee),
        )


def _advance(cursors: Cursors, reads: AccountReads, *, hold_settlements: bool) -> Cursors:
    """Reads begin an overlap before the cursor, so late rows are still met after it has moved on.

    While a settlement of ours is not understood its cursor stays: each read is to list it until it is.
    """
    fills = [fill.at_ms for fill in reads.fills or ()]
    settled = [s.settled_ms for s in reads.settlements or ()]
    as_of = min(reads.as_of_ms, reads.began_ms)
    held = reads.settlements is None or hold_settlements
    return Cursors(
        fills_ms=TimeMs(max(cursors.fills_ms, as_of, *fills)),
        settlements_ms=cursors.settlements_ms
        if held
        else TimeMs(max(cursors.settlements_ms, as_of, *settled)),
    )


def _listed(reads: AccountReads) -> PositionList | None:
    """A market that is over drops out of the exchange's rows before it is paid: that is no drift.

    Nor is a market whose row was not understood.
    """
    if reads.positions is None:
        return None
    over = {ticker for ticker, market in reads.markets.items() if market.status in _OVER}
    over |= {row.ticker for row in reads.set_apart if row.ticker and row.list_name == POSITIONS}
    return PositionList(min(reads.as_of_ms, reads.began_ms), reads.positions, frozenset(over))


def _drift(positions: Mapping[str, Position], listed: PositionList) -> tuple[Drift, ...]:
    theirs = {row.ticker: row.net for row in listed.rows}
    return tuple(drift for drift in find_drift(positions, theirs) if drift.ticker not in listed.left_out)
