"""What a cycle's decisions are made from, what they come to, and where memory keeps what was said."""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.accounts.ledger import Position
from dora.core.config import GlobalConfig, MarketConfig
from dora.core.empty import EMPTY
from dora.core.event_choice import EventBrake
from dora.core.exchange.account import Limits
from dora.core.exchange.fees import FeeTerms, MarketFees, fee_terms, market_fees
from dora.core.exchange.market import Market
from dora.core.exchange.snapshot import Snapshot
from dora.core.fallbacks import UNLEARNED
from dora.core.orders.expiry import Timetable, expires_ms, timetable
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.slot_plan import SlotPlan
from dora.core.quoting.decision import Decision
from dora.core.risk.gates import Permission
from dora.core.session import SessionMetadata
from dora.core.state import ReferenceData
from dora.core.units import Count, Money, TimeMs

MemoryByTicker = Mapping[str, Mapping[str, object]]

SAID, SINCE, WAITS, LIMITS = "#said", "#since", "#waits", "#limits"
"""Where memory keeps what was last said of each market, so that only changes are said again, since when those
that are not quoted are not, the cycles for which slots have waited for tokens, and the age of the account's
limits with the last 429. Losing them costs repeated lines, a time, fairness and a read; and with the time of
the last 429 that what it refused may be placed again on reads that are older (`judge_writes`)."""


def refused_ms(memory: MemoryByTicker) -> TimeMs:
    """When a write was answered with a 429 last, by our clock; 0: not that memory knows of."""
    noted_ms = memory.get(LIMITS, {}).get("refused_ms")
    return TimeMs(noted_ms if isinstance(noted_ms, int) else 0)


def waits_of(memory: MemoryByTicker) -> dict[str, int]:
    """By `slot_key`, the cycles for which slots have waited for tokens."""
    return {key: wait for key, wait in memory.get(WAITS, {}).items() if isinstance(wait, int)}


class Inputs(NamedTuple):
    """All that a cycle's decisions are made from: the same inputs always give the same plan."""

    now_ms: TimeMs
    globals_: GlobalConfig
    wanted: Mapping[str, MarketConfig]
    reference: ReferenceData
    snapshot: Snapshot
    view: ReconciledOrders
    positions: Mapping[str, Position]
    nets: Mapping[str, Count]
    permission: Permission
    memory: MemoryByTicker
    session: SessionMetadata | None = None
    """As the cycle read it; None where there is none yet: then nothing may be placed."""
    events: Mapping[str, EventBrake] | None = None
    """How each event stands; None: orders are not grouped by event."""
    waits: Mapping[str, int] = EMPTY
    """By `slot_key`, the cycles for which a slot has waited for tokens."""
    limits: Limits = UNLEARNED


class Choice(NamedTuple):
    """What a cycle decided, before anything was sent."""

    plan: SlotPlan
    decisions: tuple[Decision, ...] = ()
    news: tuple[Decision, ...] = ()
    """Those that differ from the last cycle's."""
    failed: Mapping[str, str] = EMPTY
    """Markets of which something could not be computed, and why."""
    memory: MemoryByTicker = EMPTY
    worst_loss: Money | None = None
    """If every open and wanted order fills and all events go the worst way; None: nobody worked it out."""


def expiry_of(inputs: Inputs, market: Market) -> TimeMs:
    """When an order that is placed now in this wanted market expires."""
    config = inputs.wanted[market.ticker]
    return expires_ms(market, config, inputs.globals_, inputs.session, inputs.now_ms)


def times_of(inputs: Inputs) -> Timetable:
    """The times of every wanted market that is known."""
    return timetable(inputs.snapshot.markets, inputs.wanted, inputs.globals_, inputs.session, inputs.now_ms)


def market_fees_of(inputs: Inputs) -> MarketFees:
    """What fills cost in every market that is known."""
    reference = inputs.reference
    return market_fees(inputs.snapshot.markets, reference.events, reference.series, inputs.now_ms)


def fees_of(inputs: Inputs, market: Market) -> FeeTerms | None:
    """What a fill in that market costs; None where that is not known for certain."""
    event = inputs.reference.events.get(market.event_ticker)
    series = inputs.reference.series.get(event.series_ticker) if event else None
    return fee_terms(series, event, market, inputs.now_ms)


def net_positions(positions: Mapping[str, Position], view: ReconciledOrders) -> dict[str, Count]:
    """Net YES contracts by ticker, proven fills that are not booked yet included."""
    nets = {ticker: position.net for ticker, position in positions.items()}
    for order in view.journal.orders.values():
        if order.count - order.reduced - order.remaining > order.booked:  # `unbooked`, spelt out.
            ticker = order.slot.ticker
            nets[ticker] = Count(nets.get(ticker, 0) + order.slot.side.sign * order.unbooked)
    return nets
