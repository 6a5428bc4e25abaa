"""The table of a sweep: the split, every candidate on the days that choose, and which one was chosen."""

from tests.replay.report import Row, table
from tests.replay.score import E7_PER_DOLLAR
from tests.replay.sweep import Swept


def sweep_table(swept: Swept) -> str:
    """What was tried where. The judgement stands in the tables of the judging days."""
    split = swept.split
    names = list(swept.candidates[0][1])
    heads = [
        "setting",
        "quote-hours",
        *(f"{name} c/qh" for name in names),
        *(f"{name} $" for name in names),
        "",
    ]
    return "\n".join(
        [
            f"choosing days: {', '.join(split.choosing_days)} ({len(split.choosing.tracks)} markets)",
            f"judging days:  {', '.join(split.judging_days)} ({len(split.judging.tracks)} markets)",
            table(heads, _rows(swept, names)),
            "chosen by pess c/qh on the choosing days; judged once, below. $: after 30 minutes",
        ]
    )


def _rows(swept: Swept, names: list[str]) -> list[Row]:
    return [
        [
            " ".join(f"{key}={given[key]}" for key in swept.keys),
            f"{by_model['pess'].total.quote_hours:.1f}",
            *(f"{by_model[name].cents:.2f}" for name in names),
            *(f"{by_model[name].total.after_30 / E7_PER_DOLLAR:.2f}" for name in names),
            "chosen" if given == swept.chosen else "",
        ]
        for given, by_model in swept.candidates
    ]
