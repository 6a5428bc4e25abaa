"""`python -m tests.replay_cycle FILE`: an archived cycle decided again; and how a quote of it came about."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as Drawn

from dora_operator.explanation import Table, UnknownMarketError, explanation
from tests.replay_cycle.archived_cycle import NotReplayableError, Replay, replay_file

AGREES, DIFFERS, CANNOT_RUN = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 the same, 1 something differs, 2 no such object or market."""
    options = _options(arguments)
    console = Console(highlight=False, soft_wrap=True)
    try:
        done = replay_file(options.file)
        tables = explanation(done.seen, done.record.decided, options.explain) if options.explain else ()
    except (NotReplayableError, UnknownMarketError) as error:
        sys.stderr.write(f"replay-cycle: {error}\n")
        return CANNOT_RUN
    for table in tables:
        console.print(_drawn(table))
    _say(console, done)
    return AGREES if done.agrees else DIFFERS


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.replay_cycle", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="an archive object, <cycle id>.json.gz")
    parser.add_argument("--explain", metavar="TICKER", help="show how this market's quotes came about")
    return parser.parse_args(arguments)


def _say(console: Console, done: Replay) -> None:
    decided = done.record.decided
    console.print(
        f"cycle {done.record.cycle_id}: {len(decided.decisions)} markets, {len(decided.kept)} orders kept, "
        f"{len(decided.cancels)} cancels, {len(decided.places)} placements",
        markup=False,
    )
    for one in done.found:
        note = "  (last digit of the model)" if one.tolerable else ""
        place = one.market or "the whole plan"
        console.print(f"{place}: {one.fact}: {one.archived} archived, {one.again} now{note}", markup=False)
    console.print(_summary(done), markup=False)


def _summary(done: Replay) -> str:
    if done.exact:
        return "decided again, bit for bit the same"
    markets = {one.market for one in done.found if not one.tolerable}
    return f"decided otherwise in {len(markets)} markets" if markets else "the same but for last digits"


def _drawn(table: Table) -> Drawn:
    drawn = Drawn(*table.columns, title=table.title, title_justify="left")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


if __name__ == "__main__":
    sys.exit(main())
