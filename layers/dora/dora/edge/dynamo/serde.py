"""Frozen values to JSON values and back, by their declared types. Strict: what does not fit is an error.

A record is an object with exactly the fields of its dataclass, or (compact) a row of them in order. The
schema version of the item around it says which code's fields those are; a field that came later within a
version is named in LATER_FIELDS, and its default stands where an older item lacks it.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from dora.core.errors import StateError

Value = TypeVar("Value")
Reader = Callable[[Any], Any]

LATER_FIELDS = frozenset(
    {
        ("EventGroup", "asks"),
        ("KillSwitch", "cancel"),
        ("Plan", "extends"),
        ("Settlement", "result"),
        ("SessionMetadata", "limit_reached_at_ms"),
        ("SessionMetadata", "ends_at_ms"),
        ("SessionMetadata", "resets"),
        ("SessionMetadata", "armed_at_ms"),
        ("TrackedOrder", "expires_ms"),
        ("TrackedOrder", "probe"),
        ("TrackedOrder", "probed_ms"),
        ("TrackedOrder", "unseen"),
        ("TrackedOrder", "released"),
    }
)
"""Fields that items written before them lack. In a row they come last, in the order in which they came."""


_PLAIN = frozenset({int, str, bool, float, type(None)})


def to_plain(value: object) -> Any:
    """None, flags, numbers, texts, lists and objects; an enum is its value, a set a sorted list."""
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        entries = cast(dict[Any, Any], value).items()
        return {str(key): own if type(own) in _PLAIN else to_plain(own) for key, own in entries}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if is_record(kind):
        return {name: to_plain(getattr(value, name)) for name in names_of(kind)}
    if isinstance(value, tuple | list):
        return [to_plain(entry) for entry in value]
    if isinstance(value, frozenset):
        return [to_plain(entry) for entry in sorted(value)]
    return value


def to_row(value: object) -> list[Any]:
    """A record's fields in order."""
    return list(to_plain(value).values())


def from_plain(kind: type[Value], plain: object) -> Value:
    """Raises StateError, saying where in the record and why."""
    hint: Any = kind
    value: Value = reader_of(hint)(plain)
    return value


def from_row(kind: type[Value], row: object) -> Value:
    """The record of a row. Raises StateError."""
    hint: Any = kind
    names = _readers(hint)
    if not isinstance(row, list) or len(row) > len(names):
        raise StateError(f"a row of {kind.__name__} needs {len(names)} fields")
    return from_plain(kind, dict(zip(names, row, strict=False)))


def is_record(kind: Any) -> bool:
    """Whether values of this kind are stored field by field: dataclasses and named tuples."""
    return is_dataclass(kind) or hasattr(kind, "_fields")


@cache
def names_of(kind: Any) -> tuple[str, ...]:
    """A record's fields in order, but for those that it works out by itself."""
    own: tuple[str, ...] | None = getattr(kind, "_fields", None)
    return tuple(spec.name for spec in fields(kind) if spec.init) if own is None else own


@cache
def _readers(kind: Any) -> Mapping[str, Reader]:
    hints = get_type_hints(kind)
    return {name: reader_of(hints[name]) for name in names_of(kind)}


@cache
def reader_of(hint: Any) -> Reader:
    """What turns a JSON value into a value of a declared type. It raises StateError."""
    if isinstance(hint, NewType):
        return reader_of(hint.__supertype__)
    if hint is object:
        return _as_it_is
    if hint in (int, str, bool, float, type(None)):
        return _exactly(hint)
    if isinstance(hint, type) and is_record(hint):
        return _record(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint)
    return _generic(get_origin(hint), get_args(hint), hint)


def _generic(origin: Any, arguments: tuple[Any, ...], hint: Any) -> Reader:
    if origin in (Union, types.UnionType):
        return _either(arguments)
    if origin is tuple and arguments[1:] == (...,):
        return _sequence(arguments[0], tuple)
    if origin is tuple:
        return _row(arguments)
    if origin is frozenset:
        return _sequence(arguments[0], frozenset)
    if origin in (dict, Mapping):
        return _mapping(*arguments)
    raise TypeError(f"no stored form for {hint}")


def _as_it_is(plain: object) -> object:
    return plain


def _exactly(kind: type) -> Reader:
    def read(plain: object) -> object:
        if type(plain) is not kind:
            raise StateError(f"{plain!r} is not of type {kind.__name__}")
        return plain

    return read


def _enum(kind: type[Enum]) -> Reader:
    members = {member.value: member for member in kind}

    def read(plain: Any) -> Enum:
        if type(plain) is not str or plain not in members:
            raise StateError(f"{plain!r} is no {kind.__name__}")
        return members[plain]

    return read


def _record(kind: type) -> Reader:
    def read(plain: object) -> object:
        readers = _readers(kind)
        if not isinstance(plain, dict) or not _fits(kind, plain):
            raise StateError(f"the fields of {kind.__name__} are {', '.join(readers)}")
        values = {}
        for name, entry in plain.items():
            try:
                values[name] = readers[name](entry)
            except StateError as error:
                raise StateError(f"{name}: {error}") from None
        return kind(**values)

    return read


def _fits(kind: type, plain: Mapping[str, object]) -> bool:
    """Every field and no other, but for those that came later."""
    names = _readers(kind).keys()
    missing = names - plain.keys()
    return plain.keys() <= names and all((kind.__name__, name) in LATER_FIELDS for name in missing)


def _either(hints: tuple[Any, ...]) -> Reader:
    """The first reader that accepts it; texts, ints and flags are never taken for one another."""
    readers = [reader_of(hint) for hint in sorted(hints, key=lambda hint: hint is not type(None))]

    def read(plain: object) -> object:
        for read_one in readers[:-1]:
            try:
                return read_one(plain)
            except StateError:
                continue
        return readers[-1](plain)

    return read


def _sequence(hint: Any, collect: Callable[[Any], object]) -> Reader:
    read_entry = reader_of(hint)

    def read(plain: object) -> object:
        if not isinstance(plain, list):
            raise StateError(f"{plain!r} is no list")
        return collect(read_entry(entry) for entry in plain)

    return read


def _row(hints: tuple[Any, ...]) -> Reader:
    """A tuple of so many entries, each of a type of its own."""
    readers = [reader_of(hint) for hint in hints]

    def read(plain: object) -> object:
        if not isinstance(plain, list) or len(plain) != len(readers):
            raise StateError(f"{plain!r} is no list of {len(readers)}")
        return tuple(read_entry(entry) for read_entry, entry in zip(readers, plain, strict=True))

    return read


def _mapping(key_hint: Any, hint: Any) -> Reader:
    """Keys are texts in JSON; numbers are read back from them."""
    read_entry, read_key = reader_of(hint), _key_reader(key_hint)

    def read(plain: object) -> dict[object, object]:
        if not isinstance(plain, dict):
            raise StateError(f"{plain!r} is no object")
        return {read_key(key): read_entry(entry) for key, entry in plain.items()}

    return read


def _key_reader(hint: Any) -> Reader:
    return _whole_number if hint is int else reader_of(hint)


def _whole_number(key: str) -> int:
    try:
        return int(key)
    except ValueError:
        raise StateError(f"{key!r} is no whole number") from None
