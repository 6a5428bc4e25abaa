"""How much a session has matched, and how much it may still: its contract limit, kept to the contract.

Let L be the limit. Every contract that can still fill is counted before it is sent:

    matched = booked since the session began + fills that are proven but not booked yet
    claims  = matched + what remains of every open order, proven or not

and a placement is admitted only while claims, it included, stay within L. An order's contracts move from
`remaining` to `matched` as they fill and leave both only by a proven cancel, so true fills <= claims <= L at
every moment: the overrun is 0, whatever fills while it rests, in whatever order, read however late. A slot's
old order and its replacement count once, at the larger, because the replacement waits for the confirmed
cancel. Fills of orders that are not the bot's own on the same account count as matched but are not foreseen:
by so much, and only by so much, can L be passed. Placements are cut to whole contracts, so a session ends
less than one contract below L, and exactly at L when it is filled in whole contracts.
"""

from collections.abc import Iterable

from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.session import SessionMetadata
from dora.core.units import CONTRACT, Count


def contracts_matched(session: SessionMetadata, traded: Count, orders: Iterable[TrackedOrder]) -> Count:
    """Contracts matched in this session; `traded` is what the ledger has ever booked."""
    unbooked = [o.unbooked for o in orders if o.count - o.reduced - o.remaining > o.booked]
    return Count(traded - session.traded_at_start + sum(unbooked))


def contracts_free(session: SessionMetadata, traded: Count, orders: Iterable[TrackedOrder]) -> Count:
    """Contracts that may be placed beyond all open orders; below zero when the limit was lowered."""
    ours = tuple(orders)
    resting = sum([order.remaining for order in ours if order.state is not OrderState.CLOSED])
    return Count(session.contracts_limit - contracts_matched(session, traded, ours) - resting)


def used_up(session: SessionMetadata, matched: Count) -> bool:
    """Whether not even one contract more may match: the session is over, whatever small rest is open."""
    return session.contracts_limit - matched < CONTRACT
