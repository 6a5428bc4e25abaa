"""A cycle as an archive object: gzip'd JSON, many records of one kind as columns, and back again.

    {"schema": 9, "cycle": {"cycle_id": ..., "loaded": ..., "seen": ..., "decided": ..., "done": ...}}

A mapping of records is their columns and `keys`: a list, or the name of the column that is their key anyway.
What is read back is equal to what was written, floats bit for bit.
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dora.core.config import MarketConfig
from dora.core.cycle_record import CycleRecord
from dora.core.errors import StateError, StateTooNew
from dora.core.quoting.registry import STRATEGIES
from dora.edge.archive.earlier import completed
from dora.edge.archive.layout import fields_of, kind_of, mapped_kind
from dora.edge.dynamo.columns import entry_of, from_columns, to_columns
from dora.edge.dynamo.serde import from_plain, is_record, names_of, reader_of, to_plain

SCHEMA = 9


def pack(record: CycleRecord) -> bytes:
    """Equal records are equal bytes."""
    plain = {"schema": SCHEMA, "cycle": _packed(CycleRecord, record)}
    text = json.dumps(plain, separators=(",", ":"))
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)


def unpack(body: bytes) -> CycleRecord:
    """One of an earlier schema is read with the defaults of the fields that came since.

    Raises StateError for what is no archive object, StateTooNew for one of a later schema.
    """
    try:
        plain = json.loads(gzip.decompress(body))
        schema, cycle = plain["schema"], plain["cycle"]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise StateError(f"no archive object: {error}") from error
    if schema not in range(1, SCHEMA + 1):
        newer = isinstance(schema, int) and schema > SCHEMA
        raise (StateTooNew if newer else StateError)(
            f"an archive object of schema {schema!r}, not 1 to {SCHEMA}"
        )
    earlier = schema != SCHEMA
    record: CycleRecord = _unpacked(CycleRecord, completed(CycleRecord, cycle) if earlier else cycle)
    return _with_settings(record, earlier=earlier)


def _packed(hint: Any, value: Any) -> Any:
    kind = kind_of(hint)
    if value is None:
        return None
    if is_record(kind):
        return {name: _packed(own, getattr(value, name)) for name, own in fields_of(kind).items()}
    if entry := entry_of(kind):
        return to_columns(entry, value)
    if entry := mapped_kind(kind):
        return _keyed(entry, value)
    return to_plain(value)


def _unpacked(hint: Any, plain: Any) -> Any:
    kind = kind_of(hint)
    if plain is None and kind is not hint:
        return None
    if is_record(kind):
        return _record(kind, plain)
    if entry := entry_of(kind):
        return tuple(from_columns(entry, plain))
    if entry := mapped_kind(kind):
        return _by_key(entry, plain)
    return reader_of(kind)(plain)


def _record(kind: Any, plain: Any) -> Any:
    hints = fields_of(kind)
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


def _with_settings(record: CycleRecord, *, earlier: bool) -> CycleRecord:
    """Only a market's strategy knows of what kind its settings are."""
    if record.seen is None:
        return record
    wanted = {ticker: _typed(config, earlier=earlier) for ticker, config in record.seen.wanted.items()}
    return record._replace(seen=record.seen._replace(wanted=wanted))


def _typed(config: MarketConfig, *, earlier: bool) -> MarketConfig:
    if config.settings is None:
        return config
    if config.strategy not in STRATEGIES:
        raise StateError(f"{config.ticker}: no strategy {config.strategy}")
    kind = STRATEGIES[config.strategy].settings
    plain = _todays(kind, config.settings) if earlier else config.settings
    return replace(config, settings=from_plain(kind, plain))


def _todays(kind: Any, plain: Any) -> Any:
    """Settings of an earlier schema, without those that the strategy no longer has."""
    whole, known = completed(kind, plain), names_of(kind)
    return {name: own for name, own in whole.items() if name in known} if isinstance(whole, dict) else whole
