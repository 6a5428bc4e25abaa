"""How far the quotes of a decision lead, or stand behind, the best prices of others."""

from dora.core.exchange.market import Side
from dora.core.quoting.decision import Decision, QuoteInputs

BID = Side.BID
_BEFORE = Decision._fields.index("bid_improvement")
_AFTER = Decision._fields.index("ask_improvement") + 1


def with_improvement(decision: Decision, asked: QuoteInputs) -> Decision:
    """The decision, and by how many ticks the best quote of each side improves on others."""
    others, grid = asked.others, asked.market.grid
    if others is None or not decision.targets:
        return decision
    bids = [price for (_, side, _), price, _, _ in decision.targets if side is BID]
    asks = [price for (_, side, _), price, _, _ in decision.targets if side is not BID]
    bid = grid.ticks_between(others.bids[0].price, max(bids)) if bids and others.bids else None
    ask = grid.ticks_between(min(asks), others.asks[0].price) if asks and others.asks else None
    # Two fields amid the others, set by their places: a third of what `_replace` takes.
    return Decision._make((*decision[:_BEFORE], bid, ask, *decision[_AFTER:]))
