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
from dora.core.units import Price

MEMORY_CHARS = 1_000
"""Longest memory of one market as JSON: the memory of thousands is stored together."""
SOURCE_CHARS = 40
BID = Side.BID
_PARTS = 2
_OBJECTS = (dict, Mapping)
_PLAIN = frozenset({int, str, bool, type(None)})
_NUMBER_CHARS = 19
_NUMBER_BELOW = 10 ** (_NUMBER_CHARS - 1)
"""An int nearer to zero takes no more characters than that."""


def checked(answer: Any, asked: QuoteInputs) -> tuple[Decision, Mapping[str, object]]:
    """The answer as it came. Raises StrategyInvalid, or whatever an odd value raises."""
    if not isinstance(answer, tuple) or len(answer) != _PARTS:
        raise StrategyInvalid("no decision with its memory")
    decision, memory = answer
    if not isinstance(decision, Decision):
        raise StrategyInvalid(f"a {type(decision).__name__} for a decision")
    if decision.ticker != asked.market.ticker:
        raise StrategyInvalid(f"a decision for {decision.ticker!r}")
    _check_reasons(decision, asked)
    _check_figures(decision)
    _check_targets(decision, asked)
    _check_memory(memory)
    return decision, memory


def _check_reasons(decision: Decision, asked: QuoteInputs) -> None:
    skip, dropped = decision.skip, decision.dropped
    if skip is not None and not isinstance(skip, Reason):
        raise StrategyInvalid("a skip that is no reason")
    if skip is not None and decision.targets:
        raise StrategyInvalid("targets in a market that it skips")
    if not isinstance(dropped, tuple):
        raise StrategyInvalid("dropped levels that are no tuple")
    for slot, why in dropped:
        _check_slot(slot, asked)
        if not isinstance(why, Reason):
            raise StrategyInvalid("a dropped level without a reason")
    if dropped and len({slot for slot, _ in dropped}) != len(dropped):
        raise StrategyInvalid("one level dropped twice")


def _check_figures(decision: Decision) -> None:
    for figure in (decision.fair_value, decision.reservation_price, decision.half_spread, decision.speed):
        if figure is not None and not isfinite(figure):
            raise StrategyInvalid("a model value that is no finite number")
    if type(decision.reward_rate) is not int or type(decision.reward_floor) is not int:
        raise StrategyInvalid("a reward that is no int")
    for amount in (decision.reward_value, decision.reward_cost):
        if amount is not None and type(amount) is not int:
            raise StrategyInvalid("a reward that is no int")
    source = decision.fair_value_source
    if not isinstance(source, str) or len(source) > SOURCE_CHARS:
        raise StrategyInvalid("a source that is no short text")


def _check_targets(decision: Decision, asked: QuoteInputs) -> None:
    targets, grid, size = decision.targets, asked.market.grid, asked.config.quote_size
    if not isinstance(targets, tuple):
        raise StrategyInvalid("targets that are no tuple")
    for target in targets:
        if not isinstance(target, TargetOrder):
            raise StrategyInvalid(f"a {type(target).__name__} for a target")
        slot, price, count, edge = target
        _check_slot(slot, asked)
        if not (type(price) is int and type(count) is int and type(edge) is int):
            raise StrategyInvalid("a price, count or edge that is no int")
        if price not in grid:
            raise StrategyInvalid("a price off the market's grid")
        if not 0 < count <= size:
            raise StrategyInvalid("a count beyond the quote size")
        if _leads(slot.side, price, asked):
            raise StrategyInvalid("a price further inside the touch than max_improve_ticks")
    if len({target.slot for target in targets}) != len(targets):
        raise StrategyInvalid("two targets in one slot")


def _leads(side: Side, price: Price, asked: QuoteInputs) -> bool:
    """Whether it stands too far inside the best price of others; where nobody else rests, nothing does."""
    ticks, grid, others = asked.config.max_improve_ticks, asked.market.grid, asked.others
    if others is None:
        return False
    if side is BID:
        best = others.bids[0].price if others.bids else price
        return price > best and price > grid.moved(best, ticks)
    best = others.asks[0].price if others.asks else price
    return price < best and price < grid.moved(best, -ticks)


def _check_slot(slot: Slot, asked: QuoteInputs) -> None:
    if not isinstance(slot, Slot) or not isinstance(slot.side, Side):
        raise StrategyInvalid("a level without a slot or a side")
    ticker, _, level = slot
    if ticker != asked.market.ticker:
        raise StrategyInvalid(f"a slot in {ticker!r}")
    if type(level) is not int or not 0 <= level < asked.config.levels:
        raise StrategyInvalid("a level that is not configured")


def _check_memory(memory: Mapping[str, object]) -> None:
    """Stored as JSON with every other market's: what JSON cannot hold would cost them all."""
    if not isinstance(memory, _OBJECTS):
        raise StrategyInvalid("a memory that is no object")
    if _is_few_numbers(memory):
        return
    if not all(type(key) is str for key in memory):
        raise StrategyInvalid("a memory that is no object")
    if not _PLAIN.issuperset(map(type, memory.values())):
        raise StrategyInvalid("a memory of other values than ints, texts and flags")
    if len(json.dumps(dict(memory))) > MEMORY_CHARS:
        raise StrategyInvalid("a memory that is too long")


def _is_few_numbers(memory: Mapping[str, Any]) -> bool:
    """Whether it is plainly short: ints alone, and few of them. It need not be written to see that.

    As JSON a character of a name takes 12 at most, and beside name and number stand six others. Raises
    TypeError for a name that is no text.
    """
    for number in memory.values():
        if type(number) is not int or not -_NUMBER_BELOW < number < _NUMBER_BELOW:
            return False
    return 12 * len("".join(memory)) + (_NUMBER_CHARS + 6) * len(memory) + 2 <= MEMORY_CHARS
