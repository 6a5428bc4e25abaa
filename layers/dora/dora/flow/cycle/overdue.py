"""Payouts that are late: told once an hour, and in every cycle's record."""

from collections.abc import Sequence

from dora.core.accounts.overdue import OverduePayout
from dora.core.calendar import format_time
from dora.core.ports import Facts
from dora.core.units import Money, TimeMs, format_count, format_money
from dora.core.zones import HOUR_MS

MOST_NAMED = 5
"""In the record, those that tie up most."""


def tell_overdue(facts: Facts, overdue: Sequence[OverduePayout], before_ms: TimeMs, now_ms: TimeMs) -> None:
    """`PAYOUT_OVERDUE` for each, in the first cycle of an hour. `before_ms`: when the last one finished."""
    if before_ms // HOUR_MS == now_ms // HOUR_MS:
        return
    for late in overdue:
        facts.emit(
            "PAYOUT_OVERDUE",
            market=late.ticker,
            status=late.status,
            closed=format_time(late.closed_ms),
            size=format_count(late.net),
            tied_up_dollars=format_money(late.tied_up),
        )


def overdue_fields(overdue: Sequence[OverduePayout]) -> dict[str, object]:
    """Of the cycle's record."""
    named = (f"{late.ticker} {format_money(late.tied_up)}" for late in overdue[:MOST_NAMED])
    return {
        "overdue_payouts": len(overdue),
        "overdue_dollars": format_money(Money(sum(late.tied_up for late in overdue))),
        "overdue_markets": "; ".join(named),
    }
