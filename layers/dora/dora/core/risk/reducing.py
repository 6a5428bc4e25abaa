"""Whether an order only lowers what is at stake: what passes while no new risk may be taken."""

from dora.core.exchange.market import Slot
from dora.core.risk.market_risk import MarketRisk


def beyond_flat(worst: MarketRisk, slot: Slot, count: int) -> bool:
    """Whether this order and all others of its side could turn the position round, by either count of it.

    What rests in the order's own slot is replaced by it.
    """
    before = worst.parts.get(slot)
    others = worst.most(slot.side) - (before.contracts if before is not None else 0)
    return others + count > 0
