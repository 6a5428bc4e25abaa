"""`ports.Limiter` in memory: the product's arithmetic on numbers that all users of a key share."""

import re
from collections.abc import Sequence

from dora.core.exchange.account import Limits
from dora.core.exchange.pacing import (
    US_PER_MS,
    Bucket,
    backoff_ms,
    empty_until_us,
    half_jitter_ms,
    level,
    reserve,
)
from dora.core.units import TimeMs
from dora.edge.dynamo.limiter import (
    BALANCE,
    BALANCE_CALLS,
    BASIC_READ,
    BASIC_WRITE,
    JITTER_PART,
    READ,
    WRITE,
)
from tests.world.memory_cloud import MemoryCloud, request


class MemoryLimiter:
    """One user of the buckets of an API key. Rates and capacities are this user's own knowledge."""

    service = "limiter"

    def __init__(self, cloud: MemoryCloud, key_name: str) -> None:
        self.cloud, self._key_name = cloud, key_name
        self._read, self._write = BASIC_READ, BASIC_WRITE
        self._hits: dict[str, int] = {}
        """The 429s in a row of each bucket, as of this user's last spending."""

    def configure(self, limits: Limits) -> None:
        """Use these rates and capacities from now on; asks nobody."""
        self._read = Bucket(limits.read_rate, limits.read_capacity)
        self._write = Bucket(limits.write_rate, limits.write_capacity)

    @request
    def reserve(
        self, bucket: str, costs: Sequence[int], now_ms: TimeMs, until_ms: TimeMs
    ) -> tuple[TimeMs, ...]:
        """Safe to repeat: yes, but each time spends."""
        spec, now_us = self._bucket(bucket), now_ms * US_PER_MS
        plan = reserve(spec, self._full_us(bucket), costs, now_us, until_ms * US_PER_MS)
        if plan.send_us:
            self._spend(bucket, now_us, plan.spent_us)
        return tuple(TimeMs(at_ms) for at_ms in plan.send_ms)

    @request
    def charge(self, bucket: str, tokens: int, now_ms: TimeMs) -> None:
        """Safe to repeat: yes, but each time spends."""
        self._spend(bucket, now_ms * US_PER_MS, self._bucket(bucket).span_us(tokens))

    @request
    def push_back(self, bucket: str, now_ms: TimeMs, base_ms: int, longest_ms: int) -> tuple[int, int]:
        """Safe to repeat: yes, but each time counts as one more."""
        named = self._key_name, bucket
        self.cloud.hits[named] = hits = self.cloud.hits.get(named, 0) + 1
        span_ms = backoff_ms(hits, base_ms, longest_ms)
        wait_ms = span_ms + half_jitter_ms(span_ms // JITTER_PART + 1)
        self._spend(bucket, empty_until_us(self._bucket(bucket), (now_ms + wait_ms) * US_PER_MS), 0)
        return hits, wait_ms

    def passed(self, bucket: str) -> None:
        """Safe to repeat: yes; asks nobody while no 429 is remembered."""
        if self._hits.get(bucket, 0):
            self._forget(bucket)

    @request
    def _forget(self, bucket: str) -> None:
        named = self._key_name, bucket
        if self.cloud.hits.get(named, 0) == self._hits[bucket]:
            self.cloud.hits[named] = 0
        self._hits[bucket] = self.cloud.hits.get(named, 0)

    @request
    def level(self, bucket: str, now_ms: TimeMs) -> int:
        """A reading; spends nothing."""
        return level(self._bucket(bucket), self._full_us(bucket), now_ms * US_PER_MS)

    def _full_us(self, bucket: str) -> int:
        return self.cloud.full_us.get((self._key_name, bucket), 0)

    def _spend(self, bucket: str, now_us: int, spent_us: int) -> None:
        self.cloud.full_us[self._key_name, bucket] = max(self._full_us(bucket), now_us) + spent_us
        self._hits[bucket] = self.cloud.hits.get((self._key_name, bucket), 0)

    def _bucket(self, bucket: str) -> Bucket:
        if bucket in (READ, BALANCE):
            return self._read if bucket == READ else BALANCE_CALLS
        if bucket == WRITE or re.fullmatch(rf"{WRITE}#[1-9]\d*", bucket, re.ASCII):
            return self._write
        raise ValueError(f"no bucket is called {bucket!r}")
