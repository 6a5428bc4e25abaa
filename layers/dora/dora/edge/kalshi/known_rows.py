"""What rows of answers were understood as: one that reads the same as a minute ago is not read again."""

from collections.abc import Callable
from typing import Any, TypeVar

from dora.edge.kalshi.wire import JsonObject

T = TypeVar("T")


class KnownRows:
    """Values by kind and name, each beside the whole row that it was read from: no other row has it.

    Rows that neither this nor the last round met are forgotten. Threads may share it.
    """

    def __init__(self) -> None:
        self._now: dict[tuple[str, str], tuple[object, Any]] = {}
        self._before = self._now

    def next_round(self) -> None:
        """A new cycle reads everything anew."""
        self._before, self._now = self._now, {}

    def value(self, kind: str, name: str, row: JsonObject, parse: Callable[[], T]) -> T:
        """The value of a row, parsed where it is new. Raises what `parse` raises; a failure is not kept."""
        key = kind, name
        known = self._now.get(key) or self._before.get(key)
        if known is None or not _same(known[0], row.data):
            known = row.data, parse()
        self._now[key] = known
        value: T = known[1]
        return value


def _same(before: object, now: object) -> bool:
    """Equal, and of equal types: to Python, 1 is true."""
    if before != now or not isinstance(before, dict) or not isinstance(now, dict):
        return False
    return [*map(type, before.values())] == [*map(type, now.values())]
