"""Which types an archive object lays out in which form."""

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from dora.edge.dynamo.serde import is_record, names_of


def kind_of(hint: Any) -> Any:
    """A type without the None that it may be."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return kinds[0] if len(kinds) == 1 and len(get_args(hint)) == len(kinds) + 1 else hint


def mapped_kind(hint: Any) -> Any | None:
    """The kind of the records that a type maps to; None for any other type."""
    kind = get_args(hint)[1] if get_origin(hint) in (dict, Mapping) else None
    return kind if kind is not None and is_record(kind) else None


@cache
def fields_of(kind: Any) -> Mapping[str, Any]:
    """A record's fields with their types, in order."""
    hints = get_type_hints(kind)
    return {name: hints[name] for name in names_of(kind)}
