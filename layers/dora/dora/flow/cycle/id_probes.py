"""Id probes of a cycle: few, and none where nothing may be placed by a person's choice."""

from itertools import takewhile

from dora.core.exchange.snapshot import Snapshot
from dora.core.orders.evidence import Evidence, note_probes, unprobed
from dora.core.orders.id_probe import id_probe_request
from dora.core.orders.journal import Journal, TrackedOrder
from dora.core.orders.requests import IdProbeRequest
from dora.core.ports import Ports
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.units import TimeMs
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.shared.id_probes import send_probes
from dora.flow.shared.reads import paced
from dora.flow.shared.write_pace import WritePace

MOST_PROBES = 20
"""Probes of one cycle; each costs as many write tokens as a create."""
LONGEST_WAIT_MS = 5_000
"""No probe is begun later: an exchange that is slow to answer must not take the cycle's time."""


def probe_ids(
    ports: Ports, loaded: LoadedState, snapshot: Snapshot, evidence: Evidence, journal: Journal
) -> Journal:
    """The journal, with what the engine said of ids that no row shows after their hold. Each is asked once.

    A probe is an order all the same: where nothing may be placed by a person's choice, none is sent. As many
    as the tokens allow, and none after a 429; the other ids are probed by a later cycle.
    """
    session = loaded.state.session
    if session is None or evidence.resting is None or not _may_probe(ports, loaded, session):
        return journal
    hold_ms = loaded.globals_.unknown_create_hold_s * 1000
    asked = [_request(order, session, snapshot) for order in unprobed(journal, evidence, hold_ms)]
    requests = [request for request in asked if request is not None][:MOST_PROBES]
    limits, until_ms = loaded.limits, TimeMs(ports.clock.now_ms() + LONGEST_WAIT_MS)
    pace = WritePace(ports, limits, loaded.globals_.rate_limit_backoff_ms)
    due = paced(ports, "write", requests, limits.create_cost, until_ms)
    in_time = takewhile(lambda _: ports.clock.now_ms() <= until_ms, due)
    answers = send_probes(ports.exchange, pace, in_time, limits.create_cost)
    return note_probes(journal, answers, ports.clock.now_ms())


def _may_probe(ports: Ports, loaded: LoadedState, session: SessionMetadata) -> bool:
    halted, active = loaded.state.control.halted, session.status is SessionStatus.ACTIVE
    return active and loaded.globals_.trading_enabled and not (halted or ports.dry_run)


def _request(order: TrackedOrder, session: SessionMetadata, snapshot: Snapshot) -> IdProbeRequest | None:
    """In a group of the session where it has any."""
    groups = [group.group_id for group in session.order_groups if group.shard == order.shard]
    if session.use_order_groups and not groups:
        return None
    ticker = order.slot.ticker
    market, book = snapshot.markets.get(ticker), snapshot.books.get(ticker)
    return id_probe_request(order, market, book, groups[0] if groups else None)
