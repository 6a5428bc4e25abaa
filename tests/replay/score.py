"""What a replay came to: sums over markets and days, and how sure they are.

Profit of a fill is what its contracts were worth later less what they cost, fees in. A quote-hour is 60
market-minutes with at least one order resting. Sums count 1e-7 $.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple, TypeVar

from dora.core.units import CONTRACT, Count
from tests.replay.desk import Filled
from tests.replay.play import E7_PER_MONEY, Days, MarketDay
from tests.replay.tape import DOLLAR_MARK, MARKS_PER_PRICE, Tape, Track
from tests.simulator.tape import MINUTE_MS

E7_PER_DOLLAR, E7_PER_CENT = 10**7, 10**5
HOUR_MINUTES = 60
RESAMPLES, SEED = 2_000, 1
LEAST_CLUSTERS = 3
"""Of fewer event-days no interval is told."""
AFTER_MS = (MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS)


@dataclass(slots=True)
class Score:
    """Sums of one market and day, or of many. Markets without a recorded result are left out of `settled`."""

    minutes: int = 0
    quoted: int = 0
    contracts: int = 0
    after_1: int = 0
    after_5: int = 0
    after_30: int = 0
    """Profit of all fills, each marked so many minutes later, at the market's last row at the latest."""
    ended: int = 0
    """Profit of all fills, marked at their market's last row."""
    settled: int = 0
    settled_contracts: int = 0
    fees: int = 0
    largest: int = 0
    """Largest net position of one market either way, 0.01 contract."""
    drawdown: int = 0
    """Deepest fall of marked profit from an earlier high."""
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def quote_hours(self) -> float:
        return self.quoted / HOUR_MINUTES

    @property
    def quoted_share(self) -> float:
        """Of all minutes in which its markets were recorded."""
        return self.quoted / self.minutes if self.minutes else 0.0

    @property
    def contracts_per_quote_hour(self) -> float:
        return self.contracts / CONTRACT / self.quote_hours if self.quoted else 0.0

    def cents_per_quote_hour(self, side_contracts: float) -> float:
        """Profit after 30 minutes, for 10 contracts a side."""
        return cents_per_hour(self.after_30, self.quoted, side_contracts)

    def cents_per_contract(self, profit: int, contracts: int | None = None) -> float:
        """Profit by contract filled; of all contracts unless told otherwise."""
        of = self.contracts if contracts is None else contracts
        return profit / E7_PER_CENT * CONTRACT / of if of else 0.0


NOT_ADDED = frozenset({"largest", "drawdown", "reasons"})
ADDED = tuple(part.name for part in fields(Score) if part.name not in NOT_ADDED)


def cents_per_hour(profit: int, quoted: int, side_contracts: float) -> float:
    """Cents per quote-hour for 10 contracts a side; nothing quoted, nothing earned."""
    return profit * HOUR_MINUTES * 10 / (quoted * side_contracts * E7_PER_CENT) if quoted else 0.0


Key = tuple[str, str]
"""(ticker, day)"""
Cluster = TypeVar("Cluster")


class Scored(NamedTuple):
    """Each market and day of a replay with its score."""

    days: Days
    scores: Mapping[Key, Score]


def scored(tape: Tape, days: Days) -> Scored:
    """The score of each market and day."""
    return Scored(days, {key: _of_day(tape.tracks[key[0]], day) for key, day in days.items()})


def _of_day(track: Track, day: MarketDay) -> Score:
    return Score(
        minutes=day.minutes,
        quoted=day.quoted,
        contracts=sum(filled.count for filled in day.fills),
        after_1=_after(track, day.fills, AFTER_MS[0]),
        after_5=_after(track, day.fills, AFTER_MS[1]),
        after_30=_after(track, day.fills, AFTER_MS[2]),
        ended=sum(_profit(filled, track.mark_e5(track.last_ms)) for filled in day.fills),
        settled=_settled(track, day.fills),
        settled_contracts=sum(filled.count for filled in day.fills) if track.result else 0,
        fees=sum(filled.fee for filled in day.fills) * E7_PER_MONEY,
        largest=day.largest,
        reasons=Counter(day.reasons),
    )


