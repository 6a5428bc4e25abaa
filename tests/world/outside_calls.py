"""Every call of the bot to the outside, the exchange and AWS counted together; the bot may die after any."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, get_ident


class Killed(BaseException):  # noqa: N818 - an end of the process, not an error in it
    """The bot's process is gone: nothing of the bot may catch this."""


class OutsideCalls:
    """Counts the calls of one invocation, and ends it after the n-th.

    The n-th call has its effect and Killed is raised in place of its answer; every later call of that
    invocation raises again and has none, so that no `finally` of the bot reaches anybody. Reads that run side
    by side come in any order and leave no trace: they all get through, and the bot dies when they are done.
    """

    def __init__(self) -> None:
        self.made: list[str] = []
        """What the latest invocation called, in order of arrival."""
        self.running = False
        self._next_kill: int | None = None
        self._kill_after: int | None = None
        self._main = get_ident()
        self._lock = Lock()
        self._meanwhile: tuple[str, Callable[[], object]] | None = None

    def meanwhile(self, label: str, act: Callable[[], object]) -> None:
        """`act` happens once, just before the next call of that label leaves."""
        self._meanwhile = label, act

    def die(self) -> None:
        """The invocation ends with its next call; told so `meanwhile`, with the one being made."""
        self._kill_after = len(self.made) + 1

    def kill_after(self, calls: int | None) -> None:
        """The next invocation dies after so many calls; 0: before its first one can have an effect."""
        self._next_kill = calls

    @contextmanager
    def invocation(self) -> Iterator[None]:
        """What is called in this block is called by one invocation, which may stand inside another one."""
        outer = self.running, self.made, self._kill_after, self._main
        self.running, self.made, self._kill_after, self._main = True, [], self._next_kill, get_ident()
        self._next_kill = None
        try:
            yield
        finally:
            if outer[0]:
                self.running, self.made, self._kill_after, self._main = outer
            self.running = outer[0]

    def enter(self, label: str) -> int:
        """A call is about to be made; returns its number. Raises Killed."""
        if self._meanwhile is not None and self._meanwhile[0] == label:
            (_, act), self._meanwhile = self._meanwhile, None
            act()
        with self._lock:
            if self._over(len(self.made)) and not self._side_by_side(label):
                raise Killed(f"dead after {self._kill_after} calls: {label}")
            self.made.append(label)
            return len(self.made)

    def leave(self, number: int) -> None:
        """That call has had its effect. Raises Killed in place of its answer."""
        with self._lock:
            label = self.made[number - 1]
            if self._over(number) and not self._side_by_side(label):
                raise Killed(f"killed after call {number}: {label}")

    def _over(self, calls: int) -> bool:
        return self._kill_after is not None and calls >= self._kill_after

    def _side_by_side(self, label: str) -> bool:
        return get_ident() != self._main and label.startswith("GET ")
