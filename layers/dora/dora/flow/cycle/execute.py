"""Steps 9 and 10 of a cycle: cancels, then decreases, then placements, each durable before it is sent.

What ends a phase early: the deadline, the lease, the kill flag, a 429, a tripped group, or an exchange that
stopped answering. Placements that were not sent are dropped and reported, other writes are decided anew by
the next cycle; nothing is retried within a cycle.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar

from dora.core.errors import StateError
from dora.core.exchange.error_codes import GROUP_TRIPPED, RATE_LIMITED
from dora.core.exchange.market import Slot
from dora.core.orders.amend_expiry import fold_extended
from dora.core.orders.batches import split
from dora.core.orders.clearance import cleared
from dora.core.orders.journal import (
    Journal,
    Plan,
    fold_cancelled,
    fold_decreased,
    fold_placed,
    planned_order,
    without,
)
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
from dora.core.risk.rests import Refused, shard_name
from dora.core.session import SessionStatus
from dora.core.state import LeaseGrant
from dora.core.units import Count, TimeMs
from dora.flow.cycle import cycle_facts
from dora.flow.cycle.order_facts import NEW, Entries
from dora.flow.cycle.send import Phase, Sender
from dora.flow.shared.shared_charge import back_off

STOP_SIGN_AGE_MS = 5_000
MOST_INTENTS = 20_000
"""Of one plan, which must fit one transaction; what is beyond is decided anew by the next cycle."""


Change = TypeVar("Change", DecreaseRequest, ExtendRequest)
Request = TypeVar("Request", CancelRequest, OrderRequest)


class Bounds(NamedTuple):
    """What one execution must stay within. Nothing is signed after `deadline_ms`."""

    grant: LeaseGrant
    cycle_id: str
    deadline_ms: TimeMs
    place_until_ms: TimeMs
    reserved_ms: TimeMs
    """When the send times were reserved: what is due by then is paid by tokens that the bucket held."""
    backoff_ms: int = 2_000
    """After a 429 nobody spends write tokens for this long, twice as long after each further one in a row."""
    events: frozenset[str] = frozenset()
    """Groups of single events: one that tripped refuses the orders of its event, and of no other."""

    @property
    def last_ms(self) -> TimeMs:
        """No placement is sent from here on: the lease, the plan's own end and the margin all count."""
        return min(self.place_until_ms, self.deadline_ms, self.grant.expires_ms)


def _within_a_plan(batches: Sequence[Sequence[Request]]) -> Sequence[Sequence[Request]]:
    """As many of the first batches as one plan may hold."""
    ends = accumulate(map(len, batches))
    return batches[: sum(1 for end in ends if end <= MOST_INTENTS)]


