"""The last orders of a session, one by one, and its last fills: what a teardown needs beside its lists.

An order outside the triggered groups is gone by the engine's acknowledgement of its cancel, by its own row,
by its own expiry, or, where its create was never answered, by the engine's word on its id. No list proves it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from dora.core.accounts.fill_reach import gap, reachable
from dora.core.config import GlobalConfig
from dora.core.errors import StateError
from dora.core.exchange.account import Limits, Order, OrderStatus
from dora.core.exchange.pacing import READ_COST
from dora.core.exchange.read_calls import BOOKS_PER_CALL, ticker_lists
from dora.core.exchange.snapshot import AccountReads
from dora.core.fallbacks import UNCONFIGURED
from dora.core.orders.batches import split
from dora.core.orders.evidence import FORGOTTEN_MS, Evidence, hold_is_over, note_probes, unprobed
from dora.core.orders.id_probe import id_probe_request
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.ownership import Ownership
from dora.core.orders.reconciliation import merge
from dora.core.ports import Ports
from dora.core.session import SessionMetadata
from dora.core.state import BotState, Configs, LeaseGrant
from dora.core.units import TimeMs
from dora.flow.session.teardown_journal import TeardownJournal
from dora.flow.shared.account_limits import share_of, tell_limiter
from dora.flow.shared.accounting import keep_accounts
from dora.flow.shared.id_probes import send_probes
from dora.flow.shared.order_reads import read_orders
from dora.flow.shared.reads import paced
from dora.flow.shared.reported import Reported
from dora.flow.shared.resolution_facts import resolved
from dora.flow.shared.shared_charge import SharedCharge
from dora.flow.shared.universe import strategies_of, wanted_markets
from dora.flow.shared.unreadable_facts import known_rows, set_apart
from dora.flow.shared.write_pace import WritePace

READING_MS, PROBING_MS = 8_000, 8_000
"""Of one round: what does not fit the tokens of this time is for the next round."""
READ_WAIT_MS = 2_000
"""Longest wait for the tokens of the read of fills, which is made in any case."""
MOST_AT_ONCE = 100
"""Orders looked at in one round; the next round takes the next ones."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gone:
    """What needs no evidence of its own: orders of triggered groups, and those whose cancel was answered."""

    groups: frozenset[str]
    order_ids: frozenset[str]

    def covers(self, group_id: str | None, order_id: str | None) -> bool:
        """Whether such an order is proven gone."""
        return group_id in self.groups or order_id in self.order_ids


@dataclass(frozen=True, slots=True)
class _Context:
    """What one round of settling goes by, under its lease."""

    grant: LeaseGrant
    state: BotState
    globals_: GlobalConfig
    limits: Limits
    until_ms: int
    strategies: Mapping[str, str]

    @property
    def hold_ms(self) -> int:
        return self.globals_.unknown_create_hold_s * 1000


