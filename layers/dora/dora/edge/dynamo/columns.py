"""Records of one kind as columns: a value that all of them share stands once, and like lies beside like.

    {"records": 3, "columns": {"price": [4600], "count": [10, 5, 10], "slot.ticker": ["KXA-1", ...], ...}}

A column has one entry for each record, or a single one that stands for all. A field that is a record itself
is laid out as columns of its own. One that is a sequence of records is a table of them all, with the length
of each record's part. Strict like `serde`: every column and no other.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from itertools import accumulate, repeat
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

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
    return _records(record, columns, "", count)


def entry_of(hint: Any) -> Any | None:
    """The kind of the records of which a type is a sequence; None for any other type."""
    if get_origin(hint) is not tuple or get_args(hint)[1:] != (...,):
        return None
    kind = get_args(hint)[0]
    kind = kind.__supertype__ if isinstance(kind, NewType) else kind
    return kind if is_record(kind) else None


def _opened(name: str, plain: object) -> tuple[int, Columns]:
    if not isinstance(plain, dict) or plain.keys() != {"records", "columns"}:
        raise StateError(f"{name}: no records in columns")
    count, columns = plain["records"], plain["columns"]
    if type(count) is not int or not isinstance(columns, dict):
        raise StateError(f"{name}: no records in columns")
    return count, columns


def _columns(kind: Any, records: Sequence[Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, hint in _fields(kind).items():
        values = list(map(attrgetter(name), records))
        if is_record(hint):
            columns |= {f"{name}.{own}": column for own, column in _columns(hint, values).items()}
        elif entry := entry_of(hint):
            columns[name] = _table(entry, values)
        else:
            columns[name] = _column(hint, values)
    return columns


def _column(hint: Any, values: list[Any]) -> list[Any]:
    once, write = _once(values), _writer(hint)
    return once if write is None else list(map(write, once))


@cache
def _writer(hint: Any) -> Callable[[Any], Any] | None:
    """`to_plain` for values of a declared type; None where that says already that they are plain."""
    kinds = set(get_args(hint)) - {NoneType} if get_origin(hint) in (Union, UnionType) else {hint}
    kinds = {kind.__supertype__ if isinstance(kind, NewType) else kind for kind in kinds}
    if kinds <= {int, str, bool, float}:
        return None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {member: member.value for member in hint}.__getitem__
    return to_plain


def _records(kind: Any, columns: Columns, prefix: str, count: int) -> list[Any]:
    read: list[Sequence[Any]] = []
    for name, hint in _fields(kind).items():
        place = f"{prefix}{name}"
        if is_record(hint):
            read.append(_records(hint, columns, f"{place}.", count))
        elif entry := entry_of(hint):
            read.append(_parts(place, entry, columns[place], count))
        else:
            read.append(_read(place, reader_of(hint), columns[place], count))
    names = tuple(_fields(kind))
    return [kind(**dict(zip(names, row, strict=True))) for row in zip(*read, strict=True)]


def _table(kind: Any, parts: Sequence[Sequence[Any]]) -> dict[str, Any]:
    lengths = _once([len(part) for part in parts])
    return {"lengths": lengths, **to_columns(kind, [record for part in parts for record in part])}


def _parts(name: str, kind: Any, table: Any, count: int) -> list[tuple[Any, ...]]:
    if not isinstance(table, dict) or "lengths" not in table:
        raise StateError(f"{name} is no table of {kind.__name__}")
    lengths = _read(f"{name}.lengths", reader_of(int), table["lengths"], count)
    records = from_columns(kind, {key: own for key, own in table.items() if key != "lengths"})
    ends = list(accumulate(lengths, initial=0))
    if min(lengths, default=0) < 0 or ends[-1] != len(records):
        raise StateError(f"{name} has {len(records)} records in parts of {ends[-1]}")
    return [tuple(records[end - own : end]) for own, end in zip(lengths, ends[1:], strict=True)]


def _read(name: str, read: Callable[[Any], Any], column: Any, count: int) -> list[Any]:
    if not isinstance(column, list) or len(column) not in (min(count, 1), count):
        raise StateError(f"{name} is no column of {count} records")
    try:
        values = [read(entry) for entry in column]
    except StateError as error:
        raise StateError(f"{name}: {error}") from None
    return values if len(values) == count else list(repeat(values[0], count))


def _once(column: list[Any]) -> list[Any]:
    if not column or column[0] != column[-1]:  # Most columns that differ at all differ there.
        return column
    same = column.count(column[0]) == len(column) and len(set(map(type, column))) == 1
    return column[:1] if same else column


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
