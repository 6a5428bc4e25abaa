"""How the parts of the exchange hang together, and the handles a driver holds them by."""

from __future__ import annotations

from collections.abc import Callable

from .background import Background
from .cache import ReplyCache
from .changes import Changes
from .cheating import Cheat
from .clock import Clock
from .engine import Engine
from .expectations import Expectations
from .faults import Faults
from .gateway import Gateway
from .groups import Groups
from .invariants import Invariants
from .knobs import Knobs
from .lifecycle import Lifecycle
from .model import Event
from .plant import Plant
from .readmodel import ReadModel
from .rewards import Rewards
from .stats import Stats
from .venue import Venue


class Assembly:
    """All parts of one exchange, built in their order of dependence."""

    def __init__(self, *, clock: Clock, knobs: Knobs | None = None, seed: int = 0) -> None:
        self.venue = Venue(clock, knobs or Knobs(), seed)
        self.lock = self.venue.lock
        changes = self.changes = Changes(self.venue)
        self.groups = changes.groups = Groups(self.venue, changes)
        self.engine = Engine(self.venue, changes, self.groups)
        self.background = Background(self.venue, self.engine, self.groups)
        self.lifecycle = Lifecycle(self.venue, changes)
        self.rewards = Rewards(self.venue)
        self.reads = ReadModel(self.venue)
        self.cheat = Cheat(self.venue, self.engine, changes)
        self.cache = ReplyCache(self.venue.now_ms)
        self._gateway = Gateway(self)

    @property
    def knobs(self) -> Knobs:
        return self.venue.knobs

    @knobs.setter
    def knobs(self, knobs: Knobs) -> None:
        """Settings may change in mid-run; what is already on the clock stays there."""
        self.venue.knobs = knobs

    @property
    def faults(self) -> Faults:
        return self._gateway.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        """Put a fault layer in front of everything."""
        self._gateway.faults = faults

    @property
    def plant(self) -> Plant:
        return self.venue.plant

    @plant.setter
    def plant(self, plant: Plant) -> None:
        """Plant faults for a checker to find."""
        self.venue.plant = plant

    @property
    def observers(self) -> list[Callable[[Event], None]]:
        return self.venue.observers

    @property
    def invariants(self) -> Invariants:
        return self.venue.invariants

    @property
    def expectations(self) -> Expectations:
        """What the driver declares about its client."""
        return self.venue.invariants.expectations

    @property
    def stats(self) -> Stats:
        return self.venue.stats
