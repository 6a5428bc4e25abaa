"""The open order check: wait until no order of ours rests, nor can come to rest.

Two complete lists, begun later than the exchange's settling time after the last trigger was answered, must
hold no order of ours. Lists may be blank, so they do not stand alone: a group that answered its trigger
proves every order in it gone, and each other order is settled by itself.
"""

from collections import Counter

from dora.core.errors import ExchangeError
from dora.core.event_group import EventGroup
from dora.core.exchange.account import Limits, Order
from dora.core.exchange.pacing import READ_COST
from dora.core.orders.journal import Journal
from dora.core.orders.ownership import Ownership
from dora.core.ports import Ports
from dora.core.session import SessionMetadata
from dora.core.units import TimeMs
from dora.flow.session.mass_cancel import MassCancel
from dora.flow.session.teardown_journal import TeardownJournal
from dora.flow.session.unresolved_orders import Gone, UnresolvedOrders
from dora.flow.shared.event_groups import note_triggered, to_trigger
from dora.flow.shared.group_trigger import GroupTrigger
from dora.flow.shared.reported import Reported
from dora.flow.shared.session_groups import record_answers
from dora.flow.shared.shared_charge import SharedCharge
from dora.flow.shared.unreadable_facts import known_rows
from dora.flow.shared.write_pace import WritePace

SETTLE_MS = 15_000
"""A read begun this much later than a trigger's answer shows what the trigger did."""
PATIENCE_MS = 45_000
"""How long rows of a triggered group are taken for stale reads in any case, and after that for as long as the
exchange's own stamp does not say that the reads are later than the trigger."""
RETRY_MS = 2_000
ROUND_MS = 5_000
"""Between two rounds of settling single orders: a hold must run out, or a cycle must finish."""
PROOFS = 2
"""Complete lists without an order of ours, one after the other, that prove that none is open."""


