"""Step 11 of a cycle: what it came to becomes state and facts."""

from collections.abc import Mapping

from dora.core.exchange.error_codes import RATE_LIMITED
from dora.core.incentives.programs import PROGRAMS
from dora.core.orders.budget import waits_after
from dora.core.ports import Facts, StateStore
from dora.core.quoting.cool_off import STRIKES
from dora.core.risk.error_rate import after_writes
from dora.core.risk.rests import RESTS, stored_rests
from dora.core.state import Changes, Progress
from dora.core.units import TimeMs
from dora.flow.cycle import cycle_facts
from dora.flow.cycle.cycle_context import CycleContext, LoadedState
from dora.flow.cycle.external import EXTERNAL
from dora.flow.cycle.inputs import LIMITS, WAITS, MemoryByTicker, refused_ms, waits_of
from dora.flow.cycle.loss_limits import LossCheck
from dora.flow.cycle.record import CycleResult
from dora.flow.shared.drift import CYCLE, DRIFT
from dora.flow.shared.fee_changes import FEES

Record = Mapping[str, object]
NOTED = (EXTERNAL, FEES, PROGRAMS, RESTS, STRIKES)
"""What memory keeps beside what strategies remember, written anew by each cycle."""


def commit(
    state: StateStore,
    context: CycleContext,
    loaded: LoadedState,
    result: CycleResult,
    losses: LossCheck,
    record: Record,
    now_ms: TimeMs,
) -> None:
    """Outcomes, cursors, progress, risk, memory and the wide record, made durable.

    Safe to repeat: no, because the journal it stores replaces the stored one; the fence keeps others out.
    """
    progress = Progress(
        completed_ms=now_ms,
        cycle_id=context.cycle_id,
        status=str(record["status"]),
        day=losses.day.day,
        day_profit=losses.day.profit,
    )
    risk = after_writes(losses.state, result.execution.tally, loaded.globals_, now_ms)
    changes = Changes(
        journal=result.execution.journal,
        memory=_memory(loaded, result, now_ms),
        cursors=result.accounts.cursors,
        progress=progress,
        risk=risk if risk != loaded.state.risk else None,
        reference=loaded.reference if loaded.reference != loaded.state.reference else None,
        cash=result.cash.tie.books if result.cash.tie.books != loaded.state.cash else None,
        unexplained=result.cash.unexplained,
        summary=record,
    )
    state.commit(context.grant.fence, changes)


def tell(facts: Facts, result: CycleResult, record: Record) -> None:
    """What the cycle came to, as facts and metrics."""
    execution = result.execution
    spent = cycle_facts.Spent(result.used_percent, result.reads_percent)
    cycle_facts.budget_low(facts, result.dropped, execution.stopped, spent)
    cycle_facts.mostly_failed(facts, execution.tally)
    cycle_facts.begins_to_rest(facts, execution.refused, result.rests)
    cycle_facts.cycle(facts, record, result.choice.news, result.accounts.drift or ())


def _since_ms(loaded: LoadedState, now_ms: TimeMs) -> TimeMs:
    """No write of this cycle has a later time of the exchange, whose clock may be ahead of ours."""
    return TimeMs(now_ms + loaded.globals_.max_clock_skew_ms)


def _memory(loaded: LoadedState, result: CycleResult, now_ms: TimeMs) -> MemoryByTicker:
    """Memory after the cycle's decisions, and the waits of its slots; without decisions as it was."""
    choice, execution = result.choice, result.execution
    contradicted = not RATE_LIMITED.isdisjoint(execution.tally.codes)
    watched = result.accounts.watched
    if watched is None:
        watched = loaded.state.memory.get(DRIFT, {})
    noted = {
        EXTERNAL: result.external,
        PROGRAMS: result.programs,
        RESTS: stored_rests(result.rests.values()),
    }
    if loaded.fee_changes.read_ms:
        noted[FEES] = loaded.fee_changes.stored()
    memory: dict[str, Mapping[str, object]] = {
        **{name: own for name, own in choice.memory.items() if name not in NOTED},
        **{name: own for name, own in noted.items() if own},
        DRIFT: watched,
        CYCLE: {"cycle_id": result.cycle_id},
        **result.quality,
        LIMITS: {
            "learned_ms": loaded.limits_learned_ms,
            "contradicted": int(contradicted),
            "refused_ms": _since_ms(loaded, now_ms) if contradicted else refused_ms(loaded.state.memory),
        },
    }
    if not choice.decisions:
        return memory
    unsent = [request.slot for request in execution.dropped]
    return memory | {WAITS: waits_after(waits_of(loaded.state.memory), choice.plan, unsent)}
