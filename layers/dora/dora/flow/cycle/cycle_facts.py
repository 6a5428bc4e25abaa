"""Facts of a cycle: what it found, decided and came to. Field names are an API of the saved queries."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dora.core.accounts.ledger import Drift
from dora.core.calendar import format_time
from dora.core.orders.danger import Exposed
from dora.core.orders.freshness import INVISIBLE
from dora.core.orders.journal import TrackedOrder, decision_id
from dora.core.orders.requests import BatchCancelSummary, BatchPlaceSummary
from dora.core.orders.write_tally import WriteTally
from dora.core.ports import Facts
from dora.core.quoting.decision import Decision
from dora.core.reasons import Reason
from dora.core.risk.rests import Refused, Rest, shard_name
from dora.core.units import TimeMs, format_count
from dora.flow.cycle.decision_facts import decision_made

METRICS = {
    "TradingStopped": "trading_stopped",
    "QuotesMissing": "quotes_missing",
    "OrdersUnresolved": "orders_unresolved",
    "OrdersDropped": "dropped",
    "WritesFailedPercent": "writes_failed_percent",
    "LossLimitPercent": "loss_limit_percent",
    "PositionDrift": "drift",
}
"""Metric names and the fields of the cycle record they come from; what is not known makes no metric.

Each serves an alarm: what a dashboard shows beside them it reads off the records."""


NEARLY_USED_PERCENT = 80
"""Of the write tokens that a cycle could spend, or of the read bucket: from here on it is told."""


class Spent(NamedTuple):
    """How much of what a cycle could spend it did, in percent."""

    writes: int | None
    """None: nothing was bought."""
    reads: int


def cancel_summary(facts: Facts, summary: BatchCancelSummary) -> None:
    """`BATCH_CANCEL_SUMMARY`."""
    facts.emit("BATCH_CANCEL_SUMMARY", **_totals(summary))


def place_summary(facts: Facts, summary: BatchPlaceSummary) -> None:
    """`BATCH_PLACE_SUMMARY`."""
    facts.emit("BATCH_PLACE_SUMMARY", **_totals(summary))


def budget_low(facts: Facts, dropped: int, stopped: Reason | None, spent: Spent) -> None:
    """`BUDGET_LOW`: placements that did not fit, and what ended the placing; they are first next time.

    Also where all fitted, and most of the tokens were spent: it is near. Of both buckets in one line.
    """
    writes, reads = (spent.writes or 0) >= NEARLY_USED_PERCENT, spent.reads >= NEARLY_USED_PERCENT
    if dropped or writes or reads:
        facts.emit(
            "BUDGET_LOW",
            dropped=dropped,
            **({"reason": stopped or Reason.BUDGET} if dropped or writes else {}),
            used_percent=spent.writes,
            **({"read_used_percent": spent.reads} if reads else {}),
        )


def uncomputed(facts: Facts, cycle_id: str, failed: Mapping[str, str]) -> None:
    """An `ERROR` for each market of which something could not be computed; the others are quoted."""
    for ticker, why in sorted(failed.items()):
        facts.emit(
            "ERROR",
            what="computation of a market",
            market=ticker,
            decision_id=decision_id(cycle_id, ticker),
            why=why,
        )


def mostly_failed(facts: Facts, tally: WriteTally) -> None:
    """One `WARNING` a cycle where most of a batch failed, or most of all its writes; trading goes on."""
    if tally.mostly_failed:
        facts.emit(
            "WARNING",
            what="writes to the exchange",
            why=f"{tally.failed} of {tally.requested} orders refused or not answered",
            requested=tally.requested,
            failed=tally.failed,
            failed_batches=tally.batches,
            codes="; ".join(f"{code} {number}" for code, number in sorted(tally.codes.items())),
        )


def begins_to_rest(facts: Facts, refused: Sequence[Refused], rests: Mapping[str, Rest]) -> None:
    """A `WARNING` for each market or shard that this cycle's refusals leave resting, with their code."""
    named = {name for one in refused for name in (one.ticker, shard_name(one.shard))}
    for name in sorted(named & rests.keys()):
        rest = rests[name]
        if rest.until_ms:
            facts.emit(
                "WARNING",
                what="orders are refused again and again",
                why=f"{rest.code} in {rest.times} cycles in a row",
                market=name,
                until=format_time(TimeMs(rest.until_ms)),
            )


def missing_from_list(facts: Facts, orders: Sequence[TrackedOrder]) -> None:
    """An `ERROR` where a list of resting orders, said to be complete, lacked orders that rest."""
    if orders:
        ids = [order.order_id for order in orders]
        facts.emit("ERROR", what="list of resting orders", why="resting orders missing from list", orders=ids)


def invisible(facts: Facts, orders: Sequence[TrackedOrder]) -> None:
    """An `ERROR` for each order that rests by its last answer, and that no read shows."""
    for order in orders:
        facts.emit(
            "ERROR",
            what="order that no read shows",
            why=INVISIBLE,
            market=order.slot.ticker,
            order_id=order.order_id or "",
            client_order_id=order.client_order_id,
        )


def protected(facts: Facts, found: Exposed, why: Reason) -> None:
    """A `WARNING` where quotes are taken off that nobody may replace, or knows how to."""
    if found.dangerous or found.unpriced:
        facts.emit(
            "WARNING",
            what="quotes cancelled without replacement",
            reason=why,
            dangerous=len(found.dangerous),
            unpriced=len(found.unpriced),
        )


def cycle(
    facts: Facts, record: Mapping[str, object], news: Sequence[Decision], drift: Sequence[Drift]
) -> None:
    """`DECISION_MADE` for each changed decision, `POSITION_DRIFT`, the `CYCLE` record, and the metrics."""
    for decision in news:
        decision_made(facts, str(record["cycle_id"]), decision)
    for gap in drift:
        facts.emit(
            "POSITION_DRIFT", market=gap.ticker, ours=format_count(gap.ours), theirs=format_count(gap.theirs)
        )
    facts.emit("CYCLE", **record)
    facts.count("CyclesCompleted", 1)
    for name, field in METRICS.items():
        value = record[field]
        if isinstance(value, int):
            facts.count(name, value)


def _totals(summary: BatchCancelSummary | BatchPlaceSummary) -> dict[str, object]:
    return {
        "total_requested": summary.total_requested,
        "total_succeeded": summary.total_succeeded,
        "total_failed": summary.total_failed,
        "total_unknown": summary.total_unknown,
        "batches": summary.batches,
    }