class TeardownLoop:
    """Triggers first, then reads lists until no open orders remain, or until `give_up_ms`."""

    def __init__(
        self,
        ports: Ports,
        session: SessionMetadata,
        events: tuple[EventGroup, ...],
        limits: Limits | None,
        give_up_ms: int,
    ) -> None:
        pace = WritePace(ports, limits)
        self._ports, self._give_up_ms = ports, give_up_ms
        self._events = to_trigger(events)
        self._off = frozenset(group.group_id for group in events if group.triggered)
        """Groups of events that have answered a trigger before."""
        self._trigger = GroupTrigger(ports, (*session.order_groups, *self._events), pace)
        self._cancels, self._journal = MassCancel(ports, pace), TeardownJournal(ports, session)
        self._unresolved = UnresolvedOrders(ports, session, self._journal, pace)
        self._reads = SharedCharge(ports, "read")
        self._seen: dict[str, Order] = {}
        """Every row of ours that a list ever showed, by order id."""
        self._clean, self._list_read, self._caught_up = 0, False, False
        self.session = session
        """As it is stored, with the groups that have answered noted in it."""
        self.resting: tuple[Order, ...] | None = None
        """As in the last complete list; None before the first."""

    @property
    def left(self) -> dict[str, object]:
        """What is left, for the answer; None is what was not found out.

        `unproven` orders are outside the triggered groups and may still rest; `why_unproven` is what
        prevented the proof, where it was begun.
        """
        shards = None if self.resting is None else sorted(Counter(row.shard for row in self.resting).items())
        return {
            "resting": None if self.resting is None else len(self.resting),
            "resting_by_shard": None if shards is None else {str(shard): count for shard, count in shards},
            "unproven": self._unresolved.unproven,
            "untriggered": self.untriggered,
            **({"why_unproven": self._journal.why} if self._journal.why else {}),
        }

    @property
    def untriggered(self) -> list[str]:
        """Groups whose trigger has not been answered."""
        return [group.group_id for group in self._trigger.untriggered]

    @property
    def shards(self) -> set[int]:
        """Where something is left to be done."""
        return {row.shard for row in self.resting or ()} | {
            group.shard for group in self._trigger.untriggered
        }

    def run_until_clear(self, *, settles: bool = True) -> bool:
        """Whether nothing rests or can come to rest, and the last fills are booked. Safe to repeat.

        Without `settles` it ends when the lists are clean: nothing is proven or booked, but all is taken off.
        """
        self._trigger.round(self._give_up_ms)
        self._journal.recall()
        while self._now_ms() < self._give_up_ms:
            self._trigger_rest()
            if self._cancels.busy(self._is_straggler):
                self._cancels.cancel_some(self._give_up_ms)
                continue
            self._record_cancels()
            self._look()
            if self._clean >= PROOFS:
                if settles and self._settle():
                    return True
                if not settles or self._journal.hopeless:
                    break
            self._wait()
        self._record_cancels()
        return False

    def _trigger_rest(self) -> None:
        """Once all have answered, that is recorded: nobody else need trigger them."""
        self._trigger.round(self._give_up_ms)
        if not self._trigger.untriggered:
            self.session = record_answers(self._ports, self.session, self._trigger.answered)
            note_triggered(self._ports, self._events, self._trigger)
            self._events = ()

    def _record_cancels(self) -> None:
        """In the journal, so that no later call and no cycle cancels once more what a stale read shows."""
        results = self._cancels.results
        if results and self._journal.record(results):
            self._cancels.results = ()

    def _settle(self) -> bool:
        """What rests by its own row though no list shows it is cancelled like any straggler."""
        gone = Gone(self._triggered, self._cancels.ended)
        settled = self._unresolved.settle(gone, self._seen.values(), self._give_up_ms)
        self._cancels.add(self._unresolved.resting)
        return settled

    @property
    def _triggered(self) -> frozenset[str]:
        return self._trigger.triggered | self._off

    def _now_ms(self) -> TimeMs:
        return self._ports.clock.now_ms()

    @property
    def _proof_ms(self) -> int:
        return self._trigger.since_ms + SETTLE_MS

    def _wait(self) -> None:
        """For what is due first: a trigger once more, the proof, or the next look."""
        now_ms = self._now_ms()
        if self.untriggered or not self._list_read:
            span_ms = RETRY_MS
        elif now_ms < self._proof_ms:
            span_ms = self._proof_ms - now_ms
        elif self._clean < PROOFS:
            span_ms = 0 if self._clean else RETRY_MS
        else:
            span_ms = 0 if self._unresolved.unfinished else ROUND_MS
        self._ports.clock.sleep_ms(max(min(span_ms, self._give_up_ms - now_ms), 0))

    def _look(self) -> None:
        """One list of what rests; what no triggered group takes off is cancelled."""
        began_ms = self._now_ms()
        self._caught_up = began_ms >= self._proof_ms + PATIENCE_MS and self._reads_are_later()
        found: tuple[Order, ...] | None = None
        with Reported(self._ports.facts, "list of resting orders", ExchangeError):
            found = resting_orders(self._ports, self.session)
        self._reads.charge(READ_COST)
        self._list_read = found is not None
        proves = found == () and not self.untriggered and began_ms >= self._proof_ms
        self._clean = self._clean + 1 if proves else 0
        if found is None:
            return
        self._seen |= {row.order_id: row for row in found}
        self.resting = tuple(row for row in found if not self._is_over(row))
        self._cancels.add(row for row in found if self._is_straggler(row))

    def _reads_are_later(self) -> bool:
        """Whether the exchange says that its reads show what the last trigger did."""
        self._reads.charge(READ_COST)
        try:
            return self._ports.exchange.user_data_time_ms() >= self._proof_ms
        except ExchangeError:
            return False

    def _is_over(self, row: Order) -> bool:
        return row.order_id in self._cancels.ended or self._journal.is_stale(row)

    def _is_straggler(self, row: Order) -> bool:
        """Rows of a triggered group are stale reads at first: a cancel of theirs would find nothing."""
        if self._journal.is_stale(row):
            return False
        return row.group_id not in self._triggered or self._caught_up


def resting_orders(ports: Ports, session: SessionMetadata | None) -> tuple[Order, ...]:
    """Our resting orders on every shard, by the prefix of their client order ids.

    A row that is not understood is ours by our prefix or by a group of the session; an order of the journal
    that shows neither is settled by itself. Raises ExchangeError when the list is not complete.
    """
    owned = Ownership(ports.prefix, Journal(), session)
    rows = known_rows(ports.facts, ports.exchange.resting_orders(), owned.may_be_order)
    return tuple(row for row in rows if row.client_order_id.startswith(ports.prefix))
