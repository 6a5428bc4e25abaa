"""Fills that wait for marks between two cycles, as small JSON. What is not understood of it waits no more."""

from collections.abc import Iterable, Mapping
from typing import Any

from dora.core.accounts.markouts import PendingMarkout
from dora.core.units import Count, Money, TimeMs

_KINDS = (str, str, str, int, int, int, int, int)


def to_memory(pending: Iterable[PendingMarkout]) -> dict[str, object]:
    """A row for each."""
    rows = [
        [own.day, own.ticker, own.strategy, own.at_ms, own.net, own.paid, own.contracts, own.marked]
        for own in pending
    ]
    return {"rows": rows}


def from_memory(memory: Mapping[str, object]) -> tuple[PendingMarkout, ...]:
    """Those that are understood."""
    rows = memory.get("rows")
    return tuple(map(_pending, filter(_understood, rows))) if isinstance(rows, list) else ()


def _understood(row: Any) -> bool:
    return isinstance(row, list) and tuple(map(type, row)) == _KINDS


def _pending(row: list[Any]) -> PendingMarkout:
    day, ticker, strategy, at_ms, net, paid, contracts, marked = row
    return PendingMarkout(
        day=day,
        ticker=ticker,
        strategy=strategy,
        at_ms=TimeMs(at_ms),
        net=Count(net),
        paid=Money(paid),
        contracts=Count(contracts),
        marked=marked,
    )
