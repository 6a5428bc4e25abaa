"""Holds a demo's figures to what they must be: `python -m tests.demo.check SUMMARY [SAME_RUN_AGAIN]`.

With a second summary, the two runs must agree on everything but how long they took.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.demo.labels import MUST_BE_ZERO

SIDES = 2
NEEDED = (*MUST_BE_ZERO, "placed", "mean_batch", "slot_cycles_quoted", "cycles", "markets", "fills")


# The recorded markets are quoted as the defaults have it: after ten minutes, in books of 3 cents and more,
# and not while they run. That is one slot in six, and still enough orders at once to test batches.
def complaints(summary: Mapping[str, Any]) -> list[str]:
    """What is wrong with one summary; a figure that is absent is wrong too."""
    absent = sorted(set(NEEDED) - summary.keys())
    if absent:
        return [f"absent: {', '.join(absent)}"]
    slot_cycles = summary["cycles"] * summary["markets"] * SIDES
    wanted = {
        "placed >= 500": summary["placed"] >= 500,
        "mean_batch >= 3": summary["mean_batch"] >= 3,
        f"slot_cycles_quoted >= an eighth of {slot_cycles}": summary["slot_cycles_quoted"] * 8
        >= slot_cycles
        > 0,
        "fills > 0": summary["fills"] > 0,
        **{f"{name} == 0": summary[name] == 0 for name in MUST_BE_ZERO},
    }
    return [f"not {claim}" for claim, holds in wanted.items() if not holds]


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Figures in which two runs of the same session differ, the duration aside."""
    names = sorted((first.keys() | second.keys()) - {"seconds"})
    return [
        f"{name}: {first.get(name)!r} then {second.get(name)!r}"
        for name in names
        if first.get(name) != second.get(name)
    ]


def main(paths: list[str]) -> None:
    """Print one line, or exit with the complaints."""
    summaries = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    found = [complaint for summary in summaries for complaint in complaints(summary)]
    found += [
        f"not repeatable: {line}" for other in summaries[1:] for line in differences(summaries[0], other)
    ]
    if found:
        sys.exit("demo: " + "; ".join(found))
    print(f"demo: {len(summaries)} run(s) hold")


if __name__ == "__main__":
    main(sys.argv[1:])
