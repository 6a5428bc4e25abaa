"""Where a strategy earned and where it lost: its quoted minutes and fills by what the market was like."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.replay.run import Outcome, Result
from tests.replay.score import profit_after_30
from tests.replay.situations import (
    NO_CLOSE,
    NO_SPEED,
    PRICE_E4,
    SPEED_PERCENT,
    SPREAD_E4,
    TO_CLOSE_MS,
    Situation,
)
from tests.replay.tape import Track
from tests.simulator.tape import MINUTE_MS

SCALES = {
    "speed": (*(name for _, name in SPEED_PERCENT), NO_SPEED),
    "spread": tuple(name for _, name in SPREAD_E4),
    "price": tuple(name for _, name in PRICE_E4),
    "to_close": (*(name for _, name in TO_CLOSE_MS), NO_CLOSE),
}
"""The names of each scale in order, by field of `Situation`."""


@dataclass(slots=True)
class Part:
    """Quoted minutes, contracts (0.01) and profit after 30 minutes (1e-7 $) in one kind of situation."""

    quoted: int = 0
    contracts: int = 0
    profit: int = 0


def parts(result: Result, outcome: Outcome) -> dict[str, Part]:
    """By the names of all four scales, in order; kinds of situation that never came are left out."""
    found = {name: Part() for names in SCALES.values() for name in names}
    for situation, minutes in outcome.played.quoted_in.items():
        for name in situation:
            found[name].quoted += minutes
    for situation, contracts, profit in _fills(result, outcome):
        for name in situation:
            found[name].contracts += contracts
            found[name].profit += profit
    return {name: part for name, part in found.items() if part.quoted or part.contracts}


def _fills(result: Result, outcome: Outcome) -> Iterator[tuple[Situation, int, int]]:
    """Each fill with the situation in which its order was last decided on."""
    tracks: Mapping[str, Track] = result.tape.tracks
    for (ticker, _), day in outcome.played.days.items():
        for filled in day.fills:
            situation = result.known[ticker].get(filled.at_ms // MINUTE_MS * MINUTE_MS)
            if situation is not None:
                yield situation, filled.count, profit_after_30(tracks[ticker], filled)