def _after(track: Track, fills: Iterable[Filled], later_ms: int) -> int:
    return sum(_profit(filled, mark_after(track, filled, later_ms)) for filled in fills)


def mark_after(track: Track, filled: Filled, later_ms: int) -> int:
    """What a contract was worth so long after a fill, at the market's last row at the latest."""
    return track.mark_e5(min(filled.at_ms + later_ms, max(track.last_ms, filled.at_ms)))


def _settled(track: Track, fills: Iterable[Filled]) -> int:
    if track.result is None:
        return 0
    worth = DOLLAR_MARK if track.result == "yes" else 0
    return sum(_profit(filled, worth) for filled in fills)


def profit_after_30(track: Track, filled: Filled) -> int:
    """Profit of one fill, marked 30 minutes later."""
    return _profit(filled, mark_after(track, filled, AFTER_MS[2]))


def _profit(filled: Filled, mark_e5: int) -> int:
    gained = filled.side.sign * (mark_e5 - filled.price * MARKS_PER_PRICE) * filled.count
    return gained - filled.fee * E7_PER_MONEY


def together(given: Scored, keys: Iterable[Key]) -> Score:
    """The score of these markets and days as one book."""
    total = Score()
    steps: list[tuple[int, int]] = []
    for key in keys:
        part = given.scores[key]
        for name in ADDED:
            setattr(total, name, getattr(total, name) + getattr(part, name))
        total.largest = max(total.largest, part.largest)
        total.reasons += part.reasons
        steps += given.days[key].steps
    total.drawdown = drawdown(steps)
    return total


def drawdown(steps: Iterable[tuple[int, int]]) -> int:
    """The deepest fall from an earlier high of a sum that changes in (time, change) steps, from 0 on.

    Changes of the same moment count as one.
    """
    moved: Counter[int] = Counter()
    for at_ms, change in steps:
        moved[at_ms] += change
    at = high = deepest = 0
    for at_ms in sorted(moved):
        at += moved[at_ms]
        high = max(high, at)
        deepest = max(deepest, high - at)
    return deepest


def grouped(given: Scored, name: Callable[[Key], str]) -> dict[str, Score]:
    """One score for each name that the markets and days are given, in order of name."""
    keys: dict[str, list[Key]] = {}
    for key in given.scores:
        keys.setdefault(name(key), []).append(key)
    return {found: together(given, keys[found]) for found in sorted(keys)}


def event_days(tape: Tape, given: Scored) -> dict[str, Score]:
    """By event and day of the exchange: what the interval takes for independent."""
    return grouped(given, lambda key: f"{tape.tracks[key[0]].market.event_ticker} {key[1]}")


def interval(clusters: Iterable[Score], side_contracts: float) -> tuple[float, float] | None:
    """95 % interval of cents per quote-hour, by drawing event-days with replacement, always the same way."""
    pairs = [(score.after_30, score.quoted) for score in clusters if score.quoted]
    return drawn(pairs, lambda chosen: _ratio(chosen, side_contracts))


def drawn(
    clusters: Sequence[Cluster], value: Callable[[Sequence[Cluster]], float]
) -> tuple[float, float] | None:
    """95 % interval of a value, by drawing clusters with replacement, always the same way; None: too few."""
    if len(clusters) < LEAST_CLUSTERS:
        return None
    rng = random.Random(SEED)
    found = sorted(value(rng.choices(clusters, k=len(clusters))) for _ in range(RESAMPLES))
    return found[RESAMPLES * 25 // 1000], found[RESAMPLES * 975 // 1000 - 1]


def _ratio(pairs: Sequence[tuple[int, int]], side_contracts: float) -> float:
    profit, quoted = (sum(column) for column in zip(*pairs, strict=True))
    return cents_per_hour(profit, quoted, side_contracts)


def share_to_break_even(pessimistic: Score, optimistic: Score) -> float | None:
    """How much of what only the optimist believes must be true for the profit to reach zero.

    Both after 30 minutes, in dollars. None: even all of it would not do.
    """
    if pessimistic.after_30 >= 0:
        return 0.0
    gain = optimistic.after_30 - pessimistic.after_30
    return -pessimistic.after_30 / gain if optimistic.after_30 > 0 else None


def largest_position(score: Score) -> float:
    """Contracts."""
    return Count(score.largest) / CONTRACT
