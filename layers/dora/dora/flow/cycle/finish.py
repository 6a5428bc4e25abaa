"""Step 11 of a cycle: what it came to, made durable and told."""

from dora.core.calendar import day_start_ms
from dora.core.ports import Ports
from dora.core.risk.rests import after_cycle
from dora.core.units import Money
from dora.flow.cycle.archive import Finished
from dora.flow.cycle.book import Booked
from dora.flow.cycle.cycle_context import CycleContext
from dora.flow.cycle.execute import Execution
from dora.flow.cycle.guard import Guarded
from dora.flow.cycle.health import Stop, health
from dora.flow.cycle.observe import Observed
from dora.flow.cycle.overdue import tell_overdue
from dora.flow.cycle.persist import commit, tell
from dora.flow.cycle.plan import Planned
from dora.flow.cycle.programs import look_at_programs
from dora.flow.cycle.quality import judge_quotes
from dora.flow.cycle.record import CycleResult, pnl_by_market, wide_record
from dora.flow.shared.reads import used_percent


def finish(
    ports: Ports,
    context: CycleContext,
    observed: Observed,
    booked: Booked,
    guarded: Guarded,
    planned: Planned,
    execution: Execution,
) -> Finished:
    """State, facts and metrics of the cycle. Raises StateError where the outcome could not be stored.

    Safe to repeat: no, as `persist.commit`.
    """
    loaded = observed.loaded
    result = _result(ports, context, observed, booked, guarded, planned, execution)
    record = wide_record(result)
    commit(ports.state, context, loaded, result, guarded.losses, record, ports.clock.now_ms())
    tell(ports.facts, result, record)
    tell_overdue(ports.facts, booked.accounts.overdue, loaded.state.progress.completed_ms, context.began_ms)
    profit = pnl_by_market(booked.accounts, guarded.marks, day_start_ms(context.began_ms))
    return Finished(
        context=context,
        loaded=loaded,
        basis=planned.basis,
        choice=planned.choice,
        execution=execution,
        record={**record, "pnl_by_market": profit},
    )


def _result(
    ports: Ports,
    context: CycleContext,
    observed: Observed,
    booked: Booked,
    guarded: Guarded,
    planned: Planned,
    execution: Execution,
) -> CycleResult:
    loaded, snapshot, reconciled = observed
    accounts, cash = booked
    losses, blocked_by = guarded.losses, guarded.permission.blocked_by
    programs = look_at_programs(ports, context, loaded, accounts, snapshot.markets)
    return CycleResult(
        cycle_id=context.cycle_id,
        took_ms=ports.clock.now_ms() - context.began_ms,
        blocked_by=blocked_by,
        problems=len(loaded.configs.problems),
        failures=snapshot.failures,
        choice=planned.choice,
        execution=execution,
        accounts=accounts,
        cash=cash,
        marks=guarded.marks,
        quality=judge_quotes(ports.facts, loaded, snapshot, accounts, reconciled, execution.journal),
        calls=ports.exchange.calls - context.calls_before,
        health=health(
            loaded,
            snapshot,
            Stop(guarded.session, losses, blocked_by),
            Money(accounts.profit(guarded.marks) - losses.day.profit),
            planned.choice,
            execution,
            ports.clock.now_ms(),
        ),
        affordable=planned.bought.tokens,
        reads_percent=max(loaded.reads_percent, used_percent(ports, "read", loaded.limits.read_capacity)),
        reducing=losses.reducing,
        rests=after_cycle(planned.rests, execution.refused, execution.taken, ports.clock.now_ms()),
        external=guarded.external,
        programs=programs,
    )
