"""A list of the account as it was read: the rows that were understood, and what is readable of the others.

One account may hold orders, positions and groups of several programs and of a person's hand, in forms that
came after this code. A row of theirs that is not understood must not hide our own; one that may be ours must.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from dora.core.errors import WireInvalid
from dora.core.exchange.market import Side
from dora.core.units import Count, Price

Item = TypeVar("Item")


class UnreadableRow(NamedTuple):
    """A row that was not understood, and why. Its fields as far as they can be read; None for the others."""

    list_name: str
    """The exchange's key for the list, such as `orders` or `market_positions`."""
    problem: str
    order_id: str | None = None
    client_order_id: str | None = None
    ticker: str | None = None
    group_id: str | None = None
    side: Side | None = None
    price: Price | None = None
    remaining: Count | None = None
    """Of an order: what rests of it, or its whole count where only that can be read."""


class Listed(NamedTuple, Generic[Item]):
    """A list read to its last page."""

    rows: tuple[Item, ...]
    unreadable: tuple[UnreadableRow, ...] = ()

    def complete(self, may_be_ours: Callable[[UnreadableRow], bool]) -> tuple[Item, ...]:
        """The rows. Raises WireInvalid when one that was not understood may be ours: all is unknown then.

        What was understood goes with the error: it was read.
        """
        for row in self.unreadable:
            if may_be_ours(row):
                error = WireInvalid(row.problem)
                error.partial = self.rows
                raise error
        return self.rows
