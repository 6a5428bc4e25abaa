"""What is shown while a demo runs (standard error) and at its end (standard output)."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.demo.labels import LABELS, MUST_BE_ZERO
from tests.demo.summary import Summary
from tests.simulator.invariants import Breach
from tests.world.bot import Answer

LINE_EVERY = 10
MOST_BREACHES = 5
Hear = Callable[[int, Answer], None]


@contextmanager
def shown(cycles: int) -> Iterator[Hear]:
    """A bar on a terminal, a line every ten cycles anywhere else."""
    if sys.stderr.isatty():
        with _bar(cycles) as hear:
            yield hear
    else:
        yield lambda number, answer: _line(number, cycles, answer)


@contextmanager
def _bar(cycles: int) -> Iterator[Hear]:
    texts = TextColumn("cycles"), TextColumn("{task.fields[said]}")
    columns = (texts[0], BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), texts[1])
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("cycles", total=cycles, said="")
        yield lambda number, answer: progress.update(task, completed=number, said=_said(answer))


def _line(number: int, cycles: int, answer: Answer) -> None:
    if number % LINE_EVERY == 0 or number == cycles:
        print(f"cycle {number}/{cycles}: {_said(answer)}", file=sys.stderr, flush=True)


def _said(answer: Answer) -> str:
    words = " ".join(f"{name} {answer[name]}" for name in ("placed", "cancelled", "kept") if name in answer)
    return f"{answer['status']} {words}".rstrip()


def _cell(value: object) -> str:
    return "none" if value is None else str(value)


def show_summary(summary: Summary, breaches: tuple[Breach, ...]) -> None:
    """The table of all figures; what must be zero and is not is red."""
    table = Table(title="Dora, one session", title_justify="left", show_header=False)
    for name, value in summary.items():
        if isinstance(value, dict):
            continue
        bad = name in MUST_BE_ZERO and value != 0
        table.add_row(LABELS[name], f"[bold red]{value}[/]" if bad else _cell(value))
    console = Console()
    console.print(table)
    for breach in breaches[:MOST_BREACHES]:
        console.print(f"{breach.invariant} at {breach.at_ms}: {breach.text}", style="red", markup=False)
