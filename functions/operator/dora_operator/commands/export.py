"""`export --year`: fills and payouts of a year as files, exact, for whoever does the taxes."""

import csv
import io
from pathlib import Path

import click

from dora.core.calendar import exchange_day, format_time
from dora.core.exchange.account import Settlement
from dora.core.units import format_money, format_price
from dora_operator.commands.fills import csv_of, row_of
from dora_operator.desk import Desk, command, pairs
from dora_operator.failures import Exit, OperatorError
from dora_operator.reading import Reading

PAYOUTS = ("time", "market", "result", "value", "revenue", "fee")


@command("export")
@click.option("--year", required=True, type=click.IntRange(2000, 2999), help="Of the exchange's days.")
@click.option("--out", default=".", type=click.Path(path_type=Path, file_okay=False), help="Folder.")
def export(desk: Desk, year: int, out: Path) -> None:
    """One year's fills and payouts as files, for taxes.

    Fills are kept for 120 days: export more often than that, and keep the files. Payouts are kept for good.
    """
    reading = Reading(desk.target)
    fills = [row_of(own) for own in reading.fills() if exchange_day(own.at_ms)[:4] == str(year)]
    paid = [own for own in reading.payouts() if exchange_day(own.settled_ms)[:4] == str(year)]
    out.mkdir(parents=True, exist_ok=True)
    written = {
        f"{desk.target.bot}-fills-{year}.csv": csv_of(fills),
        f"{desk.target.bot}-payouts-{year}.csv": _payouts(paid),
    }
    for name, text in written.items():
        _whole(out / name, text)
    counts = {"fills": len(fills), "payouts": len(paid)}
    desk.show({**counts, "files": list(written)}, pairs("", [*counts.items(), ("files", ", ".join(written))]))


def _payouts(paid: list[Settlement]) -> str:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(PAYOUTS)
    for own in sorted(paid, key=lambda one: (one.settled_ms, one.ticker)):
        figures = (format_price(own.value), format_money(own.revenue), format_money(own.fee))
        write.writerow((format_time(own.settled_ms), own.ticker, own.result, *figures))
    return out.getvalue()


def _whole(path: Path, text: str) -> None:
    """A file that is there is whole: written beside it, then put in its place."""
    draft = path.with_suffix(".part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error}", exit_code=Exit.USAGE) from None
