"""The bot's clock for runs that must repeat bit for bit: reads side by side never move the time."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any, Protocol

from dora.core.units import TimeMs
from tests.world.bot_clock import BotClock


class SteadyClock:
    """A wait in a side thread returns at once; the longest of them passes when the main thread next looks.

    Otherwise a read that is tried again would move the time under its neighbours, sooner or later as the
    threads happen to run. For the same reason the main thread's look waits for the reads of `SteadyWorkers`.
    """

    def __init__(self, clock: BotClock) -> None:
        self._clock, self._main, self._lock = clock, get_ident(), Lock()
        self._owed_ms = 0
        self._reads: defaultdict[int, list[Future[Any]]] = defaultdict(list)
        """By the thread that began them: one that leads must not wait for the read which it is itself."""

    def began(self, read: "Future[Any]") -> None:
        """The time stands still for the thread that began this read until it is over."""
        self._reads[get_ident()].append(read)

    def now_ms(self) -> TimeMs:
        """The time as the bot believes it to be."""
        if get_ident() == self._main:
            self._pay()
        return self._clock.now_ms()

    def sleep_ms(self, span_ms: int) -> None:
        """Time passes now (main thread) or later (all others)."""
        if get_ident() == self._main:
            self._pay()
            self._clock.sleep_ms(span_ms)
            return
        with self._lock:
            self._owed_ms = max(self._owed_ms, span_ms)

    @contextmanager
    def leading(self) -> Iterator[None]:
        """In this block the thread that is in it moves the time, whatever is under way in the main one.

        For what happens while a request is on its way: that request's own thread makes it happen.
        """
        with self._lock:
            leader, outer = get_ident(), self._main
            self._main, aside = leader, self._reads.pop(leader, [])
        try:
            yield
        finally:
            self._pay()
            with self._lock:
                self._main, self._reads[leader] = outer, aside

    def _pay(self) -> None:
        wait(self._reads.pop(get_ident(), []))
        with self._lock:
            owed_ms, self._owed_ms = self._owed_ms, 0
        if owed_ms:
            self._clock.sleep_ms(owed_ms)


class WaitingClock(Protocol):
    """A clock that moves only when what is under way is over."""

    def began(self, work: "Future[Any]", /) -> None: ...


class SteadyWorkers(Executor):
    """Threads whose work, begun in the main thread, the clock waits for before it moves the time."""

    def __init__(self, threads: Executor, clock: WaitingClock) -> None:
        self._threads, self._clock = threads, clock

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """At once, in a thread."""
        read = self._threads.submit(fn, *args, **kwargs)
        self._clock.began(read)
        return read

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
