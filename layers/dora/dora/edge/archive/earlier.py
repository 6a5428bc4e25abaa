"""Objects of earlier schemas: a field that came later gets its default, then they are read as today's.

A field that came without a default, that was renamed or that changed its type needs a step of its own here.
Of its settings a strategy keeps those that it still has.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any

from dora.edge.archive.layout import fields_of, kind_of, mapped_kind
from dora.edge.dynamo.columns import entry_of
from dora.edge.dynamo.serde import is_record, to_plain


def completed(hint: Any, plain: Any) -> Any:
    """The plain form of a value with every field that has a default. What does not fit is left as it is."""
    kind = kind_of(hint)
    if not isinstance(plain, dict):
        return plain
    if is_record(kind):
        defaults = _defaults(kind)
        hints = fields_of(kind)
        whole = {name: plain[name] if name in plain else defaults.get(name, MISSING) for name in hints}
        known = {name: completed(hints[name], own) for name, own in whole.items() if own is not MISSING}
        return {**plain, **known}
    entry = entry_of(kind) or mapped_kind(kind)
    return _table(entry, plain) if entry else plain


def _table(kind: Any, plain: dict[str, Any]) -> dict[str, Any]:
    """Columns with those that are missing; a column of one entry stands for every record."""
    columns, count = plain.get("columns"), plain.get("records")
    if not isinstance(columns, dict):
        return plain
    return {**plain, "columns": _columns(kind, columns, "", bool(count))}


def _columns(kind: Any, columns: Mapping[str, Any], prefix: str, some: bool) -> dict[str, Any]:
    whole, defaults = dict(columns), _defaults(kind)
    for name, hint in fields_of(kind).items():
        place = f"{prefix}{name}"
        if is_record(hint):
            whole = _columns(hint, whole, f"{place}.", some)
        elif place not in whole and name in defaults:
            whole[place] = [defaults[name]] if some else []
        elif place in whole and (entry := entry_of(hint)):
            whole[place] = _table(entry, whole[place]) if isinstance(whole[place], dict) else whole[place]
    return whole


@cache
def _defaults(kind: Any) -> Mapping[str, Any]:
    """Plain defaults of a record's fields, of those that have one."""
    if not is_dataclass(kind):
        return {name: to_plain(own) for name, own in kind._field_defaults.items()}
    found = {}
    for spec in fields(kind):
        if spec.default is not MISSING:
            found[spec.name] = to_plain(spec.default)
        elif spec.default_factory is not MISSING:
            found[spec.name] = to_plain(spec.default_factory())
    return found
