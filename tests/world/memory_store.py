"""`ports.StateStore` in memory. Values are frozen, so they are kept and handed out as they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from dora.core.accounts.cash_tie import UnexplainedCash
from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.accounts.rewards import RewardName
from dora.core.accounts.stored_books import BookChange, Booking
from dora.core.calendar import format_time
from dora.core.errors import LeaseLost, StateConflict
from dora.core.event_group import EventGroup
from dora.core.exchange.account import Limits, Settlement
from dora.core.orders.journal import Journal, Plan
from dora.core.session import SessionMetadata
from dora.core.state import (
    BotState,
    Changes,
    EmergencyState,
    KillSwitch,
)
from dora.edge.dynamo.event_groups import event_group_key
from dora.edge.dynamo.items import in_order, payout_key
from dora.edge.dynamo.serde import to_plain
from tests.world.memory_cloud import MemoryCloud, Partition, request
from tests.world.stored_books import StoredBooks

SUMMARIES_KEPT = 60


class MemoryStore:
    """The state of one bot. `pk` as for the DynamoDB adapter: the bot's name, or `<bot>#dry`."""

    service = "state"

    def __init__(self, cloud: MemoryCloud, pk: str) -> None:
        self.cloud, self._pk = cloud, pk

    @request
    def load(self, fence: int | None = None) -> BotState:
        """Everything, in the order in which a query would show it. Nothing is kept, so no fence matters."""
        own = self._own
        plans = tuple(own.plans[name] for name in sorted(own.plans))
        return own.state._replace(plans=plans, positions=positions_of(own), books=books_of(own))

    @request
    def read_kill_switch(self) -> tuple[KillSwitch, SessionMetadata | None]:
        """The kill flag and the session."""
        return self._own.state.control, self._own.state.session

    @request
    def emergency_state(self) -> EmergencyState:
        """Session, progress, limits and a mark; every value here can be read."""
        state = self._own.state
        return EmergencyState(
            session=state.session,
            completed_ms=state.progress.completed_ms,
            limits=state.limits,
            event_groups=self._own.had_event_groups,
        )

    # --- fenced -----------------------------------------------------------------------------------

    @request
    def write_plan(self, plan: Plan) -> None:
        """Safe to repeat: yes, with the same plan."""
        self._check_fence(plan.fence)
        if self._own.plans.setdefault(f"{plan.fence:012d}#{plan.phase}", plan) != plan:
            raise StateConflict(f"plan {plan.fence}#{plan.phase} holds other intents already")

    @request
    def book(self, fence: int, booking: Booking) -> bool:
        """Safe to repeat: yes, what it was made from is then gone."""
        own = self._own
        self._check_fence(fence)
        if any(fill.fill_id in own.fills for fill in booking.fills):
            return False
        if any(reward.name in own.rewards for reward in booking.rewards):
            return False
        if not _all_stand(own, booking):
            raise StateConflict("the books have moved on since they were read")
        own.fills.update((fill.fill_id, fill) for fill in booking.fills)
        own.rewards.update((reward.name, reward) for reward in booking.rewards)
        if booking.cash is not None:
            own.state = own.state._replace(cash=booking.cash)
        if booking.found is not None:
            own.unexplained[_finding(booking.found)] = booking.found
        if booking.settlement is not None:
            own.settlements[payout_key(booking.settlement)] = booking.settlement
        for ledger in booking.leaving:
            del own.books[_place(ledger)], own.positions[_place(ledger)]
            own.retired[ledger.ticker] = ledger
        for ledger in booking.returning:
            del own.retired[ledger.ticker]
        for change in (*map(BookChange, booking.returning), *booking.changes):
            own.books[_place(change.after)] = change.after
            own.positions[_place(change.after)] = change.after.position
        for row in booking.rows:
            key = "#".join(row.key)
            own.rows[key] = own.rows[key].plus(row) if key in own.rows else row
        return True

    @request
    def booked(self, fill_ids: Sequence[str]) -> frozenset[str]:
        """Which of these fills are booked already."""
        return frozenset(self._own.fills.keys() & set(fill_ids))

    @request
    def rewarded(self, names: Sequence[RewardName]) -> frozenset[RewardName]:
        """Which of these rewards are booked already."""
        return frozenset(self._own.rewards.keys() & set(names))

    @request
    def retired(self, tickers: Sequence[str]) -> dict[str, MarketLedger]:
        """Those that have left the state."""
        kept = self._own.retired
        return {ticker: kept[ticker] for ticker in tickers if ticker in kept}

    @request
    def payouts(self) -> tuple[Settlement, ...]:
        """Every payout that was booked."""
        return tuple(row for _, row in sorted(self._own.settlements.items()))

    @request
    def profit_rows(self, day: str = "") -> tuple[ProfitRow, ...]:
        """The rows of one day, or of all days."""
        return tuple(row for _, row in sorted(self._own.rows.items()) if day in ("", row.day))

    def commit(self, fence: int, changes: Changes) -> None:
        """Two requests, as in the table: what is fenced, then memory and the wide record.

        Safe to repeat: yes, it puts the same values.
        """
        if changes.summary is not None and changes.progress is None:
            raise ValueError("a summary is kept under the cycle id of the progress it comes with")
        if changes.unexplained is not None and changes.cash is None:
            raise ValueError("a finding is kept with the cash books that count it")
        if changes == Changes():
            return
        self.cloud.serve("state.commit", lambda: self._commit(fence, changes))
        if changes.memory is not None or changes.summary is not None:
            self.cloud.serve("state.leave", lambda: self._leave(changes))

    def _commit(self, fence: int, changes: Changes) -> None:
        self._check_fence(fence)
        self._own.state = self._own.state._replace(**_values(changes))
        if changes.journal is not None:
            self._own.plans.clear()
        if (found := changes.unexplained) is not None:
            self._own.unexplained[_finding(found)] = found

    def _leave(self, changes: Changes) -> None:
        own = self._own
        if changes.memory is not None:
            own.state = own.state._replace(memory=to_plain(dict(sorted(changes.memory.items()))))
        if changes.summary is not None and changes.progress is not None:
            own.summaries[changes.progress.cycle_id] = changes.summary
            while len(own.summaries) > SUMMARIES_KEPT:
                del own.summaries[next(iter(own.summaries))]

    # --- not fenced -------------------------------------------------------------------------------

    @request
    def save_session(self, session: SessionMetadata) -> SessionMetadata:
        """Safe to repeat: yes, one that finds itself stored has succeeded."""
        stored, following = self._own.state.session, session._replace(rev=session.rev + 1)
        if (stored.rev if stored else 0) != session.rev and stored != following:
            raise StateConflict(f"the session is no longer at revision {session.rev}")
        self._own.state = self._own.state._replace(session=following)
        return following

    @request
    def save_history(self, session: SessionMetadata) -> None:
        """Safe to repeat: yes."""
        key = f"{session.created_at_ms:013d}#{session.session_id}"
        stored = self._own.history.get(key)
        if stored is not None and stored.rev > session.rev:
            raise StateConflict(f"{key}: a later revision is kept already")
        self._own.history[key] = session

    @request
    def history(self, limit: int) -> tuple[SessionMetadata, ...]:
        """Past sessions, newest first."""
        newest = sorted(self._own.history, reverse=True)[:limit]
        return tuple(self._own.history[key] for key in newest)

    @request
    def summary(self, cycle_id: str) -> Mapping[str, object] | None:
        """A finished cycle's wide record."""
        return self._own.summaries.get(cycle_id)

    @request
    def event_groups(self) -> tuple[EventGroup, ...]:
        """In the order of their keys."""
        return tuple(own for _, own in sorted(self._own.event_groups.items()))

    @request
    def readable_event_groups(self) -> tuple[EventGroup, ...]:
        """Every value here can be read."""
        return tuple(own for _, own in sorted(self._own.event_groups.items()))

    @request
    def save_event_group(self, group: EventGroup) -> EventGroup:
        """Safe to repeat: yes, one that finds itself stored has succeeded."""
        name, following = event_group_key(group), group._replace(rev=group.rev + 1)
        stored = self._own.event_groups.get(name)
        if (stored.rev if stored else 0) != group.rev and stored != following:
            raise StateConflict(f"{name} is no longer at revision {group.rev}")
        self._own.event_groups[name] = following
        self._own.had_event_groups = True
        return following

    @request
    def drop_event_group(self, group: EventGroup) -> None:
        """Safe to repeat: yes."""
        self._own.event_groups.pop(event_group_key(group), None)

    @request
    def set_control(self, control: KillSwitch) -> None:
        """Safe to repeat: yes; repeated late, it can only halt again."""
        if not control.halted and self._own.state.control.at_ms > control.at_ms:
            raise StateConflict("CONTROL: the kill flag was set after this")
        self._own.state = self._own.state._replace(control=control)

    @request
    def save_limits(self, limits: Limits) -> None:
        """Safe to repeat: yes."""
        self._own.state = self._own.state._replace(limits=limits)

    # --- inside -----------------------------------------------------------------------------------

    @property
    def _own(self) -> Partition:
        return self.cloud.partitions[self._pk]

    def _check_fence(self, fence: int) -> None:
        lease = self._own.lease
        if lease is None or lease.fence != fence:
            raise LeaseLost(f"fence {fence} is no longer the lease's")


