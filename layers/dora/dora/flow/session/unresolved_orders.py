"""The last orders of a session, one by one, and its last fills: what a teardown needs beside its lists.

An order outside the triggered groups is gone by the engine's acknowledgement of its cancel, by its own row,
by its own expiry, or, where its create was never answered, by the engine's word on its id. No list proves it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dora.core.accounts.fill_reach import gap, reachable
from dora.core.config import GlobalConfig
from dora.core.errors import RateLimited, StateError
from dora.core.exchange.account import Limits, Order, OrderStatus
from dora.core.exchange.market import Book, Market
from dora.core.exchange.pacing import READ_COST
from dora.core.fallbacks import UNCONFIGURED, UNLEARNED
from dora.core.orders.diff import split
from dora.core.orders.evidence import FORGOTTEN_MS, Evidence, hold_is_over, note_probes, unprobed
from dora.core.orders.id_probe import id_probe_request
from dora.core.orders.journal import Journal, OrderState, TrackedOrder
from dora.core.orders.ownership import Ownership
from dora.core.orders.reconciliation import merge
from dora.core.orders.requests import IdProbe, IdProbeRequest
from dora.core.ports import Ports
from dora.core.session import SessionMetadata
from dora.core.state import BotState, Changes, LeaseGrant
from dora.core.units import TimeMs
from dora.flow.session.teardown_journal import TeardownJournal
from dora.flow.shared.accounting import FillsOnly, keep_accounts
from dora.flow.shared.reads import Reader, paced
from dora.flow.shared.resolution_facts import resolved
from dora.flow.shared.shared_charge import SharedCharge
from dora.flow.shared.unreadable_facts import known_rows, set_apart
from dora.flow.shared.write_pace import WritePace

READING_MS, PROBING_MS = 8_000, 8_000
"""Of one round: what does not fit the tokens of this time is for the next round."""
READ_WAIT_MS = 2_000
"""Longest wait for the tokens of the read of fills, which is made in any case."""
BOOKS_PER_CALL, MARKETS_PER_CALL = 100, 200
MOST_AT_ONCE = 100
"""Orders looked at in one round; the next round takes the next ones."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What needs no evidence of its own: orders of triggered groups, and those whose cancel was answered."""

    groups: frozenset[str]
    order_ids: frozenset[str]

    def covers(self, group_id: str | None, order_id: str | None) -> bool:
        """Whether such an order is proven gone."""
        return group_id in self.groups or order_id in self.order_ids


