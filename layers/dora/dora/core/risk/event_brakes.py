"""Which events may have an order group of their own, and how much may match in each before it trips. Pure.

An order has one group, so where events have their own nothing at the exchange brakes all of them together:
that is kept by arithmetic. A burst may fill an event's limit and, in the match that passes it, all that one
taker finds on one side of a market. Over all admitted events that sum, at a dollar a contract, stays within
`max_burst_loss_dollars`; and there are only as many groups as the account can trigger in `TRIGGERED_S`.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from dora.core.exchange.account import Limits
from dora.core.exchange.pacing import GROUP_COST
from dora.core.orders.journal import TrackedOrder
from dora.core.units import CONTRACT, ONE_DOLLAR, Count, Money

TRIGGERED_S = 20
"""In so many seconds every group of the bot can be triggered at the pace of its tier."""


class EventNeed(NamedTuple):
    """One event that is to be quoted."""

    event: str
    limit: Count
    """Contracts that may match in 15 s before its group trips."""
    sweep: Count
    """The most that one taker can find on one side of one of its markets."""
    exposure: Count
    """Contracts held or open in it, either way."""
    grouped: bool = False
    """Whether it has its group already."""

    @property
    def burst_loss(self) -> Money:
        """What a burst may lose before the group has tripped: no contract loses more than a dollar."""
        return Money((self.limit + self.sweep) * ONE_DOLLAR)


def event_burst_limit(smallest: Count, configured: Count) -> Count:
    """Whole contracts, at least one: the smallest full quote of the event less one, if none is configured.

    So a quote that is filled whole trips the group, whether it trips at its limit or above it.
    """
    wanted = configured or smallest - CONTRACT
    return Count(max(wanted // CONTRACT, 1) * CONTRACT)


def most_groups(limits: Limits, others: int) -> int:
    """Groups of events that can be triggered in `TRIGGERED_S` beside so many other groups. Basic: 200 in all.

    `limits` is the bot's own share of what the key may spend.
    """
    return max(limits.write_rate * TRIGGERED_S // GROUP_COST - others, 0)


def unbraked_loss(orders: Iterable[TrackedOrder], braked: Collection[str | None]) -> Money:
    """What the open orders may lose that are in none of these groups: no limit is known that brakes them.

    Nothing more is placed in such a group, so a burst fills what is open and no more.
    """
    open_count = sum(order.remaining for order in orders if order.open and order.group_id not in braked)
    return Money(open_count * ONE_DOLLAR)


def admitted(needs: Iterable[EventNeed], max_burst_loss: Money, most: int) -> list[EventNeed]:
    """The events that may be quoted, largest exposure first; of equal ones those that have their group.

    One that does not fit any more leaves its place to the smaller ones behind it.
    """
    chosen: list[EventNeed] = []
    left = max_burst_loss
    for need in sorted(needs, key=lambda one: (-one.exposure, not one.grouped, one.event)):
        if len(chosen) < most and need.burst_loss <= left:
            chosen.append(need)
            left = Money(left - need.burst_loss)
    return chosen
