"""Markets that are over leave the state, a few a cycle; one that something happens to comes back first."""

from collections.abc import Iterable, Iterator, Mapping

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.retirement import is_totals, may_retire
from dora.core.exchange.account import Fill
from dora.core.exchange.snapshot import AccountReads
from dora.core.orders.journal import Journal
from dora.core.orders.ownership import POSITIONS
from dora.core.ports import Ports
from dora.core.units import TimeMs
from dora.flow.shared.bookkeeping import Bookkeeper

LEAVING_AT_ONCE = 10
"""In one cycle: some sixty write units."""
_OVERLAP_MS = 15 * 60_000


def readmit(
    ports: Ports, books: Bookkeeper, reads: AccountReads, new: Iterable[Fill], payouts_since_ms: TimeMs
) -> None:
    """Take back markets that have left and that a fill, a payout or a position is of.

    A payout older than the last cycle's is that by which its market left. Safe to repeat: what is back is not
    taken back again.
    """
    if not any(map(is_totals, books.ledgers)):
        return
    since_ms = payouts_since_ms - _OVERLAP_MS
    named = {fill.ticker for fill in new}
    named |= {row.ticker for row in reads.settlements or () if row.settled_ms >= since_ms}
    named |= {row.ticker for row in reads.positions or () if row.net}
    unknown = sorted(named - books.ledgers.keys())
    if unknown and (found := ports.state.retired(unknown)):
        books.readmit(list(found.values()))
        ports.facts.emit("MARKETS_READMITTED", markets=sorted(found))


def retire_markets(
    books: Bookkeeper, reads: AccountReads, journal: Journal, wanted: Mapping[str, object], now_ms: TimeMs
) -> None:
    """Some of the markets that are over; none while it was not read what the exchange holds.

    Safe to repeat: what has left is not there to leave again.
    """
    if reads.positions is None:
        return
    over = list(_over(books.ledgers.values(), reads, wanted, now_ms))
    if over:
        in_play = {order.slot.ticker for order in journal.orders.values()}
        leaving = [ledger for ledger in over if ledger.ticker not in in_play][:LEAVING_AT_ONCE]
        if leaving:
            books.retire(leaving)


def _over(
    ledgers: Iterable[MarketLedger], reads: AccountReads, wanted: Mapping[str, object], now_ms: TimeMs
) -> Iterator[MarketLedger]:
    """A wanted market that was not read may be anything, and one that the exchange holds is not flat."""
    held = {row.ticker for row in reads.positions or () if row.net}
    held |= {row.ticker for row in reads.set_apart if row.ticker and row.list_name == POSITIONS}
    for ledger in ledgers:
        ticker, market = ledger.ticker, reads.markets.get(ledger.ticker)
        known = ledger.settled or market is not None or ticker not in wanted
        status = market.status if market else None
        if known and ticker not in held and may_retire(ledger, status, now_ms):
            yield ledger
