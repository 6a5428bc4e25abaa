"""The wide record of a cycle: one flat line that answers most questions, and the function's short answer."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dora.core.orders.requests import BatchCancelSummary, BatchPlaceSummary
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.risk.gates import PULLS_QUOTES
from dora.core.units import Count, Money, TimeMs, format_count, format_money

ANSWER = ("status", "reason", "cycle_id", "cancelled", "placed", "kept", "failed", "unknown")
"""Fields of the answer that the schedule, the tests and a person rely on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleFacts:
    """What one cycle came to."""

    cycle_id: str
    began_ms: TimeMs
    ended_ms: TimeMs
    blocked_by: Reason | None
    stopped: Reason | None
    failures: Mapping[str, str]
    problems: int
    decisions: tuple[Decision, ...]
    withheld: Iterable[Reason]
    kept: int
    decreased: int
    dropped: int
    cancels: BatchCancelSummary
    places: BatchPlaceSummary
    fills: int | None
    drift: int | None
    """None: not read, so not known."""
    net: Count
    traded: Count
    profit: Money
    unmarked: int
    """Open positions without a price, which stand in `profit` at the worst."""
    fees: Money
    calls: Mapping[str, int]
    """Requests sent to the exchange, by method and route."""


def status_of(facts: CycleFacts) -> tuple[str, str]:
    """`completed`, `halted` or `degraded`, and why; a dry run completes without a write."""
    if facts.blocked_by in PULLS_QUOTES:
        return "halted", str(facts.blocked_by)
    if facts.blocked_by is not None:
        return "degraded", str(facts.blocked_by)
    if facts.stopped not in (None, Reason.DRY_RUN):
        return "degraded", str(facts.stopped)
    if any(decision.error for decision in facts.decisions):
        return "degraded", str(Reason.COMPUTE_FAILED)
    if facts.failures or facts.problems:
        return "degraded", str(Reason.READ_UNKNOWN if facts.failures else Reason.CONFIG_INVALID)
    return "completed", str(facts.stopped or "")


def wide_record(facts: CycleFacts) -> dict[str, object]:
    """The record as flat fields; reasons are counted, so its size does not grow with the markets."""
    status, reason = status_of(facts)
    skips = Counter(decision.skip for decision in facts.decisions if decision.skip)
    slots = Counter(facts.withheld)
    slots.update(why for decision in facts.decisions for _, why in decision.dropped)
    cuts = Counter(why for decision in facts.decisions for _, why, _ in decision.cut)
    reads = sum(number for call, number in facts.calls.items() if call.startswith("GET "))
    return {
        "status": status,
        "reason": reason,
        "cycle_id": facts.cycle_id,
        "duration_ms": facts.ended_ms - facts.began_ms,
        "markets": len(facts.decisions),
        "markets_quoted": sum(1 for decision in facts.decisions if decision.targets),
        "target_count": sum(len(decision.targets) for decision in facts.decisions),
        "kept": facts.kept,
        "decreased": facts.decreased,
        "dropped": facts.dropped,
        "cancelled": facts.cancels.total_succeeded,
        "placed": facts.places.total_succeeded,
        "failed": facts.cancels.total_failed + facts.places.total_failed,
        "unknown": facts.cancels.total_unknown + facts.places.total_unknown,
        "read_calls": reads,
        "write_calls": sum(facts.calls.values()) - reads,
        "cancel_batches": facts.cancels.batches,
        "place_batches": facts.places.batches,
        "fills": facts.fills,
        "drift": facts.drift,
        "contracts_net": format_count(facts.net),
        "contracts_traded": format_count(facts.traded),
        "pnl_dollars": format_money(facts.profit),
        "positions_unmarked": facts.unmarked,
        "fees_dollars": format_money(facts.fees),
        **{f"skipped_{why}": number for why, number in sorted(skips.items())},
        **{f"slots_{why}": number for why, number in sorted(slots.items())},
        **{f"cut_{why}": number for why, number in sorted(cuts.items())},
        **{f"unread_{name}": why for name, why in sorted(facts.failures.items())},
    }


def answer_of(record: Mapping[str, object]) -> dict[str, object]:
    """The short answer: what a person reads in the console."""
    return {name: record[name] for name in (*ANSWER, "drift") if name in record}
