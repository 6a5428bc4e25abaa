"""Token buckets as arithmetic (GCRA), and how large a batch may be.

A bucket is one number: `tat`, the time in microseconds at which it will be full again ("theoretical arrival
time"). It holds `capacity - rate x max(tat - now, 0)` tokens, so spending is adding to `tat`, refilling needs
no write, and no call may be sent before `tat + its own span - the capacity's span`.

No drift: `tat` is an int; what a call adds to it is rounded up to a whole microsecond, the capacity down. The
error is below a microsecond a call, never carried on and never in our favour. Times of sending are whole
milliseconds, also rounded up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dora.core.exchange.account import Limits

US_PER_S = 1_000_000
US_PER_MS = 1_000
READ_COST = 10
"""Tokens of a read that is not on the list of cheaper calls; none of a cycle's is."""
GROUP_COST = 10
"""Tokens of one call about an order group; it spends from the same bucket as batches do."""
BALANCE_COST = 6
"""What one call of the balance endpoint takes from the balance bucket."""
_DOUBLINGS = 20
"""Beyond these every cap is reached."""
CANCEL_RESERVE_TOKENS = 20
"""What a full bucket keeps for cancels (ten of them) however large a create batch is configured."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens per second and the most it holds. Both must be positive."""

    rate: int
    capacity: int

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.capacity <= 0:
            raise ValueError(f"{self} can never pay for a call")

    @property
    def depth_us(self) -> int:
        """Time from empty to full."""
        return self.capacity * US_PER_S // self.rate

    def span_us(self, tokens: int) -> int:
        """Time in which the bucket refills so many tokens."""
        return -(-tokens * US_PER_S // self.rate)

    def call_us(self, cost: int) -> int:
        """What sending one call adds to `tat`. Raises ValueError for a call the full bucket cannot pay.

        A call that needs all of the bucket is charged a millisecond more: it leaves on the next whole
        millisecond, and until then the full bucket gains nothing.
        """
        if not 0 < cost <= self.capacity:
            raise ValueError(
                f"a call of {cost} tokens does not fit a bucket of {self.capacity}: cut it first"
            )
        span = self.span_us(cost)
        return span + US_PER_MS if span > self.depth_us - US_PER_MS else span


class Reservation(NamedTuple):
    """When each of the first calls may be sent (rounded up to ms), and what they add to `tat` in all."""

    send_us: tuple[int, ...]
    spent_us: int

    @property
    def send_ms(self) -> tuple[int, ...]:
        """Unix milliseconds of sending, never earlier than allowed."""
        return tuple(-(-at // US_PER_MS) for at in self.send_us)


def reserve(
    bucket: Bucket, tat_us: int | None, costs: Sequence[int], now_us: int, until_us: int
) -> Reservation:
    """As many of these calls, in order, as the bucket can pay by `until_us`; `tat_us` None: never used.

    The new `tat` is max(tat_us, now_us) + spent_us. A clock that stepped back makes `tat` look farther off:
    it can only delay.
    """
    tat = max(tat_us or 0, now_us)
    start, sends = tat, []
    for cost in costs:
        span = bucket.call_us(cost)
        # At `tat` the bucket is full, and full is enough for any call.
        at = max(now_us, min(tat, tat + span - bucket.depth_us))
        if at > until_us:
            break
        sends.append(at)
        tat += span
    return Reservation(tuple(sends), tat - start)


def affordable(bucket: Bucket, tat_us: int | None, now_us: int, until_us: int) -> int:
    """Whole tokens that calls may spend whose last one leaves by then, however they are cut into calls."""
    if until_us < now_us:
        return 0
    return max(until_us + bucket.depth_us - max(tat_us or 0, now_us), 0) * bucket.rate // US_PER_S


def latest_tat_us(bucket: Bucket, costs: Sequence[int], until_us: int) -> int:
    """The largest `tat` from which all of these calls can still be sent by `until_us`."""
    spans = [bucket.call_us(cost) for cost in costs]
    if not spans:
        return until_us
    return until_us - sum(spans[:-1]) - min(0, spans[-1] - bucket.depth_us)


def empty_until_us(bucket: Bucket, until_us: int) -> int:
    """The `tat` of a bucket that holds nothing until then, and refills from there."""
    return until_us + bucket.depth_us


def backoff_ms(hits: int, base_ms: int, longest_ms: int) -> int:
    """Exponential backoff after so many refusals in a row (1 or more): each further one doubles the base.

    Never longer than `longest_ms`, nor shorter than the base.
    """
    return max(min(base_ms << min(hits - 1, _DOUBLINGS), longest_ms), base_ms)


def half_jitter_ms(span_ms: int) -> int:
    """Jitter without chance, for runs that are to repeat exactly: half of the span."""
    return span_ms // 2


def level(bucket: Bucket, tat_us: int, now_us: int) -> int:
    """Whole tokens in the bucket now, rounded down; 0 while it is overdrawn."""
    lacking_us = max(tat_us - now_us, 0)
    return max((bucket.depth_us - lacking_us) * bucket.rate // US_PER_S, 0) if lacking_us else bucket.capacity


def create_batch_size(configured: int, limits: Limits) -> int:
    """Orders in one create batch, at least 1. On Basic 5, on Advanced 30, on Premier 100.

    The exchange refuses a batch whole when the bucket does not hold its cost, so a batch leaves the reserve
    and takes at most half of the bucket: the next one then needs only half a refill.
    """
    cost, capacity = limits.create_cost, limits.write_capacity
    return max(min(configured, (capacity - CANCEL_RESERVE_TOKENS) // cost, capacity // (2 * cost)), 1)


def cancel_batch_size(configured: int, limits: Limits) -> int:
    """Orders in one cancel batch, at least 1: as many as a full bucket pays for. Paced like all writes."""
    return max(min(configured, limits.write_capacity // limits.cancel_cost), 1)
