"""What a soak says: a table, `soak.json`, and of every breach how to see it again."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.soak.day import Day, kinds
from tests.soak.quoting import Quoting
from tests.soak.seeds import SeedResult

MOST_BREACHES = 20
LEAST_RATIO = 0.95
LEAST_SHARE = 0.75
"""Of the twin's slot-minutes with nothing excused but rests: what faults force must stay the exception."""

Summary = dict[str, Any]


def summarize(results: list[SeedResult], seconds: float) -> Summary:
    """The figures of all seeds together."""
    outcomes, quoting = [result.outcome for result in results], Quoting()
    faults: Counter[str] = Counter()
    for result in results:
        quoting.add(result.quoting)
        faults += result.outcome.struck
    first, cycles = results[0], sum(outcome.cycles for outcome in outcomes)
    return {
        "seeds": len(results),
        "virtual_hours": sum(result.day.minutes for result in results) / 60,
        "cycles": cycles,
        "markets": first.day.markets,
        "shards": first.outcome.shards,
        "levels": first.day.levels,
        "placed": sum(outcome.placed for outcome in outcomes),
        "fills": sum(outcome.fills for outcome in outcomes),
        "faults": faults.total(),
        "faults_by_kind": dict(sorted(faults.items())),
        "kinds_missing": sorted(set(kinds()) - faults.keys()),
        "checks": sum(o.seen.events + o.seen.intents + o.audits + o.settled for o in outcomes),
        "broken": sum(len(outcome.broken) for outcome in outcomes),
        "quoted_ratio": round(quoting.ratio, 4),
        "quoted_share": round(quoting.share, 4),
        "quoted_slot_minutes": quoting.quoted,
        "twin_slot_minutes": quoting.twin,
        "forced_slot_minutes": quoting.forced,
        "missed_by_reason": dict(sorted(quoting.missed.items())),
        "stood_aside_by_reason": dict(sorted(quoting.aside.items())),
        "cancel_404": sum(outcome.cancel_404 for outcome in outcomes),
        "statuses": dict(sum((outcome.statuses for outcome in outcomes), Counter[str]())),
        "seconds": round(seconds, 1),
        "cycles_per_second": round(2 * cycles / sum(result.seconds for result in results), 1),
    }


def passed(summary: Summary) -> bool:
    """Nothing broken, and not by standing still."""
    alive = summary["quoted_ratio"] >= LEAST_RATIO and summary["quoted_share"] >= LEAST_SHARE
    return alive and summary["fills"] > 0 and summary["broken"] == 0


def write(summary: Summary, results: list[SeedResult], folder: Path) -> None:
    """`soak.json`, and beside it the plan of every seed with a breach."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.json").write_text(json.dumps(summary, indent=2) + "\n")
    for result in results:
        if result.shortest is not None:
            _plan_file(folder, result.day).write_text(result.shortest.text() + "\n")


def show(summary: Summary, results: list[SeedResult], folder: Path) -> None:
    """The table, then every breach."""
    console = Console()
    table = Table(title="Dora, virtual days under faults", title_justify="left", show_header=False)
    for name, value in summary.items():
        text = ", ".join(f"{own} {n}" for own, n in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name, f"[bold red]{text}[/]" if _bad(name, value) else text)
    console.print(table)
    for result in results:
        _show_breaches(console, result, folder)


def _bad(name: str, value: Any) -> bool:
    least = {"quoted_ratio": LEAST_RATIO, "quoted_share": LEAST_SHARE, "fills": 1}
    return bool(value) if name == "broken" else name in least and value < least[name]


def _show_breaches(console: Console, result: SeedResult, folder: Path) -> None:
    for breach in result.outcome.broken[:MOST_BREACHES]:
        text = f"seed {result.day.seed}: {breach.invariant} at {breach.at_ms}: {breach.text}"
        console.print(text, style="red", markup=False)
    if result.shortest is None or result.replayed is None:
        return
    day = result.day
    console.print(f"seed {day.seed}: brought about by", markup=False)
    console.print(result.shortest.text(), markup=False, soft_wrap=True)
    command = f"make soak PLAN={_plan_file(folder, day)} SEED={day.seed} HOURS={day.minutes / 60:g}"
    kind = (" PAID=1" if day.paid else "") + (" GROUP_BY=event" if day.group_by == "event" else "")
    console.print(f"again: {command} MARKETS={day.markets}{kind}", markup=False, soft_wrap=True)
    console.print(f"its events: {result.replayed.seen.digest}", markup=False, soft_wrap=True)


def _plan_file(folder: Path, day: Day) -> Path:
    return folder / f"soak-{day.seed}.plan"
