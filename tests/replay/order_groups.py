"""An order group for each event, as a replay's exchange keeps it: a brake that no bot has to be awake for.

Matches of a group's orders count for 15 seconds. The match that brings them above the limit (`at_limit`: to
it; which of the two the exchange means is not known) takes off every order of the group, once all that filled
in that same moment has filled, and from then on the group takes none. A bot sees it in its next cycle, lets
the group rest for so long from then on, and arms it again.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dora.core.units import CONTRACT, Count
from tests.replay.desk import Filled
from tests.replay.tape import Track
from tests.simulator.tape import MINUTE_MS

WINDOW_MS = 15_000


@dataclass(frozen=True, slots=True)
class GroupRule:
    """`limit`: contracts (0.01) that may match in an event's group within the window."""

    limit: Count
    rests_ms: int
    at_limit: bool = False

    def __str__(self) -> str:
        word = "from" if self.at_limit else "above"
        return f"{word} {self.limit / CONTRACT:g}, rests {self.rests_ms // 1000} s"


class _Group:
    """One group: what matched in it of late, and until when it takes no orders."""

    def __init__(self) -> None:
        self._matches: deque[tuple[int, Count]] = deque()
        self.rests_until_ms = 0

    def matched(self, at_ms: int, count: Count) -> int:
        """Contracts within the window, these included."""
        self._matches.append((at_ms, count))
        while self._matches[0][0] <= at_ms - WINDOW_MS:
            self._matches.popleft()
        return sum(matched for _, matched in self._matches)


class OrderGroups:
    """The groups of one replay. `trips`: how many times one tripped. `rule` None: none ever does."""

    def __init__(self, rule: GroupRule | None, tracks: Mapping[str, Track]) -> None:
        self._rule, self._tracks = rule, tracks
        self._of = {ticker: own.market.event_ticker for ticker, own in tracks.items()}
        self._groups = {name: _Group() for name in set(self._of.values())}
        self.trips = 0

    def together(self, tickers: Iterable[str]) -> Iterable[Sequence[str]]:
        """These markets by their group: a fill in one may take off the orders of the others."""
        if self._rule is None:
            return [[ticker] for ticker in tickers]
        found: dict[str, list[str]] = {}
        for ticker in tickers:
            found.setdefault(self._of[ticker], []).append(ticker)
        return found.values()

    def steps(self, tickers: Iterable[str], after_ms: int, last_ms: int) -> Sequence[int]:
        """In order, the moments after which orders of these markets may be gone, and the last one."""
        if self._rule is None:
            return [last_ms]
        moments = [self._tracks[ticker].moments_between(after_ms, last_ms) for ticker in tickers]
        return sorted({moment.at_ms for found in moments for moment in found} | {last_ms})

    def tripped_by(self, fills: Sequence[Filled]) -> Iterable[str]:
        """The markets whose orders are gone after these fills, all of one moment."""
        if self._rule is None or not fills:
            return ()
        tripped = {self._of[filled.ticker] for filled in fills if self._trips(self._rule, filled)}
        return [ticker for ticker, name in self._of.items() if name in tripped]

    def refuses(self, ticker: str, at_ms: int) -> bool:
        """Whether a new order in this market finds its group tripped."""
        return at_ms < self._groups[self._of[ticker]].rests_until_ms

    def _trips(self, rule: GroupRule, filled: Filled) -> bool:
        group = self._groups[self._of[filled.ticker]]
        beyond = group.matched(filled.at_ms, filled.count) - rule.limit
        if beyond < 0 or (beyond == 0 and not rule.at_limit):
            return False
        if filled.at_ms >= group.rests_until_ms:
            self.trips += 1
            group.rests_until_ms = (filled.at_ms // MINUTE_MS + 1) * MINUTE_MS + rule.rests_ms
        return True
