"""`export`: what the account did, as CSV."""

import csv
from pathlib import Path

import click

from dora.core.accounts.records import csv_lines
from dora.edge.dynamo.records import read_records
from dora_operator.desk import Desk, command
from dora_operator.whole_file import new_place, write_whole


@command("export")
@click.option("--year", type=click.IntRange(2000, 2999), help="Of the exchange's calendar alone, as 2026.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a file instead of showing it.")
def export(desk: Desk, year: int | None, out: Path | None) -> None:
    """Every fill, payout and other cash, one CSV line each, for taxes.

    They are kept for seven years. Reading them costs a read unit for some twenty lines.
    """
    if out is not None:
        new_place(out)
    target = desk.target
    found = read_records(target.client("dynamodb"), target.state_table, target.state_key)
    lines = list(csv_lines(found, str(year or "")))
    if desk.as_json:
        desk.show(list(csv.DictReader(lines)))
    elif out is None:
        click.echo("\n".join(lines))
    if out is None:
        return
    write_whole(out, "".join(f"{line}\n" for line in lines))
    desk.note(f"written: {out}, {len(lines) - 1} lines")
