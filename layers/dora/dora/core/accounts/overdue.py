"""Markets that closed long ago and were not paid out: what they are, and the capital they tie up."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.exchange.market import Market, MarketStatus
from dora.core.units import Count, Money, TimeMs
from dora.core.zones import HOUR_MS

OVERDUE_MS = 48 * HOUR_MS


class OverduePayout(NamedTuple):
    """A market whose payout is late. `tied_up`: what the contracts cost that wait for it."""

    ticker: str
    status: MarketStatus
    closed_ms: TimeMs
    net: Count
    tied_up: Money


def overdue_payouts(
    ledgers: Iterable[MarketLedger], markets: Mapping[str, Market], now_ms: TimeMs
) -> tuple[OverduePayout, ...]:
    """Markets we hold that closed 48 hours ago or earlier, the most capital first.

    One that is not settled in our books counts whatever the exchange calls it: `finalized` without a payout
    is the worst of all.
    """
    found = [
        OverduePayout(ledger.ticker, market.status, market.close_ms, ledger.net, ledger.cost)
        for ledger in ledgers
        if ledger.net
        and (market := markets.get(ledger.ticker)) is not None
        and now_ms - market.close_ms >= OVERDUE_MS
    ]
    return tuple(sorted(found, key=lambda late: (-late.tied_up, late.ticker)))
