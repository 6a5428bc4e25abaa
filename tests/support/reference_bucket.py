"""A token bucket as plain arithmetic, to hold the product to."""

from fractions import Fraction

START_US = 1_760_000_000_000_000


class ReferenceBucket:
    """Tokens by the book: capped refill in exact fractions; `level` must never fall below zero."""

    def __init__(self, rate: int, capacity: int) -> None:
        self.rate, self.capacity = Fraction(rate, 1000), Fraction(capacity)
        self.level, self.at_ms = self.capacity, START_US // 1000

    def spend(self, at_ms: int, cost: int) -> None:
        self.level = self.after(at_ms) - cost
        self.at_ms = at_ms

    def after(self, at_ms: int) -> Fraction:
        return min(self.capacity, self.level + (at_ms - self.at_ms) * self.rate)

    def first_ms(self, from_ms: int, cost: int) -> int:
        """The earliest whole millisecond at which it holds the cost."""
        lacking = cost - self.after(from_ms)
        return from_ms if lacking <= 0 else from_ms - int(-lacking // self.rate)
