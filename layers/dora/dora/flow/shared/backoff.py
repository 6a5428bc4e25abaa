"""Exponential backoff for retries within one invocation."""

from dora.core.ports import Clock
from dora.core.units import TimeMs


class Backoff:
    """When to retry: at once at first, then with exponential backoff up to `longest_ms`."""

    def __init__(self, clock: Clock, first_ms: int = 1_000, longest_ms: int = 16_000) -> None:
        self._clock, self._first_ms, self._longest_ms = clock, first_ms, longest_ms
        self._span_ms = first_ms
        self.due_ms = clock.now_ms()

    @property
    def due(self) -> bool:
        """Whether the next try may be made now."""
        return self._clock.now_ms() >= self.due_ms

    def failed(self) -> None:
        """Back off, and the next time for twice as long."""
        self.due_ms = TimeMs(self._clock.now_ms() + self._span_ms)
        self._span_ms = min(2 * self._span_ms, self._longest_ms)

    def passed(self) -> None:
        """The next failure backs off for the shortest time again."""
        self._span_ms = self._first_ms
