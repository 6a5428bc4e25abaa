"""Exponential backoff for retries within one invocation."""

from dora.core.exchange.pacing import backoff_ms
from dora.core.ports import Clock
from dora.core.units import TimeMs

FIRST_MS, LONGEST_MS = 1_000, 16_000


class Backoff:
    """When to retry: at once at first, then with exponential backoff."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._failures = clock, 0
        self.due_ms = clock.now_ms()

    @property
    def due(self) -> bool:
        """Whether the next try may be made now."""
        return self._clock.now_ms() >= self.due_ms

    def failed(self) -> None:
        """Back off, and the next time for twice as long."""
        self._failures += 1
        wait_ms = backoff_ms(self._failures, FIRST_MS, LONGEST_MS)
        self.due_ms = TimeMs(self._clock.now_ms() + wait_ms)

    def passed(self) -> None:
        """The next failure backs off for the shortest time again."""
        self._failures = 0
