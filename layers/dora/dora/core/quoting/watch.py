"""What every strategy begins with: a look at the book, what is remembered of it, whether to quote at all."""

from typing import NamedTuple

from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.fair_value import FairValue, fair_value
from dora.core.quoting.memory import Memory, judged, recall, remember
from dora.core.quoting.outside_value import anchored
from dora.core.quoting.strategy import StoredMemory
from dora.core.reasons import Reason
from dora.core.units import ONE_DOLLAR, Price


class Watched(NamedTuple):
    """A market that may be quoted, as it was seen."""

    fair: FairValue
    memory: Memory


class Unquoted(NamedTuple):
    """Why the market rests nothing, and what to remember all the same."""

    decision: Decision
    stored: StoredMemory


def watch(inputs: QuoteInputs, stored: StoredMemory | None) -> Watched | Unquoted:
    """Memory learns from every book with a fair value in it, whether or not the market is quoted.

    What it learns is the book's; a configured fair value only takes its place in what is quoted.
    """
    before = recall(stored)
    seen = _seen(inputs)
    if isinstance(seen, Reason):
        decision = Decision(ticker=inputs.market.ticker, skip=seen)
        return Unquoted(decision, {} if before is None else before.stored())
    config = inputs.config
    after = judged(
        remember(before, seen, inputs.now_ms), config.max_speed_percent, config.resume_speed_percent
    )
    fair = anchored(seen, config, inputs.now_ms)
    why = _unfit(inputs, fair, after)
    if why is None:
        return Watched(fair, after)
    return Unquoted(skipped(inputs, why, fair, after), after.stored())


def skipped(inputs: QuoteInputs, why: Reason, seen: FairValue, memory: Memory) -> Decision:
    """A market that is not quoted although its book holds a fair value."""
    return Decision(
        ticker=inputs.market.ticker,
        skip=why,
        fair_value=seen.value,
        fair_value_source=seen.source,
        spread=Price(seen.ask - seen.bid),
        speed=memory.speed,
        position=inputs.net,
    )


def _seen(inputs: QuoteInputs) -> FairValue | Reason:
    others = inputs.others
    if others is None or others.ticker != inputs.market.ticker:
        return Reason.BOOK_UNKNOWN
    return fair_value(others, inputs.config.max_spread)


def _unfit(inputs: QuoteInputs, seen: FairValue, memory: Memory) -> Reason | None:
    config = inputs.config
    if not config.min_price <= seen.value * ONE_DOLLAR <= config.max_price:
        return Reason.FAIR_VALUE_OUT_OF_RANGE
    if memory.fast:
        return Reason.TOO_FAST
    if not memory.watched(config.warm_up_minutes):
        return Reason.WARMING_UP
    return Reason.BOOK_TOO_NARROW if seen.ask - seen.bid < config.min_book_width else None
