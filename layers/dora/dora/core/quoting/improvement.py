"""How far the quotes of a decision lead, or stand behind, the best prices of others."""

from dora.core.exchange.book import best_of_others
from dora.core.exchange.market import Side
from dora.core.quoting.decision import Decision, QuoteInputs


def with_improvement(decision: Decision, asked: QuoteInputs) -> Decision:
    """The decision, and by how many ticks the best quote of each side improves on others."""
    if not decision.targets:
        return decision
    bid, ask = (_improvement(decision, asked, side) for side in Side)
    return decision._replace(bid_improvement=bid, ask_improvement=ask)


def _improvement(decision: Decision, asked: QuoteInputs, side: Side) -> int | None:
    prices = [target.price for target in decision.targets if target.slot.side is side]
    touch = None if asked.book is None else best_of_others(asked.book, asked.own, side)
    if touch is None or not prices:
        return None
    best = max(prices, key=lambda price: price * side.sign)
    return side.sign * asked.market.grid.ticks_between(touch, best)
