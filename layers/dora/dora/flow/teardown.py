"""Closing a session: trigger first, then prove zero.

Proof is two complete lists of resting orders, begun later than the exchange's settling time after the last
trigger answer and later than any unanswered create could still be accepted, with none of ours in them.
Until then the session says `closing`, with what rests.
"""

from collections.abc import Iterable
from dataclasses import replace

from dora.core.errors import ExchangeError
from dora.core.journal import OrderState, fold_plans
from dora.core.model import CancelRequest, Order, SessionMetadata, SessionStatus
from dora.core.planning import split
from dora.core.ports import BotState, Changes, LeaseRefused, Outside
from dora.core.units import Count, Money, TimeMs, format_count, format_money
from dora.flow import breakers
from dora.flow.accounting import keep_accounts
from dora.flow.preflight import NO_GLOBALS, NO_LIMITS
from dora.flow.reading import Snapshot

SETTLE_MS = 15_000
"""A read begun this much later than a trigger's answer shows what the trigger did."""
PATIENCE_MS = 45_000
"""How long rows of a triggered group are taken for late reads, not for stragglers."""
RETRY_MS = 2_000
PROOFS = 2
"""Complete lists without an order of ours, one after the other, that make zero proven."""
LEAVE_MS = 20_000
"""With this little time left the answer is `closing`, and the next call goes on."""

BOOKING_MS = 20_000
"""Longest life of the lease under which the last fills are booked."""

Answer = dict[str, object]


def close(outside: Outside, session: SessionMetadata, deadline_ms: int) -> Answer:
    """Take a closing session to `closed`, or as far as time allows. Safe to repeat and to interrupt."""
    outside.exchange.until(TimeMs(max(deadline_ms, outside.clock.now_ms() + LEAVE_MS)))
    search = _Search(outside, session, deadline_ms - LEAVE_MS)
    if outside.dry_run or search.proves_zero():
        return _closed(outside, session)
    return {
        "status": "closing",
        "session_id": session.session_id,
        "reason": session.reason,
        "resting": len(search.resting),
        "untriggered": list(search.untriggered),
    }


class _Search:
    """The search for zero: triggers first, then looks until it is proven or `give_up_ms` has come."""

    def __init__(self, outside: Outside, session: SessionMetadata, give_up_ms: int) -> None:
        self._out, self._session, self._give_up_ms = outside, session, give_up_ms
        self._clean = 0
        self.untriggered = breakers.trigger_groups(outside, session)
        self.resting: list[Order] = []
        self._proof_ms = _proof_ms(outside, session)

    def proves_zero(self) -> bool:
        """Whether nothing of ours rests or can come to rest, and the last fills are booked."""
        self._out.clock.sleep_ms(min(self._proof_ms, self._give_up_ms) - self._out.clock.now_ms())
        while self._clean < PROOFS or not _book_last_fills(self._out, self._session):
            if self._out.clock.now_ms() >= self._give_up_ms:
                return False
            if self._clean < PROOFS:
                self._look()
            if self._clean != 1:
                self._out.clock.sleep_ms(RETRY_MS)
        return True

    def _look(self) -> None:
        """One list of what rests; what no triggered group takes off is cancelled."""
        if self.untriggered:
            self.untriggered = breakers.trigger_groups(self._out, self._session)
        found = _ours(self._out)
        if found is None:
            return
        self.resting = found
        self._clean = 0 if found or self.untriggered else self._clean + 1
        _cancel(self._out, [row for row in found if self._is_straggler(row)])

    def _is_straggler(self, row: Order) -> bool:
        """Rows of a triggered group are late reads at first: a cancel of theirs would find nothing."""
        triggered = {group.group_id for group in self._session.order_groups} - set(self.untriggered)
        return row.group_id not in triggered or self._out.clock.now_ms() >= self._proof_ms + PATIENCE_MS


