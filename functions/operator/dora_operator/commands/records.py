"""`records`: what the account did, as CSV."""

from pathlib import Path

import click

from dora.core.accounts.records import csv_lines
from dora.edge.dynamo.records import read_records
from dora_operator.desk import Desk, command
from dora_operator.failures import Exit, OperatorError


@command("records")
@click.option("--year", default="", help="Of the exchange's calendar alone, as 2026.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a file instead of showing it.")
def records(desk: Desk, year: str, out: Path | None) -> None:
    """Every fill, payout and other cash, one CSV line each.

    They are kept for seven years. Reading them costs a read unit for some twenty lines.
    """
    if year and not (len(year) == len("2026") and year.isdecimal()):
        raise OperatorError(f"{year!r} is no year", "say --year 2026", Exit.USAGE)
    if out is not None and out.exists():
        raise OperatorError(f"{out} is there already", "name another file with --out", Exit.USAGE)
    target = desk.target
    found = read_records(target.client("dynamodb"), target.state_table, target.state_key)
    lines = list(csv_lines(found, year))
    if out is None:
        click.echo("\n".join(lines))
        return
    out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    desk.note(f"written: {out}, {len(lines) - 1} lines")
