"""One cycle: reconcile, compute, diff, batch execute. `run_cycle` reads like the list in the README.

Nothing here decides a price, a risk or an order's fate: the core does. Nothing here speaks HTTP or DynamoDB:
the edge does. This file is the order of work and its one rule: what was not proven is not acted on.
"""

from collections import Counter

from dora.core.calendar import format_time
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.session import SessionMetadata
from dora.core.state import LeaseRefused
from dora.core.units import TimeMs
from dora.flow.cycle import cycle_facts
from dora.flow.cycle.archive import Finished, archive
from dora.flow.cycle.book import book
from dora.flow.cycle.cycle_context import CycleContext, LoadedState
from dora.flow.cycle.execute import Bounds, Execution
from dora.flow.cycle.finish import finish
from dora.flow.cycle.guard import guard
from dora.flow.cycle.load import load
from dora.flow.cycle.observe import observe
from dora.flow.cycle.order_requests import Naming, order_requests
from dora.flow.cycle.plan import Planned, plan
from dora.flow.cycle.record import answer_of
from dora.flow.shared.lease import release

STALE_TICK_MS, EARLY_TICK_MS = 90_000, 5_000
WRITE_TIMEOUT_MS = 5_000
"""One write's longest life: the lease outlives the invocation by this much."""
WRITE_RESERVE_MS = 3_000
"""Kept of the invocation for the closing writes."""


def run_cycle(ports: Ports, scheduled_ms: TimeMs, *, owner: str, remaining_ms: int) -> dict[str, object]:
    """One cycle for one scheduled minute; returns the function's answer.

    The cycle's id is its minute, so a repeated tick makes the same order ids. Safe to repeat: a seen tick
    is refused.
    """
    now_ms, cycle_id = ports.clock.now_ms(), format_time(scheduled_ms)
    ports.facts.context(cycle_id=cycle_id)
    if not now_ms - STALE_TICK_MS <= scheduled_ms <= now_ms + EARLY_TICK_MS:
        return _skipped(cycle_id, Reason.TICK_STALE)
    expires_ms = TimeMs(now_ms + remaining_ms + WRITE_TIMEOUT_MS)
    grant = ports.lease.acquire(owner=owner, tick_ms=scheduled_ms, now_ms=now_ms, expires_ms=expires_ms)
    if isinstance(grant, LeaseRefused):
        return _skipped(cycle_id, grant.reason)
    deadline_ms = TimeMs(now_ms + remaining_ms - WRITE_RESERVE_MS)
    try:
        context = CycleContext(
            cycle_id=cycle_id,
            grant=grant,
            began_ms=now_ms,
            deadline_ms=deadline_ms,
            calls_before=Counter(ports.exchange.calls),
        )
        finished = _work(ports, context)
    finally:
        release(ports.lease, ports.facts, grant)
    archive(ports, finished)
    return answer_of(finished.record)


def _work(ports: Ports, context: CycleContext) -> Finished:
    """The list in the README, step by step; each gets what the steps before it proved, and no more."""
    ports.exchange.until(context.deadline_ms)
    loaded = load(ports, context.grant.fence)
    ports.exchange.retry_reads(loaded.globals_.read_attempts, loaded.globals_.read_backoff_ms)
    observed = observe(ports, loaded)
    observed, booked = book(ports, context, observed)
    session = observed.loaded.state.session
    ports.facts.context(session_id=session.session_id if session else "")
    guarded = guard(ports, context, observed, booked.accounts)
    planned = plan(ports, context, observed, booked.accounts, guarded, _place_until_ms(context, loaded))
    execution = execute(ports, context, guarded.session, planned)
    return finish(ports, context, observed, booked, guarded, planned, execution)


def execute(
    ports: Ports, context: CycleContext, session: SessionMetadata | None, planned: Planned
) -> Execution:
    """Steps 9 and 10: cancels, changes in place, then placements, within the tokens and the deadline."""
    inputs, bought = planned.inputs, planned.bought
    bounds = Bounds(
        grant=context.grant,
        cycle_id=context.cycle_id,
        deadline_ms=context.deadline_ms,
        place_until_ms=planned.place_until_ms,
        reserved_ms=bought.reserved_ms,
        backoff_ms=inputs.globals_.rate_limit_backoff_ms,
        events=frozenset(own.group_id for own in (inputs.events or {}).values() if own.group_id),
    )
    execution, to_send = Execution(ports, bounds, inputs.view.journal), bought.plan
    if ports.dry_run:
        execution.stopped = Reason.DRY_RUN
        return execution
    execution.cancel(bought.cancels, bought.cancel_ms, to_send.why)
    execution.decrease(to_send.decreases, bought.decrease_ms)
    execution.extend(to_send.extends, bought.extend_ms)
    if session is not None and to_send.places:
        naming = Naming(prefix=ports.prefix, cycle_id=context.cycle_id, session=session)
        requests, failed = order_requests(to_send.places, inputs, naming)
        cycle_facts.uncomputed(ports.facts, context.cycle_id, failed)
        execution.place(requests, bought.create_size, bought.create_ms)
    return execution


def _place_until_ms(context: CycleContext, loaded: LoadedState) -> TimeMs:
    margin_ms = max(loaded.globals_.placement_margin_ms - WRITE_RESERVE_MS, 0)
    return TimeMs(context.deadline_ms - margin_ms)


def _skipped(cycle_id: str, reason: str) -> dict[str, object]:
    return {"status": "skipped", "reason": str(reason), "cycle_id": cycle_id}
