"""The wide record of a cycle: one flat line that answers most questions, and the function's short answer.

Field names are an API of the saved queries. Reasons are counted, so its size does not grow with the markets.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.empty import EMPTY
from dora.core.health import Health
from dora.core.orders.budget import WAITING
from dora.core.reasons import Reason
from dora.core.risk.gates import PULLS_QUOTES
from dora.core.risk.rests import Rest
from dora.core.units import Money, Price, TimeMs, format_count, format_money
from dora.flow.cycle.cash import CashLook, cash_fields
from dora.flow.cycle.execute import Execution
from dora.flow.cycle.inputs import Choice, MemoryByTicker
from dora.flow.cycle.overdue import overdue_fields
from dora.flow.shared.accounting import Accounts

ANSWER = ("status", "reason", "cycle_id", "cancelled", "placed", "kept", "failed", "unknown", "drift")
"""Fields of the answer that the schedule, the tests and a person rely on."""


MAX_REASONS = 60
"""Counted reasons in one record, the most frequent ones: a query sees so many fields and no more."""


class CycleResult(NamedTuple):
    """What one cycle came to, before it is written down."""

    cycle_id: str
    took_ms: int
    blocked_by: Reason | None
    problems: int
    """Items of the config table that break a rule."""
    failures: Mapping[str, str]
    """Reads that failed, and why."""
    choice: Choice
    execution: Execution
    accounts: Accounts
    cash: CashLook
    marks: Mapping[str, Price]
    quality: MemoryByTicker
    """What memory keeps of how good our quotes were."""
    calls: Mapping[str, int]
    """Requests sent to the exchange, by method and route."""
    health: Health
    affordable: int | None = None
    """Write tokens that could be spent; None: nothing was bought."""
    reads_percent: int = 0
    """Of the read bucket, how much was spent when it held least, as far as was looked."""
    reducing: Reason | None = None
    """Why no new risk was taken."""
    rests: Mapping[str, Rest] = EMPTY
    """Markets and shards whose orders were refused, after this cycle's answers."""
    external: Mapping[str, object] = EMPTY
    """What was told of others' orders and fills, as memory keeps it."""
    programs: Mapping[str, object] = EMPTY
    """What is known of liquidity programs, as memory keeps it; nothing where nobody asks for them."""

    @property
    def dropped(self) -> int:
        """Placements that were wanted and not sent, for want of tokens or time, or after a stop."""
        waiting = sum(1 for _, why in self.choice.plan.withheld if why in WAITING)
        return waiting + len(self.execution.dropped)

    @property
    def used_percent(self) -> int | None:
        """Of the write tokens that could be spent, how many were; None: nothing was bought."""
        return self.health.write_tokens * 100 // self.affordable if self.affordable else None


def status_of(result: CycleResult) -> tuple[str, str]:
    """`completed`, `halted` or `degraded`, and why; a dry run completes without a write."""
    blocked_by, stopped = result.blocked_by, result.execution.stopped
    if blocked_by in PULLS_QUOTES:
        return "halted", str(blocked_by)
    if blocked_by is not None:
        return "degraded", str(blocked_by)
    if stopped not in (None, Reason.DRY_RUN):
        return "degraded", str(stopped)
    if any(decision.error for decision in result.choice.decisions):
        return "degraded", str(Reason.COMPUTE_FAILED)
    if result.failures or result.problems:
        return "degraded", str(Reason.READ_UNKNOWN if result.failures else Reason.CONFIG_INVALID)
    return "completed", str(stopped or "")


def wide_record(result: CycleResult) -> dict[str, object]:
    """The record as flat fields."""
    status, reason = status_of(result)
    return {
        "status": status,
        "reason": reason,
        "cycle_id": result.cycle_id,
        "duration_ms": result.took_ms,
        **({"reducing": str(result.reducing)} if result.reducing else {}),
        **_decided(result.choice),
        "dropped": result.dropped,
        **_written(result.execution),
        **_healthy(result.health, result.choice.worst_loss),
        **_called(result.calls),
        **_booked(result.accounts, result.marks),
        "orders_of_others": None if "resting" in result.failures else _listed(result.external, "orders"),
        **cash_fields(result.cash),
        **overdue_fields(result.accounts.overdue),
        **_reasons(result.choice, result.execution.withheld),
        **{f"unread_{name}": why for name, why in sorted(result.failures.items())},
    }


