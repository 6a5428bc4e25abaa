"""What a person is told once a day, in words: profit, positions, the worst case, warnings, cost.

What is not known is said to be unknown, never shown as zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.units import Money, format_money

MONTH_BY_MARKETS = ((1, 840_000), (40, 1_690_000), (1_000, 7_050_000))
"""What AWS asks a month for so many markets, by use, in 1e-6 $: the table of functions/README.md."""
MONTH_FIXED = Money(6_400_000)
"""Metrics, alarms, the secret and the alarms' key, whatever the markets; a dashboard may come on top."""
DAYS_A_MONTH = 30
CENT = 10_000
POSITIONS_SHOWN = 20
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What is known in the morning. Texts are dollars and contracts as people write them; None: unknown."""

    day: str
    """The exchange's day that is over, YYYY-MM-DD."""
    earned: ProfitRow
    """Of that day, all markets together."""
    today: str | None
    """Profit since the exchange's midnight."""
    positions: Mapping[str, str]
    worst_loss: str | None
    worst_loss_cap: str | None
    markets: int | None
    quoted: int | None
    warnings: tuple[str, ...]


def subject_of(told: Digest) -> str:
    """Fits the subject of a mail."""
    alarm = f", {len(told.warnings)} to look at" if told.warnings else ", all well"
    return f"{_dollars(told.earned.profit)} on {told.day}{alarm}"


def text_of(told: Digest) -> str:
    """The mail, by its lines."""
    row, quoted = told.earned, _or_unknown(told.quoted)
    trading = Money(row.realised + row.settlement + row.unrealised)
    lines = [
        f"Profit on {told.day}: {_dollars(row.profit)}, fees taken off.",
        f"  from trades and payouts, open positions at their marks: {_dollars(trading)}",
        f"  fees paid to the exchange: {_dollars(row.fees)}",
        f"  rewards that the exchange credited: {_dollars(row.rewards)}",
        f"Not in the profit: rewards estimated, and not credited: {_dollars(row.rewards_estimated)}.",
        f"Fills: {row.fills}. Profit of today so far: {_or_unknown(told.today)} $.",
        "",
        f"Positions: {_positions(told.positions)}.",
        f"Worst case, if every order filled and every market went against us: a loss of"
        f" {_or_unknown(told.worst_loss)} $, of {_or_unknown(told.worst_loss_cap)} $ that are allowed.",
        f"Markets quoted in the last cycle: {quoted} of {_or_unknown(told.markets)}.",
        "",
        "Warnings:" if told.warnings else "Warnings: none.",
        *(f"  - {warning}" for warning in told.warnings),
        "",
        f"What AWS asks for: {_cost(told.markets)}",
        "To look closer: dora now, dora status.",
        "To stop: dora stop, or the test event `teardown` of the session function in the Lambda console.",
    ]
    return "\n".join(lines)


def day_cost(markets: int) -> Money:
    """What a day of so many markets costs in AWS, in between of what was measured."""
    (_, most), last = MONTH_BY_MARKETS[-1], MONTH_BY_MARKETS[-1][0]
    month = most * markets // last if markets > last else MONTH_BY_MARKETS[0][1]
    for (low, cheap), (high, dear) in pairwise(MONTH_BY_MARKETS):
        if low <= markets <= high:
            month = cheap + (dear - cheap) * (markets - low) // (high - low)
    return Money((month + MONTH_FIXED) // DAYS_A_MONTH)


def _cost(markets: int | None) -> str:
    if markets is None:
        return f"{UNKNOWN}, for no cycle said how many markets there are."
    return f"about {_dollars(day_cost(markets))} a day, by estimate for {markets} markets."


def _positions(held: Mapping[str, str]) -> str:
    if not held:
        return "none"
    shown = [f"{ticker} {count}" for ticker, count in sorted(held.items())[:POSITIONS_SHOWN]]
    more = len(held) - len(shown)
    return f"{len(held)} markets ({', '.join(shown)}{f', and {more} more' if more else ''})"


def _or_unknown(value: object) -> str:
    return UNKNOWN if value is None else str(value)


def _dollars(value: Money) -> str:
    """To the cent, with its sign before the dollars."""
    cents = (abs(value) + CENT // 2) // CENT
    sign = "-" if value < 0 and cents else ""
    return f"{sign}{format_money(Money(cents * CENT))[:-4]} $"
