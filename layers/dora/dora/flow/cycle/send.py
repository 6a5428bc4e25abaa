"""Batches of one phase, sent at their times and side by side; their answers are folded in batch order.

Worker threads only send. Everything else, above all what an answer means, is for the main thread. Whatever
ends a phase, also an exception, every batch under way is awaited and folded first.

A send time later than the phase's reservation is paid by tokens that the bucket refills. While the first
writes are on their way the exchange's bucket is still full and refills nothing, so such sends are due later
by the longest time that an answer took, and none leaves before a first answer has come.
"""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Generic, NamedTuple, TypeVar

from dora.core.ports import Clock
from dora.core.units import TimeMs

MOST_UNDER_WAY = 8
"""Batches of one phase on their way at the same time."""

Batch = TypeVar("Batch")
Result = TypeVar("Result")


class Phase(NamedTuple, Generic[Batch, Result]):
    """How batches are sent. `stops` is asked before each; `begins` is told of each that is sent."""

    send: Callable[[Batch], Result]
    fold: Callable[[int, Result], None]
    begins: Callable[[int, Batch], None]
    stops: Callable[[], bool]


class _UnderWay(NamedTuple, Generic[Result]):
    number: int
    sent_ms: TimeMs
    answer: "Future[tuple[Result, TimeMs]]"


class Sender:
    """Sends the phases of one execution, one after the other."""

    def __init__(self, clock: Clock, workers: Executor, reserved_ms: TimeMs) -> None:
        self._clock, self._workers = clock, workers
        self._reserved_ms = reserved_ms
        self._late_ms: int | None = None
        """The longest from sending a write to its answer; None: none was answered yet."""

    def send(self, batches: Iterable[tuple[TimeMs, Batch]], phase: Phase[Batch, Result]) -> int:
        """Each batch at its time, unless `stops` says so before it; how many were sent."""
        under_way: deque[_UnderWay[Result]] = deque()
        sent = 0
        try:
            for due_ms, batch in batches:
                self._await_room(under_way, phase)
                self._wait(due_ms, under_way, phase)
                if phase.stops():
                    break
                phase.begins(sent, batch)
                now_ms = self._clock.now_ms()
                answer = self._workers.submit(self._answered, phase.send, batch)
                under_way.append(_UnderWay(sent, now_ms, answer))
                sent += 1
                self._fold_answered(under_way, phase)
        finally:
            self._fold_all(under_way, phase)
        return sent

    def _answered(self, send: Callable[[Batch], Result], batch: Batch) -> tuple[Result, TimeMs]:
        return send(batch), self._clock.now_ms()

    def _await_room(self, under_way: deque[_UnderWay[Result]], phase: Phase[Batch, Result]) -> None:
        while len(under_way) >= MOST_UNDER_WAY:
            self._fold_first(under_way, phase)

    def _wait(self, due_ms: TimeMs, under_way: deque[_UnderWay[Result]], phase: Phase[Batch, Result]) -> None:
        refilled = due_ms > self._reserved_ms
        if refilled and self._late_ms is None and under_way:
            self._fold_first(under_way, phase)
        wait_ms = due_ms + (self._late_ms or 0 if refilled else 0) - self._clock.now_ms()
        if wait_ms > 0:
            self._clock.sleep_ms(wait_ms)
        self._fold_answered(under_way, phase)

    def _fold_answered(self, under_way: deque[_UnderWay[Result]], phase: Phase[Batch, Result]) -> None:
        while under_way and under_way[0].answer.done():
            self._fold_first(under_way, phase)

    def _fold_first(self, under_way: deque[_UnderWay[Result]], phase: Phase[Batch, Result]) -> None:
        first = under_way.popleft()
        result, answered_ms = first.answer.result()
        self._late_ms = max(self._late_ms or 0, answered_ms - first.sent_ms)
        phase.fold(first.number, result)

    def _fold_all(self, under_way: deque[_UnderWay[Result]], phase: Phase[Batch, Result]) -> None:
        """All of them, also where one raises: the first exception is raised when every answer is folded."""
        raised: BaseException | None = None
        while under_way:
            try:
                self._fold_first(under_way, phase)
            except BaseException as error:
                raised = raised or error
        if raised is not None:
            raise raised
