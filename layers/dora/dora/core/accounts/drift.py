"""Drift: our position and the exchange's own count disagree. It is watched, and it heals by a dated entry.

    agree ──differ──> watched ──a later snapshot shows the same, no fill between──> entry (position adjusted)
                         │  └──anything changed──> watched from here
                         └──agree again (a fill came late)──> agree

A snapshot proves something only where it cannot be older than our books. A row is dated by its own time: one
from before our latest fill shows less than we know. A flat market has no row, and neither has one that a list
lost; the stamp of a list may also run ahead of what it describes. So absence counts only a good while after
our latest fill, and where every list of such a while lacks the row.

Drift that stood in the very first comparison is no drift: the account held it before the books began, and the
entry opens them. Later fills older than any entry explain it (`core/accounts/booking.py`).
"""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.accounts.booking import PositionEntry
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.units import Count, Money, TimeMs

ABSENCE_MS = 10 * 60_000
"""As far as the stamp of a list was ever seen ahead of its rows."""
LASTING_MS = 15 * 60_000
"""Drift that stands this long heals by nothing known: a person is to look."""
_SECOND_MS = 1_000


class HeldPosition(NamedTuple):
    """The exchange's row of one market: net contracts, what they cost on their leg, and the row's time."""

    ticker: str
    shard: int
    net: Count
    cost: Money
    updated_ms: TimeMs


class PositionSnapshot(NamedTuple):
    """A complete list of positions that describes the account at `as_of_ms` or a little before."""

    as_of_ms: TimeMs
    held: Mapping[str, HeldPosition]
    left_out: frozenset[str] = frozenset()
    """Markets that cannot be compared: over, so that their rows drop out, or of a row not understood."""


class DriftWatch(NamedTuple):
    """A market whose counts differ: what was seen of it, and when first."""

    ticker: str
    shard: int
    ours: Count
    theirs: Count
    cost: Money
    fills: int
    """Booked by us when it was seen."""
    dated_ms: TimeMs
    """Every fill up to then is in the exchange's count; 0: it may be older than our books."""
    as_of_ms: TimeMs
    since_ms: TimeMs
    opening: bool = False

    @property
    def figures(self) -> tuple[int, ...]:
        """What a second look must find as it was."""
        return self.ours, self.theirs, self.cost, self.fills, self.dated_ms > 0

    def lasts(self, now_ms: TimeMs) -> bool:
        """Whether it stands longer than anything that heals by itself."""
        return now_ms - self.since_ms >= LASTING_MS


class DriftReview(NamedTuple):
    """What a comparison came to: markets still to be watched, and entries to be posted."""

    watches: Mapping[str, DriftWatch]
    entries: tuple[PositionEntry, ...]


def review_drift(
    ledgers: Mapping[str, MarketLedger],
    snapshot: PositionSnapshot,
    watches: Mapping[str, DriftWatch],
    *,
    first: bool,
) -> DriftReview:
    """Compare the books with one snapshot. `first`: they were never compared before."""
    watched: dict[str, DriftWatch] = {}
    entries = []
    for ticker in sorted((ledgers.keys() | snapshot.held.keys()) - snapshot.left_out):
        seen = _seen(ticker, ledgers.get(ticker), snapshot, opening=first)
        if seen is None:
            continue
        before = watches.get(ticker)
        if before is not None and _confirms(before, seen):
            entries.append(_entry(seen, opening=before.opening))
        else:
            watched[ticker] = _watched(before, seen)
    return DriftReview(watched, tuple(entries))


def _seen(
    ticker: str, ledger: MarketLedger | None, snapshot: PositionSnapshot, *, opening: bool
) -> DriftWatch | None:
    """The drift of one market in this snapshot, None where there is none."""
    held = snapshot.held.get(ticker)
    if ledger is None and held is not None:
        ledger = MarketLedger(ticker=ticker, shard=held.shard)
    theirs = held.net if held else Count(0)
    if ledger is None or ledger.settled or ledger.net == theirs:
        return None
    return DriftWatch(
        ticker=ticker,
        shard=ledger.shard,
        ours=ledger.net,
        theirs=theirs,
        cost=held.cost if held else Money(0),
        fills=ledger.fills,
        dated_ms=_dated_ms(ledger, held, snapshot.as_of_ms),
        as_of_ms=snapshot.as_of_ms,
        since_ms=snapshot.as_of_ms,
        opening=opening,
    )


def _dated_ms(ledger: MarketLedger, held: HeldPosition | None, as_of_ms: TimeMs) -> TimeMs:
    """Up to when the exchange's count is complete; 0 where our books may know more."""
    newest_ms = max(ledger.filled_ms, ledger.adjusted_ms, ledger.opened_ms)
    if held is None:
        return as_of_ms if as_of_ms - newest_ms >= ABSENCE_MS else TimeMs(0)
    # A time without a fraction may stand for its whole second.
    whole = not held.updated_ms % _SECOND_MS
    until_ms = TimeMs(held.updated_ms + (_SECOND_MS - 1 if whole else 0))
    return until_ms if until_ms >= newest_ms else TimeMs(0)


def _confirms(before: DriftWatch, seen: DriftWatch) -> bool:
    """Whether this is a later look at what was seen, and both prove it."""
    least_ms = 1 if seen.theirs else ABSENCE_MS
    later = seen.as_of_ms - before.as_of_ms >= least_ms
    return seen.dated_ms > 0 and seen.figures == before.figures and later


def _watched(before: DriftWatch | None, seen: DriftWatch) -> DriftWatch:
    """What is seen unchanged is watched from its first look on."""
    if before is None:
        return seen
    if seen.figures == before.figures:
        return before
    return seen._replace(since_ms=before.since_ms, opening=before.opening)


def _entry(seen: DriftWatch, *, opening: bool) -> PositionEntry:
    return PositionEntry(
        ticker=seen.ticker,
        shard=seen.shard,
        net=seen.theirs,
        cost=seen.cost,
        at_ms=seen.dated_ms,
        opening=opening,
    )
