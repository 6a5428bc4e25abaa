"""The obvious version of `dora.core.risk.caps`, to compare the fast one with: all is summed each time.

The caps: each target is kept, cut or refused on the worst that all open orders can still do.

Targets are taken one by one: those that reduce a position first, then the inner levels, then by edge, then
by slot, so the same facts always give the same answer. A target that leaves a worst case no worse than it is
already passes that cap even where the cap is exceeded: a full book must not keep us from getting out.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from dora.core.accounts.ledger import Position
from dora.core.exchange.account import Order
from dora.core.exchange.fees import FeeTerms, maker_fee
from dora.core.exchange.market import Side, Slot
from dora.core.failures import told
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.requests import ApprovedOrder, TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.facts import RiskFacts, RiskResult
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Money, Price
from tests.reference.worst_case import (
    NOTHING,
    Loss,
    MarketWorst,
    PotentialFill,
    event_loss,
    fill_loss,
    held_loss,
)

_Item = TypeVar("_Item")
_Key = TypeVar("_Key", bound=Hashable)


def apply_caps(targets: Sequence[TargetOrder], facts: RiskFacts) -> RiskResult:
    """The targets that keep every cap if any set of open and wanted orders fills."""
    tally = _Tally(facts)
    verdicts = [tally.admit(target) for target in sorted(targets, key=tally.rank)]
    return RiskResult(
        kept=tuple(v.target for v in verdicts if v.target is not None and v.slot.ticker not in tally.failed),
        cut=tuple((v.slot, v.why) for v in verdicts if v.target is not None and v.why is not None),
        refused=tuple((v.slot, v.why) for v in verdicts if v.target is None and v.why is not None),
        event_losses=dict(sorted(tally.event_losses.items())),
        total_loss=Money(tally.total_loss),
        failed=tally.failed,
    )


def worst_cases(facts: RiskFacts) -> dict[str, MarketWorst]:
    """Every market with a known object, a position or an order, before any target."""
    tickers = {*facts.markets, *facts.positions, *facts.drift}
    tickers |= {order.slot.ticker for order in facts.orders} | {row.ticker for row in facts.external}
    ours = _grouped(facts.orders, lambda order: order.slot.ticker)
    theirs = _grouped(facts.external, lambda row: row.ticker)
    return {
        ticker: _measured(ticker, facts, ours.get(ticker, ()), theirs.get(ticker, ()))
        for ticker in sorted(tickers)
    }


def _shards(facts: RiskFacts) -> dict[str, int]:
    """Where each market's cash lies; of a market that is not known its orders say so."""
    theirs = {row.ticker: row.shard for row in facts.external}
    ours = {order.slot.ticker: order.shard for order in facts.orders}
    return theirs | ours | {ticker: market.shard for ticker, market in facts.markets.items()}


