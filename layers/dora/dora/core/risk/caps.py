"""The caps: each target is kept, cut or refused on the worst that all open orders can still do.

Targets are taken one by one: those that reduce a position first, then the inner levels, then by edge, then
by slot, so the same facts always give the same answer. A target that leaves a worst case no worse than it is
already passes that cap even where the cap is exceeded: a full book must not keep us from getting out.
"""

from bisect import bisect_left
from collections.abc import Sequence

from dora.core.exchange.market import Slot
from dora.core.failures import told
from dora.core.orders.requests import ApprovedOrder, TargetOrder
from dora.core.reasons import Reason
from dora.core.risk.facts import Refusal, RiskFacts, RiskResult
from dora.core.risk.market_risk import Change
from dora.core.risk.order_limits import OrderLimits
from dora.core.risk.reducing import beyond_flat
from dora.core.risk.totals import Totals
from dora.core.risk.worst_fill import worst_fill
from dora.core.units import CONTRACT, Count, Money, Price


def apply_caps(targets: Sequence[TargetOrder], facts: RiskFacts) -> RiskResult:
    """The targets that keep every cap if any set of open and wanted orders fills."""
    admission = _Admission(facts)
    new = [target for target in targets if not admission.admit_resting(target)]
    for target in sorted(new, key=admission.rank):
        admission.admit(target)
    kept, failed, totals = admission.kept, admission.failed, admission.totals
    if failed:
        kept = [target for target in kept if target.slot.ticker not in failed]
    return RiskResult(
        kept=tuple(kept),
        cut=tuple(admission.cut),
        refused=tuple(admission.refused),
        event_losses=totals.event_losses,
        total_loss=Money(totals.loss),
        failed=failed,
    )


class _Admission:
    """What became of the targets so far, and the sums that hold those that were admitted."""

    def __init__(self, facts: RiskFacts) -> None:
        self.facts = facts
        self.totals = Totals(facts)
        self.worst = self.totals.worst
        self.failed = {ticker: worst.error for ticker, worst in self.worst.items() if worst.error}
        self.alone = OrderLimits(facts.limits, facts.fair)
        self.reducing = facts.reducing or facts.limits.reduce_only
        self.reduces = self.reducing or any(own.reduce_only for own in facts.configs.values())
        """Whether any market may only reduce: else none is asked."""
        self.taken: set[Slot] = set()
        """Slots whose target was admitted."""
        self.kept: list[ApprovedOrder] = []
        self.cut: list[Refusal] = []
        self.refused: list[Refusal] = []

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
        slot, price, count, _ = target
        worst = self.worst.get(slot.ticker)
        if worst is None or not worst.rests(slot, price, count):
            return False
        try:
            if slot.ticker in self.failed or self._unfit(slot, price, count) is not None:
                return False
            if self.alone.too_large(slot.side, price, count):
                return False
            if self.reduces and self._opens(target, count):
                return False
        except Exception:
            return False  # `admit` meets it again, and says so.
        self.taken.add(slot)
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
        unfit = self._unfit(target.slot, target.price, target.count)
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

    def _unfit(self, slot: Slot, price: Price, count: Count) -> Reason | None:
        """Why such an order may not be wanted there, whatever else rests."""
        ticker, side, _ = slot
        facts = self.facts
        market, config = facts.markets.get(ticker), facts.configs.get(ticker)
        if market is None:
            return Reason.MARKET_UNKNOWN
        if config is None:
            return Reason.MARKET_DISABLED
        if market.shard not in self.totals.cash_free:
            return Reason.READ_UNKNOWN
        exact = type(count) is int and 0 < count <= config.quote_size
        if not exact or price not in market.grid or slot in self.taken:
            return Reason.TARGET_INVALID
        if self.worst[ticker].crosses(side, price):
            return Reason.SELF_CROSS
        return self.alone.off_price(ticker, side, price, market.last_price)

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
        (ticker, side, _), totals = target.slot, self.totals
        if totals.contracts_free is not None and change.contracts > max(totals.contracts_free, 0):
            return Reason.SESSION_CAP
        most = self.worst[ticker].most(side)
        if most + change.contracts > max(self.facts.configs[ticker].max_position, most):
            return Reason.POSITION_CAP
        loss = totals.loss_with(ticker, change)
        grows = loss > totals.event_of[ticker].loss
        if self.reduces and self._only_reduces(ticker) and (grows or self._opens(target, count)):
            return Reason.REDUCING
        if too_much := totals.broken_loss(ticker, loss) or self.alone.too_large(side, target.price, count):
            return too_much
        if change.cash > max(totals.cash_free[self.facts.markets[ticker].shard], 0):
            return Reason.CASH
        return Reason.OPEN_ORDER_CAP if change.orders > max(totals.orders_free, 0) else None

    def _largest(self, target: TargetOrder) -> Count:
        """The most whole contracts that keep every cap: with more contracts no worst case gets better."""

        def broken(contracts: int) -> bool:
            count = Count(contracts * CONTRACT)
            return self._broken_cap(target, count, self._change(target, count)) is not None

        return Count(bisect_left(range(1, target.count // CONTRACT + 1), True, key=broken) * CONTRACT)

    def _take(self, target: TargetOrder, change: Change) -> None:
        self.totals.take(target.slot.ticker, change, target.price)
        self.taken.add(target.slot)
        self.kept.append(ApprovedOrder(target))
