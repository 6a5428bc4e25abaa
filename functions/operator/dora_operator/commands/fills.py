"""`fills`: what was traded, as it was booked."""

import csv
import io

import click

from dora.core.calendar import format_time
from dora.core.exchange.account import Fill
from dora.core.units import format_count, format_money, format_price
from dora_operator.desk import Desk, command, table
from dora_operator.reading import Reading

COLUMNS = ("time", "market", "side", "price", "contracts", "fee", "taker", "order", "fill")
FIGURES = ("price", "contracts", "fee")


@command("fills")
@click.option("--market", default="", help="Of one market.")
@click.option("--last", default=30, show_default=True, type=click.IntRange(min=0), help="So many; 0 for all.")
@click.option("--csv", "as_csv", is_flag=True, help="All of them as CSV.")
def fills(desk: Desk, market: str, last: int, as_csv: bool) -> None:
    """What was traded, each fill once."""
    found = [own for own in Reading(desk.target).fills() if market in ("", own.ticker)]
    rows = [row_of(own) for own in found]
    if as_csv:
        click.echo(csv_of(rows), nl=False)
        return
    shown = rows[-last:] if last else rows
    data = [dict(zip(COLUMNS, row, strict=True)) for row in shown]
    desk.show(
        data, table(f"{len(shown)} of {len(rows)} fills", COLUMNS[:-1], [row[:-1] for row in shown], FIGURES)
    )


def row_of(own: Fill) -> tuple[str, ...]:
    """One fill, exact."""
    figures = (format_price(own.price), format_count(own.count), format_money(own.fee))
    taker = "yes" if own.is_taker else "no"
    return (format_time(own.at_ms), own.ticker, str(own.side), *figures, taker, own.order_id, own.fill_id)


def csv_of(rows: list[tuple[str, ...]]) -> str:
    """With a header."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *rows])
    return out.getvalue()
