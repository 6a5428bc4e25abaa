"""Markets that are over leave the state and their totals stay, so that state does not grow with each of them.

    in state ──flat, over, quiet for a day──> record apart + totals of its shard ──a late event──> in state

A record is the market's ledger as it was, so a late fill or an amended payout takes it back in, changes it as
any other, and it leaves once more.
"""

from dataclasses import dataclass, replace

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.calendar import DAY_MS
from dora.core.exchange.market import MarketStatus
from dora.core.units import Count, Money, TimeMs

QUIET_MS = DAY_MS
"""How long after its last event a market stays: amendments mostly come within hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredTotals:
    """All markets of one shard that left the state, summed up."""

    shard: int
    markets: int = 0
    fills: int = 0
    traded: Count = Count(0)
    volume: Money = Money(0)
    realised: Money = Money(0)
    brought: Money = Money(0)
    fees: Money = Money(0)
    rewards: Money = Money(0)

    @property
    def profit(self) -> Money:
        """Fees in, rewards apart, as of a market's ledger."""
        return Money(self.realised - self.fees)

    @property
    def movement(self) -> Money:
        """What these markets moved the shard's balance by."""
        return Money(self.realised + self.brought - self.fees + self.rewards)


def may_retire(ledger: MarketLedger, status: MarketStatus | None, now_ms: TimeMs) -> bool:
    """Whether a market is over for our books. `status` None: nobody reads the market any more."""
    over = ledger.settled or status in (MarketStatus.FINALIZED, None)
    last_ms = max(ledger.filled_ms, ledger.settled_ms, ledger.adjusted_ms, ledger.opened_ms)
    return over and not ledger.net and not ledger.marked and now_ms - last_ms >= QUIET_MS


def retire(totals: RetiredTotals, ledger: MarketLedger) -> RetiredTotals:
    """The totals with one more market, which must be flat; its ledger is stored apart in the same write."""
    return _with(totals, ledger, 1)


def readmit(totals: RetiredTotals, ledger: MarketLedger) -> RetiredTotals:
    """The totals without a market that comes back, with the ledger of its record."""
    return _with(totals, ledger, -1)


def _with(totals: RetiredTotals, ledger: MarketLedger, sign: int) -> RetiredTotals:
    return replace(
        totals,
        markets=totals.markets + sign,
        fills=totals.fills + sign * ledger.fills,
        traded=Count(totals.traded + sign * ledger.traded),
        volume=Money(totals.volume + sign * ledger.volume),
        realised=Money(totals.realised + sign * ledger.realised),
        brought=Money(totals.brought + sign * ledger.brought),
        fees=Money(totals.fees + sign * ledger.fees),
        rewards=Money(totals.rewards + sign * ledger.rewards),
    )
