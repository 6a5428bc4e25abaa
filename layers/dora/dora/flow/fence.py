"""The fence of a teardown: a triggered order group refuses every order and has none resting.

Triggers cost tokens as orders do, so one that was refused for want of them is not repeated at once.
"""

from collections.abc import Iterable

from dora.core.errors import ExchangeError, ExchangeRefused, RateLimited
from dora.core.model import SessionGroup
from dora.core.ports import Clock, Outside
from dora.core.units import TimeMs

NOT_THERE = "not_found"
"""A group that the exchange does not know takes no order; but it proves nothing of those that were in it."""


class Backoff:
    """When to try again: at once at first, then after each failure in a row twice as late."""

    def __init__(self, clock: Clock, first_ms: int = 1_000, longest_ms: int = 16_000) -> None:
        self._clock, self._first_ms, self._longest_ms = clock, first_ms, longest_ms
        self._span_ms = first_ms
        self.due_ms = clock.now_ms()

    @property
    def due(self) -> bool:
        """Whether the next try may be made now."""
        return self._clock.now_ms() >= self.due_ms

    def failed(self) -> None:
        """Wait, and the next time twice as long."""
        self.due_ms = TimeMs(self._clock.now_ms() + self._span_ms)
        self._span_ms = min(2 * self._span_ms, self._longest_ms)

    def passed(self, wait_ms: int = 0) -> None:
        """The next failure waits the shortest time again, the next try for `wait_ms`."""
        self.due_ms = TimeMs(self._clock.now_ms() + wait_ms)
        self._span_ms = self._first_ms


class Fence:
    """The groups of a session, and which of them are known to be triggered."""

    def __init__(self, outside: Outside, groups: Iterable[SessionGroup]) -> None:
        self._out = outside
        self._open = {group.group_id: group for group in groups}
        self._again = Backoff(outside.clock)
        self.triggered: frozenset[str] = frozenset()
        self.since_ms = outside.clock.now_ms()
        """When the last trigger was answered, or the fence was begun."""

    @property
    def untriggered(self) -> tuple[SessionGroup, ...]:
        """Groups whose trigger has not been answered yet."""
        return tuple(self._open.values())

    def trigger(self) -> None:
        """Each group not known to be triggered, when the next try is due. Safe to repeat."""
        if not self._open or not self._again.due:
            return
        for group in self.untriggered:
            try:
                self._out.exchange.trigger_group(group.group_id, group.shard)
            except ExchangeError as error:
                self._out.facts.emit("ERROR", what=f"trigger of group {group.group_id}", why=str(error))
                if isinstance(error, RateLimited):
                    break
                if isinstance(error, ExchangeRefused) and error.code == NOT_THERE:
                    del self._open[group.group_id]
            else:
                del self._open[group.group_id]
                self.triggered |= {group.group_id}
                self.since_ms = self._out.clock.now_ms()
        if self._open:
            self._again.failed()
