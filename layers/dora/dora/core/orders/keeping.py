"""Whether a resting order may stay where a target is wanted, and why not.

Queue place is money, so an order that is slightly off or partly filled stays.
"""

from typing import NamedTuple

from dora.core.config import MarketConfig
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import ApprovedOrder
from dora.core.reasons import CancelReason
from dora.core.units import CONTRACT, PriceGrid, TimeMs


class Rules(NamedTuple):
    """What one market's diff goes by."""

    grid: PriceGrid
    config: MarketConfig
    renew_before_ms: TimeMs = TimeMs(0)
    """Orders that expire sooner are renewed: a new one would rest longer."""
    extend_to_ms: TimeMs | None = None
    """The expiry that they are given in place; None: they are replaced."""
    gone_by_ms: TimeMs | None = None
    """When the market is not quoted next: an order that was to rest into that is replaced."""
    early: frozenset[str] = frozenset()
    """Client order ids of orders that are given their later expiry although there is time."""


def why_replaced(order: TrackedOrder, target: ApprovedOrder, rules: Rules) -> CancelReason | None:
    """Why the order cannot stand for its target; None where it stays, or is decreased to it."""
    if _overstays(order, rules) or (rules.extend_to_ms is None and _runs_out(order, rules)):
        return CancelReason.RENEWED
    if order.price != target.price and not _price_keeps(order, target, rules):
        return CancelReason.REPRICED
    stays = order.remaining >= target.count or _refilled_later(order, target, rules)
    return None if stays else CancelReason.RESIZED


def expiry_stands(order: TrackedOrder, rules: Rules) -> bool:
    """Whether its expiry asks for no write of any kind."""
    return not is_due(order, rules) and not _overstays(order, rules)


def is_due(order: TrackedOrder, rules: Rules) -> bool:
    """Whether it is to be given a later expiry."""
    return _runs_out(order, rules) or order.client_order_id in rules.early


def _runs_out(order: TrackedOrder, rules: Rules) -> bool:
    return order.expires_ms is not None and order.expires_ms < rules.renew_before_ms


def _overstays(order: TrackedOrder, rules: Rules) -> bool:
    latest_ms = rules.gone_by_ms
    return latest_ms is not None and order.expires_ms is not None and order.expires_ms > latest_ms


def _price_keeps(order: TrackedOrder, target: ApprovedOrder, rules: Rules) -> bool:
    """Within the tolerance; a quote more eager than its target must still earn the least edge."""
    if abs(rules.grid.ticks_between(order.price, target.price)) > rules.config.price_tolerance_ticks:
        return False
    eager = (order.price - target.price) * order.slot.side.sign
    return eager <= 0 or target.edge - eager >= rules.config.min_edge


def _refilled_later(order: TrackedOrder, target: ApprovedOrder, rules: Rules) -> bool:
    """Partly filled quotes stay until little is left, or less than one contract where more is wanted."""
    share = order.remaining * 100 >= target.count * rules.config.refill_below
    return share and order.remaining >= min(CONTRACT, target.count)
