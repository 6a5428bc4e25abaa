"""What was earned, by whatever it is divided by: the ledger's rows, open positions at their marks."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.units import Money
from dora_operator.reading import Reading

KEYS: Mapping[str, Callable[[ProfitRow], str]] = {
    "day": lambda row: row.day,
    "market": lambda row: row.ticker,
    "event": lambda row: event_of(row.ticker),
    "strategy": lambda row: row.strategy,
    "session": lambda row: row.session_id,
}


class Earned(NamedTuple):
    """A row for each value of a key."""

    rows: Mapping[str, ProfitRow]
    dark: frozenset[str]
    """Those that hold an open position which nobody can price: what they earned is not known."""
    gained: list[Money | None]
    """What each open position gained since the last day's edge; None: not known."""


def earned(reading: Reading, key: str, since: str = "", until: str = "") -> Earned:
    """By `key` of KEYS, from one day of the exchange to another; empty: from the first, to the last."""
    gained = reading.open_profit()
    rows = [
        row
        for row in (*reading.profit_rows(), *_gains(reading, gained))
        if row.day >= since and (not until or row.day <= until)
    ]
    unknown = {ticker for ticker, own in gained.items() if own is None}
    dark = frozenset(KEYS[key](row) for row in rows if row.ticker in unknown)
    return Earned(summed(rows, KEYS[key]), dark, list(gained.values()))


def event_of(ticker: str) -> str:
    """A market's ticker without its last part."""
    return ticker.rpartition("-")[0]


def _gains(reading: Reading, gained: Mapping[str, Money | None]) -> Iterator[ProfitRow]:
    """What the day's edge would book now, by market, beside the market's latest row."""
    latest = {row.ticker: row for row in sorted(reading.profit_rows(), key=lambda row: row.day)}
    for ticker, own in gained.items():
        beside = latest.get(ticker, ProfitRow(day="", ticker=ticker, strategy="", session_id=""))
        yield ProfitRow(
            day=reading.today,
            ticker=ticker,
            strategy=beside.strategy,
            session_id=beside.session_id,
            unrealised=own or Money(0),
        )


def summed(rows: list[ProfitRow], key: Callable[[ProfitRow], str]) -> dict[str, ProfitRow]:
    """One row for each value of the key, in order."""
    parts: dict[str, list[ProfitRow]] = {}
    for row in rows:
        parts.setdefault(key(row), []).append(row)
    return {name: sum_of(parts[name]) for name in sorted(parts)}


def sum_of(rows: list[ProfitRow]) -> ProfitRow:
    """All of them together."""
    whole = ProfitRow(day="", ticker="", strategy="", session_id="")
    for row in rows:
        whole = whole.plus(row)
    return whole
