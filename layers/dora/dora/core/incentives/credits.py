"""Which program a credit is of: the exchange names none, the balance only rises.

A credit is matched with a program whose period ended half a day to four days before, that the exchange lists
as paid out, and whose estimate is near it. Where more than one fits, or none, the cash stays the account's.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from dora.core.units import Money, TimeMs
from dora.core.zones import DAY_MS, HOUR_MS

EARLIEST_MS, LATEST_MS = 12 * HOUR_MS, 4 * DAY_MS
NEAR_PERCENT = 30
"""An estimate from one look a minute may be off by as much."""


class Ended(NamedTuple):
    """A program whose period is over, and what it was expected to pay."""

    program_id: str
    ticker: str
    end_ms: int
    estimate: int


def of_credit(
    amount: Money, found_ms: TimeMs, ended: Iterable[Ended], paid_out: Collection[str]
) -> Ended | None:
    """The one program that this cash can be of; None: there is none, or more than one."""
    fit = [own for own in awaited(ended, found_ms) if own.program_id in paid_out and _near(own, amount)]
    return fit[0] if len(fit) == 1 else None


def awaited(ended: Iterable[Ended], now_ms: TimeMs) -> list[Ended]:
    """Those that may be credited now."""
    return [own for own in ended if own.estimate > 0 and EARLIEST_MS <= now_ms - own.end_ms <= LATEST_MS]


def _near(own: Ended, amount: Money) -> bool:
    return abs(amount - own.estimate) * 100 <= NEAR_PERCENT * own.estimate
