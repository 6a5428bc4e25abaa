"""Markets that rest because the exchange refuses their orders again and again; for want of cash, shards.

A refusal that is repeated as it is will be refused as it is: another program sent 4,900 such orders in six
minutes. Cycles are counted, not orders. A cycle in which something was placed and nothing refused clears it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from dora.core.exchange.error_codes import BRAKED_ELSEWHERE, CASH_SHORT
from dora.core.units import TimeMs
from dora.core.zones import DAY_MS

RESTS = "#rests"
"""Where memory keeps them. Losing it costs three more refusals each."""
REPEATS = 3
FIRST_REST_MS = 150_000
"""Two cycles are left out."""
LONGER = 4
FORGOTTEN_MS = DAY_MS


class Refused(NamedTuple):
    """A definite refusal of an order."""

    ticker: str
    shard: int
    code: str


class Rest(NamedTuple):
    """`name`: of a market or shard. `times`: cycles in a row with this code; `rests`: how often it rested."""

    name: str
    code: str
    times: int
    rests: int
    at_ms: int
    until_ms: int


Rests = Mapping[str, Rest]


def shard_name(shard: int) -> str:
    """Stands for a shard among the markets."""
    return f"#{shard}"


def read_rests(stored: Mapping[str, object]) -> dict[str, Rest]:
    """As memory keeps them; what is not understood is left out, and learned again."""
    found = {}
    for name, entry in stored.items():
        if isinstance(entry, list) and [type(part) for part in entry] == [str, int, int, int, int]:
            found[name] = Rest(name, *entry)
    return found


def stored_rests(rests: Iterable[Rest]) -> dict[str, object]:
    """For memory: a list of plain values each."""
    return {rest.name: list(rest[1:]) for rest in sorted(rests)}


def standing(rests: Rests, now_ms: TimeMs, resumed_ms: TimeMs) -> dict[str, Rest]:
    """Those that are not forgotten yet: a `resume` after the last refusal clears, and so does a day."""
    since_ms = max(resumed_ms, now_ms - FORGOTTEN_MS)
    return {name: rest for name, rest in rests.items() if rest.at_ms > since_ms}


def resting_now(rests: Rests, now_ms: TimeMs) -> dict[str, Rest]:
    """Those that are left alone now."""
    return {name: rest for name, rest in rests.items() if now_ms < rest.until_ms}


def after_cycle(
    rests: Rests, refused: Iterable[Refused], placed: Collection[str], now_ms: TimeMs
) -> dict[str, Rest]:
    """After a cycle's answers. `placed`: markets and shards, by name, in which an order was taken."""
    codes: dict[str, str] = {}
    for one in sorted(refused):
        if one.code not in BRAKED_ELSEWHERE:
            codes.setdefault(shard_name(one.shard) if one.code in CASH_SHORT else one.ticker, one.code)
    kept = {name: rest for name, rest in rests.items() if name not in placed}
    return kept | {name: _again(rests.get(name), name, code, now_ms) for name, code in codes.items()}


def _again(before: Rest | None, name: str, code: str, now_ms: TimeMs) -> Rest:
    same = before if before is not None and before.code == code else None
    times, rests = (same.times + 1, same.rests) if same else (1, 0)
    if times < REPEATS:
        return Rest(name, code, times, rests, now_ms, 0)
    span_ms = min(FIRST_REST_MS * LONGER**rests, DAY_MS)
    return Rest(name, code, times, rests + 1, now_ms, now_ms + span_ms)
