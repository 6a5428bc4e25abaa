"""Rows that add: what many events did, summed up under the key of each."""

from collections.abc import Hashable, Iterable
from typing import Any, Protocol, TypeVar


class SummedRow(Protocol):
    """A row of figures under a key; rows of one key add, in any order."""

    @property
    def key(self) -> Hashable: ...

    @property
    def empty(self) -> bool:
        """Whether it adds nothing."""

    def plus(self: "Row", other: "Row") -> "Row":
        """Both together, under this one's key."""


Row = TypeVar("Row", bound=SummedRow)


def added(rows: Iterable[Row]) -> dict[Any, Row]:
    """One row for each key, those that add nothing left out."""
    total: dict[Any, Row] = {}
    for row in rows:
        before = total.get(row.key)
        total[row.key] = row if before is None else before.plus(row)
    return {key: row for key, row in total.items() if not row.empty}
