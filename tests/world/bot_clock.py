"""The bot's clock, driven by the simulator's: waiting is what moves virtual time."""

from threading import RLock

from dora.core.units import TimeMs
from tests.simulator.clock import Clock


class BotClock:
    """The product's Clock port over the simulator's clock.

    `lock` is the exchange's: while it answers a request, nobody else moves the time. `skew_ms` is how far
    the bot's clock runs ahead of the exchange's.
    """

    def __init__(self, clock: Clock, lock: RLock, skew_ms: int = 0) -> None:
        self._clock, self._lock, self.skew_ms = clock, lock, skew_ms

    def now_ms(self) -> TimeMs:
        """The time as the bot believes it to be."""
        return TimeMs(self._clock.now_ms() + self.skew_ms)

    def sleep_ms(self, span_ms: int) -> None:
        """Virtual time passes and what is due on the exchange happens."""
        with self._lock:
            self._clock.advance_ms(max(span_ms, 0))
