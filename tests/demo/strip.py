"""When and why nothing was quoted: what the bot said of each market, cycle by cycle."""

from collections.abc import Mapping
from typing import Any

from tests.demo.observation import CycleRow
from tests.world.output import facts_in

BOTH, ONE = "both sides", "one side"
SILENT = "not looked at"
SIDES = 2


def strips(tickers: tuple[str, ...], cycles: list[CycleRow], log: str) -> dict[str, list[str]]:
    """By market, one word a cycle: `both sides`, `one side`, or the reason for neither.

    A market is told of when its decision changes; a cycle that decided nothing says why for all of them.
    """
    news = _by_cycle(log)
    state = dict.fromkeys(tickers, SILENT)
    found: dict[str, list[str]] = {ticker: [] for ticker in tickers}
    for row in cycles:
        state |= news.get(str(row.answer.get("cycle_id", "")), {})
        blocked = "" if row.answer["status"] == "completed" else str(row.answer.get("reason") or "failed")
        for ticker in tickers:
            found[ticker].append(blocked or state[ticker])
    return found


def _by_cycle(log: str) -> dict[str, dict[str, str]]:
    news: dict[str, dict[str, str]] = {}
    for fact in facts_in(log):
        if fact["event_type"] == "DECISION_MADE":
            news.setdefault(fact["cycle_id"], {})[fact["market"]] = _word(fact)
    return news


def _word(fact: Mapping[str, Any]) -> str:
    sides = {target.split()[0] for target in fact["targets"].split("; ") if target}
    if len(sides) == SIDES:
        return BOTH
    if sides:
        return ONE
    clips = [clip.split() for clip in fact["clip_reasons"].split("; ") if clip]
    return fact["skip_reason"] or (clips[0][2] if clips else "no target")


def most_of_all(words: list[str]) -> str:
    """The reason that held longest where nothing was quoted, with its share of all cycles; "" for none."""
    reasons = [word for word in words if word not in (BOTH, ONE)]
    if not reasons:
        return ""
    worst = max(sorted(set(reasons)), key=reasons.count)
    return f"{worst} {100 * reasons.count(worst) / len(words):.0f} %"


def quoted_share(words: list[str]) -> float:
    """Of all cycles, those in which anything was wanted."""
    return sum(word in (BOTH, ONE) for word in words) / len(words) if words else 0.0
