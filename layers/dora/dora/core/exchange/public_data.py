"""What everybody may know of the exchange's markets beside their books: trades, and programs that pay makers.

Trades are read for recordings alone. Programs also tell the `incentive` strategy where makers are paid.
"""

from typing import NamedTuple

from dora.core.exchange.market import Side
from dora.core.units import Count, Money, Price, TimeMs


class PublicTrade(NamedTuple):
    """A public trade as it was printed. `taker_side` is the side of the book that the taker was on."""

    trade_id: str
    ticker: str
    taker_side: Side
    price: Price
    count: Count  # type: ignore[assignment] # the exchange's word; nobody counts in a trade
    at_ms: TimeMs


class IncentiveProgram(NamedTuple):
    """What one market's makers share among themselves for a period. None: the exchange does not say."""

    program_id: str
    ticker: str
    kind: str
    start_ms: TimeMs
    end_ms: TimeMs
    reward: Money
    """Of the whole period, for all makers together."""
    target: Count | None
    """Contracts that both sides of the book must hold."""
    discount_bps: int | None
    """What a tick further from the reference price leaves of a contract's weight, in 1/10,000."""
    most: Money | None = None
    """What one account may get of it."""


class PublicData(NamedTuple):
    """One look at it, of the configured markets. Trades are None, or complete from and to these times."""

    since_ms: TimeMs
    until_ms: TimeMs
    trades: tuple[PublicTrade, ...] | None
    programs: tuple[IncentiveProgram, ...] | None = None
    """Those that run; None: it was not their turn, or they could not be read."""
