"""`pnl`: profit out of the profit rows, which add up to the ledger, open positions at their latest marks."""

import csv
import io
from collections.abc import Mapping, Set

import click

from dora.core.accounts.profit_rows import ProfitRow
from dora.core.units import Money, format_count, format_money
from dora_operator.desk import Desk, command, table, text
from dora_operator.money import cents, exact, total
from dora_operator.profit import KEYS, earned, sum_of
from dora_operator.reading import Reading

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


@command("pnl")
@click.option("--by", "key", type=click.Choice(list(KEYS)), default="day", show_default=True)
@click.option("--since", default="", help="First day of the exchange, 2026-11-21.")
@click.option("--until", default="", help="Last day.")
@click.option("--csv", "as_csv", is_flag=True, help="Exact figures as CSV.")
def pnl(desk: Desk, key: str, since: str, until: str, as_csv: bool) -> None:
    """Profit by day, market, event, strategy or session.

    Open positions count at their latest marks. What they gained since the last day's edge is no row of the
    ledger yet: it stands where the edge will book it.
    """
    reading = Reading(desk.target)
    found, dark, gained = earned(reading, key, since, until)
    if as_csv:
        click.echo(_csv(key, found, dark), nl=False)
        return
    shown = [(name, *_cents(own, known=name not in dark)) for name, own in found.items()]
    drawn = table("", (key, *FIGURES), shown, FIGURES)
    drawn.add_section()
    whole = sum_of(list(found.values()))
    drawn.add_row("all", *(text(own) for own in _cents(whole, known=not dark)))
    added = total(gained)
    data = {
        "by": key,
        "rows": [
            {key: name, **dict(zip(EXACT, _exact(own, known=name not in dark), strict=True))}
            for name, own in found.items()
        ],
        "open_positions_gained_since_dollars": exact(added),
    }
    desk.show(data, drawn, f"of it {cents(added) or '?'} $ by open positions since the last day's edge")


def _amounts(row: ProfitRow) -> tuple[Money, ...]:
    parts = (row.volume, row.realised, row.settlement, row.unrealised, row.fees, row.rewards)
    return (*parts, row.profit)


def _cents(row: ProfitRow, *, known: bool) -> tuple[str | None, ...]:
    amounts = (cents(own) for own in _amounts(row))
    return _dimmed((str(row.fills), format_count(row.traded), *amounts), known=known)


def _exact(row: ProfitRow, *, known: bool) -> tuple[str | None, ...]:
    amounts = map(format_money, (*_amounts(row), row.rewards_estimated))
    return _dimmed((str(row.fills), format_count(row.traded), *amounts), known=known)


def _dimmed(figures: tuple[str | None, ...], *, known: bool) -> tuple[str | None, ...]:
    """Without a mark of an open position, what rests on it is not known."""
    if known:
        return figures
    return tuple(
        None if name in {"unrealised", "profit"} else own for name, own in zip(EXACT, figures, strict=False)
    )


def _csv(key: str, found: Mapping[str, ProfitRow], dark: Set[str]) -> str:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow((key, *EXACT))
    for name, own in found.items():
        figures = _exact(own, known=name not in dark)
        write.writerow((name, *("?" if figure is None else figure for figure in figures)))
    return out.getvalue()
