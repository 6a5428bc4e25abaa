"""What the replay's own document says each strategy came to, read out of its tables."""

import re
from datetime import datetime
from typing import NamedTuple

from tests.house.checkout import ROOT

DOCUMENT = ROOT / "tests/replay/README.md"


class Outcome(NamedTuple):
    """One row of a recording's table, as it is written there."""

    cents: str
    interval: str
    end: str
    drawdown: str


class Recording(NamedTuple):
    """One recording. `outcomes` by (strategy, fill model)."""

    markets: int
    hours: float
    outcomes: dict[tuple[str, str], Outcome]


def recording(name: str, text: str) -> Recording:
    """What the document says of it."""
    head, _, after = text.partition(f"### {name}: ")[2].partition("\n")
    first, last = (datetime.fromisoformat(moment) for moment in re.findall(r"\d{4}-\d\d-\d\dT\S+Z", head))
    rows = after.partition("```\n")[2].partition("\n```")[0].splitlines()[1:]
    return Recording(
        markets=int(head.partition(" ")[0]),
        hours=(last - first).total_seconds() / 3_600,
        outcomes=dict(_outcome(row) for row in rows),
    )


def _outcome(row: str) -> tuple[tuple[str, str], Outcome]:
    strategy, model, cents, *_ = row.split()
    *_, end, _fees, _largest, drawdown = row.split()
    between = re.search(r"-?[\d.]+ \.\. -?[\d.]+", row)
    return (strategy, model), Outcome(cents, between[0] if between else "", end, drawdown)