class UnresolvedOrders:
    """Settles what is left. `unproven` orders may still rest; `resting` ones do, by their own rows."""

    def __init__(
        self, ports: Ports, session: SessionMetadata, journal: TeardownJournal, pace: WritePace
    ) -> None:
        self._ports, self._session, self._journal, self._pace = ports, session, journal, pace
        self._reads = SharedCharge(ports, "read")
        self._ended: frozenset[str] = frozenset()
        self._looked: dict[str, int] = {}
        """The round in which each order or list was last looked at: those of long ago are first."""
        self._rounds = 0
        self.unproven: int | None = None
        self.unfinished = False
        """Whether something has not been looked at even once."""
        self.resting: tuple[Order, ...] = ()

    def settle(self, gone: Gone, met: Iterable[Order], until_ms: int) -> bool:
        """Whether nothing is left, under the lease like any cycle. False also while a cycle is writing.

        `met` are rows of ours that any list has shown. Safe to repeat: fills book once.
        """
        rows = list(met)
        return self._journal.under_lease(
            "last orders and fills", lambda grant: self._settle(grant, gone, rows, until_ms)
        )

    def _settle(self, grant: LeaseGrant, gone: Gone, met: list[Order], until_ms: int) -> bool:
        state = self._ports.state.load(grant.fence)
        configs = self._configs()
        globals_ = (configs and configs.globals_) or UNCONFIGURED
        wanted = wanted_markets(configs, state.reference) if configs else {}
        tell_limiter(self._ports.limiter, state.limits, globals_, self._ports.prefix)
        limits = share_of(state.limits, globals_)
        context = _Context(grant, state, globals_, limits, until_ms, strategies_of(wanted))
        journal, orphans = self._journal.note(state), self._orphans(met, gone)
        loose = self._loose(journal, gone)
        if loose or orphans:
            journal = self._looked_at(context, journal, loose, orphans)
            # Stored before anything else is read: the engine says but once that an id was free.
            context = replace(context, state=self._journal.commit(grant, state, journal))
        journal = self._booked(context, journal)
        left = {order.client_order_id for order in self._loose(journal, gone)}
        self.unproven = len(left | {row.client_order_id for row in self._orphans(orphans, gone)})
        return not self.unproven

    def _configs(self) -> Configs | None:
        """None where they cannot be read: the built-in timings do."""
        with Reported(self._ports.facts, "read of the configs", StateError):
            return self._ports.configs.load()
        return None

    def _orphans(self, met: Iterable[Order], gone: Gone) -> list[Order]:
        """Rows whose orders are not proven gone; the journal may have been lost."""
        forgotten_ms = self._ports.clock.now_ms() - FORGOTTEN_MS
        left = (row for row in met if row.order_id not in self._ended and not self._journal.is_stale(row))
        unproven = (row for row in left if not gone.covers(row.group_id, row.order_id))
        return [row for row in unproven if row.expires_ms is None or row.expires_ms > forgotten_ms]

    def _loose(self, journal: Journal, gone: Gone) -> list[TrackedOrder]:
        """Open orders that only evidence of their own can prove gone."""
        forgotten_ms = TimeMs(self._ports.clock.now_ms() - FORGOTTEN_MS)
        left = (o for o in journal.orders.values() if o.open and not o.expires_by(forgotten_ms))
        return [order for order in left if not gone.covers(order.group_id, order.order_id)]

    def _booked(self, context: _Context, journal: Journal) -> Journal:
        """Fills up to now, and the journal as it has become.

        After a pause beyond the reach of reads the cursor stays: what is missing is the next cycle's to say.
        """
        now_ms, state = self._ports.clock.now_ms(), context.state
        overlap_ms = context.globals_.fills_overlap_s * 1000
        since_ms = TimeMs((state.cursors.fills_ms or self._session.created_at_ms) - overlap_ms)
        if why := gap(since_ms, now_ms):
            self._ports.facts.emit("ERROR", what="read of fills", why=why)
        owned = Ownership(self._ports.prefix, journal, self._session)
        list(paced(self._ports, "read", ["fills"], READ_COST, TimeMs(now_ms + READ_WAIT_MS)))
        listed = self._ports.exchange.fills_since(reachable(since_ms, now_ms))
        fills = known_rows(self._ports.facts, listed, owned.may_be_fill)
        reads = AccountReads(began_ms=now_ms, as_of_ms=now_ms, fills=fills)
        accounts = keep_accounts(self._ports, context.grant.fence, state, journal, reads, context.strategies)
        cursors = None if why else accounts.cursors
        return self._journal.commit(context.grant, state, accounts.journal, cursors).journal

    def _looked_at(
        self, context: _Context, journal: Journal, loose: list[TrackedOrder], orphans: list[Order]
    ) -> Journal:
        """The journal after what the orders' own rows and ids say."""
        evidence = self._read(context, loose, orphans)
        found = [row for row in evidence.looked_up.values() if row is not None]
        self.resting = tuple(row for row in found if row.status is OrderStatus.RESTING)
        self._ended |= {row.order_id for row in found if row.status is not OrderStatus.RESTING}
        view = merge(
            journal,
            evidence,
            prefix=self._ports.prefix,
            now_ms=self._ports.clock.now_ms(),
            hold_ms=context.hold_ms,
            tombstone_ms=context.globals_.tombstone_s * 1000,
        )
        resolved(self._ports.facts, view.resolutions)
        return self._probed(context, view.journal, loose, evidence)

    # --- reads -------------------------------------------------------------------------------------

    def _read(self, context: _Context, loose: list[TrackedOrder], orphans: list[Order]) -> Evidence:
        """Single-order reads, and lists of every status for orders that were never answered or are missing.

        As many as the read bucket pays for; the lists of what rests have been read before, and are empty.
        """
        ports, began_ms = self._ports, self._ports.clock.now_ms()
        ids = {order.order_id for order in loose if order.order_id} | {row.order_id for row in orphans}
        unshown = [o for o in loose if not o.order_id or o.state is OrderState.NOT_FOUND]
        tickers = {o.slot.ticker for o in unshown if hold_is_over(o, began_ms, context.hold_ms)}
        tracked = Journal({order.client_order_id: order for order in loose})
        self._reads.charge(2 * READ_COST)
        first_ms = ports.exchange.user_data_time_ms()
        evidence, reader = read_orders(
            ports,
            Evidence(began_ms=began_ms, as_of_ms=first_ms, resting=()),
            self._next(ids),
            dict.fromkeys(self._next(tickers)),
            Ownership(ports.prefix, tracked, self._session).may_be_order,
            order_read_cost=context.limits.order_read_cost,
            until_ms=TimeMs(min(began_ms + READING_MS, context.until_ms)),
        )
        set_apart(ports.facts, reader.set_apart)
        self._rounds += 1
        looked_at = [*evidence.looked_up, *evidence.listings, *reader.failures]
        self._looked |= dict.fromkeys(looked_at, self._rounds)
        self.unfinished = not (ids | tickers) <= self._looked.keys()
        return evidence._replace(as_of_ms=min(first_ms, ports.exchange.user_data_time_ms()))

    def _next(self, wanted: Iterable[str]) -> list[str]:
        """Those never looked at first, then those looked at longest ago."""
        return sorted(wanted, key=lambda key: (self._looked.get(key, 0), key))[:MOST_AT_ONCE]

    def _probed(
        self, context: _Context, journal: Journal, loose: list[TrackedOrder], evidence: Evidence
    ) -> Journal:
        """The journal, with what the engine says of ids that no row shows after their hold.

        A probe is an order all the same, but here nothing else could prove that the session is over.
        """
        ports, left = self._ports, {order.client_order_id for order in loose}
        unproven = () if ports.dry_run else unprobed(journal, evidence, context.hold_ms)
        orders = [order for order in unproven if order.client_order_id in left]
        tickers = sorted({order.slot.ticker for order in orders})
        until_ms = TimeMs(min(ports.clock.now_ms() + PROBING_MS, context.until_ms))
        markets = self._by_ticker(ports.exchange.markets, ticker_lists(tickers), until_ms)
        books = self._by_ticker(ports.exchange.books, split(tickers, BOOKS_PER_CALL), until_ms)
        built = (
            id_probe_request(o, markets.get(o.slot.ticker), books.get(o.slot.ticker), None) for o in orders
        )
        requests, cost = [r for r in built if r is not None][:MOST_AT_ONCE], context.limits.create_cost
        due = paced(ports, "write", requests, cost, until_ms)
        answers = send_probes(ports.exchange, self._pace, due, cost)
        return note_probes(journal, answers, ports.clock.now_ms())

    def _by_ticker(
        self,
        read: Callable[[Sequence[str]], Mapping[str, T]],
        parts: Iterable[Sequence[str]],
        until_ms: TimeMs,
    ) -> dict[str, T]:
        found: dict[str, T] = {}
        for part in paced(self._ports, "read", list(parts), READ_COST, until_ms):
            found |= read(part)
        return found
