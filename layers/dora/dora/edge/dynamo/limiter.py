"""Token buckets that every user of an API key shares: one item each, spent by conditional updates.

`tat_us` is the bucket, `hits` counts the 429s in a row that its users met, for the exponential backoff.

The table may be shared between stacks. The answer to an applied update may get lost, and botocore then sends
it again: the tokens are charged twice, which delays somebody but never spends what is not there.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dora.core.errors import StateUnavailable
from dora.core.exchange.account import Limits
from dora.core.exchange.pacing import (
    BALANCE_COST,
    US_PER_MS,
    Bucket,
    Reservation,
    backoff_ms,
    empty_until_us,
    half_jitter_ms,
    latest_tat_us,
    level,
    reserve,
)
from dora.core.units import TimeMs
from dora.edge.dynamo.codec import integer_field, key
from dora.edge.dynamo.table import Client, Refused, Table, not_newer

READ, WRITE, BALANCE = "read", "write", "balance"
BASIC_READ = Bucket(rate=200, capacity=200)
"""The smallest tier's; its capacity is larger in practice, which is learned with the limits."""
BASIC_WRITE = Bucket(rate=100, capacity=100)
BALANCE_CALLS = Bucket(rate=5, capacity=BALANCE_COST)
"""The balance endpoint's own bucket: one call a second, no burst. A call here takes 1.2 s to earn, because
calls do not travel equally fast and the bucket has no slack of its own."""

JITTER_PART = 4
"""A backoff grows by up to this part of itself, by chance: keys that were refused together part."""
_TRIES = 3
_START, _ADD = "SET #tat_us = :next, #v = :v", "SET #tat_us = #tat_us + :spent, #v = :v"
_IDLE = "(attribute_not_exists(#tat_us) OR #tat_us <= :now)"
_HIT_MOVES, _HIT_STAYS = "SET #tat_us = :next, #hits = :hits, #v = :v", "SET #hits = :hits, #v = :v"
_EARLIER, _LATER = "(attribute_not_exists(#tat_us) OR #tat_us < :next)", "#tat_us >= :next"


class DynamoLimiter:
    """`ports.Limiter` for one API key. `key_name` tells keys apart; never the key id itself.

    `jitter_ms(n)` draws a whole number below n.
    """

    def __init__(
        self,
        client: Client,
        table: str,
        key_name: str,
        jitter_ms: Callable[[int], int] = half_jitter_ms,
    ) -> None:
        self._table = Table(client, table)
        self._jitter_ms = jitter_ms
        self._pk = f"limiter#{key_name}"
        self._read, self._write = BASIC_READ, BASIC_WRITE
        self._seen: dict[str, int] = {}
        """The last known `tat` of each bucket. It only grows, so this is a lower bound and a good guess."""
        self._hits: dict[str, int] = {}
        """The last known 429s in a row of each bucket."""

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
        for _ in range(2):
            start_us = self._take(bucket, plan, costs, now_us, until_us)
            if start_us is not None:
                sent = reserve(spec, start_us, costs[: len(plan.send_us)], now_us, until_us)
                return tuple(TimeMs(at_ms) for at_ms in sent.send_ms)
            plan = reserve(spec, self._seen.get(bucket), costs, now_us, until_us)
        return ()

    def charge(self, bucket: str, tokens: int, now_ms: TimeMs) -> None:
        """Count tokens that are spent whatever the bucket holds. Raises StateUnavailable.

        Safe to repeat: yes, but each time spends. Three updates at most: a `tat` later than now stays so.
        """
        now_us = now_ms * US_PER_MS
        spent_us = self._bucket(bucket).span_us(tokens)
        for _ in range(_TRIES):
            if self._seen.get(bucket, 0) > now_us:
                done = self._update(bucket, _ADD, "#tat_us > :now", {"spent": spent_us, "now": now_us})
            else:
                done = self._update(bucket, _START, _IDLE, {"next": now_us + spent_us, "now": now_us})
            if done:
                return
        raise StateUnavailable(f"bucket {bucket} was changed three times while it was charged")

    def push_back(self, bucket: str, now_ms: TimeMs, base_ms: int, longest_ms: int) -> tuple[int, int]:
        """After a 429: nobody spends for an exponential backoff, and the bucket counts as empty then.

        Returns the 429s in a row, of all users, and the backoff in ms. Raises StateUnavailable.
        Safe to repeat: yes, but each time counts as one more; the bucket is never moved back.
        """
        for _ in range(_TRIES):
            before = self._hits.get(bucket, 0)
            span_ms = backoff_ms(before + 1, base_ms, longest_ms)
            wait_ms = span_ms + self._jitter_ms(span_ms // JITTER_PART + 1)
            next_us = empty_until_us(self._bucket(bucket), (now_ms + wait_ms) * US_PER_MS)
            if self._count_hit(bucket, before, next_us):
                return before + 1, wait_ms
        raise StateUnavailable(f"bucket {bucket} was changed three times while it was pushed back")

    def passed(self, bucket: str) -> None:
        """After a write that the bucket let pass: the next 429 is the first in a row. An update only then.

        Raises StateUnavailable. Safe to repeat: yes; no effect when others met a 429 since we last looked.
        """
        known = self._hits.get(bucket, 0)
        if known:
            self._update(bucket, _HIT_STAYS, "#hits = :known", {"hits": 0, "known": known})

    def level(self, bucket: str, now_ms: TimeMs) -> int:
        """Whole tokens that the bucket holds; a reading, which spends and promises nothing.

        Raises StateUnavailable.
        """
        spec = self._bucket(bucket)
        stored = self._table.get([key(self._pk, f"LIMITER#{bucket}")])
        self._note(bucket, stored[0] if stored else {})
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
            done = self._update(bucket, _START, _IDLE, {"next": now_us + plan.spent_us, "now": now_us})
        else:
            room_us = latest_tat_us(self._bucket(bucket), costs[: len(plan.send_us)], until_us)
            given = {"spent": plan.spent_us, "now": now_us, "room": room_us}
            done = self._update(bucket, _ADD, "#tat_us BETWEEN :now AND :room", given)
        return self._seen[bucket] - plan.spent_us if done else None

    def _count_hit(self, bucket: str, before: int, next_us: int) -> bool:
        same = "#hits = :before" if before else "(attribute_not_exists(#hits) OR #hits = :before)"
        moves = self._seen.get(bucket, 0) < next_us
        expression, where = (_HIT_MOVES, _EARLIER) if moves else (_HIT_STAYS, _LATER)
        given = {"next": next_us, "hits": before + 1, "before": before}
        return self._update(bucket, expression, f"{where} AND {same}", given)

    def _update(self, bucket: str, expression: str, condition: str, given: Mapping[str, int]) -> bool:
        """Whether it was done; either way the bucket is known afterwards.

        A refusal that shows no item is taken for a full bucket: a guess that grants nothing, because every
        update is conditional.
        """
        guarded = not_newer(condition, **given)
        answer = self._table.update(key(self._pk, f"LIMITER#{bucket}"), expression, guarded)
        self._note(bucket, answer.stored if isinstance(answer, Refused) else answer)
        return not isinstance(answer, Refused)

    def _note(self, bucket: str, stored: Mapping[str, Any]) -> None:
        self._seen[bucket] = integer_field(stored, "tat_us") if stored else 0
        self._hits[bucket] = integer_field(stored, "hits") if "hits" in stored else 0
