"""One cycle: reconcile, compute, diff, batch execute. `run_cycle` reads like the list in the README.

Nothing here decides a price, a risk or an order's fate: the core does. Nothing here speaks HTTP or DynamoDB:
the edge does. This file is the order of work and its one rule: what was not proven is not acted on.
"""

from collections import Counter
from dataclasses import replace

from dora.core.calendar import day_start_ms, format_time
from dora.core.event_choice import Standing
from dora.core.event_group import EventGroup
from dora.core.exchange.read_calls import BOOKS_PER_CALL, ticker_lists
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.diff import split
from dora.core.orders.freshness import judge_writes
from dora.core.orders.ownership import Ownership, external_orders
from dora.core.orders.reconciliation import ReconciledOrders, merge
from dora.core.orders.renewals import with_life
from dora.core.ports import Ports
from dora.core.quoting.marks import marks
from dora.core.reasons import Reason
from dora.core.risk.error_rate import is_cooling
from dora.core.risk.gates import GateInputs, Permission, may_place
from dora.core.risk.rests import RESTS, after_cycle, read_rests, standing, stored_rests
from dora.core.session import SessionMetadata
from dora.core.state import LeaseRefused
from dora.core.units import Money, Price, TimeMs
from dora.core.zones import DAY_MS
from dora.flow.cycle import breakers, cycle_facts
from dora.flow.cycle.archive import Basis, Finished, archive
from dora.flow.cycle.cash import look_at_cash
from dora.flow.cycle.choose import choose
from dora.flow.cycle.compute import Choice, Inputs, MemoryByTicker, net_positions, waits_of
from dora.flow.cycle.cycle_context import CycleContext, LoadedState
from dora.flow.cycle.day_edge import close_day
from dora.flow.cycle.event_groups import arrange, as_stored, load_groups, note_trips
from dora.flow.cycle.execute import Bounds, Execution
from dora.flow.cycle.external import watch_external
from dora.flow.cycle.health import Stop, health
from dora.flow.cycle.id_probes import probe_ids
from dora.flow.cycle.load import load
from dora.flow.cycle.loss_limits import LossCheck, check_losses
from dora.flow.cycle.order_requests import Naming, order_requests
from dora.flow.cycle.overdue import tell_overdue
from dora.flow.cycle.persist import commit, tell
from dora.flow.cycle.programs import look_at_programs
from dora.flow.cycle.purchase import Purchase, purchase
from dora.flow.cycle.quality import STATISTICS, judge_quotes
from dora.flow.cycle.read import gather_evidence, read_exchange, read_times
from dora.flow.cycle.recent_trades import after_the_tape
from dora.flow.cycle.record import CycleResult, answer_of, pnl_by_market, wide_record
from dora.flow.shared.accounting import Accounts, keep_accounts
from dora.flow.shared.lease import release
from dora.flow.shared.reads import await_balance, used_percent
from dora.flow.shared.resolution_facts import resolved
from dora.flow.shared.universe import refresh_reference_data, strategies_of
from dora.flow.shared.unreadable_facts import set_apart

STALE_TICK_MS, EARLY_TICK_MS = 90_000, 5_000
WRITE_TIMEOUT_MS = 5_000
"""One write's longest life: the lease outlives the invocation by this much."""
WRITE_RESERVE_MS = 3_000
"""Kept of the invocation for the closing writes."""

