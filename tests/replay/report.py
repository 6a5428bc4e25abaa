"""The result of a replay as tables for people and as JSON for programs."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dora.core.calendar import format_time
from dora.core.errors import ConfigInvalid
from dora.core.units import CONTRACT, TimeMs
from tests.replay.baselines import NOTHING
from tests.replay.claims import conclusions, is_bound
from tests.replay.fill_models import MODELS
from tests.replay.run import Outcome, Result
from tests.replay.score import (
    E7_PER_DOLLAR,
    Score,
    cents_per_hour,
    grouped,
    largest_position,
    share_to_break_even,
)
from tests.replay.splits import parts

Row = Sequence[str]
EMPTY = {
    "cents_per_quote_hour": 0.0,
    "low": 0.0,
    "high": 0.0,
    "contracts_per_quote_hour": 0.0,
    "quoted_share": 0.0,
    "end_dollars": 0.0,
}


def as_json(result: Result) -> dict[str, Any]:
    """`{strategy: {pess|infer|opt: figures}}`; null where the recording lacks what a model needs."""
    models = [model.name for model in MODELS]
    played = {
        name: {model: _figures(by_model[model]) if model in by_model else None for model in models}
        for name, by_model in result.strategies.items()
    }
    able = next(iter(result.strategies.values()))
    return played | {NOTHING: {model: EMPTY if model in able else None for model in models}}


def _figures(outcome: Outcome) -> dict[str, float | None]:
    low, high = outcome.interval or (None, None)
    total = outcome.total
    return {
        "cents_per_quote_hour": round(outcome.cents, 4),
        "low": None if low is None else round(low, 4),
        "high": None if high is None else round(high, 4),
        "contracts_per_quote_hour": round(total.contracts_per_quote_hour, 4),
        "quoted_share": round(total.quoted_share, 4),
        "end_dollars": round(total.ended / E7_PER_DOLLAR, 4),
    }


def table(heads: Row, rows: Sequence[Row]) -> str:
    """Columns as wide as they must be, the first one to the left."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = []
    for row in (heads, *rows):
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)),
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def summary(result: Result) -> str:
    """What a person reads first."""
    return "\n\n".join([_head(result), _totals(result), _why(result), _notes(result)])


def details(result: Result) -> str:
    """Everything: splits, event-days and markets of every strategy that is no baseline."""
    return "\n\n".join([summary(result), *_sections(result)])


def _head(result: Result) -> str:
    tape = result.tape
    first, last = (format_time(TimeMs(at)) for at in (tape.stretches[0].start_ms, tape.end_ms))
    bound = " - bounds, no estimates" if is_bound(tape) else ""
    return (
        f"{tape.name}: {len(tape.tracks)} markets, {len(tape.events)} events, {first} to {last}{bound}\n"
        "c/qh: cents per quote-hour for 10 contracts a side, marked 30 minutes after each fill, fees in"
    )


def _totals(result: Result) -> str:
    heads = ["strategy", "fills", "c/qh", "95 %", "contracts/qh", "quoted"]
    heads += ["1 min", "5 min", "30 min", "end", "settled", "end $", "fees $", "largest", "drawdown $"]
    rows = [
        _total_row(name, model, outcome)
        for name, by_model in result.strategies.items()
        for model, outcome in by_model.items()
    ]
    rows.append([NOTHING, "all", "0.00", "", "0.00", "0 %", *[""] * 5, "0.00", "0.00", "0", "0.00"])
    units = "1 min to settled: cents per contract filled, at that time"
    return f"{table(heads, rows)}\n{units}"


def _total_row(name: str, model: str, outcome: Outcome) -> Row:
    total, found = outcome.total, outcome.interval
    per_contract = [total.after_1, total.after_5, total.after_30, total.ended]
    settled = total.cents_per_contract(total.settled, total.settled_contracts)
    return [
        name,
        model,
        f"{outcome.cents:.2f}",
        f"{found[0]:.1f} .. {found[1]:.1f}" if found else "",
        f"{total.contracts_per_quote_hour:.2f}",
        f"{total.quoted_share:.0%}",
        *(f"{total.cents_per_contract(profit):.2f}" for profit in per_contract),
        f"{settled:.2f}" if total.settled_contracts else "",
        f"{total.ended / E7_PER_DOLLAR:.2f}",
        f"{total.fees / E7_PER_DOLLAR:.2f}",
        f"{largest_position(total):.0f}",
        f"{total.drawdown / E7_PER_DOLLAR:.2f}",
    ]


