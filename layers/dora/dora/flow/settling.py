"""The last orders of a session, one by one, and its last fills: what a teardown needs beside its lists.

An order outside the triggered groups is gone by the engine's acknowledgement of its cancel, by its own row,
by its own expiry, or, where its create was never answered, by the engine's word on its id. No list proves it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dora.core.config import GlobalConfig
from dora.core.errors import ExchangeError
from dora.core.evidence import Evidence, hold_is_over, note_probes, unprobed
from dora.core.journal import Journal, TrackedOrder, fold_plans
from dora.core.model import IdProbe, Order, OrderStatus, SessionMetadata
from dora.core.ports import BotState, Changes, LeaseGrant, LeaseRefused, Outside
from dora.core.reconciliation import merge
from dora.core.units import TimeMs
from dora.flow import reporting
from dora.flow.accounting import keep_accounts
from dora.flow.id_probe import id_probe_request
from dora.flow.preflight import NO_GLOBALS
from dora.flow.reading import Reader, Snapshot

BOOKING_MS = 20_000
"""Longest life of the lease under which this is done."""
FORGOTTEN_MS = 24 * 3_600_000
"""Orders that expired longer ago are gone, though the exchange may show no row of them any more."""
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
        self._ended: frozenset[str] = frozenset()
        self.unproven = 0
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
        """Fills up to now, and the journal as it has become."""
        now_ms = self._out.clock.now_ms()
        overlap_ms = globals_.fills_overlap_s * 1000
        since_ms = TimeMs((state.cursors.fills_ms or self._session.created_at_ms) - overlap_ms)
        snapshot = Snapshot(began_ms=now_ms, as_of_ms=now_ms, fills=self._out.exchange.fills_since(since_ms))
        accounts = keep_accounts(self._out, grant.fence, state, journal, snapshot)
        changes = Changes(journal=accounts.journal, finished_plans=state.plans, cursors=accounts.cursors)
        self._out.state.commit(grant.fence, changes)
        return accounts.journal

    def _looked_at(
        self, journal: Journal, loose: list[TrackedOrder], met: list[Order], globals_: GlobalConfig
    ) -> Journal:
        """The journal, every order that a list showed in it, after what their own rows and ids say."""
        hold_ms = globals_.unknown_create_hold_s * 1000
        evidence = self._read(loose, met, hold_ms)
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
        return self._probed(view.journal, loose, evidence, hold_ms)

    def _read(self, loose: list[TrackedOrder], met: list[Order], hold_ms: int) -> Evidence:
        """Single-order reads, and lists of every status for creates that were never answered."""
        began_ms, exchange = self._out.clock.now_ms(), self._out.exchange
        as_of_ms = exchange.user_data_time_ms()
        ids = {order.order_id for order in loose if order.order_id} | {row.order_id for row in met}
        asked = [order for order in loose if not order.order_id and hold_is_over(order, began_ms, hold_ms)]
        with Reader(self._out.workers) as reader:
            rows = {i: reader.start(i, exchange.order, i) for i in sorted(ids)[:MOST_AT_ONCE]}
            tickers = sorted({order.slot.ticker for order in asked})[:MOST_AT_ONCE]
            lists = {ticker: reader.start(ticker, exchange.orders_of, ticker) for ticker in tickers}
            listings = {ticker: pending.result() for ticker, pending in lists.items()}
            return Evidence(
                began_ms=began_ms,
                as_of_ms=min(as_of_ms, exchange.user_data_time_ms()),
                resting=tuple(met),
                looked_up={order_id: pending.result() for order_id, pending in rows.items()},
                listings={ticker: found for ticker, found in listings.items() if found is not None},
            )

    def _probed(
        self, journal: Journal, loose: list[TrackedOrder], evidence: Evidence, hold_ms: int
    ) -> Journal:
        """The journal, with what the engine says of ids that no row shows after their hold.

        A probe is an order all the same, but here nothing else could prove that the session is over.
        """
        if self._out.dry_run:
            return journal
        left = {order.client_order_id for order in loose}
        asked = [o for o in unprobed(journal, evidence, hold_ms) if o.client_order_id in left][:MOST_AT_ONCE]
        tickers = sorted({order.slot.ticker for order in asked})
        markets = self._out.exchange.markets(tickers) if asked else {}
        books = self._out.exchange.books(tickers) if asked else {}
        said: dict[str, IdProbe] = {}
        for order in asked:
            ticker = order.slot.ticker
            request = id_probe_request(order, markets.get(ticker), books.get(ticker), None)
            answer = self._out.exchange.probe_id(request) if request is not None else None
            if answer is not None:
                said[order.client_order_id] = answer
        return note_probes(journal, said, self._out.clock.now_ms())