def _grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    groups: dict[_Key, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _measured(
    ticker: str, facts: RiskFacts, ours: Sequence[TrackedOrder], theirs: Sequence[Order]
) -> MarketWorst:
    """The market's worst case; where it cannot be computed, its face value, which is no less (fees apart)."""
    why = facts.failed.get(ticker, "")
    try:
        if not why:
            return _market_worst(ticker, facts, ours, theirs).measured()
    except Exception as error:
        why = told(error)
    return replace(_face_value(ticker, facts, ours, theirs), error=why)


def _face_value(
    ticker: str, facts: RiskFacts, ours: Sequence[TrackedOrder], theirs: Sequence[Order]
) -> MarketWorst:
    """As if every contract held or resting lost its whole dollar, and all that was ever paid with it."""
    position = facts.positions.get(ticker)
    held = sum(ONE_DOLLAR * order.unbooked for order in ours)
    if position is not None and not position.settled:
        held += ONE_DOLLAR * abs(position.net) + abs(position.cash) + abs(position.fees)
    open_orders = [order for order in ours if order.open and order.remaining]
    live = [_whole(o.slot.side, o.remaining) for o in open_orders if o.state is OrderState.LIVE]
    return MarketWorst(
        held=Loss(held, held),
        unproven=tuple(
            _whole(o.slot.side, o.remaining) for o in open_orders if o.state is not OrderState.LIVE
        ),
        external=(*live, *(_whole(row.side, row.remaining) for row in theirs)),
        drift=_drift(facts.drift.get(ticker, Count(0))),
    )


def _whole(side: Side, count: Count) -> PotentialFill:
    """Contracts at the worst price there is. Their fee is not known; it is all that is left out."""
    return PotentialFill(side, ONE_DOLLAR if side is Side.BID else Price(0), count)


def _market_worst(
    ticker: str, facts: RiskFacts, ours: Sequence[TrackedOrder], theirs: Sequence[Order]
) -> MarketWorst:
    terms = facts.fees.get(ticker)
    open_orders = [order for order in ours if order.open and order.remaining]
    unproven = [order for order in open_orders if order.state is not OrderState.LIVE]
    live = _grouped((o for o in open_orders if o.state is OrderState.LIVE), lambda order: order.slot)
    net, held = _held(facts.positions.get(ticker), ours, terms)
    return MarketWorst(
        net=net,
        held=held,
        unproven=tuple(_claim(o.slot.side, o.price, o.remaining, terms) for o in unproven),
        external=tuple(_claim(row.side, row.price, row.remaining, terms) for row in theirs),
        drift=_drift(facts.drift.get(ticker, Count(0))),
        live={
            slot: tuple(_claim(o.slot.side, o.price, o.remaining, terms) for o in orders)
            for slot, orders in live.items()
        },
    )


def _claim(side: Side, price: Price, count: Count, terms: FeeTerms | None) -> PotentialFill:
    return PotentialFill(side, price, count, maker_fee(terms, price, count) if terms else Money(0))


def _drift(gap: Count) -> tuple[PotentialFill, ...]:
    """Contracts we cannot explain are taken to have been bought at the worst price there is."""
    return (_whole(Side.BID if gap > 0 else Side.ASK, Count(abs(gap))),) if gap else ()


def _held(
    position: Position | None, orders: Iterable[TrackedOrder], terms: FeeTerms | None
) -> tuple[Count, Loss]:
    """The unsettled position with the fills that are certain but not booked yet."""
    counts = position is not None and not position.settled
    net = position.net if position and counts else Count(0)
    held = held_loss(net, Money(position.cash - position.fees)) if position and counts else NOTHING
    for order in orders:
        if order.unbooked:
            net = Count(net + order.slot.side.sign * order.unbooked)
            held = held.plus(fill_loss(_claim(order.slot.side, order.price, order.unbooked, terms)))
    return net, held


@dataclass(frozen=True, slots=True)
class _Verdict:
    slot: Slot
    target: ApprovedOrder | None
    why: Reason | None


@dataclass(frozen=True, slots=True)
class _Step:
    """A market with one more target, and what its event then loses at worst."""

    worst: MarketWorst
    event_loss: Money


class _Tally:
    """The worst cases so far, kept up to date as targets are admitted."""

    def __init__(self, facts: RiskFacts) -> None:
        self.facts = facts
        self.worst = worst_cases(facts)
        self.failed = {ticker: worst.error for ticker, worst in self.worst.items() if worst.error}
        self.event_of = {ticker: self._event(ticker) for ticker in self.worst}
        self.losses: dict[str, dict[str, Loss]] = {}
        for ticker, worst in self.worst.items():
            self.losses.setdefault(self.event_of[ticker], {})[ticker] = worst.loss
        self.event_losses = {event: self._event_loss(event, {}) for event in self.losses}
        self.total_loss: int = sum(self.event_losses.values())
        self.shard_of = _shards(facts)
        self.cash_free = {shard: cash - facts.limits.cash_reserve for shard, cash in facts.cash.items()}
        for ticker, worst in self.worst.items():
            self._spend(ticker, worst.cash)
        self.open_orders = sum(worst.open_orders for worst in self.worst.values())
        self.contracts_free = facts.contracts_free

    def rank(self, target: TargetOrder) -> tuple[bool, int, int, int, Slot, int, int]:
        """What is decided first: getting out of a position, then what fills first, then what earns most."""
        worst = self.worst.get(target.slot.ticker)
        reduces = worst is not None and worst.net * target.slot.side.sign < 0
        slot, rate = target.slot, self.facts.rates.get(target.slot.ticker, 0)
        return not reduces, slot.level, -rate, -target.edge, slot, target.price, target.count

    def admit(self, target: TargetOrder) -> _Verdict:
        """Keep, cut or refuse one target, and count what was kept. What raises costs its market alone."""
        ticker = target.slot.ticker
        if ticker not in self.failed:
            try:
                return self._admit(target)
            except Exception as error:
                self.failed[ticker] = told(error)
        return _Verdict(target.slot, None, Reason.COMPUTE_FAILED)

    def _admit(self, target: TargetOrder) -> _Verdict:
        why = self._unfit(target)
        if why is not None:
            return _Verdict(target.slot, None, why)
        step = self._step(target, target.count)
        why = self._broken_cap(target, step)
        count = target.count if why is None else self._largest(target)
        if not count:
            return _Verdict(target.slot, None, self._broken_cap(target, self._step(target, CONTRACT)) or why)
        gets_out = self.worst[target.slot.ticker].net * target.slot.side.sign < 0
        if why is not None and count < self.facts.floors.get(target.slot.ticker, 0) and not gets_out:
            return _Verdict(target.slot, None, Reason.INCENTIVE_FLOOR)
        self._count(target.slot.ticker, step if why is None else self._step(target, count))
        return _Verdict(target.slot, ApprovedOrder(target._replace(count=count)), why)

    def _unfit(self, target: TargetOrder) -> Reason | None:
        ticker = target.slot.ticker
        market, config = self.facts.markets.get(ticker), self.facts.configs.get(ticker)
        if market is None:
            return Reason.MARKET_UNKNOWN
        if config is None:
            return Reason.MARKET_DISABLED
        if market.shard not in self.cash_free:
            return Reason.READ_UNKNOWN
        exact = type(target.count) is int and 0 < target.count <= config.quote_size
        if not exact or target.price not in market.grid or target.slot in self.worst[ticker].targets:
            return Reason.TARGET_INVALID
        return Reason.SELF_CROSS if self.worst[ticker].crosses(target.slot.side, target.price) else None

    def _broken_cap(self, target: TargetOrder, step: _Step) -> Reason | None:
        """The first cap that the target's market would break like this."""
        ticker, side, limits = target.slot.ticker, target.slot.side, self.facts.limits
        before, after, loss = self.worst[ticker], step.worst, step.event_loss
        if self._passes_session_limit(after.slot_contracts - before.slot_contracts):
            return Reason.SESSION_CAP
        if after.most(side) > max(self.facts.configs[ticker].max_position, before.most(side)):
            return Reason.POSITION_CAP
        was = self.event_losses[self.event_of[ticker]]
        if loss > max(limits.max_event_loss, was):
            return Reason.EVENT_CAP
        if self.total_loss - was + loss > max(limits.max_total_loss, self.total_loss):
            return Reason.TOTAL_CAP
        if after.cash - before.cash > max(self.cash_free[self.facts.markets[ticker].shard], 0):
            return Reason.CASH
        added = after.open_orders - before.open_orders
        return Reason.OPEN_ORDER_CAP if added > max(limits.max_open_orders - self.open_orders, 0) else None

    def _passes_session_limit(self, added: int) -> bool:
        return self.contracts_free is not None and added > max(self.contracts_free, 0)

    def _largest(self, target: TargetOrder) -> Count:
        """The most whole contracts that keep every cap: with more contracts no worst case gets better."""

        def broken(whole: int) -> bool:
            return self._broken_cap(target, self._step(target, Count(whole * CONTRACT))) is not None

        return Count(bisect_left(range(1, target.count // CONTRACT + 1), True, key=broken) * CONTRACT)

    def _step(self, target: TargetOrder, count: Count) -> _Step:
        slot = target.slot
        claim = _claim(slot.side, target.price, count, self.facts.fees.get(slot.ticker))
        after = self.worst[slot.ticker].with_target(slot, claim)
        return _Step(after, self._event_loss(self.event_of[slot.ticker], {slot.ticker: after.loss}))

    def _count(self, ticker: str, step: _Step) -> None:
        before, after, event = self.worst[ticker], step.worst, self.event_of[ticker]
        self.worst[ticker] = after
        self.losses[event][ticker] = after.loss
        self.total_loss += step.event_loss - self.event_losses[event]
        self.event_losses[event] = step.event_loss
        self._spend(ticker, after.cash - before.cash)
        self.open_orders += after.open_orders - before.open_orders
        if self.contracts_free is not None:
            self.contracts_free = Count(self.contracts_free - after.slot_contracts + before.slot_contracts)

    def _spend(self, ticker: str, amount: int) -> None:
        shard = self.shard_of.get(ticker)
        if shard in self.cash_free:
            self.cash_free[shard] -= amount

    def _event(self, ticker: str) -> str:
        market = self.facts.markets.get(ticker)
        return ticker if market is None else market.event_ticker

    def _event_loss(self, event: str, changed: Mapping[str, Loss]) -> Money:
        known = self.facts.events.get(event)
        losses = {**self.losses[event], **changed}.values()
        return event_loss(losses, exclusive=known is not None and known.exclusive)
