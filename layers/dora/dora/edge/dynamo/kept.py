"""What a warm environment keeps of the state between two invocations, and when that is still the state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from dora.core.accounts.stored_books import Booking
from dora.core.state import BotState
from dora.edge.dynamo.book_items import book_key
from dora.edge.dynamo.codec import JOURNAL
from dora.edge.dynamo.items import CONTROL, CURSORS, LIMITS, PROGRESS, SESSION, position_key
from dora.edge.dynamo.journal_reader import read_head
from dora.edge.dynamo.state_reader import (
    StoredState,
    read_control,
    read_cursors,
    read_limits,
    read_progress,
    read_session,
)

StoredItem = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """The state as stored. `fence`: of the lease under which it was committed here; None: not committed.

    Each lease has the fence after that of the one before it, and whatever is not read again here is written
    under a lease only. A person who edits such an item by hand is noticed by an environment that starts anew.
    """

    SHOWN: ClassVar = (SESSION, CONTROL, LIMITS, CURSORS, PROGRESS, JOURNAL)
    """What is read again: written without a lease, by a person who was asked to, or by every commit."""

    stored: StoredState
    fence: int | None = None

    def follows(self, fence: int) -> bool:
        """Whether no other lease came between ours and the one with this fence."""
        return self.fence is not None and fence in (self.fence, self.fence + 1)

    def refreshed(self, singles: Mapping[str, StoredItem]) -> BotState | None:
        """The state with what was read again; None where somebody else has committed all the same."""
        state, journal = self.stored.state, self.stored.journal
        if read_head(singles) != journal.head or read_progress(singles) != state.progress:
            return None
        return state._replace(
            session=read_session(singles),
            control=read_control(singles),
            cursors=read_cursors(singles),
            limits=read_limits(singles),
        )

    def with_booking(self, booking: Booking) -> "Kept":
        """After a booking, in the order in which a read shows books and positions."""
        state = self.stored.state
        positions = sorted({**state.positions, **booking.positions}.values(), key=position_key, reverse=True)
        books = sorted({**state.books, **booking.ledgers}.values(), key=book_key, reverse=True)
        booked = state._replace(
            positions={own.ticker: own for own in positions if own.ticker not in booking.gone},
            books={own.ticker: own for own in books if own.ticker not in booking.gone},
            cash=state.cash if booking.cash is None else booking.cash,
        )
        return replace(self, stored=self.stored._replace(state=booked))
