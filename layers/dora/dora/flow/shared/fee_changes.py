"""Announced changes of fees: read with the terms that they change, kept in memory, applied when due."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from dora.core.errors import ExchangeError
from dora.core.exchange.fee_changes import FeeChange, due, events_after, series_after
from dora.core.exchange.pacing import READ_COST
from dora.core.ports import Ports
from dora.core.state import ReferenceData
from dora.core.units import TimeMs
from dora.flow.shared.reads import await_tokens
from dora.flow.shared.reported import Reported

FEES = "#fees"
"""Where memory keeps them. Losing them costs two reads."""
_KINDS: tuple[frozenset[type], ...] = (
    frozenset({str}),
    frozenset({str}),
    frozenset({int}),
    frozenset({str, type(None)}),
    frozenset({int, type(None)}),
)


class FeeChanges(NamedTuple):
    """What was announced when it was last read."""

    read_ms: int = 0
    changes: tuple[FeeChange, ...] = ()

    def stored(self) -> dict[str, object]:
        """For memory."""
        return {"read_ms": self.read_ms, "changes": [list(change) for change in self.changes]}


NOTHING_READ = FeeChanges()


def read_fee_changes(stored: Mapping[str, object]) -> FeeChanges:
    """As memory keeps them; where that is not understood they were never read."""
    read_ms, rows = stored.get("read_ms"), stored.get("changes")
    if not isinstance(read_ms, int) or not isinstance(rows, list) or not all(map(_is_change, rows)):
        return NOTHING_READ
    return FeeChanges(read_ms, tuple(FeeChange(*row) for row in rows))


def _is_change(row: object) -> bool:
    if not isinstance(row, list) or len(row) != len(_KINDS):
        return False
    return all(type(part) in kinds for part, kinds in zip(row, _KINDS, strict=True))


def announced(
    ports: Ports, series: Collection[str], before: FeeChanges, *, learned_ms: int, new: Collection[str]
) -> FeeChanges | None:
    """What is announced for these series; None where it had to be read and could not be.

    Read with the hourly terms, and with those of each series that is `new`.
    """
    if not new and before.read_ms >= learned_ms:
        return before
    await_tokens(ports, "read", [READ_COST, READ_COST])
    with Reported(ports.facts, "announced changes of fees", ExchangeError):
        changes = ports.exchange.fee_changes()
        ours = tuple(change for change in changes if change.series_ticker in series)
        return FeeChanges(max(ports.clock.now_ms(), learned_ms), ours)
    return None


def with_changes(reference: ReferenceData, announced: FeeChanges, now_ms: TimeMs) -> ReferenceData:
    """The terms as they hold now."""
    changes = due(announced.changes, now_ms)
    if not changes:
        return reference
    events = events_after(reference.events, changes)
    return reference._replace(events=events, series=series_after(reference.series, changes))