def positions_of(partition: Partition) -> dict[str, Position]:
    """By ticker, as a query in descending order of the keys shows them."""
    stored = sorted(partition.positions.items(), reverse=True)
    return {position.ticker: position for _, position in stored}


def books_of(partition: Partition) -> dict[str, MarketLedger]:
    """By ticker, in the same order."""
    stored = sorted(partition.books.items(), reverse=True)
    return {ledger.ticker: ledger for _, ledger in stored}


def stored_books(partition: Partition) -> StoredBooks:
    """All that is kept of them."""
    return StoredBooks.of(books_of(partition), partition.retired, tuple(partition.rows.values()))


def _finding(found: UnexplainedCash) -> str:
    return f"{format_time(found.since_ms)}#{found.amount}"


def _place(own: Position | MarketLedger) -> str:
    return f"{own.shard}#{own.ticker}"


def _all_stand(partition: Partition, booking: Booking) -> bool:
    """Whether everything is still what the booking was made from."""
    left = [BookChange(own, own, own.position) for own in booking.leaving]
    back = [BookChange(own) for own in booking.returning]
    recorded = all(partition.retired.get(own.ticker) == own for own in booking.returning)
    return recorded and all(_stands(partition, change) for change in (*left, *back, *booking.changes))


def _stands(partition: Partition, change: BookChange) -> bool:
    """Whether what is stored is what the change was made from."""
    place = _place(change.after)
    stood, before = partition.positions.get(place), partition.books.get(place)
    return (stood, before) == (change.stood, change.before)


def _values(changes: Changes) -> dict[str, Any]:
    """The single values a commit names, in the order of their keys."""
    named = {name: getattr(changes, name) for name in ("cursors", "progress", "cash", "risk")}
    if changes.journal is not None:
        named["journal"] = Journal(dict(sorted(changes.journal.orders.items())))
    if changes.reference is not None:
        named["reference"] = in_order(changes.reference)
    return {name: value for name, value in named.items() if value is not None}
