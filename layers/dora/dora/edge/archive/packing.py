"""A cycle as an archive object: gzip'd JSON, many records of one kind as columns, and back again.

    {"schema": 1, "cycle": {"cycle_id": ..., "loaded": ..., "seen": ..., "decided": ..., "done": ...}}

A mapping of records is their columns and `keys`: a list, or the name of the column that is their key anyway.
What is read back is equal to what was written, floats bit for bit.
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from dora.core.config import MarketConfig
from dora.core.cycle_record import CycleRecord
from dora.core.errors import StateError, StateTooNew
from dora.core.quoting.registry import STRATEGIES
from dora.edge.dynamo.columns import entry_of, from_columns, to_columns
from dora.edge.dynamo.serde import from_plain, is_record, names_of, reader_of, to_plain

SCHEMA = 1


def pack(record: CycleRecord) -> bytes:
    """Equal records are equal bytes."""
    plain = {"schema": SCHEMA, "cycle": _packed(CycleRecord, record)}
    text = json.dumps(plain, separators=(",", ":"))
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)


def unpack(body: bytes) -> CycleRecord:
    """Raises StateError for what is no archive object of this schema, StateTooNew for one of a later one."""
    try:
        plain = json.loads(gzip.decompress(body))
        schema, cycle = plain["schema"], plain["cycle"]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise StateError(f"no archive object: {error}") from error
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        raise (StateTooNew if newer else StateError)(f"an archive object of schema {schema!r}, not {SCHEMA}")
    record: CycleRecord = _unpacked(CycleRecord, cycle)
    return _with_settings(record)


def _packed(hint: Any, value: Any) -> Any:
    kind = _present(hint)
    if value is None:
        return None
    if is_record(kind):
        return {name: _packed(own, getattr(value, name)) for name, own in _hints(kind).items()}
    if entry := entry_of(kind):
        return to_columns(entry, value)
    if entry := _mapped(kind):
        return _keyed(entry, value)
    return to_plain(value)


def _unpacked(hint: Any, plain: Any) -> Any:
    kind = _present(hint)
    if plain is None and kind is not hint:
        return None
    if is_record(kind):
        return _record(kind, plain)
    if entry := entry_of(kind):
        return tuple(from_columns(entry, plain))
    if entry := _mapped(kind):
        return _by_key(entry, plain)
    return reader_of(kind)(plain)


def _record(kind: Any, plain: Any) -> Any:
    hints = _hints(kind)
    if not isinstance(plain, dict) or plain.keys() != hints.keys():
        raise StateError(f"the fields of {kind.__name__} are {', '.join(hints)}")
    return kind(**{name: _unpacked(hint, plain[name]) for name, hint in hints.items()})


def _keyed(kind: Any, value: Mapping[Any, Any]) -> dict[str, Any]:
    keys, records, name = list(value), list(value.values()), names_of(kind)[0]
    own = [getattr(record, name) for record in records]
    return {"keys": name if own == keys else keys, **to_columns(kind, records)}


def _by_key(kind: Any, plain: Any) -> dict[Any, Any]:
    if not isinstance(plain, dict) or "keys" not in plain:
        raise StateError(f"no {kind.__name__} by key")
    keys = plain["keys"]
    records = from_columns(kind, {name: own for name, own in plain.items() if name != "keys"})
    if keys == names_of(kind)[0]:
        keys = [getattr(record, keys) for record in records]
    if not isinstance(keys, list) or len(keys) != len(records):
        raise StateError(f"{len(records)} of {kind.__name__} have other keys")
    return dict(zip(keys, records, strict=True))


def _present(hint: Any) -> Any:
    """A type without the None that it may be."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return kinds[0] if len(kinds) == 1 and len(get_args(hint)) == len(kinds) + 1 else hint


def _mapped(hint: Any) -> Any | None:
    """The kind of the records that a type maps to; None for any other type."""
    kind = get_args(hint)[1] if get_origin(hint) in (dict, Mapping) else None
    return kind if kind is not None and is_record(kind) else None


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in names_of(kind)}


def _with_settings(record: CycleRecord) -> CycleRecord:
    """Only a market's strategy knows of what kind its settings are."""
    if record.seen is None:
        return record
    wanted = {ticker: _typed(config) for ticker, config in record.seen.wanted.items()}
    return replace(record, seen=replace(record.seen, wanted=wanted))


def _typed(config: MarketConfig) -> MarketConfig:
    if config.settings is None:
        return config
    if config.strategy not in STRATEGIES:
        raise StateError(f"{config.ticker}: no strategy {config.strategy}")
    kind = STRATEGIES[config.strategy].settings
    return replace(config, settings=from_plain(kind, config.settings))