@dataclass(frozen=True, slots=True)
class _Round:
    """What one round of settling goes by."""

    grant: LeaseGrant
    state: BotState
    globals_: GlobalConfig
    limits: Limits
    until_ms: int

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
        state = self._ports.state.load()
        limits = state.limits or UNLEARNED
        self._ports.limiter.configure(limits)
        turn = _Round(grant, state, self._globals(), limits, until_ms)
        journal, orphans = self._journal.note(state), self._orphans(met, gone)
        loose = self._loose(journal, gone)
        if loose or orphans:
            turn = self._kept(turn, self._looked_at(turn, journal, loose, orphans))
            journal = turn.state.journal
        journal = self._booked(turn, journal)
        left = {order.client_order_id for order in self._loose(journal, gone)}
        self.unproven = len(left | {row.client_order_id for row in self._orphans(orphans, gone)})
        return not self.unproven

    def _kept(self, turn: _Round, journal: Journal) -> _Round:
        """The journal stored before anything else is read: the engine says but once that an id was free."""
        changes = Changes(journal=journal, finished_plans=turn.state.plans)
        self._ports.state.commit(turn.grant.fence, changes)
        state = replace(turn.state, journal=journal, plans=())
        self._journal.note(state)
        return replace(turn, state=state)

    def _globals(self) -> GlobalConfig:
        """The built-in timings where the configs cannot be read."""
        try:
            return self._ports.configs.load().globals_ or UNCONFIGURED
        except StateError as error:
            self._ports.facts.emit("ERROR", what="read of the configs", why=str(error))
            return UNCONFIGURED

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

    def _booked(self, turn: _Round, journal: Journal) -> Journal:
        """Fills up to now, and the journal as it has become.

        After a pause beyond the reach of reads the cursor stays: what is missing is the next cycle's to say.
        """
        now_ms, state = self._ports.clock.now_ms(), turn.state
        overlap_ms = turn.globals_.fills_overlap_s * 1000
        since_ms = TimeMs((state.cursors.fills_ms or self._session.created_at_ms) - overlap_ms)
        if why := gap(since_ms, now_ms):
            self._ports.facts.emit("ERROR", what="read of fills", why=why)
        owned = Ownership.of(self._ports.prefix, journal, self._session)
        list(paced(self._ports, "read", ["fills"], READ_COST, TimeMs(now_ms + READ_WAIT_MS)))
        listed = self._ports.exchange.fills_since(reachable(since_ms, now_ms))
        fills = known_rows(self._ports.facts, listed, owned.may_be_fill)
        reads = FillsOnly(began_ms=now_ms, as_of_ms=now_ms, fills=fills)
        accounts = keep_accounts(self._ports, turn.grant.fence, state, journal, reads)
        cursors = None if why else accounts.cursors
        changes = Changes(journal=accounts.journal, finished_plans=state.plans, cursors=cursors)
        self._ports.state.commit(turn.grant.fence, changes)
        self._journal.note(replace(state, journal=accounts.journal, plans=()))
        return accounts.journal

    def _looked_at(
        self, turn: _Round, journal: Journal, loose: list[TrackedOrder], orphans: list[Order]
    ) -> Journal:
        """The journal after what the orders' own rows and ids say."""
        evidence = self._read(turn, loose, orphans)
        found = [row for row in evidence.looked_up.values() if row is not None]
        self.resting = tuple(row for row in found if row.status is OrderStatus.RESTING)
        self._ended |= {row.order_id for row in found if row.status is not OrderStatus.RESTING}
        view = merge(
            journal,
            evidence,
            prefix=self._ports.prefix,
            now_ms=self._ports.clock.now_ms(),
            hold_ms=turn.hold_ms,
            tombstone_ms=turn.globals_.tombstone_s * 1000,
        )
        resolved(self._ports.facts, view.resolutions)
        return self._probed(turn, view.journal, loose, evidence)

    # --- reads -------------------------------------------------------------------------------------

    def _read(self, turn: _Round, loose: list[TrackedOrder], orphans: list[Order]) -> Evidence:
        """Single-order reads, and lists of every status for orders that were never answered or are missing.

        As many as the read bucket pays for; the lists of what rests have been read before, and are empty.
        """
        began_ms, exchange = self._ports.clock.now_ms(), self._ports.exchange
        ids = {order.order_id for order in loose if order.order_id} | {row.order_id for row in orphans}
        unshown = [o for o in loose if not o.order_id or o.state is OrderState.NOT_FOUND]
        asked = [order for order in unshown if hold_is_over(order, began_ms, turn.hold_ms)]
        tickers = {order.slot.ticker for order in asked}
        until_ms = TimeMs(min(began_ms + READING_MS, turn.until_ms))
        tracked = Journal({order.client_order_id: order for order in loose})
        ours = Ownership.of(self._ports.prefix, tracked, self._session).may_be_order
        self._reads.charge(2 * READ_COST)
        first_ms = exchange.user_data_time_ms()
        with Reader(self._ports.workers) as reader:
            some_ids = paced(self._ports, "read", self._next(ids), turn.limits.order_read_cost, until_ms)
            rows = {i: reader.start(i, exchange.order, i) for i in self._noted(some_ids)}
            some_tickers = paced(self._ports, "read", self._next(tickers), READ_COST, until_ms)
            lists = {t: reader.start_list(t, ours, exchange.orders_of, t) for t in self._noted(some_tickers)}
            listings = {ticker: pending.result() for ticker, pending in lists.items()}
            looked_up = {order_id: pending.result() for order_id, pending in rows.items()}
        set_apart(self._ports.facts, reader.set_apart)
        self.unfinished = not (ids | tickers) <= self._looked.keys()
        return Evidence(
            began_ms=began_ms,
            as_of_ms=min(first_ms, exchange.user_data_time_ms()),
            resting=(),
            looked_up=looked_up,
            listings={ticker: found for ticker, found in listings.items() if found is not None},
        )

    def _next(self, wanted: Iterable[str]) -> list[str]:
        """The next ones in turn: those never looked at, then those looked at longest ago."""
        return sorted(wanted, key=lambda key: (self._looked.get(key, 0), key))[:MOST_AT_ONCE]

    def _noted(self, looked_at: Iterable[str]) -> Iterable[str]:
        self._rounds += 1
        for key in looked_at:
            self._looked[key] = self._rounds
            yield key

    def _probed(
        self, turn: _Round, journal: Journal, loose: list[TrackedOrder], evidence: Evidence
    ) -> Journal:
        """The journal, with what the engine says of ids that no row shows after their hold.

        A probe is an order all the same, but here nothing else could prove that the session is over.
        """
        left = {order.client_order_id for order in loose} if not self._ports.dry_run else set()
        unproven = unprobed(journal, evidence, turn.hold_ms)
        asked = [order for order in unproven if order.client_order_id in left]
        until_ms = TimeMs(min(self._ports.clock.now_ms() + PROBING_MS, turn.until_ms))
        markets, books = dict[str, Market](), dict[str, Book]()
        for part in paced(self._ports, "read", _tickers(asked, MARKETS_PER_CALL), READ_COST, until_ms):
            markets |= self._ports.exchange.markets(part)
        for part in paced(self._ports, "read", _tickers(asked, BOOKS_PER_CALL), READ_COST, until_ms):
            books |= self._ports.exchange.books(part)
        built = [
            id_probe_request(o, markets.get(o.slot.ticker), books.get(o.slot.ticker), None) for o in asked
        ]
        requests = [request for request in built if request is not None][:MOST_AT_ONCE]
        said = self._answers(requests, turn.limits.create_cost, until_ms)
        return note_probes(journal, said, self._ports.clock.now_ms())

    def _answers(self, requests: list[IdProbeRequest], cost: int, until_ms: TimeMs) -> dict[str, IdProbe]:
        """By client order id. After a 429 the other ids are for the next round."""
        said: dict[str, IdProbe] = {}
        for request in paced(self._ports, "write", requests, cost, until_ms):
            self._pace.spend(cost, charged=True)
            try:
                answer = self._ports.exchange.probe_id(request)
            except RateLimited:
                self._pace.emptied("probe_id")
                break
            if answer is not None:
                self._pace.passed()
                said[request.client_order_id] = answer
        return said


def _tickers(orders: Iterable[TrackedOrder], size: int) -> list[Sequence[str]]:
    """Their markets, in as many parts as calls."""
    return list(split(sorted({order.slot.ticker for order in orders}), size))
