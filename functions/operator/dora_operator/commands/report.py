"""`report`: the story of a bot's day or week as one page, out of state and archive."""

from pathlib import Path

import click

from dora_operator.commands.now import standing
from dora_operator.desk import Desk, command
from dora_operator.reading import Reading
from dora_operator.report.page import page
from dora_operator.report.story import story
from dora_operator.whole_file import new_place, write_whole

MOST_CYCLES = 288
"""Archived cycles that are read: of a day, one in five."""


@command("report")
@click.option("--days", default=1, show_default=True, type=click.IntRange(1, 30), help="Today and before.")
@click.option("--out", default="report.html", show_default=True, type=click.Path(path_type=Path))
def report(desk: Desk, days: int, out: Path) -> None:
    """Today, or the last days, as one page: profit, quotes, fills, reasons."""
    new_place(out)
    reading = Reading(desk.target)
    told = story(reading, days, MOST_CYCLES)
    write_whole(out, page(f"Dora: {desk.target}", told, list(standing(reading))))
    facts = {"cycles": told.archived, "shown": len(told.moments), "fills": len(told.fills)}
    data = {"file": str(out), **facts}
    desk.show(data, f"written: {out}; {facts['shown']} of {facts['cycles']} cycles, {facts['fills']} fills")
