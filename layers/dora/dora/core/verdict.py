"""What became of each market's decision after risk and the diff, and why each cancel is sent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dora.core.exchange.market import Slot
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.requests import ApprovedOrder
from dora.core.orders.slot_plan import SlotPlan
from dora.core.quoting.decision import Decision
from dora.core.reasons import CancelReason, Reason
from dora.core.risk.facts import Refusal, RiskResult
from dora.core.units import TimeMs


def final(
    decisions: tuple[Decision, ...], risk: RiskResult, failed: Mapping[str, str]
) -> tuple[Decision, ...]:
    """The decisions with what risk refused and cut in them; or why a market could not be computed."""
    wanted = sum([len(decision.targets) for decision in decisions])
    if not (failed or risk.cut or risk.refused) and len(risk.kept) == wanted:
        return decisions  # Risk kept all of it, as in most cycles: a tenth of what the rest takes.
    kept = {target.slot: target for target in risk.kept}
    cut, refused = _by_ticker(risk.cut), _by_ticker(risk.refused)
    return tuple(
        _final(d, kept, cut.get(d.ticker, ()), refused.get(d.ticker, ()), failed.get(d.ticker, ""))
        for d in decisions
    )


def _by_ticker(entries: Iterable[Refusal]) -> dict[str, list[Refusal]]:
    found: dict[str, list[Refusal]] = {}
    for entry in entries:
        found.setdefault(entry[0].ticker, []).append(entry)
    return found


def _final(
    decision: Decision,
    kept: Mapping[Slot, ApprovedOrder],
    cut: Sequence[Refusal],
    refused: Sequence[Refusal],
    error: str,
) -> Decision:
    if decision.skip is not None:
        return decision._replace(error=error) if error != decision.error else decision
    if error:
        return decision._replace(targets=(), skip=Reason.COMPUTE_FAILED, error=error)
    if not cut and not refused and all(target.slot in kept for target in decision.targets):
        return decision
    wanted = {target.slot: target.count for target in decision.targets}
    return decision._replace(
        targets=tuple(kept[slot] for slot in wanted if slot in kept),
        dropped=(*decision.dropped, *refused),
        cut=tuple((slot, why, wanted[slot]) for slot, why in cut),
    )


def why_none(decision: Decision) -> Reason | None:
    """Why a market has no quote: its own reason, or that of its first level; None where it has one."""
    if decision.targets:
        return None
    return decision.skip or next((reason for _, reason in decision.dropped), None)


def with_since(
    decisions: Sequence[Decision], before: Mapping[str, object], now_ms: TimeMs
) -> tuple[dict[str, list[Any]], tuple[Decision, ...]]:
    """For memory, since when and why each market without a quote has none; and the decisions that say it."""
    since: dict[str, list[Any]] = {}
    for decision in decisions:
        if not decision.targets:
            why = why_none(decision)
            since[decision.ticker] = _since(before.get(decision.ticker), "" if why is None else why, now_ms)
    if not since:
        return since, tuple(decisions)
    return since, tuple(
        d._replace(since_ms=since[d.ticker][1]) if d.ticker in since else d for d in decisions
    )


def _since(before: object, why: str, now_ms: TimeMs) -> list[Any]:
    """The reason, and since when it holds."""
    if isinstance(before, list) and before[:1] == [why] and type(before[-1]) is int:
        return before
    return [str(why), now_ms]


def with_reasons(plan: SlotPlan, view: ReconciledOrders, decisions: Iterable[Decision]) -> SlotPlan:
    """The plan whose cancels of quotes that are wanted no longer say why that is, where a decision does."""
    known = {decision.ticker: decision for decision in decisions}
    why = dict(plan.why)
    for key, reason in plan.why.items():
        order = view.journal.orders[key]
        decision = known.get(order.slot.ticker)
        if reason == CancelReason.NOT_WANTED and decision is not None:
            why[key] = _unwanted(order, decision) or reason
    return plan._replace(why=why)


def _unwanted(order: TrackedOrder, decision: Decision) -> Reason | None:
    dropped: dict[Slot, Reason] = dict(decision.dropped)
    return decision.skip or dropped.get(order.slot)
