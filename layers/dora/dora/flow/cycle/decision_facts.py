"""`DECISION_MADE`: what changed in one market, in a line of 400 bytes at most.

There is one for each market whose quotes or reason changed, so of all lines they cost most. What does not fit
stands in the archive, where a decision is whole.
"""

import json
from collections.abc import Iterator, Sequence

from dora.core.calendar import format_time
from dora.core.orders.journal import decision_id
from dora.core.orders.requests import TargetOrder
from dora.core.ports import Facts
from dora.core.quoting.decision import Decision
from dora.core.units import Money, format_count, format_money, format_price

LINE_BYTES, KEYS_BYTES = 400, 170
"""Of the whole line, and of what every line carries, of a stack with a name of up to 18 letters."""
ALWAYS = ("market", "decision_id", "skip_reason")
LISTS = ("targets", "clip_reasons")
CENT = 10_000
PLACES = 4
"""Of a model value, as many as of a price."""


def decision_made(facts: Facts, cycle_id: str, decision: Decision) -> None:
    """What is wanted there now, or why nothing is."""
    facts.emit("DECISION_MADE", **_fitting(_fields(cycle_id, decision)))


def _fields(cycle_id: str, decision: Decision) -> dict[str, object]:
    """All there is to tell; what is named first is the last to be left out."""
    return {
        "market": decision.ticker,
        "decision_id": decision_id(cycle_id, decision.ticker),
        "skip_reason": str(decision.skip or ""),
        "until": None if decision.until_ms is None else format_time(decision.until_ms),
        "targets": [_target(own) for own in sorted(decision.targets, key=_inner_first)],
        "clip_reasons": list(_clips(decision)),
        "fair_value": _rounded(decision.fair_value),
        "reward_estimate_dollars": _cents(decision.reward_value),
        "reward_cost_dollars": _cents(decision.reward_cost),
        "reservation_price": _rounded(decision.reservation_price),
        "fair_value_source": decision.fair_value_source or None,
    }


def _fitting(fields: dict[str, object]) -> dict[str, object]:
    """Those that the line has room for. What is not known makes no field; lists become texts, "" included."""
    left = LINE_BYTES - KEYS_BYTES - sum(_bytes(name, fields[name]) for name in ALWAYS)
    left -= sum(_bytes(name, "") for name in LISTS)
    told: dict[str, object] = {}
    for name, value in fields.items():
        if name in ALWAYS:
            told[name] = value
        elif isinstance(value, list):
            told[name] = text = _joined(value, left)
            left -= len(text)
        elif value is not None and _bytes(name, value) <= left:
            told[name] = value
            left -= _bytes(name, value)
    return told


def _bytes(name: str, value: object) -> int:
    """Of one field in the line, with the comma before it."""
    return len(json.dumps({name: value}, separators=(",", ":"))) - 1


def _joined(entries: Sequence[str], room: int) -> str:
    """As many as there is room for, and how many more there are."""
    for shown in range(len(entries), 0, -1):
        more = [f"{len(entries) - shown} more"] if shown < len(entries) else []
        text = "; ".join([*entries[:shown], *more])
        if len(text) <= room:
            return text
    return ""


def _inner_first(target: TargetOrder) -> tuple[int, str]:
    return target.slot.level, {"bid": "0", "ask": "1"}[str(target.slot.side)]


def _target(target: TargetOrder) -> str:
    return f"{target.slot.side} {format_price(target.price)} {format_count(target.count)}"


def _clips(decision: Decision) -> Iterator[str]:
    """`bid 0 cash` for a level that is not quoted, `bid 0 cash cut from 10.00` for one quoted smaller."""
    for slot, why in decision.dropped:
        yield f"{slot.side} {slot.level} {why}"
    for slot, why, wanted in decision.cut:
        yield f"{slot.side} {slot.level} {why} cut from {format_count(wanted)}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, PLACES)


def _cents(value: Money | None) -> str | None:
    return None if value is None else format_money(Money(value // CENT * CENT))[:-4]
