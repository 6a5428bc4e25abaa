"""Transactions of the books for the storage tests."""

from collections.abc import Mapping, Sequence

from dora.core.accounts.cash_tie import CashBooks
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import EXTERNAL, Posting, post_fills, post_settlement
from dora.core.accounts.retirement import readmit, retire, totals_of
from dora.core.accounts.rewards import Reward, explained, post_rewards
from dora.core.accounts.stored_books import BookChange, Booking
from dora.core.exchange.account import Fill, Settlement
from dora.core.units import TimeMs
from tests.support.dynamo_values import NOW_MS, fill, settlement

Books = Mapping[str, MarketLedger]


def of_fills(fills: Sequence[Fill], before: Books | None = None) -> Booking:
    """These fills over those books."""
    stood = before or {}
    posted = post_fills(stood, fills, (), {})
    changes = tuple(_change(own, stood.get(ticker)) for ticker, own in posted.ledgers.items())
    return Booking(changes=changes, rows=posted.rows, fills=tuple(fills))


def of_payout(paid: Settlement, before: MarketLedger | None = None) -> Booking:
    """A payout over those books."""
    stood = before or MarketLedger(ticker=paid.ticker, shard=paid.shard)
    posting = post_settlement(stood, paid, EXTERNAL, TimeMs(NOW_MS))
    return of_posting(posting, before, settlement=paid)


def of_posting(
    posting: Posting, before: MarketLedger | None = None, settlement: Settlement | None = None
) -> Booking:
    """Any single event."""
    rows = () if posting.row.empty else (posting.row,)
    return Booking(changes=(_change(posting.ledger, before),), rows=rows, settlement=settlement)


def of_reward(reward: Reward, books: Books, cash: CashBooks) -> Booking:
    """A reward over those books, and the cash that it explains."""
    posted = post_rewards(books, [reward], {reward.ticker: EXTERNAL})
    changes = tuple(_change(own, books.get(ticker)) for ticker, own in posted.ledgers.items())
    after = explained(cash, [reward])
    return Booking(changes=changes, rows=posted.rows, rewards=(reward,), cash=after)


def of_leaving(left: MarketLedger, books: Books) -> Booking:
    """A market that leaves those books for a record of its own."""
    totals = totals_of(books, left.shard)
    return Booking(changes=(_change(retire(totals, left), books.get(totals.ticker)),), leaving=(left,))


def of_returning(back: MarketLedger, books: Books) -> Booking:
    """A market that comes back into those books."""
    totals = totals_of(books, back.shard)
    return Booking(changes=(_change(readmit(totals, back), books.get(totals.ticker)),), returning=(back,))


def _change(after: MarketLedger, before: MarketLedger | None) -> BookChange:
    return BookChange(after, before, before and before.position)


FIRST = of_fills([fill(1)])
PAYOUT = of_payout(settlement())