def pnl_by_market(
    accounts: Accounts, marks: Mapping[str, Price], since_ms: TimeMs
) -> dict[str, dict[str, object]]:
    """By the books, for the archive alone: markets that are open, or in which something happened since then.

    None: nobody can put a price on what is open.
    """
    return {
        ticker: _profit(own, marks.get(ticker) if own.net else Price(0))
        for ticker, own in sorted(accounts.books.items())
        if own.net or max(own.filled_ms, own.settled_ms, own.adjusted_ms) >= since_ms
    }


def _profit(own: MarketLedger, mark: Price | None) -> dict[str, object]:
    return {
        "net": format_count(own.net),
        "average_cost_dollars": format_money(own.average_cost),
        "realised_dollars": format_money(own.realised),
        "unrealised_dollars": None if mark is None else format_money(own.unrealised(mark)),
        "fees_dollars": format_money(own.fees),
        "pnl_dollars": None if mark is None else format_money(own.profit(mark)),
    }


def answer_of(record: Mapping[str, object]) -> dict[str, object]:
    """The short answer: what a person reads in the console."""
    return {name: record[name] for name in ANSWER}


def _decided(choice: Choice) -> dict[str, object]:
    decisions = choice.decisions
    return {
        "kept": len(choice.plan.kept),
        "markets": len(decisions),
        "markets_quoted": sum(1 for decision in decisions if decision.targets),
        "target_count": sum(len(decision.targets) for decision in decisions),
    }


def _written(execution: Execution) -> dict[str, object]:
    cancels, places = execution.cancels, execution.places
    return {
        "quotes_standing": sum(1 for order in execution.journal.orders.values() if order.open),
        "decreased": execution.decreased,
        "cancelled": cancels.total_succeeded,
        "placed": places.total_succeeded,
        "failed": cancels.total_failed + places.total_failed,
        "unknown": cancels.total_unknown + places.total_unknown,
        "cancel_batches": cancels.batches,
        "place_batches": places.batches,
    }


def _healthy(health: Health, worst_loss: Money | None) -> dict[str, object]:
    """What alarms and dashboard go by. None: not known."""
    return {
        "write_tokens": health.write_tokens,
        "stopped_by": health.stopped_by,
        "trading_stopped": int(health.stopped_by != ""),
        "orders_unresolved": health.orders_unresolved,
        "writes_failed_percent": health.writes_failed_percent,
        "quotes_missing": int(health.quotes_missing),
        "day_pnl_dollars": format_money(health.day_profit),
        "loss_limit_percent": health.loss_limit_percent,
        "worst_loss_dollars": None if worst_loss is None else format_money(worst_loss),
        "worst_loss_cap_dollars": format_money(health.worst_loss_cap),
    }


def _called(calls: Mapping[str, int]) -> dict[str, object]:
    reads = sum(number for call, number in calls.items() if call.startswith("GET "))
    return {"read_calls": reads, "write_calls": sum(calls.values()) - reads}


def _booked(accounts: Accounts, marks: Mapping[str, Price]) -> dict[str, object]:
    """None: not read, so not known."""
    return {
        "fills": accounts.booked,
        "drift": None if accounts.drift is None else len(accounts.drift),
        "contracts_net": format_count(accounts.net),
        "contracts_traded": format_count(accounts.traded),
        "pnl_dollars": format_money(accounts.profit(marks)),
        "positions_unmarked": accounts.unmarked(marks),
        "fees_dollars": format_money(accounts.fees),
    }


def _listed(told: Mapping[str, object], kind: str) -> int:
    ids = told.get(kind)
    return len(ids) if isinstance(ids, list) else 0


def _reasons(choice: Choice, unconfirmed: int) -> dict[str, object]:
    """Why markets were skipped, and slots left without a quote or cut, each counted."""
    skips = Counter(decision.skip for decision in choice.decisions if decision.skip)
    slots = Counter(why for _, why in choice.plan.withheld)
    slots.update(why for decision in choice.decisions for _, why in decision.dropped)
    slots.update({Reason.CANCEL_UNCONFIRMED: unconfirmed} if unconfirmed else {})
    cuts = Counter(why for decision in choice.decisions for _, why, _ in decision.cut)
    counted = Counter[str]()
    for name, found in (("skipped", skips), ("slots", slots), ("cut", cuts)):
        counted.update({f"{name}_{why}": number for why, number in found.items()})
    most = dict(counted.most_common(MAX_REASONS))
    return {name: number for name, number in counted.items() if name in most}