AMENDED_MS = DAY_MS
"""Payouts are read again for so long: an amendment may be listed with the time of what it amends."""
TRIGGERS_MS = 10_000
"""Longest time in which one cycle triggers order groups; the next cycle goes on with the rest."""


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
    ports.exchange.until(context.deadline_ms)
    loaded = load(ports, context.grant.fence)
    loaded = replace(loaded, events=load_groups(ports, loaded))
    ports.exchange.retry_reads(loaded.globals_.read_attempts, loaded.globals_.read_backoff_ms)
    snapshot, loaded = read(ports, loaded)
    reconciled = reconcile(ports, loaded, snapshot)
    accounts = book(ports, context, loaded, snapshot, reconciled)
    reconciled = replace(reconciled, journal=accounts.journal)
    cash = look_at_cash(ports.facts, loaded, snapshot, accounts, reconciled.counting())
    ports.facts.context(session_id=loaded.state.session.session_id if loaded.state.session else "")
    until_ms = TimeMs(min(ports.clock.now_ms() + TRIGGERS_MS, context.deadline_ms))
    events = note_trips(ports, loaded, snapshot, accounts.journal, until_ms)
    seen = _breakers_see(loaded, snapshot, accounts, until_ms, events)
    session = breakers.check(ports, loaded.state.session, seen)
    events = as_stored(ports, session, events)
    priced = _marks(loaded, accounts, snapshot)
    losses = check_losses(ports, loaded, accounts, priced, snapshot)
    watch = watch_external(ports, loaded, losses.control, snapshot, reconciled)
    losses = losses._replace(control=watch.control)
    close_day(ports, context.grant.fence, loaded, accounts, priced)
    permission = permit(ports, loaded, session, losses, snapshot, reconciled)
    grouped = arrange(
        ports,
        loaded,
        session,
        _standing(ports, loaded, session, snapshot, reconciled, accounts)._replace(closed=permission.shards),
        events,
        may_write=permission.blocked_by is None,
    )
    triggered = breakers.triggered(session, snapshot.groups) | grouped.triggered
    now_ms = ports.clock.now_ms()
    rests = standing(read_rests(loaded.state.memory.get(RESTS, {})), now_ms, losses.control.at_ms)
    memory = {**loaded.state.memory, RESTS: stored_rests(rests.values())}
    inputs = decision_inputs(now_ms, loaded, snapshot, reconciled, accounts, permission, memory)
    inputs = replace(inputs, events=grouped.by_event)
    choice, basis = make_choice(ports, inputs, triggered)
    cycle_facts.uncomputed(ports.facts, context.cycle_id, choice.failed)
    place_until_ms = _place_until_ms(context, loaded)
    bought = purchase(ports, inputs, choice, place_until_ms, context.deadline_ms)
    choice = replace(choice, plan=bought.plan)
    asked = replace(basis.asked, tokens=bought.tokens, most_places=bought.most_places)
    execution = execute(ports, context, loaded, session, inputs, bought)
    programs = look_at_programs(ports, context, loaded, accounts, snapshot.markets)
    result = CycleResult(
        cycle_id=context.cycle_id,
        took_ms=ports.clock.now_ms() - context.began_ms,
        blocked_by=permission.blocked_by,
        problems=len(loaded.configs.problems),
        failures=snapshot.failures,
        choice=choice,
        execution=execution,
        accounts=accounts,
        cash=cash,
        marks=priced,
        quality=judge_quotes(ports.facts, loaded, snapshot, accounts, reconciled, execution.journal),
        calls=ports.exchange.calls - context.calls_before,
        health=health(
            loaded,
            snapshot,
            Stop(session, losses, permission.blocked_by),
            Money(accounts.profit(priced) - losses.day.profit),
            choice,
            execution,
            ports.clock.now_ms(),
        ),
        affordable=bought.tokens,
        reads_percent=max(loaded.reads_percent, used_percent(ports, "read", loaded.limits.read_capacity)),
        reducing=losses.reducing,
        rests=after_cycle(rests, execution.refused, execution.taken, ports.clock.now_ms()),
        external=watch.told,
        programs=programs,
    )
    record = wide_record(result)
    commit(ports.state, context, loaded, result, losses, record, ports.clock.now_ms())
    tell(ports.facts, result, record)
    tell_overdue(ports.facts, accounts.overdue, loaded.state.progress.completed_ms, context.began_ms)
    profit = pnl_by_market(accounts, priced, day_start_ms(context.began_ms))
    return Finished(
        context=context,
        loaded=loaded,
        basis=replace(basis, asked=asked),
        choice=choice,
        execution=execution,
        record={**record, "pnl_by_market": profit},
    )


def book(
    ports: Ports,
    context: CycleContext,
    loaded: LoadedState,
    snapshot: Snapshot,
    reconciled: ReconciledOrders,
) -> Accounts:
    """Fills, payouts and positions as read, into the books."""
    strategies = strategies_of(loaded.wanted)
    return keep_accounts(ports, context.grant.fence, loaded.state, reconciled.journal, snapshot, strategies)


def _marks(loaded: LoadedState, accounts: Accounts, snapshot: Snapshot) -> dict[str, Price]:
    held, markets = accounts.positions.values(), snapshot.markets
    known = {one.ticker: markets[one.ticker].last_price for one in held if one.ticker in markets}
    traded = {ticker: price for ticker, price in known.items() if price is not None}
    return marks(held, snapshot.books, loaded.state.memory, loaded.wanted, traded)


