"""Time for the simulator: a virtual clock that owns the event queue, and a real one with the same face."""

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

Action = Callable[[], None]


class Clock(Protocol):
    """What the exchange needs of a clock; all times are Unix milliseconds."""

    def now_ms(self) -> int: ...
    def at(self, when_ms: int, action: Action) -> None: ...
    def advance_ms(self, span_ms: int) -> None: ...


class VirtualClock:
    """Stands still until it is advanced; runs due actions in order of time, then of registration."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms
        self._queue: list[tuple[int, int, Action]] = []
        self._ticket = count()

    def now_ms(self) -> int:
        return self._now_ms

    def at(self, when_ms: int, action: Action) -> None:
        """Run `action` once the clock reaches `when_ms`; a past time runs at the next advance."""
        heapq.heappush(self._queue, (when_ms, next(self._ticket), action))

    def advance_to(self, when_ms: int) -> None:
        """Run every action due up to `when_ms`, each at its own time, then stand at `when_ms`.

        An action may itself advance the clock (a write with latency does), so time is only ever raised.
        """
        while self._queue and self._queue[0][0] <= when_ms:
            due_ms, _, action = heapq.heappop(self._queue)
            self._now_ms = max(self._now_ms, due_ms)
            action()
        self._now_ms = max(self._now_ms, when_ms)

    def advance_ms(self, span_ms: int) -> None:
        """`advance_to(now + span_ms)`."""
        self.advance_to(self._now_ms + span_ms)


class WallClock:
    """Real time; a daemon thread runs the due actions. `stop()` ends the thread."""

    def __init__(self) -> None:
        self._queue: list[tuple[int, int, Action]] = []
        self._ticket = count()
        self._wake = threading.Condition()
        self._stopped = False
        threading.Thread(target=self._run, name="wall-clock", daemon=True).start()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def at(self, when_ms: int, action: Action) -> None:
        with self._wake:
            heapq.heappush(self._queue, (when_ms, next(self._ticket), action))
            self._wake.notify()

    def advance_to(self, when_ms: int) -> None:
        """Real time cannot be pushed: this does nothing, so both clocks keep one face."""

    def advance_ms(self, span_ms: int) -> None:
        """Does nothing: write latency is a virtual-clock setting."""

    def stop(self) -> None:
        """End the thread; actions still queued never run."""
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def _run(self) -> None:
        while (action := self._next_due()) is not None:
            action()

    def _next_due(self) -> Action | None:
        with self._wake:
            while not self._stopped:
                wait_ms = self._queue[0][0] - self.now_ms() if self._queue else None
                if wait_ms is not None and wait_ms <= 0:
                    return heapq.heappop(self._queue)[2]
                self._wake.wait(None if wait_ms is None else wait_ms / 1000)
        return None
