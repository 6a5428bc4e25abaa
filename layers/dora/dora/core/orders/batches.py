"""Long lists in batches that one request may hold."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def split(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Batches of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
