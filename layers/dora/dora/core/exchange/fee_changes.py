"""Fees that are announced to change, and what holds at a time."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.exchange.market import Event, Series
from dora.core.units import TimeMs

AHEAD_MS = 60_000
"""A quote rests until the next cycle: it is priced by the fees that hold then."""
UNREADABLE = "unreadable"
"""The fee type of a change that is not understood: no market with it is quoted."""


class FeeChange(NamedTuple):
    """Of a series, or of an event's override: None in both clears that. The multiplier counts 1e-4."""

    series_ticker: str
    event_ticker: str
    """Empty: it is of the series."""
    at_ms: int
    fee_type: str | None
    multiplier_e4: int | None


def due(changes: Iterable[FeeChange], now_ms: TimeMs) -> list[FeeChange]:
    """Those that hold by now, or do within a minute, in their order."""
    return sorted((one for one in changes if one.at_ms <= now_ms + AHEAD_MS), key=lambda one: one.at_ms)


def series_after(series: Mapping[str, Series], changes: Iterable[FeeChange]) -> dict[str, Series]:
    """The terms after these changes of series; one that lacks its type or multiplier is not understood."""
    found = dict(series)
    for change in changes:
        own = None if change.event_ticker else found.get(change.series_ticker)
        if own is not None:
            whole = change.fee_type is not None and change.multiplier_e4 is not None
            kind, multiplier = (change.fee_type, change.multiplier_e4) if whole else (UNREADABLE, 0)
            terms = own._replace(fee_type=kind or UNREADABLE, fee_multiplier_e4=multiplier or 0)
            found[change.series_ticker] = terms
    return found


def events_after(events: Mapping[str, Event], changes: Iterable[FeeChange]) -> dict[str, Event]:
    """The events after these changes of their overrides."""
    found = dict(events)
    for change in changes:
        own = found.get(change.event_ticker)
        if own is not None:
            kind, multiplier = change.fee_type, change.multiplier_e4
            found[change.event_ticker] = own._replace(
                fee_type_override=kind, fee_multiplier_override_e4=multiplier
            )
    return found
