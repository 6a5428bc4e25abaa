"""What risk is judged by, and what it says."""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.accounts.ledger import Position
from dora.core.config import GlobalConfig, MarketConfig
from dora.core.empty import EMPTY
from dora.core.exchange.account import Order
from dora.core.exchange.fees import FeeTerms
from dora.core.exchange.market import Event, Market, Slot
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import ApprovedOrder
from dora.core.reasons import Reason
from dora.core.units import Count, Money, Price

Refusal = tuple[Slot, Reason]


class RiskFacts(NamedTuple):
    """All that risk is judged by. Every open order of ours and of the account's others must be in it.

    `markets`, `events` and `fees` should also hold the markets where there is only a position. A market
    that is not known counts as an event of its own, which can only overstate the worst loss.
    """

    limits: GlobalConfig
    markets: Mapping[str, Market]
    configs: Mapping[str, MarketConfig]
    events: Mapping[str, Event]
    positions: Mapping[str, Position]
    orders: tuple[TrackedOrder, ...]
    """The journal's orders; closed ones count for their unbooked fills only."""
    external: tuple[Order, ...]
    cash: Mapping[int, Money]
    """Cash by shard as the exchange lists it, which may still include what resting orders hold: measured so
    on one account, documented nowhere. So all that open orders hold is taken off, at worst a second time."""
    fees: Mapping[str, FeeTerms] = EMPTY
    contracts_free: Count | None = None
    """What the session's contract limit leaves beyond all open orders; None where no session limits it."""
    failed: Mapping[str, str] = EMPTY
    """Markets of which some fact could not be computed, and why: they count at face value."""
    drift: Mapping[str, Count] = EMPTY
    """Net contracts by ticker that the exchange counts beyond our own count: both counts are allowed for."""
    fair: Mapping[str, Price] = EMPTY
    """Fair value by ticker, for the collar; where it is not known the last trade alone is asked."""
    reducing: bool = False
    """Whether no new risk may be taken anywhere."""
    floors: Mapping[str, Count] = EMPTY
    """By ticker: a quote there that would be cut below this size is refused, unless it gets us out."""
    rates: Mapping[str, int] = EMPTY
    """By ticker, what a reward there leaves per dollar at risk: among equals the highest is decided first."""


class RiskResult(NamedTuple):
    """`kept` in any order; `cut` names those kept with fewer contracts."""

    kept: tuple[ApprovedOrder, ...]
    cut: tuple[Refusal, ...]
    refused: tuple[Refusal, ...]
    event_losses: Mapping[str, Money]
    """Worst loss by event ticker, kept targets included."""
    total_loss: Money
    failed: Mapping[str, str] = EMPTY
    """Markets that could not be judged, and why: nothing of theirs is kept."""
