"""The journal during a teardown: read and written under the lease, as by any cycle.

What cancels came to is recorded in it, so that neither a later call nor a cycle cancels once more what a
stale read shows.
"""

from collections.abc import Callable, Mapping, Sequence

from dora.core.errors import ExchangeError, LeaseLost, StateConflict, StateError, StateUnavailable
from dora.core.exchange.account import Order
from dora.core.orders.journal import Journal, OrderState, TrackedOrder, fold_cancelled, fold_plans
from dora.core.orders.requests import BatchCancelResult, CancelRequest
from dora.core.ports import Ports
from dora.core.session import SessionMetadata
from dora.core.state import BotState, Changes, Cursors, LeaseGrant, LeaseRefused
from dora.core.units import TimeMs
from dora.flow.shared.lease import release
from dora.flow.shared.reported import Reported

LEASE_MS = 40_000
"""Longest life of the lease under which one piece of work is done."""
PASSING = (ExchangeError, StateUnavailable, StateConflict, LeaseLost)
"""Failures that may be over the next time; of any other failure of the state the same is to be expected."""


class TeardownJournal:
    """`why` says what kept the latest work from being done, `hopeless` that it will not be the next time."""

    def __init__(self, ports: Ports, session: SessionMetadata) -> None:
        self._ports, self._session = ports, session
        self._stale_ms: Mapping[str, int] = {}
        self._tick_ms = 0
        """Of the latest lease: a tick is granted once, and two works may fall into one millisecond."""
        self.why, self.hopeless = "", False

    def recall(self) -> None:
        """Read which orders' cancels were answered already. Not being able to costs repeated cancels."""
        with Reported(self._ports.facts, "journal of the session", StateError):
            self.note(self._ports.state.load())

    def note(self, state: BotState) -> Journal:
        """The journal of a state as just read or written, remembered for its ended orders."""
        journal = fold_plans(state.journal, state.plans)
        known = (order for order in journal.orders.values() if order.order_id is not None)
        self._stale_ms = {str(order.order_id): _ended_ms(order) for order in known}
        return journal

    def is_stale(self, row: Order) -> bool:
        """Whether a row is older than the answer to the cancel of its order, or shows it before a 404."""
        return row.updated_ms <= self._stale_ms.get(row.order_id, -1)

    def record(self, results: Sequence[BatchCancelResult]) -> bool:
        """Into the journal, under the lease, what cancels came to; False: not now. Safe to repeat: yes."""
        return self.under_lease("record of the cancels", lambda grant: self._record(grant, results))

    def _record(self, grant: LeaseGrant, results: Sequence[BatchCancelResult]) -> bool:
        state, now_ms = self._ports.state.load(grant.fence), self._ports.clock.now_ms()
        journal = fold_plans(state.journal, state.plans)
        for result in results:
            journal = _fold(journal, result, now_ms)
        self.commit(grant, state, journal)
        return True

    def commit(
        self, grant: LeaseGrant, state: BotState, journal: Journal, cursors: Cursors | None = None
    ) -> BotState:
        """Store a journal into which the plans of this state are folded; the state as it has become."""
        changes = Changes(journal=journal, cursors=cursors)
        self._ports.state.commit(grant.fence, changes)
        state = state._replace(journal=journal, plans=())
        self.note(state)
        return state

    def under_lease(self, what: str, work: Callable[[LeaseGrant], bool]) -> bool:
        """Whether the work was done, and said yes; False also while a cycle is running, or on a failure."""
        if self.hopeless:
            return False
        try:
            return self._leased(work)
        except (ExchangeError, StateError) as error:
            self.why = f"{what}: {error}"
            self.hopeless |= not isinstance(error, PASSING)
        self._ports.facts.emit("ERROR", what=what, why=self.why)
        return False

    def _leased(self, work: Callable[[LeaseGrant], bool]) -> bool:
        now_ms = self._ports.clock.now_ms()
        self._tick_ms = max(now_ms, self._tick_ms + 1)
        grant = self._ports.lease.acquire(
            owner=f"teardown {self._session.session_id} {self._tick_ms}",
            tick_ms=TimeMs(self._tick_ms),
            now_ms=now_ms,
            expires_ms=TimeMs(now_ms + LEASE_MS),
        )
        if isinstance(grant, LeaseRefused):
            self.why = f"a cycle is running ({grant.reason})"
            return False
        try:
            done = work(grant)
            self.why = ""
            return done
        finally:
            release(self._ports.lease, self._ports.facts, grant)


def _ended_ms(order: TrackedOrder) -> int:
    """Rows up to this time show an order before its end, or before a cancel that found nothing; -1: none."""
    if order.state is OrderState.CLOSED:
        return order.write_ms
    return order.sent_ms if order.state is OrderState.NOT_FOUND else -1


def _fold(journal: Journal, result: BatchCancelResult, now_ms: TimeMs) -> Journal:
    """Without orders that the journal lacks, or knows to have ended. A row has shown the others' ids."""
    open_ = {key for key, order in journal.orders.items() if order.open}
    requests = [done.request for done in result.succeeded]
    requests += [o.request for o in (*result.failed, *result.unknown) if isinstance(o.request, CancelRequest)]
    named = [
        journal.orders[r.client_order_id]._replace(order_id=r.order_id)
        for r in requests
        if r.client_order_id in open_
    ]
    ours = BatchCancelResult(
        succeeded=tuple(done for done in result.succeeded if done.request.client_order_id in open_),
        failed=tuple(order for order in result.failed if order.request.client_order_id in open_),
        unknown=tuple(order for order in result.unknown if order.request.client_order_id in open_),
    )
    return fold_cancelled(journal.with_orders(named), ours, now_ms)
