"""Steps 9 and 10 of a cycle: cancels, then decreases, then placements, each durable before it is sent.

What ends a phase early: the deadline, the lease, the kill flag, a 429, a tripped group, or an exchange that
stopped answering. Placements that were not sent are dropped and reported, other writes are decided anew by
the next cycle; nothing is retried within a cycle.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dora.core.errors import StateError
from dora.core.exchange.error_codes import GROUP_TRIPPED, RATE_LIMITED
from dora.core.exchange.market import Slot
from dora.core.orders.amend_expiry import fold_extended
from dora.core.orders.diff import split
from dora.core.orders.journal import (
    Journal,
    OrderState,
    Plan,
    fold_cancelled,
    fold_decreased,
    fold_placed,
    planned_order,
    without,
)
from dora.core.orders.reconciliation import ORPHAN_LEVEL
from dora.core.orders.requests import (
    BatchCancelResult,
    BatchCancelSummary,
    BatchPlaceResult,
    BatchPlaceSummary,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    ExtendRequest,
    OrderRequest,
    Outcome,
)
from dora.core.orders.write_tally import WriteTally
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.session import SessionStatus
from dora.core.state import LeaseGrant
from dora.core.units import TimeMs
from dora.flow.cycle import cycle_facts
from dora.flow.cycle.order_facts import NEW, Entries
from dora.flow.shared.shared_charge import back_off

CANCEL_WAIT_MS = 2_000
"""Longest wait of a cancel batch for tokens: a stale quote costs more than a 429."""
STOP_SIGN_AGE_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one execution must stay within. Nothing is signed after `deadline_ms`."""

    grant: LeaseGrant
    cycle_id: str
    deadline_ms: TimeMs
    place_until_ms: TimeMs
    backoff_ms: int = 2_000
    """After a 429 nobody spends write tokens for this long, twice as long after each further one in a row."""

    @property
    def last_ms(self) -> TimeMs:
        """No placement is sent from here on: the lease, the plan's own end and the margin all count."""
        return min(self.place_until_ms, self.deadline_ms, self.grant.expires_ms)


