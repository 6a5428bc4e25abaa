"""Every event that changes the books: into the ledger of its market, and into exactly one profit row.

    fill · payout or its amendment · dated entry · day's edge · reward

One row a posting, so that a fill's transaction grows by at most one row for each (`stored_books.py`).
"""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from dora.core.accounts.booking import PositionEntry, book_fill, enter_position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow, RowKey, row_between
from dora.core.accounts.row_sums import added
from dora.core.accounts.settlement import book_late_fill, settle
from dora.core.calendar import exchange_day
from dora.core.exchange.account import Fill, Settlement
from dora.core.units import Money, Price, TimeMs


class Attribution(NamedTuple):
    """Who earns: the strategy that quoted, and the session."""

    strategy: str
    session_id: str


EXTERNAL = Attribution("external", "")
"""Trades by hand or by another program, and what no session can be told for."""


class Posting(NamedTuple):
    """The books of one market after an event, and what the event adds to a row."""

    ledger: MarketLedger
    row: ProfitRow


def post_fill(ledger: MarketLedger, fill: Fill, by: Attribution) -> Posting:
    """One fill, in the row of its own day. Not safe to repeat: dedupe on `fill_id` first."""
    after = book_late_fill(ledger, fill) if ledger.settled else book_fill(ledger, fill)
    return _posting(ledger, after, fill.at_ms, by)


def post_entry(ledger: MarketLedger, entry: PositionEntry) -> Posting:
    """One dated entry. It earns nothing by itself, unless fills after it are known already."""
    return _posting(ledger, enter_position(ledger, entry), entry.at_ms, EXTERNAL)


def post_settlement(
    ledger: MarketLedger, settlement: Settlement, by: Attribution, seen_ms: TimeMs
) -> Posting:
    """A payout, in the row of the day it was paid; its amendment in that of the day it was seen.

    Safe to repeat: a payout that is booked already adds nothing. Raises SettlementRefused.
    """
    after = settle(ledger, settlement)
    at_ms = seen_ms if ledger.settled else settlement.settled_ms
    key = _key(ledger, at_ms, by)
    marked = after._replace(marked=Money(0))
    return Posting(marked, row_between(ledger, marked, key, by_payout=True))


def post_mark(ledger: MarketLedger, mark: Price, edge_ms: TimeMs, by: Attribution) -> Posting:
    """The open position at a day's edge, in the row of the day that ends there.

    Safe to repeat: yes, with the same mark.
    """
    after = ledger._replace(marked=ledger.unrealised(mark))
    return _posting(ledger, after, TimeMs(edge_ms - 1), by)


def post_reward(ledger: MarketLedger, amount: Money, at_ms: TimeMs, by: Attribution) -> Posting:
    """A reward that the exchange credited. Not safe to repeat."""
    return _posting(ledger, ledger._replace(rewards=Money(ledger.rewards + amount)), at_ms, by)


def estimated_reward(ticker: str, amount: Money, at_ms: TimeMs, by: Attribution) -> ProfitRow:
    """A reward that the program's rules let expect: in a row, in no ledger, in no profit."""
    day = exchange_day(at_ms)
    return ProfitRow(
        day=day,
        ticker=ticker,
        strategy=by.strategy,
        session_id=by.session_id,
        rewards_estimated=amount,
    )


class PostedFills(NamedTuple):
    """What one transaction stores: these fills as booked, these markets as they are now, these rows added."""

    fills: tuple[Fill, ...]
    ledgers: Mapping[str, MarketLedger]
    rows: tuple[ProfitRow, ...]


def post_fills(
    ledgers: Mapping[str, MarketLedger],
    fills: Iterable[Fill],
    booked: Container[str],
    by_order_id: Mapping[str, Attribution],
) -> PostedFills:
    """Those of the fills that are not booked, each once, in the order of their times.

    `by_order_id`: whose orders they filled; all others are external.
    """
    new = {fill.fill_id: fill for fill in fills if fill.fill_id not in booked}
    changed: dict[str, MarketLedger] = {}
    rows: list[ProfitRow] = []
    for fill in sorted(new.values(), key=lambda fill: (fill.at_ms, fill.fill_id)):
        ticker = fill.ticker
        before = changed.get(ticker) or ledgers.get(ticker) or MarketLedger(ticker=ticker, shard=fill.shard)
        posting = post_fill(before, fill, by_order_id.get(fill.order_id, EXTERNAL))
        changed[ticker] = posting.ledger
        rows.append(posting.row)
    return PostedFills(tuple(new.values()), changed, tuple(added(rows).values()))


def _posting(before: MarketLedger, after: MarketLedger, at_ms: TimeMs, by: Attribution) -> Posting:
    return Posting(after, row_between(before, after, _key(before, at_ms, by)))


def _key(ledger: MarketLedger, at_ms: TimeMs, by: Attribution) -> RowKey:
    return RowKey(exchange_day(at_ms), ledger.ticker, by.strategy, by.session_id)
