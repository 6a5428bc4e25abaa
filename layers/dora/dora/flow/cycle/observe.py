"""Steps 3 and 4 of a cycle: the exchange as it was read, and the orders as far as that proves them."""

from typing import NamedTuple

from dora.core.exchange.read_calls import BOOKS_PER_CALL, ticker_lists
from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.batches import split
from dora.core.orders.freshness import judge_writes
from dora.core.orders.ownership import Ownership, external_orders
from dora.core.orders.reconciliation import ReconciledOrders, merge
from dora.core.ports import Ports
from dora.core.units import TimeMs
from dora.core.zones import DAY_MS
from dora.flow.cycle import cycle_facts
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.cycle.id_probes import probe_ids
from dora.flow.cycle.inputs import refused_ms
from dora.flow.cycle.read import gather_evidence, read_exchange, read_times
from dora.flow.shared.reads import await_balance, balance_leaves, used_percent
from dora.flow.shared.resolution_facts import resolved
from dora.flow.shared.universe import refresh_reference_data
from dora.flow.shared.unreadable_facts import set_apart

AMENDED_MS = DAY_MS
"""Payouts are read again for so long: an amendment may be listed with the time of what it amends."""


class Observed(NamedTuple):
    """What a cycle goes by. `reconciled.journal` is that of the books once fills are booked."""

    loaded: LoadedState
    snapshot: Snapshot
    reconciled: ReconciledOrders


def observe(ports: Ports, loaded: LoadedState) -> Observed:
    """Read, then reconcile. Safe to repeat: nothing is written."""
    snapshot, loaded = read(ports, loaded)
    return Observed(loaded, snapshot, reconcile(ports, loaded, snapshot))


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
    counted_ms = ports.clock.now_ms()
    slice_ms = read_times(ports, len(open_orders), len(books) + len(markets))
    balance_leaves(ports, counted_ms)
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
    loaded = loaded._replace(reference=reference, fee_changes=changes, reads_percent=reads_percent)
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
    reconciled = judge_writes(
        merged,
        evidence,
        now_ms=now_ms,
        max_age_ms=max_age_ms,
        hold_ms=hold_ms,
        refused_ms=refused_ms(loaded.state.memory),
    )
    resolved(ports.facts, reconciled.resolutions)
    cycle_facts.missing_from_list(ports.facts, reconciled.missing_from_list)
    cycle_facts.invisible(ports.facts, reconciled.invisible)
    return reconciled._replace(
        journal=probe_ids(ports, loaded, snapshot, evidence, reconciled.journal),
        external=(*reconciled.external, *external_orders(snapshot.set_apart)),
    )