class Execution:
    """Carries out one plan. Its `journal` is true after every call, also when a call raises."""

    def __init__(self, ports: Ports, bounds: Bounds, journal: Journal) -> None:
        self._ports, self._bounds = ports, bounds
        self._sender = Sender(ports.clock, ports.workers, bounds.reserved_ms)
        self._looked_ms: TimeMs | None = None
        self._limited = False
        """Whether a write of the phase under way was answered with a 429."""
        self._replaced: dict[Slot, str] = {}
        """Why the order that stood in a slot was cancelled, and so why another is placed there."""
        self.journal = journal
        self.cancels = BatchCancelSummary()
        self.places = BatchPlaceSummary()
        self.tally = WriteTally()
        self.refused: tuple[Refused, ...] = ()
        """Placements that the exchange refused."""
        self.taken: frozenset[str] = frozenset()
        """Markets, and shards by their name, in which it took one."""
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
        """One batch for each send time; its orders close, stay, or are left to be proven by the next cycle.

        Batches without a send time are not sent: their orders rest on and are decided anew. `why` says by
        client order id why each cancel is sent.
        """
        paid = _within_a_plan(batches[: len(send_ms)])
        if not paid:
            return
        self._replaced = {self.journal.orders[key].slot: reason for key, reason in (why or {}).items()}
        self._write_plan("1cancel", cancels=tuple(request for batch in paid for request in batch))
        entries = self._entries(why)

        def fold(number: int, result: BatchCancelResult) -> None:
            self.journal = fold_cancelled(self.journal, result, self._ports.clock.now_ms())
            self.surprised |= {
                done.request.ticker for done in result.succeeded if done.reduced_by < done.request.remaining
            }
            self._count_batch("cancel", len(paid[number]), result, passed=bool(result.succeeded))
            self.cancels = entries.cancelled(self.cancels, result, number)

        phase = Phase(
            send=self._ports.exchange.cancel,
            fold=fold,
            begins=lambda number, batch: entries.batch_cancel(batch, number, paid),
            stops=lambda: self._is_late(self._bounds.deadline_ms),
        )
        self._sender.send(zip(send_ms, paid, strict=False), phase)
        cycle_facts.cancel_summary(self._ports.facts, self.cancels)

    # --- changes in place -----------------------------------------------------------------------

    def decrease(self, requests: Sequence[DecreaseRequest], send_ms: Sequence[TimeMs]) -> None:
        """A decrease keeps the queue place, and only ever lowers risk."""
        paid = requests[: len(send_ms)]
        if not paid:
            return
        self._write_plan("2decrease", decreases=tuple(paid))
        entries = self._entries()

        def fold(number: int, result: ChangeResult) -> None:
            request = paid[number]
            self.journal = fold_decreased(self.journal, request, result, self._ports.clock.now_ms())
            self.decreased += result.outcome is Outcome.DONE
            self._count_change("decrease", request.ticker, request.reduce_to, result)
            entries.decreased(request, result)

        self._change(self._ports.exchange.decrease, paid, send_ms, fold)

    def extend(self, requests: Sequence[ExtendRequest], send_ms: Sequence[TimeMs]) -> None:
        """An order that found its end meanwhile is left to be proven by the next cycle."""
        paid = requests[: len(send_ms)]
        if not paid:
            return
        self._write_plan("2extend", extends=tuple(paid))
        entries = self._entries()

        def fold(number: int, result: ChangeResult) -> None:
            request = paid[number]
            self.journal = fold_extended(self.journal, request, result, self._ports.clock.now_ms())
            self._count_change("amend", request.ticker, request.remaining, result)
            entries.extended(request, result)

        self._change(self._ports.exchange.extend, paid, send_ms, fold)

    def _change(
        self,
        send: Callable[[Change], ChangeResult],
        requests: Sequence[Change],
        send_ms: Sequence[TimeMs],
        fold: Callable[[int, ChangeResult], None],
    ) -> None:
        """Single writes, none after a 429."""
        self._limited = False
        phase = Phase(
            send=send,
            fold=fold,
            begins=lambda _number, _request: None,
            stops=lambda: self._limited or self._is_late(self._bounds.place_until_ms),
        )
        self._sender.send(zip(send_ms, requests, strict=False), phase)

    def _count_change(self, endpoint: str, ticker: str, expected: Count, result: ChangeResult) -> None:
        done = result.outcome is Outcome.DONE
        if done and result.remaining < expected:
            self.surprised |= {ticker}
        codes = [] if done else [result.code]
        self.tally = self.tally.after(1, codes)
        self._note_refusals(endpoint, codes, passed=done)

    # --- placements ------------------------------------------------------------------------------

    def place(self, requests: Sequence[OrderRequest], size: int, send_ms: Sequence[TimeMs]) -> None:
        """Batches of `size`, one for each send time at most. What is not sent ends in `dropped`."""
        ready = cleared(requests, self.journal, self.surprised)
        self.withheld = len(requests) - len(ready)
        batches = list(split(ready, size))
        paid = _within_a_plan(batches[: len(send_ms)])
        planned = tuple(request for batch in paid for request in batch)
        self.dropped = tuple(request for batch in batches[len(paid) :] for request in batch)
        if not planned or self._must_stop():
            self.dropped += planned
            return
        self._write_plan("3place", places=planned)
        until_ms, cycle_id = self._bounds.deadline_ms, self._bounds.cycle_id
        self.journal = self.journal.with_orders(planned_order(r, until_ms, cycle_id) for r in planned)
        entries = self._entries({r.client_order_id: self._replaced.get(r.slot, NEW) for r in planned})

        def fold(number: int, result: BatchPlaceResult) -> None:
            self.journal = fold_placed(self.journal, result, self._ports.clock.now_ms())
            self._count_batch("place", len(paid[number]), result, passed=bool(result.placed))
            self.places = entries.placed(self.places, result, number)
            self._note_places(result)
            self._end_placing(result)

        phase = Phase(
            send=self._ports.exchange.place,
            fold=fold,
            begins=lambda number, batch: entries.batch_place(batch, number, paid),
            stops=self._must_stop,
        )
        sent = self._sender.send(zip(send_ms, paid, strict=False), phase)
        unsent = tuple(request for batch in paid[sent:] for request in batch)
        self.journal = without(self.journal, unsent)
        self.dropped += unsent
        cycle_facts.place_summary(self._ports.facts, self.places)

    def _note_places(self, result: BatchPlaceResult) -> None:
        failed = [
            Refused(one.request.slot.ticker, one.request.shard, one.code)
            for one in result.failed
            if isinstance(one.request, OrderRequest)
        ]
        self.refused += tuple(failed)
        requests = [one.request for one in result.placed]
        self.taken |= {name for r in requests for name in (r.slot.ticker, shard_name(r.shard))}

    def _end_placing(self, result: BatchPlaceResult) -> None:
        """After what kind of answer no further batch is sent."""
        if self._limited:
            self.stopped = Reason.BUDGET
        elif any(o.code in GROUP_TRIPPED and not self._is_of_event(o.request) for o in result.failed):
            self.stopped = Reason.GROUP_TRIPPED
        elif result.unknown and not result.placed:
            self.stopped = Reason.EXCHANGE_UNAVAILABLE

    def _is_of_event(self, request: object) -> bool:
        return isinstance(request, OrderRequest) and request.group_id in self._bounds.events

    def _must_stop(self) -> bool:
        """Deadline and lease are local comparisons; the kill flag is read when our last look is old."""
        now_ms = self._ports.clock.now_ms()
        if self.stopped is None:
            self._is_late(self._bounds.last_ms)
        if self.stopped is None and (self._looked_ms is None or now_ms - self._looked_ms >= STOP_SIGN_AGE_MS):
            self._looked_ms = now_ms
            self.stopped = self._stop_sign()
        return self.stopped is not None

    def _is_late(self, until_ms: TimeMs) -> bool:
        late = self._ports.clock.now_ms() >= until_ms
        self.stopped = Reason.DEADLINE if late else self.stopped
        return late

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

    def _count_batch(
        self, endpoint: str, size: int, result: BatchPlaceResult | BatchCancelResult, *, passed: bool
    ) -> None:
        codes = [order.code for order in (*result.failed, *result.unknown)]
        self.tally = self.tally.after_batch(size, codes)
        self._note_refusals(endpoint, codes, passed=passed)

    def _note_refusals(self, endpoint: str, codes: Iterable[str], *, passed: bool) -> None:
        """After a 429 nobody spends from the bucket for an exponential backoff.

        `passed`: the exchange carried something out, which ends a row of 429s. A limiter that cannot be
        written costs the backoff, never the record of what became of the orders.
        """
        limited = not RATE_LIMITED.isdisjoint(codes)
        self._limited |= limited
        try:
            if limited:
                back_off(self._ports, endpoint, self._bounds.backoff_ms)
            elif passed:
                self._ports.limiter.passed("write")
        except StateError as error:
            self._ports.facts.emit("ERROR", what=f"rate limit backoff after {endpoint}", why=str(error))
