"""Between the books and the quotes: everything that may stop the bot, or keep it from placing.

Trips and breakers come first, because they take orders off; what was lost next; then the switches, and last
the order groups of events, which are made only where something may be placed.
"""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.event_choice import Standing
from dora.core.event_group import EventGroup
from dora.core.exchange.snapshot import Snapshot
from dora.core.ports import Ports
from dora.core.quoting.marks import marks
from dora.core.risk.error_rate import is_cooling
from dora.core.risk.gates import GateInputs, Permission, may_place
from dora.core.session import SessionMetadata
from dora.core.units import Price, TimeMs
from dora.flow.cycle import breakers
from dora.flow.cycle.cycle_context import CycleContext, LoadedState
from dora.flow.cycle.day_edge import close_day
from dora.flow.cycle.event_groups import EventGroups, arrange, as_stored
from dora.flow.cycle.event_trips import note_trips
from dora.flow.cycle.external import watch_external
from dora.flow.cycle.inputs import net_positions
from dora.flow.cycle.loss_limits import LossCheck, check_losses
from dora.flow.cycle.observe import Observed
from dora.flow.shared.accounting import Accounts

TRIGGERS_MS = 10_000
"""Longest time in which one cycle triggers order groups; the next cycle goes on with the rest."""


class Guarded(NamedTuple):
    """How the bot stands: what it may place, and why not."""

    session: SessionMetadata | None
    marks: Mapping[str, Price]
    losses: LossCheck
    external: Mapping[str, object]
    """What was told of others' orders and fills, as memory keeps it."""
    permission: Permission
    events: EventGroups
    triggered: frozenset[str]
    """Order groups in which nothing rests, by their answered trigger."""


def guard(ports: Ports, context: CycleContext, observed: Observed, accounts: Accounts) -> Guarded:
    """All breakers, limits and switches, in the order in which they must act.

    Safe to repeat: a latch, a halt or a trigger that is there already stays.
    """
    loaded, snapshot, reconciled = observed
    until_ms = TimeMs(min(ports.clock.now_ms() + TRIGGERS_MS, context.deadline_ms))
    groups = note_trips(ports, loaded, snapshot, accounts.journal, until_ms)
    session = breakers.check(
        ports, loaded.state.session, _breakers_see(loaded, snapshot, accounts, until_ms, groups)
    )
    groups = as_stored(ports, session, groups)
    priced = _marks(loaded, accounts, snapshot)
    losses = check_losses(ports, loaded, accounts, priced, snapshot)
    watch = watch_external(ports, loaded, losses.control, snapshot, reconciled)
    losses = losses._replace(control=watch.control)
    close_day(ports, context.grant.fence, loaded, accounts, priced)
    permission = permit(ports, observed, session, losses)
    chosen_by = _standing(ports, observed, session, accounts)._replace(closed=permission.shards)
    may_write = permission.blocked_by is None
    events = arrange(ports, loaded, session, chosen_by, groups, may_write=may_write)
    return Guarded(
        session=session,
        marks=priced,
        losses=losses,
        external=watch.told,
        permission=permission,
        events=events,
        triggered=breakers.triggered(session, snapshot.groups) | events.triggered,
    )


def permit(
    ports: Ports, observed: Observed, session: SessionMetadata | None, losses: LossCheck
) -> Permission:
    """All switches, before anything is computed."""
    loaded, snapshot, reconciled = observed
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
    ports: Ports, observed: Observed, session: SessionMetadata | None, accounts: Accounts
) -> Standing:
    """What the order groups of events are chosen by."""
    loaded, snapshot, reconciled = observed
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