class Execution:
    """Carries out one plan. Its `journal` is true after every call, also when a call raises."""

    def __init__(self, ports: Ports, bounds: Bounds, journal: Journal) -> None:
        self._ports, self._bounds = ports, bounds
        self._looked_ms: TimeMs | None = None
        self._replaced: dict[Slot, str] = {}
        """Why the order that stood in a slot was cancelled, and so why another is placed there."""
        self._late_ms = 0
        """The longest from when a write was due to its answer; the next ones are due that much later: a
        bucket that was full while a call was on its way has not refilled in that time."""
        self.journal = journal
        self.plans: tuple[Plan, ...] = ()
        self.cancels = BatchCancelSummary()
        self.places = BatchPlaceSummary()
        self.tally = WriteTally()
        self.decreased = 0
        self.dropped: tuple[OrderRequest, ...] = ()
        self.withheld = 0
        """Placements held back because a cancel of theirs is not confirmed, or something filled unseen."""
        self.stopped: Reason | None = None
        self.surprised: frozenset[str] = frozenset()
        """Markets in which a cancel found fewer contracts than we saw: they filled unseen."""

    # --- cancels -----------------------------------------------------------------------------

    def cancel(
        self,
        batches: Sequence[Sequence[CancelRequest]],
        send_ms: Sequence[TimeMs],
        why: Mapping[str, str] | None = None,
    ) -> None:
        """Every batch in turn; its orders close, stay, or are left to be proven by the next cycle.

        `why` says by client order id why each cancel is sent.
        """
        if not batches:
            return
        self._replaced = {self.journal.orders[key].slot: reason for key, reason in (why or {}).items()}
        self._write_plan("1cancel", cancels=tuple(request for batch in batches for request in batch))
        entries = self._entries(why)
        for number, batch in enumerate(batches):
            due_ms = send_ms[number] if number < len(send_ms) else self._ports.clock.now_ms()
            self._wait_until(due_ms, CANCEL_WAIT_MS)
            if self._ports.clock.now_ms() >= self._bounds.deadline_ms:
                self.stopped = Reason.DEADLINE
                break
            entries.batch_cancel(batch, number, batches)
            result = self._ports.exchange.cancel(batch)
            self._note_answer(due_ms)
            codes = {order.code for order in (*result.failed, *result.unknown)}
            self.tally = self.tally.after_batch(len(batch), _codes(result))
            self._note_refusals("cancel", codes, passed=bool(result.succeeded))
            self.journal = fold_cancelled(self.journal, result, self._ports.clock.now_ms())
            self.surprised |= {
                done.request.ticker for done in result.succeeded if done.reduced_by < done.request.remaining
            }
            self.cancels = entries.cancelled(self.cancels, result, number)
        cycle_facts.cancel_summary(self._ports.facts, self.cancels)

    # --- decreases -----------------------------------------------------------------------------

    def decrease(self, requests: Sequence[DecreaseRequest]) -> None:
        """Each in turn: a decrease keeps the queue place, and only ever lowers risk."""
        if not requests:
            return
        self._write_plan("2decrease", decreases=tuple(requests))
        entries = self._entries()
        for request in requests:
            if self._ports.clock.now_ms() >= self._bounds.place_until_ms:
                self.stopped = Reason.DEADLINE
                return
            result = self._ports.exchange.decrease(request)
            self.journal = fold_decreased(self.journal, request, result, self._ports.clock.now_ms())
            self.tally = self.tally.after(1, _code(result))
            self.decreased += result.outcome is Outcome.DONE
            entries.decreased(request, result)
            if result.outcome is Outcome.DONE and result.remaining < request.reduce_to:
                self.surprised |= {request.ticker}
            if self._note_refusals("decrease", [result.code], passed=result.outcome is Outcome.DONE):
                return

    # --- extensions ----------------------------------------------------------------------------

    def extend(self, requests: Sequence[ExtendRequest]) -> None:
        """Each in turn. An order that found its end meanwhile is left to be proven by the next cycle."""
        if not requests:
            return
        self._write_plan("2extend", extends=tuple(requests))
        entries = self._entries()
        for request in requests:
            if self._ports.clock.now_ms() >= self._bounds.place_until_ms:
                self.stopped = Reason.DEADLINE
                return
            result = self._ports.exchange.extend(request)
            self.journal = fold_extended(self.journal, request, result, self._ports.clock.now_ms())
            self.tally = self.tally.after(1, _code(result))
            entries.extended(request, result)
            if result.outcome is Outcome.DONE and result.remaining < request.remaining:
                self.surprised |= {request.ticker}
            if self._note_refusals("amend", [result.code], passed=result.outcome is Outcome.DONE):
                return

    # --- placements ------------------------------------------------------------------------------

    def place(self, requests: Sequence[OrderRequest], size: int, send_ms: Sequence[TimeMs]) -> None:
        """Batches of `size`, one for each send time at most. What is not sent ends in `dropped`."""
        cleared = self._cleared(requests)
        self.withheld = len(requests) - len(cleared)
        batches = list(split(cleared, size))
        self.dropped = tuple(request for batch in batches[len(send_ms) :] for request in batch)
        batches = batches[: len(send_ms)]
        unsent = tuple(request for batch in batches for request in batch)
        if not unsent or self._must_stop():
            self.dropped += unsent
            return
        self._plan_orders(unsent)
        entries = self._entries({r.client_order_id: self._replaced.get(r.slot, NEW) for r in unsent})
        for number, batch in enumerate(batches):
            self._wait_until(send_ms[number])
            if self._must_stop():
                break
            entries.batch_place(batch, number, batches)
            result = self._ports.exchange.place(batch)
            self._note_answer(send_ms[number])
            self.tally = self.tally.after_batch(len(batch), _codes(result))
            self.journal = fold_placed(self.journal, result, self._ports.clock.now_ms())
            self.places = entries.placed(self.places, result, number)
            unsent = unsent[len(batch) :]
            if self._ends_placing(result):
                break
        self.journal = without(self.journal, unsent)
        self.dropped += unsent
        cycle_facts.place_summary(self._ports.facts, self.places)

    def _cleared(self, requests: Iterable[OrderRequest]) -> list[OrderRequest]:
        """Without those whose slot's cancel is not confirmed, or whose market may have filled unseen.

        A stray holds every slot of its side.
        """
        orders = self.journal.orders.values()
        held = {order.slot for order in orders if order.open}
        orphans = {(slot.ticker, slot.side) for slot in held if slot.level == ORPHAN_LEVEL}
        barred = self.surprised | {o.slot.ticker for o in orders if o.state is OrderState.NOT_FOUND}
        return [
            request
            for request in requests
            if request.slot not in held
            and (request.slot.ticker, request.slot.side) not in orphans
            and request.slot.ticker not in barred
        ]

    def _plan_orders(self, requests: tuple[OrderRequest, ...]) -> None:
        self._write_plan("3place", places=requests)
        until, cycle_id = self._bounds.deadline_ms, self._bounds.cycle_id
        self.journal = self.journal.with_orders(planned_order(r, until, cycle_id) for r in requests)

    def _ends_placing(self, result: BatchPlaceResult) -> bool:
        codes = {order.code for order in result.failed}
        limited = codes | {order.code for order in result.unknown}
        if self._note_refusals("place", limited, passed=bool(result.placed)):
            self.stopped = Reason.BUDGET
        elif codes & GROUP_TRIPPED:
            self.stopped = Reason.GROUP_TRIPPED
        elif result.unknown and not result.placed:
            self.stopped = Reason.EXCHANGE_UNAVAILABLE
        return self.stopped is not None

    def _note_refusals(self, endpoint: str, codes: Iterable[str], *, passed: bool) -> bool:
        """Whether a 429 was among them; then nobody spends from the bucket for an exponential backoff.

        `passed`: the exchange carried something out, which ends a row of 429s. A limiter that cannot be
        written costs the backoff, never the record of what became of the orders.
        """
        limited = not RATE_LIMITED.isdisjoint(codes)
        try:
            if limited:
                back_off(self._ports, endpoint, self._bounds.backoff_ms)
            elif passed:
                self._ports.limiter.passed("write")
        except StateError as error:
            self._ports.facts.emit("ERROR", what=f"rate limit backoff after {endpoint}", why=str(error))
        return limited

    def _must_stop(self) -> bool:
        """Deadline and lease are local comparisons; the kill flag is read when our last look is old."""
        now_ms = self._ports.clock.now_ms()
        if self.stopped is None and now_ms >= self._bounds.last_ms:
            self.stopped = Reason.DEADLINE
        if self.stopped is None and (self._looked_ms is None or now_ms - self._looked_ms >= STOP_SIGN_AGE_MS):
            self._looked_ms = now_ms
            self.stopped = self._stop_sign()
        return self.stopped is not None

    def _stop_sign(self) -> Reason | None:
        control, session = self._ports.state.read_kill_switch()
        if control.halted:
            return Reason.HALTED
        if session is None or session.status is not SessionStatus.ACTIVE:
            return Reason.STOPPED
        return None

    # --- shared ------------------------------------------------------------------------------------

    def _entries(self, why: Mapping[str, str] | None = None) -> Entries:
        """The log of a phase that begins now."""
        return Entries(self._ports.facts, self._bounds.cycle_id, self.journal, why or {})

    def _write_plan(
        self,
        phase: str,
        *,
        places: tuple[OrderRequest, ...] = (),
        cancels: tuple[CancelRequest, ...] = (),
        decreases: tuple[DecreaseRequest, ...] = (),
        extends: tuple[ExtendRequest, ...] = (),
    ) -> None:
        plan = Plan(
            fence=self._bounds.grant.fence,
            phase=phase,
            cycle_id=self._bounds.cycle_id,
            until_ms=self._bounds.deadline_ms,
            places=places,
            cancels=cancels,
            decreases=decreases,
            extends=extends,
        )
        self._ports.state.write_plan(plan)
        self.plans += (plan,)

    def _note_answer(self, due_ms: TimeMs) -> None:
        self._late_ms = max(self._late_ms, self._ports.clock.now_ms() - due_ms)

    def _wait_until(self, due_ms: TimeMs, longest_ms: int | None = None) -> None:
        wait_ms = due_ms + self._late_ms - self._ports.clock.now_ms()
        if longest_ms is not None:
            wait_ms = min(wait_ms, longest_ms)
        if wait_ms > 0:
            self._ports.clock.sleep_ms(wait_ms)


def _codes(result: BatchPlaceResult | BatchCancelResult) -> list[str]:
    return [order.code for order in (*result.failed, *result.unknown)]


def _code(result: ChangeResult) -> list[str]:
    return [] if result.outcome is Outcome.DONE else [result.code]