def _why(result: Result) -> str:
    """Why nothing was quoted, under the first fill model: the others differ by their positions only."""
    rows = []
    for name, by_model in result.strategies.items():
        total = next(iter(by_model.values())).total
        told = [f"{why} {count / total.minutes:.1%}" for why, count in total.reasons.most_common(8)]
        rows.append(f"{name}, not quoted: {', '.join(told) or 'never'}")
    return "\n".join(rows)


def _notes(result: Result) -> str:
    lines = [
        f"{name}: {_break_even(by_model)}"
        for name, by_model in result.strategies.items()
        if any(outcome.total.contracts for outcome in by_model.values())
    ]
    return "\n".join([*lines, *conclusions(result)])


def _break_even(by_model: Mapping[str, Outcome]) -> str:
    share = share_to_break_even(by_model["pess"].total, by_model["opt"].total)
    if share is None:
        return "even if every optimistic fill were real it would lose"
    if not share:
        return "no optimistic fill must be real to break even"
    return f"{share:.0%} of what opt fills beyond pess must be real to break even"


def _sections(result: Result) -> Iterator[str]:
    for name, by_model in result.strategies.items():
        for model, outcome in by_model.items():
            yield f"== {name}, {model}"
            yield _splits(result, outcome)
            yield _groups("event and day", outcome.by_event_day, outcome)
            yield _groups("market", grouped(outcome.scored, lambda key: key[0]), outcome)


def _splits(result: Result, outcome: Outcome) -> str:
    rows = [
        [
            name,
            f"{part.quoted / 60:.1f}",
            f"{part.contracts / CONTRACT:.0f}",
            f"{cents_per_hour(part.profit, part.quoted, outcome.setting.side_contracts):.2f}",
            f"{part.profit / E7_PER_DOLLAR:.2f}",
        ]
        for name, part in parts(result, outcome).items()
    ]
    return table(["by", "quote-hours", "contracts", "c/qh", "30 min $"], rows)


Column = tuple[str, Callable[[Score], str]]


def _groups(title: str, groups: Mapping[str, Score], outcome: Outcome) -> str:
    side = outcome.setting.side_contracts
    columns: Sequence[Column] = (
        ("quote-hours", lambda score: f"{score.quote_hours:.1f}"),
        ("quoted", lambda score: f"{score.quoted_share:.0%}"),
        ("c/qh", lambda score: f"{score.cents_per_quote_hour(side):.2f}"),
        ("contracts", lambda score: f"{score.contracts / CONTRACT:.0f}"),
        ("1 min c", lambda score: f"{score.cents_per_contract(score.after_1):.2f}"),
        ("5 min c", lambda score: f"{score.cents_per_contract(score.after_5):.2f}"),
        ("30 min c", lambda score: f"{score.cents_per_contract(score.after_30):.2f}"),
        ("30 min $", lambda score: f"{score.after_30 / E7_PER_DOLLAR:.2f}"),
        ("end $", lambda score: f"{score.ended / E7_PER_DOLLAR:.2f}"),
        ("largest", lambda score: f"{largest_position(score):.0f}"),
        ("drawdown $", lambda score: f"{score.drawdown / E7_PER_DOLLAR:.2f}"),
        ("not quoted, most of all", _most_of_all),
    )
    rows = [[name, *(show(score) for _, show in columns)] for name, score in groups.items()]
    return table([title, *(head for head, _ in columns)], rows)


def _most_of_all(score: Score) -> str:
    found = score.reasons.most_common(1)
    return f"{found[0][0]} {found[0][1] / score.minutes:.0%}" if found and score.minutes else ""


def prepare(folder: Path) -> None:
    """Make the folder of what a run leaves. Raises ConfigInvalid where nothing can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise ConfigInvalid("OUT", f"cannot write in {folder} ({error})", "give another folder") from error


def write(folder: Path, name: str, content: Mapping[str, Any], text: str) -> Path:
    """`<name>.json` and `<name>.txt` in a prepared folder; returns the path of the tables."""
    (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    tables = folder / f"{name}.txt"
    tables.write_text(text + "\n", encoding="utf-8")
    return tables