def _proof_ms(outside: Outside, session: SessionMetadata) -> int:
    """When a list of resting orders begins to prove something.

    A triggered group refuses late posts; an order sent without a group may still land until its hold ends.
    """
    state = outside.state.load()
    globals_ = outside.configs.load().globals_ or NO_GLOBALS
    journal = fold_plans(state.journal, state.plans)
    fenced = {group.group_id for group in session.order_groups}
    loose = [
        order.sent_ms + globals_.unknown_create_hold_s * 1000
        for order in journal.orders.values()
        if order.state is OrderState.UNKNOWN and order.group_id not in fenced
    ]
    return max([outside.clock.now_ms() + SETTLE_MS, *loose])


def _ours(outside: Outside) -> list[Order] | None:
    """Our resting orders on every shard; None when the list could not be read whole."""
    try:
        rows = outside.exchange.resting_orders()
    except ExchangeError as error:
        outside.facts.emit("ERROR", what="list of resting orders", why=str(error))
        return None
    return [row for row in rows if row.client_order_id.startswith(outside.prefix)]


def _book_last_fills(outside: Outside, session: SessionMetadata) -> bool:
    """Fills up to the proof of zero, under the lease like any cycle's. False: not now, a cycle is writing."""
    now_ms = outside.clock.now_ms()
    owner = f"teardown {session.session_id} {now_ms}"
    grant = outside.lease.acquire(
        owner=owner, tick_ms=now_ms, now_ms=now_ms, expires_ms=TimeMs(now_ms + BOOKING_MS)
    )
    if isinstance(grant, LeaseRefused):
        return False
    try:
        state = outside.state.load()
        overlap_ms = (outside.configs.load().globals_ or NO_GLOBALS).fills_overlap_s * 1000
        since_ms = TimeMs((state.cursors.fills_ms or session.created_at_ms) - overlap_ms)
        fills = outside.exchange.fills_since(since_ms)
        snapshot = Snapshot(began_ms=now_ms, as_of_ms=now_ms, fills=fills)
        accounts = keep_accounts(outside, grant.fence, state, state.journal, snapshot)
        outside.state.commit(grant.fence, Changes(journal=accounts.journal, cursors=accounts.cursors))
    except ExchangeError as error:
        outside.facts.emit("ERROR", what="last fills", why=str(error))
        return False
    finally:
        outside.lease.release(grant)
    return True


def _cancel(outside: Outside, rows: Iterable[Order]) -> None:
    """Stragglers by batch; the next list says what became of them."""
    limits = outside.state.load().limits or NO_LIMITS
    requests = [
        CancelRequest(
            order_id=row.order_id,
            client_order_id=row.client_order_id,
            ticker=row.ticker,
            shard=row.shard,
            remaining=row.remaining,
        )
        for row in rows
    ]
    for batch in split(requests, max(limits.write_capacity // (2 * limits.cancel_cost), 1)):
        outside.exchange.cancel(batch)
        outside.clock.sleep_ms(RETRY_MS if len(requests) > len(batch) else 0)


def _closed(outside: Outside, session: SessionMetadata) -> Answer:
    now_ms = outside.clock.now_ms()
    summary = _summary(outside.state.load(), session, now_ms)
    ended = replace(session, status=SessionStatus.CLOSED, ended_at_ms=now_ms, summary=summary)
    ended = outside.state.save_session(ended)
    outside.state.save_history(ended)
    outside.facts.emit("SESSION_CLOSED", session_id=session.session_id, **summary)
    return {"status": "closed", "session_id": session.session_id, "resting": 0, "summary": summary}


def _summary(state: BotState, session: SessionMetadata, now_ms: TimeMs) -> dict[str, str | int]:
    """What the ledger holds, every fill up to the proof of zero in it."""
    positions = state.positions.values()
    traded = sum(position.traded for position in positions) - session.traded_at_start
    return {
        "duration_seconds": (now_ms - session.created_at_ms) // 1000,
        "contracts": format_count(Count(traded)),
        "open_positions": sum(1 for position in positions if position.net),
        "cash_flow_dollars": format_money(Money(sum(position.cash for position in positions))),
        "fees_dollars": format_money(Money(sum(position.fees for position in positions))),
    }
