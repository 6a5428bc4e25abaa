"""Whom a fault strikes: decided by plan, time and the request itself, never by the order of arrival.

Reads arrive side by side in any order. So what is drawn is drawn from the request (method, path, query) and
how often the same one came before, and a run can be repeated bit for bit.
"""

from collections import Counter
from collections.abc import Callable, Collection
from fnmatch import fnmatchcase
from random import Random
from threading import Lock
from zlib import crc32

from .fault_plan import Fault, FaultPlan


class Aim:
    """The faults of one layer. `struck` counts by kind what really happened, in all layers that share it."""

    def __init__(self, kinds: Collection[str], now_ms: Callable[[], int], struck: Counter[str]) -> None:
        self._kinds, self._now_ms, self.struck = kinds, now_ms, struck
        self._lock = Lock()
        self.load(FaultPlan())

    def load(self, plan: FaultPlan) -> None:
        """Forget everything; this plan begins now."""
        self._seed, self._start_ms = plan.seed, self._now_ms()
        self._faults = [(n, fault) for n, fault in enumerate(plan.faults) if fault.kind in self._kinds]
        self._seen: Counter[tuple[int, str]] = Counter()
        self._hits: Counter[tuple[int, str]] = Counter()

    def at(self, labels: Collection[str], identity: str) -> Fault | None:
        """The first fault that strikes a request with any of these labels."""
        with self._lock:
            return next(
                (fault for n, fault in self._faults if self._strikes(n, fault, labels, identity)), None
            )

    def count(self, fault: Fault) -> None:
        """It really struck."""
        with self._lock:
            self.struck[fault.kind] += 1

    def dice(self, identity: str) -> Random:
        """Chance that belongs to this request alone."""
        return Random(crc32(f"{self._seed}|{self._now_ms() - self._start_ms}|{identity}".encode()))

    def _strikes(self, number: int, fault: Fault, labels: Collection[str], identity: str) -> bool:
        since_ms = self._now_ms() - self._start_ms - fault.at_ms
        if not 0 <= since_ms < fault.for_ms or not any(fnmatchcase(label, fault.where) for label in labels):
            return False
        key = (number, identity)
        self._seen[key] += 1
        drawn = crc32(f"{self._seed}|{number}|{identity}|{self._seen[key]}".encode()) % 100
        if drawn >= fault.share or (fault.times and self._hits[key] >= fault.times):
            return False
        self._hits[key] += 1
        return True
