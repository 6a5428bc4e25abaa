"""Records of one kind as columns: a value that all of them share stands once, and like lies beside like.

    {"records": 3, "columns": {"price": [4600], "count": [10, 5, 10], "slot.ticker": ["KXA-1", ...], ...}}

A column has one entry for each record, or a single one that stands for all. A field that is a record itself
is laid out as columns of its own. Strict like `serde`: every column and no other.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import repeat
from typing import Any, TypeVar, get_type_hints

from dora.core.errors import StateError
from dora.edge.dynamo.serde import is_record, names_of, reader_of, to_plain

Value = TypeVar("Value")
Columns = Mapping[str, Sequence[Any]]


def to_columns(kind: Any, records: Sequence[Any]) -> dict[str, Any]:
    """How many records of this kind there are, and their columns."""
    return {"records": len(records), "columns": _columns(kind, records)}


def from_columns(kind: type[Value], plain: object) -> list[Value]:
    """The records. Raises StateError, saying which column and why."""
    record: Any = kind
    count, columns = _opened(kind.__name__, plain)
    if columns.keys() != set(_names(record)):
        raise StateError(f"the columns of {kind.__name__} are {', '.join(_names(record))}")
    for name, column in columns.items():
        if not isinstance(column, list) or len(column) not in (min(count, 1), count):
            raise StateError(f"{name} is no column of {count} records")
    return _records(record, columns, "", count)


def _opened(name: str, plain: object) -> tuple[int, Columns]:
    if not isinstance(plain, dict) or plain.keys() != {"records", "columns"}:
        raise StateError(f"{name}: no records in columns")
    count, columns = plain["records"], plain["columns"]
    if type(count) is not int or not isinstance(columns, dict):
        raise StateError(f"{name}: no records in columns")
    return count, columns


def _columns(kind: Any, records: Sequence[Any]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for name, hint in _fields(kind).items():
        values = [getattr(record, name) for record in records]
        if is_record(hint):
            columns |= {f"{name}.{own}": column for own, column in _columns(hint, values).items()}
        else:
            columns[name] = _once([to_plain(value) for value in values])
    return columns


def _records(kind: Any, columns: Columns, prefix: str, count: int) -> list[Any]:
    read: list[Sequence[Any]] = []
    for name, hint in _fields(kind).items():
        place = f"{prefix}{name}"
        if is_record(hint):
            read.append(_records(hint, columns, f"{place}.", count))
        else:
            read.append(_read(place, reader_of(hint), columns[place], count))
    names = tuple(_fields(kind))
    return [kind(**dict(zip(names, row, strict=True))) for row in zip(*read, strict=True)]


def _read(name: str, read: Callable[[Any], Any], column: Sequence[Any], count: int) -> list[Any]:
    try:
        values = [read(entry) for entry in column]
    except StateError as error:
        raise StateError(f"{name}: {error}") from None
    return values if len(values) == count else list(repeat(values[0], count))


def _once(column: list[Any]) -> list[Any]:
    first = column[:1]
    same = all(entry == first[0] and type(entry) is type(first[0]) for entry in column)
    return first if same else column


@cache
def _fields(kind: Any) -> Mapping[str, Any]:
    """A record's fields with their types, in order."""
    hints = get_type_hints(kind)
    return {name: hints[name] for name in names_of(kind)}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """All columns of a kind, those of nested records included."""
    names: list[str] = []
    for name, hint in _fields(kind).items():
        names += [f"{name}.{own}" for own in _names(hint)] if is_record(hint) else [name]
    return tuple(names)
