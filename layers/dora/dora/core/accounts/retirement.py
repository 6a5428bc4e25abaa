"""Markets that are over leave the state and their totals stay, so that state does not grow with each of them.

    in state ──flat, over, quiet for a day──> record apart + totals of its shard ──a late event──> in state

A record is the market's ledger as it was, so a late fill or an amended payout takes it back in, changes it as
any other, and it leaves once more. The totals of a shard are a ledger like any other, of a settled market
that no exchange knows: whatever is a sum over all books or positions stays what it was, for older versions
too.
"""

from collections.abc import Mapping

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.exchange.market import MarketStatus
from dora.core.units import Count, Money, TimeMs
from dora.core.zones import DAY_MS, HOUR_MS

QUIET_MS = DAY_MS + HOUR_MS
"""How long after its last event a market stays: longer than payouts are read again, so that the row of one
that left is listed only where it was amended."""
_TOTALS = "#retired-"
"""How the tickers of totals begin, and no other does."""


def is_totals(ticker: str) -> bool:
    """Whether a ledger is the sum of markets that left the state."""
    return ticker.startswith(_TOTALS)


def totals_of(ledgers: Mapping[str, MarketLedger], shard: int) -> MarketLedger:
    """The totals of that shard, empty while no market has left."""
    ticker = f"{_TOTALS}{shard}"
    return ledgers.get(ticker) or MarketLedger(ticker=ticker, shard=shard, settled=True)


def may_retire(ledger: MarketLedger, status: MarketStatus | None, now_ms: TimeMs) -> bool:
    """Whether a market is over for our books. `status` None: nobody reads the market any more."""
    if ledger.net or ledger.marked or is_totals(ledger.ticker):
        return False
    last_ms = max(ledger.filled_ms, ledger.settled_ms, ledger.adjusted_ms, ledger.opened_ms)
    return now_ms - last_ms >= QUIET_MS and (ledger.settled or status in (MarketStatus.FINALIZED, None))


def retire(totals: MarketLedger, ledger: MarketLedger) -> MarketLedger:
    """The totals with one more market, which must be flat; its ledger is stored apart in the same write."""
    return _with(totals, ledger, 1)


def readmit(totals: MarketLedger, ledger: MarketLedger) -> MarketLedger:
    """The totals without a market that comes back, with the ledger of its record."""
    return _with(totals, ledger, -1)


def _with(totals: MarketLedger, ledger: MarketLedger, sign: int) -> MarketLedger:
    return totals._replace(
        cash=Money(totals.cash + sign * ledger.cash),
        brought=Money(totals.brought + sign * ledger.brought),
        fees=Money(totals.fees + sign * ledger.fees),
        rewards=Money(totals.rewards + sign * ledger.rewards),
        fills=totals.fills + sign * ledger.fills,
        traded=Count(totals.traded + sign * ledger.traded),
        volume=Money(totals.volume + sign * ledger.volume),
    )
