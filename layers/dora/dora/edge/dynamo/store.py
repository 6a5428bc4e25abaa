"""The state of one bot: one read for everything, fenced transactions for everything a cycle writes.

A fenced transaction begins with a check that the lease still bears our fence, so a run that was overtaken
writes nothing more, however late it wakes up.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.rewards import RewardName
from dora.core.accounts.stored_books import Booking
from dora.core.errors import LeaseLost, StateConflict, StateUnavailable
from dora.core.exchange.account import Settlement
from dora.core.orders.journal import Plan
from dora.core.ports import Clock
from dora.core.state import BotState, Changes
from dora.edge.dynamo.book_items import (
    books_partition,
    elements,
    markers,
    read_books,
    read_payouts,
    read_rows,
    retired_partition,
    reward_key,
    rewards_partition,
    rows_partition,
)
from dora.edge.dynamo.codec import JOURNAL, Item, key, key_of, plain_of
from dora.edge.dynamo.commits import Commit
from dora.edge.dynamo.event_groups import EventGroupRecords
from dora.edge.dynamo.items import LEASE, fill_key, fills_partition, settlements_partition
from dora.edge.dynamo.journal_items import head_item, partition, plan_items
from dora.edge.dynamo.journal_reader import StoredJournal
from dora.edge.dynamo.journal_writer import cleared, head_is, head_was, holding, with_plan
from dora.edge.dynamo.kept import Kept
from dora.edge.dynamo.state_reader import StoredState, stored_state
from dora.edge.dynamo.table import BATCH_ITEMS, REFUSED, Client, Condition, Element

_READS = 3


class DynamoState(EventGroupRecords):
    """`ports.StateStore` on DynamoDB. `pk` is the bot's name, or `<bot>#dry` for a dry run."""

    def __init__(self, client: Client, table: str, pk: str, clock: Clock) -> None:
        super().__init__(client, table, pk)
        self._clock = clock
        self._kept: Kept | None = None
        """The state as last read or written here; None after anything whose effect is not certain."""

    def load(self, fence: int | None = None) -> BotState:
        """Everything. Raises StateUnavailable, StateTooNew, or a StateError that names an unreadable item.

        `fence`: of the caller's lease. Where the lease just before it was this environment's own too, nobody
        else can have written what a lease guards: what was kept of it is the state, and only what is written
        without a lease is read. Without a fence all is read.

        The head of the journal is read after what it names, in descending order of the keys, like the plans
        of the first schema before its orders: a commit between two pages can be met, but hides nothing.
        """
        kept, self._kept = self._kept, None
        if kept is None or fence is None or not kept.follows(fence):
            return self._load(_READS).state
        singles = self._singles(kept.SHOWN)
        state = kept.refreshed(singles)
        if state is None:
            return self._load(_READS).state
        self._kept = replace(kept, stored=kept.stored._replace(state=state))
        return state

    def write_plan(self, plan: Plan) -> None:
        """Make intents durable before their first request; only under the plan's own fence.

        Raises StateConflict when another plan stands under the same fence and phase: it is not overwritten.
        Safe to repeat: yes, with the same plan: equal content makes equal items, and those may be put again.
        """
        with self._writing() as stored:
            journal = stored.journal
            items = plan_items(self._pk, plan, journal.last)
            puts = [self._table.put_element(item, _absent_or_same(item)) for item in items]
            reasons = self._fenced(plan.fence, [self._hold(journal), *puts])
            if REFUSED in reasons[:1]:
                raise StateConflict("the journal has moved on since it was read")
            if REFUSED in reasons:
                raise StateConflict(f"plan {plan.fence}#{plan.phase} holds other intents already")
            self._kept = Kept(stored._replace(journal=with_plan(journal, plan, len(items))))

    def book(self, fence: int, booking: Booking) -> bool:
        """Store what a change of the books comes to, all or nothing.

        False when one of its fills or rewards was booked before: nothing was written. Raises StateConflict
        when the stored books or positions are not those it was made from: load again.
        Safe to repeat: yes, for what it was made from is then gone; after False take the books from a load.
        """
        kept, self._kept = self._kept, None
        marks = markers(self._table, self._pk, booking, self._now_s())
        others = elements(self._table, self._pk, booking, self._now_s())
        reasons = self._fenced(fence, [*marks, *others])
        if REFUSED in reasons[: len(marks)]:
            return False
        if REFUSED in reasons:
            raise StateConflict("the books have moved on since they were read")
        self._kept = kept.with_booking(booking) if kept else None
        return True

    def booked(self, fill_ids: Sequence[str]) -> frozenset[str]:
        """Which of these fills are booked already."""
        keys = [key(fills_partition(self._pk), fill_key(fill_id)) for fill_id in dict.fromkeys(fill_ids)]
        found = {key_of(item)[1] for item in self._table.get(keys)}
        return frozenset(fill_id for fill_id in fill_ids if fill_key(fill_id) in found)

    def rewarded(self, names: Sequence[RewardName]) -> frozenset[RewardName]:
        """Which of these rewards are booked already."""
        pk, by_key = rewards_partition(self._pk), {reward_key(name): name for name in names}
        found = self._table.get([key(pk, sk) for sk in by_key])
        return frozenset(by_key[key_of(item)[1]] for item in found)

    def retired(self, tickers: Sequence[str]) -> dict[str, MarketLedger]:
        """The ledgers of those of these markets that have left the state."""
        pk = retired_partition(self._pk)
        return read_books(self._table.get([key(pk, ticker) for ticker in dict.fromkeys(tickers)]))

    def payouts(self) -> tuple[Settlement, ...]:
        """Every payout that was booked, amendments beside what they amend."""
        return read_payouts(self._table.query(settlements_partition(self._pk)))

    def profit_rows(self, day: str = "") -> tuple[ProfitRow, ...]:
        """The rows of one day of the exchange, or of all days."""
        return read_rows(self._table.query(rows_partition(self._pk), prefix=day and f"{day}#"))

    def commit(self, fence: int, changes: Changes) -> None:
        """What a finished cycle leaves. A journal has the plans folded into it that `load` showed.

        In this order: parts of a segment that do not fit one transaction, which nothing names yet; the one
        fenced transaction with the head, cursors, progress and reference, which makes the commit; memory and
        the wide record, without which the next cycle merely knows less; and what is litter by then.
        Safe to repeat: yes, a journal that is stored already is not appended again.
        """
        with self._writing() as stored:
            commit = Commit(self._table, self._pk, stored, changes)
            for elements in commit.transactions():
                if REFUSED in self._fenced(fence, elements):
                    raise StateConflict("the journal has moved on since it was read")
            for item, condition in commit.memory():
                if self._table.put(item, condition):
                    raise LeaseLost("a later commit has left its memory already")
            after = commit.after()
            self._kept = Kept(self._tidied(after, commit.summary(self._now_s())), fence)

    # --- inside ---------------------------------------------------------------------------------

    def _now_s(self) -> int:
        return self._clock.now_ms() // 1000

    def _singles(self, names: Sequence[str]) -> dict[str, Item]:
        found = self._table.get([key(self._pk, sk) for sk in names])
        return {key_of(item)[1]: item for item in found}

    def _load(self, tries: int) -> StoredState:
        own = self._table.query(partition(self._pk))
        items = self._table.query(self._pk, descending=True)
        books = self._table.query(books_partition(self._pk), descending=True)
        try:
            stored = stored_state(self._pk, items, own, books)
        except StateUnavailable:
            if tries == 1:
                raise
            return self._load(tries - 1)
        self._kept = Kept(stored)
        return stored

    @contextmanager
    def _writing(self) -> Iterator[StoredState]:
        """What is stored, to be written over; forgotten unless the block keeps what it made of it."""
        kept, self._kept = self._kept, None
        yield kept.stored if kept else self._load(_READS)

    def _hold(self, journal: StoredJournal) -> Element:
        """The head as it was read, holding from now on: an older version must not overlook the plan."""
        if journal.head is not None and journal.head.holds:
            return self._table.check_element(key(self._pk, JOURNAL), head_is(journal.head))
        head = holding(journal)
        return self._table.put_element(head_item(self._pk, head), head_was(journal.head, head))

    def _tidied(self, stored: StoredState, summary: Sequence[Item]) -> StoredState:
        """As much litter cleared away as one request may."""
        gone = stored.journal.litter[: BATCH_ITEMS - len(summary)]
        self._table.write_batch(summary, [key(*place) for place in gone])
        return stored._replace(journal=cleared(stored.journal, len(gone)))

    def _fenced(self, fence: int, elements: Sequence[Element]) -> tuple[str, ...]:
        """The elements' reasons, () when written. Raises LeaseLost."""
        mine = Condition("#fence = :mine", {"mine": fence})
        guarded = [self._table.check_element(key(self._pk, LEASE), mine), *elements]
        reasons = self._table.transact(guarded)
        if reasons and reasons[0] == REFUSED:
            raise LeaseLost(f"fence {fence} is no longer the lease's")
        return reasons[1:]


def _absent_or_same(item: Item) -> Condition:
    """A repeat of the same write passes, another value under the same key does not."""
    text = "attribute_not_exists(#body) OR #body = :body"
    return Condition(text, {"body": plain_of(item["body"])})
