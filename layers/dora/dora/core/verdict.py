"""What became of each market's decision after risk and the diff, and why each cancel is sent."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dora.core.exchange.market import Slot
from dora.core.orders.diff import SlotPlan
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision
from dora.core.reasons import CancelReason, Reason
from dora.core.risk.caps import Refusal, RiskResult


@dataclass(slots=True)
class _Share:
    """One market's part of what risk made of all targets."""

    kept: list[TargetOrder] = field(default_factory=list)
    cut: list[Refusal] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def final(decisions: Iterable[Decision], risk: RiskResult, failed: Mapping[str, str]) -> tuple[Decision, ...]:
    """The decisions with what risk refused and cut in them; or why a market could not be computed."""
    shares: defaultdict[str, _Share] = defaultdict(_Share)
    for target in risk.kept:
        shares[target.slot.ticker].kept.append(target)
    for entry in risk.cut:
        shares[entry[0].ticker].cut.append(entry)
    for entry in risk.refused:
        shares[entry[0].ticker].refused.append(entry)
    return tuple(_final(d, shares[d.ticker], failed.get(d.ticker, "")) for d in decisions)


def _final(decision: Decision, share: _Share, error: str) -> Decision:
    if decision.skip is not None:
        return replace(decision, error=error)
    if error:
        return replace(decision, targets=(), skip=Reason.COMPUTE_FAILED, error=error)
    wanted = {target.slot: target.count for target in decision.targets}
    kept = {target.slot: target for target in share.kept}
    return replace(
        decision,
        targets=tuple(kept[slot] for slot in wanted if slot in kept),
        dropped=(*decision.dropped, *share.refused),
        cut=tuple((slot, why, wanted[slot]) for slot, why in share.cut),
    )


def with_reasons(plan: SlotPlan, view: ReconciledOrders, decisions: Iterable[Decision]) -> SlotPlan:
    """The plan whose cancels of quotes that are wanted no longer say why that is, where a decision does."""
    known = {decision.ticker: decision for decision in decisions}
    why = dict(plan.why)
    for key, reason in plan.why.items():
        order = view.journal.orders[key]
        decision = known.get(order.slot.ticker)
        if reason == CancelReason.NOT_WANTED and decision is not None:
            why[key] = _unwanted(order, decision) or reason
    return replace(plan, why=why)


def _unwanted(order: TrackedOrder, decision: Decision) -> Reason | None:
    dropped: dict[Slot, Reason] = dict(decision.dropped)
    return decision.skip or dropped.get(order.slot)