def _breakers_see(
    loaded: LoadedState,
    snapshot: Snapshot,
    accounts: Accounts,
    until_ms: TimeMs,
    events: tuple[EventGroup, ...],
) -> breakers.Seen:
    return breakers.Seen(
        globals_=loaded.configs.globals_,
        halted=loaded.state.control.halted,
        traded=accounts.traded,
        groups=snapshot.groups,
        before=loaded.journal,
        journal=accounts.journal,
        began_ms=snapshot.began_ms,
        limits=loaded.state.limits,
        until_ms=until_ms,
        events=events,
    )


def _standing(
    ports: Ports,
    loaded: LoadedState,
    session: SessionMetadata | None,
    snapshot: Snapshot,
    reconciled: ReconciledOrders,
    accounts: Accounts,
) -> Standing:
    """What the order groups of events are chosen by."""
    return Standing(
        session_id=session.session_id if session else "",
        began_ms=snapshot.began_ms,
        now_ms=ports.clock.now_ms(),
        wanted=loaded.wanted,
        markets=snapshot.markets,
        nets=net_positions(accounts.positions, reconciled),
        orders=reconciled.journal.orders,
        fills=snapshot.fills,
        listed=snapshot.groups,
    )


def read(ports: Ports, loaded: LoadedState) -> tuple[Snapshot, LoadedState]:
    """Step 3: the exchange, all of it that matters, and the slow facts about markets not met before."""
    recording = loaded.globals_.records(dry_run=ports.dry_run)
    looked_at = [t for t, own in loaded.wanted.items() if recording or own.enabled or own.record_only]
    held = {ticker for ticker, position in loaded.state.positions.items() if position.net}
    open_orders = [order for order in loaded.journal.orders.values() if order.open]
    resting = {order.slot.ticker for order in open_orders}
    markets = list(ticker_lists(sorted(loaded.wanted.keys() | held | resting)))
    books = list(split(sorted({*looked_at, *resting}), BOOKS_PER_CALL))
    now_ms = ports.clock.now_ms()
    # Read tokens last: those counted before another wait are lost to a bucket that is full after it.
    await_balance(ports)
    slice_ms = read_times(ports, len(open_orders), len(books) + len(markets))
    reads_percent = used_percent(ports, "read", loaded.limits.read_capacity)
    overlap_ms = loaded.globals_.fills_overlap_s * 1000
    cursors = loaded.state.cursors
    snapshot = read_exchange(
        ports,
        Ownership(ports.prefix, loaded.journal, loaded.state.session, loaded.wanted, loaded.events),
        fills_since_ms=TimeMs((cursors.fills_ms or now_ms) - overlap_ms),
        settlements_since_ms=TimeMs((cursors.settlements_ms or now_ms) - max(overlap_ms, AMENDED_MS)),
        books=books,
        markets=markets,
        slice_ms=slice_ms,
    )
    for name, why in snapshot.failures.items():
        ports.facts.emit("ERROR", what=f"read of {name}", why=why)
    set_apart(ports.facts, snapshot.set_apart)
    changes, known = loaded.fee_changes, snapshot.markets
    reference, changes = refresh_reference_data(ports, loaded.reference, known, changes)
    loaded = replace(loaded, reference=reference, fee_changes=changes, reads_percent=reads_percent)
    return snapshot, loaded


def reconcile(ports: Ports, loaded: LoadedState, snapshot: Snapshot) -> ReconciledOrders:
    """Step 4: journal and reads merged into what is proven; then the engine is asked about the rest."""
    hold_ms, now_ms = loaded.globals_.unknown_create_hold_s * 1000, ports.clock.now_ms()
    evidence = gather_evidence(ports, loaded.journal, snapshot, loaded.limits)
    merged = merge(
        loaded.journal,
        evidence,
        prefix=ports.prefix,
        now_ms=now_ms,
        hold_ms=hold_ms,
        tombstone_ms=loaded.globals_.tombstone_s * 1000,
    )
    max_age_ms = loaded.globals_.max_read_age_s * 1000
    reconciled = judge_writes(merged, evidence, now_ms=now_ms, max_age_ms=max_age_ms, hold_ms=hold_ms)
    resolved(ports.facts, reconciled.resolutions)
    cycle_facts.missing_from_list(ports.facts, reconciled.missing_from_list)
    cycle_facts.invisible(ports.facts, reconciled.invisible)
    return replace(
        reconciled,
        journal=probe_ids(ports, loaded, snapshot, evidence, reconciled.journal),
        external=(*reconciled.external, *external_orders(snapshot.set_apart)),
    )


