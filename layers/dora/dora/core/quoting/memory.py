"""What quoting remembers of a market from one look to the next: how far and how fast it moves.

Stored as one flat object of ints, so that it reads back bit for bit whatever carries it. Anything that is
absent, too old or not understood is cold memory: the market is then not quoted, or wider, never tighter.
"""

from collections.abc import Mapping
from math import sqrt
from operator import itemgetter
from typing import NamedTuple

from dora.core.quoting.fair_value import FairValue
from dora.core.quoting.reservation_price import logit
from dora.core.units import ONE_DOLLAR, TimeMs

STALE_MS = 300_000
"""Memory older than this says nothing about the market now."""
WARM_MS = 300_000
"""How long a market must have been watched before its averages are believed."""
MINUTE_MS = 60_000
VOLATILITY_WINDOW_MS = 600_000
SPEED_WINDOW_MS = 1_800_000
PERCENT = 100

_E9, _E12 = 10**9, 10**12
_LARGEST = 10**18
_HALF = _E9 // ONE_DOLLAR // 2


class Memory(NamedTuple):
    """Averages up to the last look. Units are in the names; `e9` and `e12` count billionths and 1e-12."""

    at_ms: int
    fair_e9: int
    mid_e9: int
    watched_ms: int = 0
    variance_e12: int = 0
    """Mean squared move of fair value in logits, per second."""
    move_e9: int = 0
    """Mean absolute move of the mid in dollars, per minute."""
    half_e9: int = 0
    """Mean half-spread of the book in dollars."""
    fast: int = 0

    @property
    def warm(self) -> bool:
        """Watched long enough for its averages to mean something."""
        return self.watched_ms >= WARM_MS

    def watched(self, minutes: int) -> bool:
        """Whether it has been watched for so long without a gap."""
        return self.watched_ms >= minutes * MINUTE_MS

    @property
    def speed(self) -> float:
        """Mean move of the mid per minute, as a multiple of the half-spread."""
        return self.move_e9 / self.half_e9 if self.half_e9 else 0.0

    @property
    def typical_move(self) -> float:
        """Standard deviation of fair value over one minute, in dollars."""
        fair = self.fair_e9 / _E9
        return fair * (1.0 - fair) * sqrt(self.variance_e12 / _E12 * 60.0)

    def stored(self) -> dict[str, object]:
        """The flat object that `recall` reads back. Spelt out: half of what `_asdict` takes."""
        return {
            "at_ms": self.at_ms,
            "fair_e9": self.fair_e9,
            "mid_e9": self.mid_e9,
            "watched_ms": self.watched_ms,
            "variance_e12": self.variance_e12,
            "move_e9": self.move_e9,
            "half_e9": self.half_e9,
            "fast": self.fast,
        }


_NAMES = Memory._fields
_values = itemgetter(*_NAMES)


def recall(stored: Mapping[str, object] | None) -> Memory | None:
    """The memory as stored, None when there is none or it is not understood."""
    if stored is None or len(stored) != len(_NAMES):
        return None
    try:
        memory = Memory(*_values(stored))
    except KeyError:
        return None
    for value in memory:
        if type(value) is not int or not 0 <= value < _LARGEST:
            return None
    return memory if 0 < memory.fair_e9 < _E9 else None


def speed_of(stored: Mapping[str, object] | None, minutes: int, now_ms: TimeMs) -> float | None:
    """The speed of a market that was read for so long, up to now; None of any other."""
    memory = recall(stored)
    fresh = memory is not None and 0 <= now_ms - memory.at_ms <= STALE_MS
    return memory.speed if memory and fresh and memory.warm and memory.watched(minutes) else None


def remember(before: Memory | None, fair: FairValue, now_ms: TimeMs) -> Memory:
    """The memory after this look. Looks far apart, or backwards in time, start it afresh."""
    fair_e9 = round(fair.value * _E9)
    if not 0 < fair_e9 < _E9:
        fair_e9 = 1 if fair_e9 <= 0 else _E9 - 1
    mid_e9, half_e9 = (fair.bid + fair.ask) * _HALF, (fair.ask - fair.bid) * _HALF
    if before is None or not 0 <= now_ms - before.at_ms <= STALE_MS:
        return Memory(now_ms, fair_e9, mid_e9, half_e9=half_e9)
    if now_ms == before.at_ms:
        return before
    # No span is longer than a window, for STALE_MS is not.
    span_ms = now_ms - before.at_ms
    watched = before.watched_ms + span_ms
    slow = span_ms / (watched if watched < SPEED_WINDOW_MS else SPEED_WINDOW_MS)
    quick = span_ms / (watched if watched < VOLATILITY_WINDOW_MS else VOLATILITY_WINDOW_MS)
    variance_e12 = _squared_move(before.fair_e9, fair_e9) * 1000 / span_ms * _E12
    move_e9 = abs(mid_e9 - before.mid_e9) * MINUTE_MS / span_ms
    return Memory(
        now_ms,
        fair_e9,
        mid_e9,
        watched,
        _mixed(before.variance_e12, variance_e12, quick),
        _mixed(before.move_e9, move_e9, slow),
        _mixed(before.half_e9, half_e9, slow),
        before.fast,
    )


def _squared_move(before_e9: int, after_e9: int) -> float:
    """Of fair value, in logits."""
    if after_e9 == before_e9:
        return 0.0
    return (logit(after_e9 / _E9) - logit(before_e9 / _E9)) ** 2


def _mixed(average: int, sample: float, weight: float) -> int:
    """A plain mean while the window fills, an exponential one from then on."""
    if sample == average:
        return average
    return round(average + (sample - average) * weight)


def judged(memory: Memory, stop_percent: int, resume_percent: int) -> Memory:
    """Memory that knows whether the market moves too fast: one limit to stop at, a lower one to resume."""
    limit = resume_percent if memory.fast else stop_percent
    fast = int(memory.warm and memory.speed * PERCENT >= limit)
    return memory if fast == memory.fast else memory._replace(fast=fast)
