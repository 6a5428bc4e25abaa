"""Worst loss of events that move together, as a person has named them, in running sums of 1e-6 $.

Nothing is netted between two events of a group: that they move together is why their losses add up.
"""

from collections.abc import Mapping

from dora.core.config import MarketConfig
from dora.core.risk.event_risk import EventRisk


class RiskGroups:
    """An event counts whole in the group of each of its markets."""

    __slots__ = ("_groups_of", "losses")

    def __init__(self, event_of: Mapping[str, EventRisk], configs: Mapping[str, MarketConfig]) -> None:
        """`event_of`: each market's event, with everything that is held and rests counted already."""
        self._groups_of: dict[EventRisk, list[str]] = {}
        self.losses: dict[str, int] = {}
        """By the name of the group."""
        for ticker, config in configs.items():
            event = event_of.get(ticker) if config.risk_group else None
            if event is not None:
                self._join(event, config.risk_group)

    def _join(self, event: EventRisk, group: str) -> None:
        groups = self._groups_of.setdefault(event, [])
        if group not in groups:
            groups.append(group)
            self.losses[group] = self.losses.get(group, 0) + event.loss

    def broken(self, event: EventRisk, loss: int, most: int) -> bool:
        """Whether a group would lose more than `most`, and more than now, if its event lost this much."""
        losses, grown = self.losses, loss - event.loss
        return grown > 0 and any(losses[group] + grown > most for group in self._groups_of.get(event, ()))

    def grow(self, event: EventRisk, by: int) -> None:
        """The event loses this much more at worst."""
        for group in self._groups_of.get(event, ()):
            self.losses[group] += by
