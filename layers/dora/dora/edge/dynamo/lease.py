"""The lease: exclusion, refusal of a tick already seen, and a growing fence, in one conditional update.

            acquire t1            release              acquire t2            expiry
    free ───────────────> held ───────────> free ───────────────> held ───────────────> free
    fence 6               fence 7           fence 7               fence 8               fence 8

A tick that is not later than the last one is refused in every state.
"""

from dora.core.reasons import Reason
from dora.core.state import LeaseGrant, LeaseRefused
from dora.core.units import TimeMs
from dora.edge.dynamo.codec import fields_of, integer_field, key
from dora.edge.dynamo.items import LEASE
from dora.edge.dynamo.table import Client, Condition, Refused, Table, not_newer

_TAKE = (
    "SET #owner = :owner, #expires_at_ms = :expires, #last_tick_ms = :tick, #v = :v,"
    " #fence = if_not_exists(#fence, :none) + :one"
)
_FREE = "(attribute_not_exists(#owner) OR #expires_at_ms <= :now)"
_UNSEEN = "(attribute_not_exists(#last_tick_ms) OR #last_tick_ms < :tick)"


class DynamoLease:
    """`ports.Lease` in the LEASE item of one bot."""

    def __init__(self, client: Client, table: str, pk: str) -> None:
        self._table = Table(client, table)
        self._key = key(pk, LEASE)

    def acquire(
        self, *, owner: str, tick_ms: TimeMs, now_ms: TimeMs, expires_ms: TimeMs
    ) -> LeaseGrant | LeaseRefused:
        """The lease for this tick, or why not. `owner` must be unique to this invocation.

        Safe to repeat: yes, with the same owner and tick: a grant whose answer was lost is found again.
        """
        given = {"owner": owner, "expires": expires_ms, "tick": tick_ms, "now": now_ms, "none": 0, "one": 1}
        condition = not_newer(f"{_FREE} AND {_UNSEEN}", **given)
        answer = self._table.update(self._key, _TAKE, condition)
        item = {**self._key, **(answer.shown if isinstance(answer, Refused) else answer)}
        last_ms = integer_field(item, "last_tick_ms")
        if fields_of(item).get("owner") == owner and last_ms == tick_ms:
            return LeaseGrant(integer_field(item, "fence"), TimeMs(integer_field(item, "expires_at_ms")))
        return LeaseRefused(Reason.TICK_SEEN if last_ms >= tick_ms else Reason.LEASE_HELD)

    def release(self, grant: LeaseGrant) -> None:
        """Let the next tick in at once; without it the lease ends by itself. No effect on a newer lease.

        Safe to repeat: yes, it only ever frees the lease of its own fence.
        """
        mine = Condition("#fence = :mine", {"mine": grant.fence})
        self._table.update(self._key, "REMOVE #owner, #expires_at_ms", mine)
