"""The caps: each target is kept, cut or refused on the worst that all open orders can still do.

Targets are taken one by one: those that reduce a position first, then the inner levels, then by edge, then
by slot, so the same facts always give the same answer. A target that leaves a worst case no worse than it is
already passes that cap even where the cap is exceeded: a full book must not keep us from getting out.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dora.core.accounts.ledger import Position
from dora.core.config import GlobalConfig, MarketConfig
from dora.core.exchange.account import Order
from dora.core.exchange.fees import FeeTerms
from dora.core.exchange.market import Event, Market, Slot
from dora.core.failures import told
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import ApprovedOrder, TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.event_risk import EventRisk
from dora.core.risk.market_risk import Change, MarketRisk, face_value, market_risk, worst_fill
from dora.core.risk.order_limits import OrderLimits
from dora.core.risk.reducing import beyond_flat
from dora.core.risk.risk_groups import RiskGroups
from dora.core.units import CONTRACT, Count, Money, Price

Item = TypeVar("Item")

Refusal = tuple[Slot, Reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFacts:
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
    fees: Mapping[str, FeeTerms] = field(default_factory=dict)
    contracts_free: Count | None = None
    """What the session's contract limit leaves beyond all open orders; None where no session limits it."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Markets of which some fact could not be computed, and why: they count at face value."""
    drift: Mapping[str, Count] = field(default_factory=dict)
    """Net contracts by ticker that the exchange counts beyond our own count: both counts are allowed for."""
    fair: Mapping[str, Price] = field(default_factory=dict)
    """Fair value by ticker, for the collar; where it is not known the last trade alone is asked."""
    reducing: bool = False
    """Whether no new risk may be taken anywhere."""
    floors: Mapping[str, Count] = field(default_factory=dict)
    """By ticker: a quote there that would be cut below this size is refused, unless it gets us out."""
    rates: Mapping[str, int] = field(default_factory=dict)
    """By ticker, what a reward there leaves per dollar at risk: among equals the highest is decided first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskResult:
    """`kept` in any order; `cut` names those kept with fewer contracts."""

    kept: tuple[ApprovedOrder, ...]
    cut: tuple[Refusal, ...]
    refused: tuple[Refusal, ...]
    event_losses: Mapping[str, Money]
    """Worst loss by event ticker, kept targets included."""
    total_loss: Money
    failed: Mapping[str, str] = field(default_factory=dict)
    """Markets that could not be judged, and why: nothing of theirs is kept."""


def apply_caps(targets: Sequence[TargetOrder], facts: RiskFacts) -> RiskResult:
    """The targets that keep every cap if any set of open and wanted orders fills."""
    tally = _Tally(facts)
    new = [target for target in targets if not tally.admit_resting(target)]
    for target in sorted(new, key=tally.rank):
        tally.admit(target)
    kept = tally.kept
    if tally.failed:
        kept = [target for target in kept if target.slot.ticker not in tally.failed]
    return RiskResult(
        kept=tuple(kept),
        cut=tuple(tally.cut),
        refused=tuple(tally.refused),
        event_losses={name: Money(event.loss) for name, event in sorted(tally.events.items())},
        total_loss=Money(tally.total_loss),
        failed=tally.failed,
    )


def worst_cases(facts: RiskFacts) -> dict[str, MarketRisk]:
    """Every market with a known object, a position or an order, before any target."""
    ours: dict[str, list[TrackedOrder]] = {}
    theirs: dict[str, list[Order]] = {}
    for order in facts.orders:
        ours.setdefault(order.slot.ticker, []).append(order)
    for row in facts.external:
        theirs.setdefault(row.ticker, []).append(row)
    tickers = {*facts.markets, *facts.positions, *facts.drift, *ours, *theirs}
    return {
        ticker: _measured(ticker, facts, ours.get(ticker, ()), theirs.get(ticker, ()))
        for ticker in sorted(tickers)
    }


def _measured(
    ticker: str, facts: RiskFacts, ours: Sequence[TrackedOrder], theirs: Sequence[Order]
) -> MarketRisk:
    """The market's worst case; where it cannot be computed, its face value, which is no less (fees apart)."""
    why, position = facts.failed.get(ticker, ""), facts.positions.get(ticker)
    drift = facts.drift.get(ticker, Count(0))
    try:
        if not why:
            return market_risk(position, ours, theirs, facts.fees.get(ticker), drift)
    except Exception as error:
        why = told(error)
    return face_value(position, ours, theirs, drift, why)


def _shards(facts: RiskFacts) -> dict[str, int]:
    """Where each market's cash lies; of a market that is not known its orders say so."""
    theirs = {row.ticker: row.shard for row in facts.external}
    ours = {order.slot.ticker: order.shard for order in facts.orders}
    return theirs | ours | {ticker: market.shard for ticker, market in facts.markets.items()}


