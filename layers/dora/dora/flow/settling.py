"""The last orders of a session, one by one, and its last fills: what a teardown needs beside its lists.

An order outside the triggered groups is gone by the engine's acknowledgement of its cancel, by its own row,
by its own expiry, or, where its create was never answered, by the engine's word on its id. No list proves it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dora.core.config import GlobalConfig
from dora.core.errors import ExchangeError
from dora.core.evidence import FORGOTTEN_MS, Evidence, hold_is_over, unclaimed
from dora.core.fill_reach import gap, reachable
from dora.core.journal import Journal, TrackedOrder, fold_plans
from dora.core.model import Claim, Order, OrderStatus, SessionMetadata
from dora.core.ownership import Ownership
from dora.core.ports import BotState, Changes, LeaseGrant, LeaseRefused, Outside
from dora.core.reconciliation import merge
from dora.core.units import TimeMs
from dora.flow import reporting
from dora.flow.accounting import keep_accounts
from dora.flow.claiming import claim_request
from dora.flow.preflight import NO_GLOBALS
from dora.flow.reading import Reader, Snapshot

BOOKING_MS = 20_000
"""Longest life of the lease under which this is done."""
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


class Settling:
    """Settles what is left. `unproven` orders may still rest; `resting` ones do, by their own rows."""

    def __init__(self, outside: Outside, session: SessionMetadata) -> None:
        self._out, self._session = outside, session
        self._claims: dict[str, Claim] = {}
        self._ended: frozenset[str] = frozenset()
        self.unproven: int | None = None
        self.resting: tuple[Order, ...] = ()

    def settle(self, gone: Gone, met: Iterable[Order]) -> bool:
        """Whether nothing is left, under the lease like any cycle. False also while a cycle is writing.

        `met` are rows of ours that any list has shown. Safe to repeat: fills book once.
        """
        now_ms = self._out.clock.now_ms()
        owner, expires_ms = f"teardown {self._session.session_id} {now_ms}", TimeMs(now_ms + BOOKING_MS)
        grant = self._out.lease.acquire(owner=owner, tick_ms=now_ms, now_ms=now_ms, expires_ms=expires_ms)
        if isinstance(grant, LeaseRefused):
            return False
        try:
            return self._settle_under(
                grant, gone, [r for r in met if not gone.covers(r.group_id, r.order_id)]
            )
        except ExchangeError as error:
            self._out.facts.emit("ERROR", what="last orders and fills", why=str(error))
            return False
        finally:
            self._out.lease.release(grant)

    def _settle_under(self, grant: LeaseGrant, gone: Gone, met: list[Order]) -> bool:
        state = self._out.state.load()
        globals_ = self._out.configs.load().globals_ or NO_GLOBALS
        journal = fold_plans(state.journal, state.plans)
        loose = self._loose(journal, gone)
        if loose or met:
            journal = self._looked_at(journal, loose, met, globals_)
        journal = self._booked(grant, state, journal, globals_)
        self.unproven = len(self._loose(journal, gone))
        return not self.unproven

    def _strays(self, met: Iterable[Order], gone: Gone) -> list[Order]:
        """Rows whose orders are not proven gone; the journal may have been lost."""
        left = (row for row in met if row.order_id not in self._ended)
        return [row for row in left if not gone.covers(row.group_id, row.order_id)]

    def _loose(self, journal: Journal, gone: Gone) -> list[TrackedOrder]:
        """Open orders that only evidence of their own can prove gone."""
        forgotten_ms = TimeMs(self._out.clock.now_ms() - FORGOTTEN_MS)
        left = (o for o in journal.orders.values() if o.open and not o.expires_by(forgotten_ms))
        return [order for order in left if not gone.covers(order.group_id, order.order_id)]

    def _booked(
        self, grant: LeaseGrant, state: BotState, journal: Journal, globals_: GlobalConfig
    ) -> Journal:
        """Fills up to now, and the journal as it has become.

        After a pause beyond the reach of reads the cursor stays: what is missing is the next cycle's to say.
        """
        now_ms = self._out.clock.now_ms()
        overlap_ms = globals_.fills_overlap_s * 1000
        since_ms = TimeMs((state.cursors.fills_ms or self._session.created_at_ms) - overlap_ms)
        if why := gap(since_ms, now_ms):
            self._out.facts.emit("ERROR", what="read of fills", why=why)
        owned = Ownership.of(self._out.prefix, journal, self._session)
        fills = self._out.exchange.fills_since(reachable(since_ms, now_ms)).whole(owned.may_be_fill)
        snapshot = Snapshot(began_ms=now_ms, as_of_ms=now_ms, fills=fills)
        accounts = keep_accounts(self._out, grant.fence, state, journal, snapshot)
        cursors = None if why else accounts.cursors
        changes = Changes(journal=accounts.journal, finished_plans=state.plans, cursors=cursors)
        self._out.state.commit(grant.fence, changes)
        return accounts.journal

    def _looked_at(
        self, journal: Journal, loose: list[TrackedOrder], met: list[Order], globals_: GlobalConfig
    ) -> Journal:
        """The journal, every order that a list showed in it, after what their own rows and ids say."""
        hold_ms = globals_.unknown_create_hold_s * 1000
        evidence = self._claimed(loose, self._read(loose, met, hold_ms), hold_ms)
        found = [row for row in evidence.looked_up.values() if row is not None]
        self.resting = tuple(row for row in found if row.status is OrderStatus.RESTING)
        self._ended |= {row.order_id for row in found if row.status is not OrderStatus.RESTING}
        view = merge(
            journal,
            evidence,
            prefix=self._out.prefix,
            now_ms=self._out.clock.now_ms(),
            hold_ms=hold_ms,
            tombstone_ms=globals_.tombstone_s * 1000,
        )
        reporting.resolved(self._out.facts, view.resolutions)
        return view.journal

    def _read(self, loose: list[TrackedOrder], met: list[Order], hold_ms: int) -> Evidence:
        """Single-order reads, and lists of every status for creates that were never answered."""
        began_ms, exchange = self._out.clock.now_ms(), self._out.exchange
        ids = {order.order_id for order in loose if order.order_id} | {row.order_id for row in met}
        asked = [order for order in loose if not order.order_id and hold_is_over(order, began_ms, hold_ms)]
        tracked = Journal({order.client_order_id: order for order in loose})
        ours = Ownership.of(self._out.prefix, tracked, self._session).may_be_order
        with Reader(self._out.workers) as reader:
            rows = {i: reader.start(i, exchange.order, i) for i in sorted(ids)[:MOST_AT_ONCE]}
            tickers = sorted({order.slot.ticker for order in asked})[:MOST_AT_ONCE]
            lists = {t: reader.start_list(t, ours, exchange.orders_of, t) for t in tickers}
            listings = {ticker: pending.result() for ticker, pending in lists.items()}
            return Evidence(
                began_ms=began_ms,
                as_of_ms=TimeMs(0),
                resting=tuple(met),
                looked_up={order_id: pending.result() for order_id, pending in rows.items()},
                listings={ticker: found for ticker, found in listings.items() if found is not None},
            )

    def _claimed(self, loose: list[TrackedOrder], evidence: Evidence, hold_ms: int) -> Evidence:
        """The evidence, with what the engine says of ids that no row shows after their hold.

        A claim is an order all the same, but here nothing else could prove that the session is over.
        """
        journal = Journal({order.client_order_id: order for order in loose})
        asked = [o for o in unclaimed(journal, evidence, hold_ms) if o.client_order_id not in self._claims]
        asked = asked[:MOST_AT_ONCE] if not self._out.dry_run else []
        markets = self._out.exchange.markets(sorted({o.slot.ticker for o in asked})) if asked else {}
        for order in asked:
            request = claim_request(order, markets.get(order.slot.ticker), None)
            said = self._out.exchange.claim(request) if request is not None else None
            if said is not None:
                self._claims[order.client_order_id] = said
        return replace(evidence, claims=dict(self._claims))
