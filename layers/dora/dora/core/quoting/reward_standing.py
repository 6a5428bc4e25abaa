"""What the incentive strategy remembers of a market's program, and when it enters and leaves by it.

    enter   value >= cost + `entry_margin` at every look of 10 minutes, and others alone held the target on
            both sides in 9 of 10 looks
    leave   value < cost for an hour, whatever is banked; or 3 looks in a row that did not count

Others' score is the median of the last 10 looks. What is banked is integrated from one look a minute: an
estimate. A flat object of ints and short texts, as memory is stored; what is not understood is begun anew.
"""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.incentives.score import E9, Score, earned
from dora.core.quoting.memory import STALE_MS
from dora.core.units import Money, TimeMs

LOOKS = 10
HELD_PERCENT = 90
HOLD_MS = 600_000
LEAVE_MS = 3_600_000
MOST_GATELESS = 3
PRIOR_LOOKS = 10
"""So many good looks are taken for granted, so that the first bad one does not decide."""
_GAP = "-"
_LARGEST = 10**18


class Standing(NamedTuple):
    """Times in ms, 0 for never; prices of our quotes as they were last wanted, 0 for none."""

    program: str = ""
    at_ms: int = 0
    banked: int = 0
    """Earned of this program so far, 1e-6 $: an estimate."""
    looks: str = ""
    """The last ones: others' score of each side, 0.01 contracts, where others alone hold the target."""
    seen: int = 0
    """Looks at this program."""
    counted: int = 0
    """Those that counted."""
    wanted: int = 0
    """Those at which we wanted to rest."""
    rested: int = 0
    """Those at which we did, wherever we wanted to."""
    entered: int = 0
    worth_ms: int = 0
    """Since when it is worth entering."""
    low_ms: int = 0
    """Since when its value is below its cost."""
    gateless: int = 0
    """Looks in a row that did not count."""
    bid: int = 0
    ask: int = 0

    @property
    def counted_part(self) -> float:
        """The part of looks that count."""
        return (self.counted + PRIOR_LOOKS) / (self.seen + PRIOR_LOOKS)

    @property
    def presence(self) -> float:
        """The part of looks at which we rested where we wanted to."""
        return (self.rested + PRIOR_LOOKS) / (self.wanted + PRIOR_LOOKS)

    @property
    def held(self) -> bool:
        """Whether others alone hold the target in so many of ten looks that the market may be entered."""
        looks = _looks(self.looks)
        good = sum(look is not None for look in looks)
        return len(looks) >= LOOKS and good * 100 >= HELD_PERCENT * len(looks)

    @property
    def others(self) -> tuple[int, int] | None:
        """Median scores of others, bid and ask; None: they held the target in no look."""
        known = [look for look in _looks(self.looks) if look is not None]
        return (_median([bid for bid, _ in known]), _median([ask for _, ask in known])) if known else None

    def stored(self) -> dict[str, object]:
        """For memory, without what is as at first."""
        return {f"i_{name}": own for name, own in self._asdict().items() if own != _FIRST[name]}


_FIRST = Standing()._asdict()


def without_standing(stored: Mapping[str, object] | None) -> dict[str, object]:
    """What is remembered beside it: of the market itself."""
    return {name: own for name, own in (stored or {}).items() if not name.startswith("i_")}


def recall_standing(stored: Mapping[str, object]) -> Standing:
    """As memory has it; where a part is not understood, as at first."""
    known = {name: stored[f"i_{name}"] for name in _FIRST if f"i_{name}" in stored}
    for name, own in known.items():
        if type(own) is not type(_FIRST[name]) or (isinstance(own, int) and not 0 <= own < _LARGEST):
            return Standing()
    try:
        found = Standing(**known)  # type: ignore[arg-type] # each was held to the type of its default
        _looks(found.looks)
    except ValueError:
        return Standing()
    return found


def _looks(text: str) -> list[tuple[int, int] | None]:
    return [None if look == _GAP else _scores(look) for look in text.split()]


def _median(scores: list[int]) -> int:
    """The lower one of two in the middle."""
    return sorted(scores)[(len(scores) - 1) // 2]


def _scores(look: str) -> tuple[int, int]:
    bid, ask = look.split(":")
    return int(bid), int(ask)


def banked_of(stored: Mapping[str, object] | None, program: str) -> Money:
    """What a market has earned of that program, as its memory has it; nothing where it is of another one."""
    standing = recall_standing(stored or {})
    return Money(standing.banked if standing.program == program else 0)


class Seen(NamedTuple):
    """One look: with us in the book, and as others alone make it."""

    with_us: Score
    alone: Score


def looked(
    before: Standing, program: str, pool: Money, period_ms: int, seen: Seen, now_ms: TimeMs
) -> Standing:
    """The memory after a look at this program's market. Of another program nothing is carried over but the
    looks, which are the market's."""
    if before.program != program:
        before = Standing(program=program, looks=before.looks, at_ms=before.at_ms, entered=before.entered)
    span_ms = now_ms - before.at_ms
    if before.at_ms and span_ms <= 0:
        return before
    if not before.at_ms or span_ms > STALE_MS:
        before, span_ms = before._replace(looks="", worth_ms=0, low_ms=0), 0
    counted, wanted = seen.with_us.counted, _wanted(before, seen.with_us)
    return before._replace(
        at_ms=now_ms,
        banked=before.banked + earned(pool, seen.with_us.shares_e9, span_ms, period_ms),
        looks=_with_look(before.looks, seen.alone),
        seen=before.seen + 1,
        counted=before.counted + counted,
        wanted=before.wanted + bool(wanted),
        rested=before.rested + (bool(wanted) and all(wanted)),
        gateless=0 if counted else before.gateless + 1,
    )


def _wanted(before: Standing, with_us: Score) -> list[bool]:
    """Of each side where we wanted to rest, whether we do."""
    return [
        side.share_e9 > 0 for side, price in ((with_us.bid, before.bid), (with_us.ask, before.ask)) if price
    ]


def _with_look(looks: str, alone: Score) -> str:
    entry = f"{alone.bid.others_e9 // E9}:{alone.ask.others_e9 // E9}" if alone.counted else _GAP
    return " ".join([*looks.split()[1 - LOOKS :], entry])


def judged_worth(standing: Standing, *, value: Money, cost: Money, margin: Money, now_ms: TimeMs) -> Standing:
    """The memory that knows whether to be in, after this look's value and cost."""
    worth_ms = (standing.worth_ms or now_ms) if value >= cost + margin else 0
    low_ms = (standing.low_ms or now_ms) if value < cost or value <= 0 else 0
    after = standing._replace(worth_ms=worth_ms, low_ms=low_ms)
    if standing.entered:
        over = (low_ms and now_ms - low_ms >= LEAVE_MS) or standing.gateless >= MOST_GATELESS
        return after._replace(entered=0, worth_ms=0) if over else after
    ready = worth_ms and now_ms - worth_ms >= HOLD_MS and standing.held and not standing.gateless
    return after._replace(entered=1, low_ms=0) if ready else after
