"""Watched drift between two cycles, as small JSON. What is lost or not understood of it is watched anew."""

from collections.abc import Mapping
from dataclasses import asdict, fields

from dora.core.accounts.drift import DriftWatch

_KINDS: dict[str, type] = {spec.name: str if spec.name == "ticker" else int for spec in fields(DriftWatch)}
_KINDS["opening"] = bool


def to_memory(watches: Mapping[str, DriftWatch]) -> dict[str, object]:
    """By ticker."""
    return {ticker: asdict(watch) for ticker, watch in watches.items()}


def from_memory(memory: Mapping[str, object]) -> dict[str, DriftWatch]:
    """Those that are understood."""
    return {ticker: watch for ticker, plain in memory.items() if (watch := _watch(plain)) is not None}


def _watch(plain: object) -> DriftWatch | None:
    if not isinstance(plain, Mapping) or plain.keys() != _KINDS.keys():
        return None
    if any(type(value) is not _KINDS[name] for name, value in plain.items()):
        return None
    return DriftWatch(**plain)
