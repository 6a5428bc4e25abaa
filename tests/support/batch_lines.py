"""The orders of batch lines: what was sent of each, and what the exchange answered."""

from collections.abc import Iterable, Mapping
from typing import Any

SENT = ("market", "side", "price", "size", "client_order_id", "order_id", "decision_id", "reason")
ANSWERED = ("client_order_id", "order_id", "size")

Fact = Mapping[str, Any]


def sent(facts: Iterable[Fact]) -> list[dict[str, str]]:
    """Of `BATCH_PLACE` or `BATCH_CANCEL` lines, with the id of their cycle."""
    return [entry for fact in facts for entry in _entries(fact, SENT)]


def answered(facts: Iterable[Fact], asked: Iterable[Fact]) -> list[dict[str, str]]:
    """Of `BATCH_PLACED` or `BATCH_CANCELLED` lines, with what else was said of them when they were sent."""
    known = {entry["client_order_id"]: entry for entry in sent(asked)}
    answers = [entry for fact in facts for entry in _entries(fact, ANSWERED)]
    return [known[entry["client_order_id"]] | entry for entry in answers]


def _entries(fact: Fact, names: tuple[str, ...]) -> list[dict[str, str]]:
    lines = fact["orders"].split("; ")
    return [
        {"cycle_id": fact["cycle_id"], **dict(zip(names, line.split(" "), strict=True))} for line in lines
    ]
