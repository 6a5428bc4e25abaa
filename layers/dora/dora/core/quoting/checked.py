"""A strategy's answer held to its type and its market, before anything is reckoned with it.

Types are annotations only: a strategy with a bug may return anything. Whatever does not hold here costs the
market its quotes of this cycle, and no other market anything.
"""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from dora.core.errors import StrategyInvalid
from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import TargetOrder
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.reasons import Reason

MEMORY_CHARS = 1_000
"""Longest memory of one market as JSON: the memory of thousands is stored together."""
SOURCE_CHARS = 40
_PARTS = 2


def checked(answer: Any, asked: QuoteInputs) -> tuple[Decision, Mapping[str, object]]:
    """The answer as it came. Raises StrategyInvalid, or whatever an odd value raises."""
    _hold(isinstance(answer, tuple) and len(answer) == _PARTS, "no decision with its memory")
    decision, memory = answer
    _hold(isinstance(decision, Decision), f"a {type(decision).__name__} for a decision")
    _hold(decision.ticker == asked.market.ticker, f"a decision for {decision.ticker!r}")
    _check_reasons(decision, asked)
    _check_figures(decision)
    _check_targets(decision, asked)
    _check_memory(memory)
    return decision, memory


def _hold(holds: bool, otherwise: str) -> None:
    if not holds:
        raise StrategyInvalid(otherwise)


def _check_reasons(decision: Decision, asked: QuoteInputs) -> None:
    _hold(decision.skip is None or isinstance(decision.skip, Reason), "a skip that is no reason")
    _hold(decision.skip is None or not decision.targets, "targets in a market that it skips")
    _hold(isinstance(decision.dropped, tuple), "dropped levels that are no tuple")
    for slot, why in decision.dropped:
        _check_slot(slot, asked)
        _hold(isinstance(why, Reason), "a dropped level without a reason")
    slots = {slot for slot, _ in decision.dropped}
    _hold(len(slots) == len(decision.dropped), "one level dropped twice")


def _check_figures(decision: Decision) -> None:
    for figure in (decision.fair_value, decision.reservation_price, decision.half_spread):
        _hold(figure is None or isfinite(figure), "a model value that is no finite number")
    source = decision.fair_value_source
    _hold(isinstance(source, str) and len(source) <= SOURCE_CHARS, "a source that is no short text")


def _check_targets(decision: Decision, asked: QuoteInputs) -> None:
    _hold(isinstance(decision.targets, tuple), "targets that are no tuple")
    for target in decision.targets:
        _hold(isinstance(target, TargetOrder), f"a {type(target).__name__} for a target")
        _check_slot(target.slot, asked)
        whole = all(type(value) is int for value in (target.price, target.count, target.edge))
        _hold(whole, "a price, count or edge that is no int")
        _hold(target.price in asked.market.grid, "a price off the market's grid")
        _hold(0 < target.count <= asked.config.quote_size, "a count beyond the quote size")
    slots = {target.slot for target in decision.targets}
    _hold(len(slots) == len(decision.targets), "two targets in one slot")


def _check_slot(slot: Slot, asked: QuoteInputs) -> None:
    _hold(isinstance(slot, Slot) and isinstance(slot.side, Side), "a level without a slot or a side")
    _hold(slot.ticker == asked.market.ticker, f"a slot in {slot.ticker!r}")
    level = slot.level
    _hold(type(level) is int and 0 <= level < asked.config.levels, "a level that is not configured")


def _check_memory(memory: Mapping[str, object]) -> None:
    """Stored as JSON with every other market's: what JSON cannot hold would cost them all."""
    flat = isinstance(memory, Mapping) and all(type(key) is str for key in memory)
    _hold(flat, "a memory that is no object")
    plain = all(value is None or type(value) in (int, str, bool) for value in memory.values())
    _hold(plain, "a memory of other values than ints, texts and flags")
    _hold(len(json.dumps(dict(memory))) <= MEMORY_CHARS, "a memory that is too long")