class _Tally:
    """The worst cases so far, kept up to date as targets are admitted."""

    def __init__(self, facts: RiskFacts) -> None:
        self.facts = facts
        self.worst = worst_cases(facts)
        self.failed: dict[str, str] = {}
        self.event_of: dict[str, EventRisk] = {}
        self.events: dict[str, EventRisk] = {}
        self.shard_of = _shards(facts)
        self.cash_free = {shard: cash - facts.limits.cash_reserve for shard, cash in facts.cash.items()}
        self.open_orders = 0
        for ticker, worst in self.worst.items():
            self._include(ticker, worst)
        self.total_loss = sum([event.loss for event in self.events.values()])
        self.groups = RiskGroups(self.event_of, facts.configs)
        self.alone = OrderLimits(facts.limits, facts.fair)
        self.reducing = facts.reducing or facts.limits.reduce_only
        self.reduces = self.reducing or any(own.reduce_only for own in facts.configs.values())
        """Whether any market may only reduce: else none is asked."""
        self.contracts_free = facts.contracts_free
        self.kept: list[ApprovedOrder] = []
        self.cut: list[Refusal] = []
        self.refused: list[Refusal] = []

    def _include(self, ticker: str, worst: MarketRisk) -> None:
        if worst.error:
            self.failed[ticker] = worst.error
        self.event_of[ticker] = event = self._event(ticker)
        event.add(ticker, worst.yes, worst.no)
        self._spend(ticker, worst.cash)
        self.open_orders += worst.open_orders

    def rank(self, target: TargetOrder) -> tuple[bool, int, int, int, str, str, int, int]:
        """What is decided first: getting out of a position, then what fills first, then what earns most."""
        slot = target.slot
        worst = self.worst.get(slot.ticker)
        reduces = worst is not None and worst.net * slot.side.sign < 0
        rate, edge = self.facts.rates.get(slot.ticker, 0), target.edge
        return not reduces, slot.level, -rate, -edge, slot.ticker, slot.side, target.price, target.count

    def admit_resting(self, target: TargetOrder) -> bool:
        """Keep a target that rests already, exactly like this, whatever its rank; False: it is not decided.

        No worst case grows by it, so it can break no cap and takes no room from another; and no other target
        can come between, for its live order has refused all that would cross it.
        """
        slot = target.slot
        worst = self.worst.get(slot.ticker)
        if worst is None or not worst.rests(slot, target.price, target.count):
            return False
        try:
            if slot.ticker in self.failed or self._unfit(target) is not None:
                return False
            if self.alone.too_large(target, target.count):
                return False
            if self.reduces and self._opens(target, target.count):
                return False
        except Exception:
            return False  # `admit` meets it again, and says so.
        worst.taken.add(slot)
        self.kept.append(ApprovedOrder(target))
        return True

    def admit(self, target: TargetOrder) -> None:
        """Keep, cut or refuse one target, and count what was kept. What raises costs its market alone."""
        ticker = target.slot.ticker
        if ticker not in self.failed:
            try:
                return self._admit(target)
            except Exception as error:
                self.failed[ticker] = told(error)
        self.refused.append((target.slot, Reason.COMPUTE_FAILED))
        return None

    def _admit(self, target: TargetOrder) -> None:
        unfit = self._unfit(target)
        if unfit is not None:
            self.refused.append((target.slot, unfit))
            return
        change = self._change(target, target.count)
        why = self._broken_cap(target, target.count, change)
        if why is None:
            self._take(target, change)
            return
        count = self._largest(target)
        if count and self._too_small(target, count):
            self.refused.append((target.slot, Reason.TOO_SMALL))
        elif count and self._below_floor(target, count):
            self.refused.append((target.slot, Reason.INCENTIVE_FLOOR))
        elif count:
            self._take(target._replace(count=count), self._change(target, count))
            self.cut.append((target.slot, why))
        else:
            why = self._broken_cap(target, CONTRACT, self._change(target, CONTRACT)) or why
            self.refused.append((target.slot, why))

    def _too_small(self, target: TargetOrder, count: Count) -> bool:
        """Whether fees eat what so few contracts earn; what gets us out of a position is never too small."""
        return count < self.facts.configs[target.slot.ticker].least_size and not self._gets_out(target)

    def _below_floor(self, target: TargetOrder, count: Count) -> bool:
        """Whether so few contracts are paid nothing; what gets us out of a position need not be paid."""
        return count < self.facts.floors.get(target.slot.ticker, 0) and not self._gets_out(target)

    def _gets_out(self, target: TargetOrder) -> bool:
        return self.worst[target.slot.ticker].net * target.slot.side.sign < 0

    def _unfit(self, target: TargetOrder) -> Reason | None:
        slot = target.slot
        ticker = slot.ticker
        facts = self.facts
        market, config = facts.markets.get(ticker), facts.configs.get(ticker)
        if market is None:
            return Reason.MARKET_UNKNOWN
        if config is None:
            return Reason.MARKET_DISABLED
        if market.shard not in self.cash_free:
            return Reason.READ_UNKNOWN
        worst, price, count = self.worst[ticker], target.price, target.count
        exact = type(count) is int and 0 < count <= config.quote_size
        if not exact or price not in market.grid or slot in worst.taken:
            return Reason.TARGET_INVALID
        if worst.crosses(slot.side, price):
            return Reason.SELF_CROSS
        return self.alone.off_price(target, market.last_price)

    def _opens(self, target: TargetOrder, count: Count) -> bool:
        """Whether it could open a position where only closing one is allowed."""
        ticker = target.slot.ticker
        return self._only_reduces(ticker) and beyond_flat(self.worst[ticker], target.slot, count)

    def _only_reduces(self, ticker: str) -> bool:
        return self.reducing or self.facts.configs[ticker].reduce_only

    def _change(self, target: TargetOrder, count: Count) -> Change:
        slot = target.slot
        terms = self.facts.fees.get(slot.ticker)
        return self.worst[slot.ticker].change(slot, worst_fill(slot.side, target.price, count, terms))

    def _broken_cap(self, target: TargetOrder, count: Count, change: Change) -> Reason | None:
        """The first cap that the target's market would break like this."""
        ticker, side = target.slot.ticker, target.slot.side
        if self.contracts_free is not None and change.contracts > max(self.contracts_free, 0):
            return Reason.SESSION_CAP
        most = self.worst[ticker].most(side)
        if most + change.contracts > max(self.facts.configs[ticker].max_position, most):
            return Reason.POSITION_CAP
        if too_much := self._broken_loss(target, count, change) or self.alone.too_large(target, count):
            return too_much
        if change.cash > max(self.cash_free[self.facts.markets[ticker].shard], 0):
            return Reason.CASH
        free_orders = max(self.facts.limits.max_open_orders - self.open_orders, 0)
        return Reason.OPEN_ORDER_CAP if change.orders > free_orders else None

    def _broken_loss(self, target: TargetOrder, count: Count, change: Change) -> Reason | None:
        """The first limit of the worst loss that would be broken."""
        ticker, limits = target.slot.ticker, self.facts.limits
        worst, event = self.worst[ticker], self.event_of[ticker]
        loss = event.loss_with(ticker, worst.yes + change.yes, worst.no + change.no)
        now = event.loss
        if self.reduces and self._only_reduces(ticker) and (loss > now or self._opens(target, count)):
            return Reason.REDUCING
        if loss > max(limits.max_event_loss, now):
            return Reason.EVENT_CAP
        if self.groups.losses and self.groups.broken(event, loss, limits.max_risk_group_loss):
            return Reason.RISK_GROUP_CAP
        grown = self.total_loss - now + loss
        return Reason.TOTAL_CAP if grown > max(limits.max_total_loss, self.total_loss) else None

    def _largest(self, target: TargetOrder) -> Count:
        """The most whole contracts that keep every cap: with more contracts no worst case gets better."""

        def broken(contracts: int) -> bool:
            count = Count(contracts * CONTRACT)
            return self._broken_cap(target, count, self._change(target, count)) is not None

        return Count(bisect_left(range(1, target.count // CONTRACT + 1), True, key=broken) * CONTRACT)

    def _take(self, target: TargetOrder, change: Change) -> None:
        ticker = target.slot.ticker
        worst, event = self.worst[ticker], self.event_of[ticker]
        worst.take(change, target.price)
        before = event.loss
        event.update(ticker, worst.yes, worst.no)
        self.total_loss += event.loss - before
        if self.groups.losses:
            self.groups.grow(event, event.loss - before)
        self._spend(ticker, change.cash)
        self.open_orders += change.orders
        if self.contracts_free is not None:
            self.contracts_free = Count(self.contracts_free - change.contracts)
        self.kept.append(ApprovedOrder(target))

    def _spend(self, ticker: str, amount: int) -> None:
        shard = self.shard_of.get(ticker)
        if shard in self.cash_free:
            self.cash_free[shard] -= amount

    def _event(self, ticker: str) -> EventRisk:
        market = self.facts.markets.get(ticker)
        name = ticker if market is None else market.event_ticker
        found = self.events.get(name)
        if found is None:
            known = self.facts.events.get(name)
            found = self.events[name] = EventRisk(exclusive=known is not None and known.exclusive)
        return found
