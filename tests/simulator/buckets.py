"""Token buckets: continuous refill, integer arithmetic, whole requests only."""

from dataclasses import dataclass
from typing import NamedTuple

READ, WRITE, BALANCE = "read", "write", "balance"
MILLI = 1_000


class Tier(NamedTuple):
    """Budgets of a usage tier, in tokens a second and tokens."""

    read_rate: int
    read_capacity: int
    write_rate: int
    write_capacity: int
    balance_rate: int


# Read capacity: two seconds of budget on Basic and Advanced, one above; write capacity the other way round.
TIERS = {
    "basic": Tier(200, 400, 100, 100, 1),
    "advanced": Tier(300, 600, 300, 600, 1),
    "expert": Tier(600, 600, 600, 1_200, 5),
    "premier": Tier(1_000, 1_000, 1_000, 2_000, 5),
    "paragon": Tier(2_000, 2_000, 2_000, 4_000, 5),
    "prime": Tier(4_000, 4_000, 4_000, 8_000, 5),
    "prestige": Tier(10_000, 10_000, 8_000, 16_000, 5),
}


def shard_write(shard: int) -> str:
    """The bucket a single order write on that shard bills; shard 0 has the unscoped one."""
    return f"{WRITE}:{shard}" if shard > 0 else WRITE


@dataclass(slots=True)
class Bucket:
    """Levels are thousandths of a token, so that a millisecond of refill is a whole number."""

    rate: int
    capacity: int
    level_m: int
    at_ms: int

    def refill(self, now_ms: int) -> None:
        self.level_m = min(self.capacity * MILLI, self.level_m + self.rate * (now_ms - self.at_ms))
        self.at_ms = now_ms

    def holds(self, cost: int) -> bool:
        return self.level_m >= cost * MILLI

    def take(self, cost: int) -> None:
        self.level_m -= cost * MILLI


class Buckets:
    """All token buckets of one member."""

    def __init__(self, tier: str, now_ms: int) -> None:
        self.tier = tier
        self.limits = TIERS[tier]
        self._now_ms = now_ms
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, name: str) -> Bucket:
        found = self._buckets.get(name)
        if found is None:
            rate, capacity = self._budget(name)
            found = self._buckets[name] = Bucket(rate, capacity, capacity * MILLI, self._now_ms)
        return found

    def spend(self, bill: list[tuple[str, int]], now_ms: int) -> str | None:
        """Take the whole bill or nothing; returns the name of the first bucket that is short."""
        for name, cost in bill:
            bucket = self.bucket(name)
            bucket.refill(now_ms)
            if not bucket.holds(cost):
                return name
        for name, cost in bill:
            self.bucket(name).take(cost)
        return None

    def drain(self, name: str) -> None:
        """Empty a bucket."""
        self.bucket(name).level_m = 0

    def _budget(self, name: str) -> tuple[int, int]:
        limits = self.limits
        if name == BALANCE:
            return limits.balance_rate, limits.balance_rate
        if name == READ:
            return limits.read_rate, limits.read_capacity
        return limits.write_rate, limits.write_capacity
