"""`pnl`: profit out of the profit rows, which add up to the ledger; and what open positions gained since."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace

import click

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.units import Money, format_count, format_money
from dora_operator.desk import Desk, command, table
from dora_operator.money import cents, total
from dora_operator.reading import Reading

KEYS: Mapping[str, Callable[[ProfitRow], str]] = {
    "day": lambda row: row.day,
    "market": lambda row: row.ticker,
    "event": lambda row: event_of(row.ticker),
    "strategy": lambda row: row.strategy,
    "session": lambda row: row.session_id,
}
FIGURES = (
    "fills",
    "contracts",
    "volume",
    "realised",
    "settlement",
    "unrealised",
    "fees",
    "rewards",
    "profit",
)
EXACT = (*FIGURES, "rewards_estimated")
"""Estimates are in no profit, so the table leaves them out."""


def event_of(ticker: str) -> str:
    """A market's ticker without its last part."""
    return ticker.rpartition("-")[0]


@command("pnl")
@click.option("--by", "key", type=click.Choice(list(KEYS)), default="day", show_default=True)
@click.option("--since", default="", help="First day of the exchange, 2026-11-21.")
@click.option("--until", default="", help="Last day.")
@click.option("--csv", "as_csv", is_flag=True, help="Exact figures as CSV.")
def pnl(desk: Desk, key: str, since: str, until: str, as_csv: bool) -> None:
    """Profit by day, market, event, strategy or session.

    Open positions are marked into these rows at each day's edge; what they gained since stands below.
    """
    reading = Reading(desk.target)
    rows = [row for row in reading.profit_rows() if row.day >= since and (not until or row.day <= until)]
    found = summed(rows, KEYS[key])
    if as_csv:
        click.echo(_csv(key, found), nl=False)
        return
    gained = total(list(reading.open_profit().values()))
    all_of_it = replace(sum_of(list(found.values())), ticker="")
    drawn = table("", (key, *FIGURES), [(name, *_cents(own)) for name, own in found.items()], FIGURES)
    drawn.add_section()
    drawn.add_row("all", *_cents(all_of_it))
    data = {
        "by": key,
        "rows": [{key: name, **dict(zip(EXACT, _exact(own), strict=True))} for name, own in found.items()],
        "open_positions_gained_since_dollars": None if gained is None else format_money(gained),
    }
    note = f"open positions, at the latest marks, since the rows last marked them: {cents(gained) or '?'} $"
    desk.show(data, drawn, note)


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


def _amounts(row: ProfitRow) -> tuple[Money, ...]:
    parts = (row.volume, row.realised, row.settlement, row.unrealised, row.fees, row.rewards)
    return (*parts, row.profit)


def _cents(row: ProfitRow) -> tuple[str, ...]:
    return (str(row.fills), format_count(row.traded), *(cents(own) or "" for own in _amounts(row)))


def _exact(row: ProfitRow) -> tuple[str, ...]:
    amounts = (*_amounts(row), row.rewards_estimated)
    return (str(row.fills), format_count(row.traded), *map(format_money, amounts))


def _csv(key: str, found: Mapping[str, ProfitRow]) -> str:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow((key, *EXACT))
    write.writerows((name, *_exact(own)) for name, own in found.items())
    return out.getvalue()
