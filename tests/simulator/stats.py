"""Counters of what was asked of the exchange."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class Stats:
    """Numbers a driver reports; endpoints are written `METHOD /path/{name}`."""

    calls: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)  # by code, batch entries included
    cancels_404: int = 0
    too_many_requests: Counter[str] = field(default_factory=Counter)  # by bucket
    tokens: dict[str, list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )  # (at_ms, cost)
    fills: int = 0
    orders: int = 0  # made to rest

    def spent(self, bucket: str) -> int:
        """Tokens taken from a bucket so far."""
        return sum(cost for _, cost in self.tokens[bucket])

    def peak_excess(self, bucket: str, rate: int, capacity: int) -> int:
        """Most milli-tokens any window took above rate x window + capacity; never above zero if honest."""
        worst = debt_m = 0
        last_ms: int | None = None
        for at_ms, cost in self.tokens[bucket]:
            if last_ms is not None:
                debt_m = max(0, debt_m - rate * (at_ms - last_ms))
            debt_m += cost * 1_000
            last_ms = at_ms
            worst = max(worst, debt_m)
        return worst - capacity * 1_000
