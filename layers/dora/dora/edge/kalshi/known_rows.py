"""Rows of answers by their text: one that reads the same as a minute ago is neither parsed nor read again."""

from collections.abc import Callable, Container
from typing import Any, Generic, TypeVar

from dora.edge.kalshi.wire import JsonObject, Part, load_json

T = TypeVar("T")
_APART = "rows apart"


class KnownRows(Generic[T]):
    """What rows of one kind were understood as, by their texts: no other row has the same.

    Rows that neither this nor the last round met are forgotten. Threads may share it.
    """

    def __init__(self) -> None:
        self._now: dict[bytes, T] = {}
        self._before = self._now

    def next_round(self) -> None:
        """A new cycle reads everything anew."""
        self._before, self._now = self._now, {}

    def __contains__(self, text: object) -> bool:
        return text in self._now or text in self._before

    def value(self, row: JsonObject, parse: Callable[[JsonObject], T]) -> T:
        """The value of a row, parsed where it is new. Raises what `parse` raises; a failure is not kept."""
        if not isinstance(row.data, Part):
            return parse(row)
        text = row.data.text
        for known in (self._now, self._before):
            if text in known:
                value = known[text]
                break
        else:
            value = parse(row)
        self._now[text] = value
        return value


def load_apart(body: bytes, key: str, known: Container[bytes]) -> Any:
    """As `load_json`, with the objects of the list at `key` as `Part`s, of which known ones are not parsed.

    A text that is known is an object's. So if every other one between two borders is an object as well, and
    what stands around them all is an answer with one value in their place, then the borders are the list's
    own. Where that does not hold (an object may hold a list of others) the body is read as a whole. Raises
    ValueError.
    """
    head, begun, rest = body.partition(b"[{")
    texts, ended, tail = rest.rpartition(b"}]")
    if begun and ended:
        try:
            content = load_json(head + b'"' + _APART.encode() + b'"' + tail)
            if isinstance(content, dict) and content.get(key) == _APART:
                content[key] = [_part(text, known) for text in texts.split(b"},{")]
                return content
        except ValueError:
            pass
    return load_json(body)


def _part(text: bytes, known: Container[bytes]) -> Part:
    part = Part(text)
    if text not in known:
        part.read()
    return part