def permit(
    ports: Ports,
    loaded: LoadedState,
    session: SessionMetadata | None,
    losses: LossCheck,
    snapshot: Snapshot,
    reconciled: ReconciledOrders,
) -> Permission:
    """All switches, before anything is computed."""
    standing = GateInputs(
        globals_=loaded.configs.globals_,
        control=losses.control,
        session=session,
        account_known=snapshot.account_known,
        reads_stale=bool(reconciled.unseen),
        auth_refused=snapshot.auth_refused,
        skew_ms=ports.exchange.skew_ms,
        max_skew_ms=loaded.globals_.max_clock_skew_ms,
        status=snapshot.status or {},
        cash=snapshot.cash or {},
        groups=snapshot.groups or (),
        now_ms=ports.clock.now_ms(),
        writes_cooling=is_cooling(losses.state, ports.clock.now_ms()),
        reducing=losses.reducing,
    )
    return may_place(standing, {market.shard for market in snapshot.markets.values()})


def decision_inputs(
    now_ms: TimeMs,
    loaded: LoadedState,
    snapshot: Snapshot,
    reconciled: ReconciledOrders,
    accounts: Accounts,
    permission: Permission,
    memory: MemoryByTicker,
) -> Inputs:
    """All that steps 6 to 8 go by."""
    return Inputs(
        now_ms=now_ms,
        globals_=with_life(loaded.globals_, loaded.wanted),
        wanted=loaded.wanted,
        reference=loaded.reference,
        snapshot=snapshot,
        view=reconciled,
        positions=accounts.positions,
        nets=net_positions(accounts.positions, reconciled),
        permission=permission,
        memory={name: own for name, own in memory.items() if name not in STATISTICS},
        session=loaded.state.session,
        waits=waits_of(memory),
        limits=loaded.limits,
    )


def make_choice(ports: Ports, inputs: Inputs, triggered: frozenset[str]) -> tuple[Choice, Basis]:
    """Steps 6 to 8; where reads are late, with a look at the tape before anything is cancelled."""
    chosen, blocked_by = choose(inputs, triggered), inputs.permission.blocked_by
    cycle_facts.protected(ports.facts, chosen.exposed, blocked_by or Reason.COMPUTE_FAILED)
    basis = Basis(inputs=inputs, triggered=triggered)
    if blocked_by is not None:
        return chosen.choice, basis
    choice, asked = after_the_tape(ports, inputs, chosen.choice)
    return choice, replace(basis, asked=asked)


def execute(
    ports: Ports,
    context: CycleContext,
    loaded: LoadedState,
    session: SessionMetadata | None,
    inputs: Inputs,
    bought: Purchase,
) -> Execution:
    """Steps 9 and 10: cancels, changes in place, then placements, within the tokens and the deadline."""
    bounds = Bounds(
        grant=context.grant,
        cycle_id=context.cycle_id,
        deadline_ms=context.deadline_ms,
        place_until_ms=_place_until_ms(context, loaded),
        reserved_ms=bought.reserved_ms,
        backoff_ms=loaded.globals_.rate_limit_backoff_ms,
        events=frozenset(own.group_id for own in (inputs.events or {}).values() if own.group_id),
    )
    execution, plan = Execution(ports, bounds, inputs.view.journal), bought.plan
    if ports.dry_run:
        execution.stopped = Reason.DRY_RUN
        return execution
    execution.cancel(bought.cancels, bought.cancel_ms, plan.why)
    execution.decrease(plan.decreases, bought.decrease_ms)
    execution.extend(plan.extends, bought.extend_ms)
    if session is not None and plan.places:
        naming = Naming(prefix=ports.prefix, cycle_id=context.cycle_id, session=session)
        requests, failed = order_requests(plan.places, inputs, naming)
        cycle_facts.uncomputed(ports.facts, context.cycle_id, failed)
        execution.place(requests, bought.create_size, bought.create_ms)
    return execution


def _place_until_ms(context: CycleContext, loaded: LoadedState) -> TimeMs:
    margin_ms = max(loaded.globals_.placement_margin_ms - WRITE_RESERVE_MS, 0)
    return TimeMs(context.deadline_ms - margin_ms)


def _skipped(cycle_id: str, reason: str) -> dict[str, object]:
    return {"status": "skipped", "reason": str(reason), "cycle_id": cycle_id}
