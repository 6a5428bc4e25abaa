"""A clock that moves when somebody waits by it."""

from dora.core.units import TimeMs

NOW, MINUTE_MS = TimeMs(1_795_183_200_000), 60_000


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def now_ms(self) -> TimeMs:
        return self.now

    def sleep_ms(self, span_ms: int) -> None:
        self.now = TimeMs(self.now + span_ms)
