"""Token buckets that every user of an API key shares: one attribute each, spent by conditional updates.

The table may be shared between stacks. The answer to an applied update may get lost, and botocore then sends
it again: the tokens are charged twice, which delays somebody but never spends what is not there.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dora.core.errors import StateUnavailable
from dora.core.model import Limits
from dora.core.pacing import (
    BALANCE_COST,
    US_PER_MS,
    Bucket,
    Reservation,
    empty_until_us,
    latest_tat_us,
    level,
    reserve,
)
from dora.core.units import TimeMs
from dora.edge.dynamo.codec import SCHEMA, attribute, fields_of, key
from dora.edge.dynamo.table import NOT_NEWER, Condition, Refused, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

READ, WRITE, BALANCE = "read", "write", "balance"
BASIC_READ = Bucket(rate=200, capacity=200)
"""The smallest tier's; its capacity is larger in practice, which is learned with the limits."""
BASIC_WRITE = Bucket(rate=100, capacity=100)
BALANCE_CALLS = Bucket(rate=5, capacity=BALANCE_COST)
"""The balance endpoint's own bucket: one call a second, no burst. A call here takes 1.2 s to earn, because
calls do not travel equally fast and the bucket has no slack of its own."""

_NAMES = {"#tat": "tat_us", "#v": "v"}
_START, _ADD = "SET #tat = :next, #v = :v", "SET #tat = #tat + :spent, #v = :v"
_IDLE = "(attribute_not_exists(#tat) OR #tat <= :now)"


def write_bucket(shard: int) -> str:
    """The bucket that single writes to a shard spend from; batches always spend from shard 0's."""
    return WRITE if shard == 0 else f"{WRITE}#{shard}"


class DynamoLimiter:
    """`ports.Limiter` for one API key. `key_name` tells keys apart; never the key id itself."""

    def __init__(self, client: "DynamoDBClient", table: str, key_name: str) -> None:
        self._table = Table(client, table)
        self._pk = f"limiter#{key_name}"
        self._read, self._write = BASIC_READ, BASIC_WRITE
        self._seen: dict[str, int] = {}
        """The last known `tat` of each bucket. It only grows, so this is a lower bound and a good guess."""

    def configure(self, limits: Limits) -> None:
        """Use these rates and capacities from now on."""
        self._read = Bucket(limits.read_rate, limits.read_capacity)
        self._write = Bucket(limits.write_rate, limits.write_capacity)

    def reserve(
        self, bucket: str, costs: Sequence[int], now_ms: TimeMs, until_ms: TimeMs
    ) -> tuple[TimeMs, ...]:
        """Send times for as many of these calls, in order, as can be sent by `until_ms`; at most two updates.

        Fewer than possible only when another user spent between the two. Raises ValueError for a call larger
        than the bucket, StateUnavailable when nothing is known to be reserved.
        Safe to repeat: yes, but each time spends.
        """
        spec, now_us, until_us = self._bucket(bucket), now_ms * US_PER_MS, until_ms * US_PER_MS
        plan = reserve(spec, self._seen.get(bucket), costs, now_us, until_us)
        if not plan.send_us:
            # What we remember may be gone from the table: ask it for what a full bucket could pay.
            plan = reserve(spec, None, costs, now_us, until_us)
        start_us = self._take(bucket, plan, costs, now_us, until_us)
        if start_us is None:
            plan = reserve(spec, self._seen.get(bucket), costs, now_us, until_us)
            start_us = self._take(bucket, plan, costs, now_us, until_us)
        if start_us is None:
            return ()
        sent = reserve(spec, start_us, costs[: len(plan.send_us)], now_us, until_us)
        return tuple(TimeMs(at_ms) for at_ms in sent.send_ms)

    def charge(self, bucket: str, tokens: int, now_ms: TimeMs) -> None:
        """Count tokens that are spent whatever the bucket holds. Raises StateUnavailable.

        Safe to repeat: yes, but each time spends. Three updates at most: a `tat` later than now stays so.
        """
        now_us = now_ms * US_PER_MS
        spent_us = self._bucket(bucket).span_us(tokens)
        for _ in range(3):
            if self._seen.get(bucket, 0) > now_us:
                done = self._update(bucket, _ADD, "#tat > :now", {":spent": spent_us, ":now": now_us})
            else:
                done = self._update(bucket, _START, _IDLE, {":next": now_us + spent_us, ":now": now_us})
            if done:
                return
        raise StateUnavailable(f"bucket {bucket} was deleted while it was charged")

    def push_back(self, bucket: str, now_ms: TimeMs, span_ms: int) -> None:
        """After a 429: nobody spends for `span_ms`, and the bucket counts as empty then.

        Safe to repeat: yes, it moves the bucket to one place, and never back.
        """
        next_us = empty_until_us(self._bucket(bucket), (now_ms + span_ms) * US_PER_MS)
        self._update(bucket, _START, "(attribute_not_exists(#tat) OR #tat < :next)", {":next": next_us})

    def level(self, bucket: str, now_ms: TimeMs) -> int:
        """Whole tokens that the bucket holds; a reading, which spends and promises nothing.

        Raises StateUnavailable.
        """
        spec = self._bucket(bucket)
        stored = self._table.get([key(self._pk, f"LIMITER#{bucket}")])
        self._seen[bucket] = fields_of(stored[0])["tat_us"] if stored else 0
        return level(spec, self._seen[bucket], now_ms * US_PER_MS)

    def _bucket(self, bucket: str) -> Bucket:
        if bucket == READ:
            return self._read
        if bucket == BALANCE:
            return BALANCE_CALLS
        if bucket == WRITE or re.fullmatch(rf"{WRITE}#[1-9]\d*", bucket, re.ASCII):
            return self._write
        raise ValueError(f"no bucket is called {bucket!r}")

    def _take(
        self, bucket: str, plan: Reservation, costs: Sequence[int], now_us: int, until_us: int
    ) -> int | None:
        """Spend what the plan needs; the `tat` it starts from, or None: the bucket moved or is short."""
        if not plan.send_us:
            return None
        if self._seen.get(bucket, 0) <= now_us:
            done = self._update(bucket, _START, _IDLE, {":next": now_us + plan.spent_us, ":now": now_us})
        else:
            room_us = latest_tat_us(self._bucket(bucket), costs[: len(plan.send_us)], until_us)
            given = {":spent": plan.spent_us, ":now": now_us, ":room": room_us}
            done = self._update(bucket, _ADD, "#tat BETWEEN :now AND :room", given)
        return self._seen[bucket] - plan.spent_us if done else None

    def _update(self, bucket: str, expression: str, condition: str, given: Mapping[str, int]) -> bool:
        """Whether it was done; either way `tat` is known afterwards."""
        values = {name: attribute(value) for name, value in {**given, ":v": SCHEMA}.items()}
        guarded = Condition(f"{condition} AND {NOT_NEWER}", _NAMES, values)
        answer = self._table.update(key(self._pk, f"LIMITER#{bucket}"), expression, guarded)
        stored = answer.stored if isinstance(answer, Refused) else answer
        self._seen[bucket] = fields_of(stored)["tat_us"] if stored else 0
        return not isinstance(answer, Refused)
