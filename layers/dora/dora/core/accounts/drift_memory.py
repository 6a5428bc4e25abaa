"""Watched drift between two cycles, as small JSON. What is lost or not understood of it is watched anew."""

from collections.abc import Mapping

from dora.core.accounts.drift import DriftWatch

_KINDS: dict[str, type] = {name: str if name == "ticker" else int for name in DriftWatch._fields}
_KINDS["opening"] = bool


def to_memory(watches: Mapping[str, DriftWatch]) -> dict[str, object]:
    """By ticker."""
    return {ticker: watch._asdict() for ticker, watch in watches.items()}


def from_memory(memory: Mapping[str, object]) -> dict[str, DriftWatch]:
    """Those that are understood."""
    return {ticker: watch for ticker, plain in memory.items() if (watch := _watch(plain)) is not None}


def _watch(plain: object) -> DriftWatch | None:
    if not isinstance(plain, Mapping) or plain.keys() != _KINDS.keys():
        return None
    if any(type(value) is not _KINDS[name] for name, value in plain.items()):
        return None
    return DriftWatch(**plain)
