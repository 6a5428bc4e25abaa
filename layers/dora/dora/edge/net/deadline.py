"""Deadlines by the monotonic clock, which nobody can set and no correction of the time can move."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadline:
    """A moment that threads share; none until one is set. `monotonic_s` takes the clock's place in tests."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._ends_s = math.inf

    @property
    def left_s(self) -> float:
        """Seconds until then: infinite while none is set, below zero afterwards."""
        return self._ends_s - self._monotonic_s()

    def set_in(self, span_s: float) -> None:
        """So many seconds from now. Safe to repeat: yes, but each time counts from its own now."""
        self._ends_s = self._monotonic_s() + span_s

    @contextmanager
    def within(self, span_s: float) -> Iterator[None]:
        """For the time of a block; whatever was set before is in force again afterwards."""
        before = self._ends_s
        self.set_in(span_s)
        try:
            yield
        finally:
            self._ends_s = before
