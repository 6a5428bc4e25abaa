"""Several recordings as one: the same figures over the event-days of all of them."""

from dataclasses import dataclass, field
from typing import Any

from tests.replay.fill_models import MODELS
from tests.replay.report import table
from tests.replay.run import Result
from tests.replay.score import ADDED, E7_PER_DOLLAR, Score, interval


@dataclass
class _Sum:
    """One strategy under one fill model, over all recordings that allow the model."""

    side_contracts: float
    recordings: int = 0
    total: Score = field(default_factory=Score)
    clusters: list[Score] = field(default_factory=list)


class Total:
    """Results are added as they come; only their sums and event-days are held."""

    def __init__(self) -> None:
        self.recordings = 0
        self._sums: dict[tuple[str, str], _Sum] = {}

    def add(self, result: Result) -> None:
        """One more recording."""
        self.recordings += 1
        for strategy, by_model in result.strategies.items():
            for model, outcome in by_model.items():
                found = self._sums.setdefault((strategy, model), _Sum(outcome.setting.side_contracts))
                found.recordings += 1
                found.clusters += outcome.by_event_day.values()
                for name in ADDED:
                    setattr(found.total, name, getattr(found.total, name) + getattr(outcome.total, name))

    def as_json(self) -> dict[str, Any]:
        """As for one recording; null under a model that no recording allows."""
        strategies = dict.fromkeys(strategy for strategy, _ in self._sums)
        return {
            strategy: {model.name: self._figures(strategy, model.name) for model in MODELS}
            for strategy in strategies
        }

    def _figures(self, strategy: str, model: str) -> dict[str, float | None] | None:
        found = self._sums.get((strategy, model))
        if found is None:
            return None
        low, high = interval(found.clusters, found.side_contracts) or (None, None)
        return {
            "cents_per_quote_hour": round(found.total.cents_per_quote_hour(found.side_contracts), 4),
            "low": None if low is None else round(low, 4),
            "high": None if high is None else round(high, 4),
            "contracts_per_quote_hour": round(found.total.contracts_per_quote_hour, 4),
            "quoted_share": round(found.total.quoted_share, 4),
            "end_dollars": round(found.total.ended / E7_PER_DOLLAR, 4),
        }

    def table(self) -> str:
        """The sums, and over how many recordings they go."""
        heads = ["all recordings", "fills", "recordings", "c/qh", "95 %", "contracts/qh", "quoted", "end $"]
        rows = []
        for (strategy, model), found in self._sums.items():
            between = interval(found.clusters, found.side_contracts)
            rows.append(
                [
                    strategy,
                    model,
                    str(found.recordings),
                    f"{found.total.cents_per_quote_hour(found.side_contracts):.2f}",
                    f"{between[0]:.1f} .. {between[1]:.1f}" if between else "",
                    f"{found.total.contracts_per_quote_hour:.2f}",
                    f"{found.total.quoted_share:.0%}",
                    f"{found.total.ended / E7_PER_DOLLAR:.2f}",
                ]
            )
        return table(heads, rows)
