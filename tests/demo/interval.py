"""How sure the profit of a run is: its event-days drawn again and again."""

import random
from collections.abc import Sequence

RESAMPLES, SEED = 2_000, 1
LEAST = 3
"""Of fewer event-days no interval is told."""


def interval(profits: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of the sum, drawn from these with replacement, always the same way."""
    if len(profits) < LEAST:
        return None
    rng = random.Random(SEED)
    sums = sorted(sum(rng.choices(profits, k=len(profits))) for _ in range(RESAMPLES))
    return sums[RESAMPLES * 25 // 1000], sums[RESAMPLES * 975 // 1000 - 1]
