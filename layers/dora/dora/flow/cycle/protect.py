"""What is taken off although nothing may be placed: quotes that are dangerous, or too old without a price."""

from collections.abc import Collection, Iterable, Mapping

from dora.core.exchange.book import Resting, without
from dora.core.orders.danger import Exposed, Pricing, exposed, removable
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.reconciliation import ORPHAN_LEVEL
from dora.core.orders.slot_plan import SlotPlan, with_cancels
from dora.core.quoting.fair_value import LEVELS, FairValue, fair_value
from dora.core.quoting.ladder import NANO
from dora.core.reasons import CancelReason, Reason
from dora.flow.cycle.inputs import Inputs, fees_of


def protect(
    inputs: Inputs, plan: SlotPlan, why: Reason, tickers: Collection[str], triggered: Collection[str]
) -> tuple[SlotPlan, Exposed]:
    """The plan, with cancels for the orders of these markets that must not rest any longer, and those.

    Under reads that are behind, an acknowledged order counts as resting. What a trigger took off does not.
    In a market that cannot be computed nobody looks after its orders: they go by their age as well.
    """
    if not tickers:
        return without_triggered(plan, inputs), Exposed()
    acknowledged = why is Reason.READ_STALE and inputs.snapshot.groups is not None
    orders = [
        order
        for order in removable(inputs.view, inputs.now_ms, by_acknowledgement=acknowledged)
        if order.slot.ticker in tickers and order.group_id not in triggered
    ]
    max_age_ms = inputs.globals_.max_unpriced_age_s * 1000
    unwanted = [order for order in orders if not _is_wanted(inputs, order)]
    found = exposed(
        orders,
        _pricing(inputs, orders),
        inputs.now_ms,
        max_age_ms,
        priced_age_too=why is Reason.COMPUTE_FAILED,
    )
    plan = with_cancels(plan, unwanted, CancelReason.NOT_WANTED)
    plan = with_cancels(plan, found.dangerous, CancelReason.DANGEROUS)
    return without_triggered(with_cancels(plan, found.unpriced, CancelReason.UNPRICED), inputs), found


def _is_wanted(inputs: Inputs, order: TrackedOrder) -> bool:
    """Whether a person wants quotes in its market, and it is one of those that we place."""
    config = inputs.wanted.get(order.slot.ticker)
    return config is not None and config.enabled and order.slot.level != ORPHAN_LEVEL


def without_triggered(plan: SlotPlan, inputs: Inputs) -> SlotPlan:
    """The plan, without cancels of what a trigger may have taken off: they would find nothing.

    Where the groups could not be read, an order must have a row that is newer than our last write to it, and
    than the latch of its session, which triggers every group. Without a latch any age will do.
    """
    if inputs.snapshot.groups is not None:
        return plan
    latched_ms = inputs.session.limit_reached_at_ms if inputs.session else None
    later = latched_ms is None or inputs.snapshot.as_of_ms > latched_ms
    cancels = tuple(r for r in plan.cancels if later and r.client_order_id in inputs.view.shown)
    return plan._replace(cancels=cancels)


def _pricing(inputs: Inputs, orders: Iterable[TrackedOrder]) -> dict[str, Pricing]:
    """By ticker; a market whose book holds no fair value is absent."""
    own = inputs.view.resting_by_ticker()
    found = {ticker: _price(inputs, ticker, own) for ticker in {order.slot.ticker for order in orders}}
    return {ticker: pricing for ticker, pricing in found.items() if pricing is not None}


def _price(inputs: Inputs, ticker: str, own: Mapping[str, tuple[Resting, ...]]) -> Pricing | None:
    """Today's book without our account's own orders; only a configured market says how wide it may be."""
    book, config = inputs.snapshot.books.get(ticker), inputs.wanted.get(ticker)
    if book is None or config is None:
        return None
    try:
        fair = fair_value(without(book, own.get(ticker, ()), LEVELS), config.max_spread)
        market = inputs.snapshot.markets.get(ticker)
        fees = fees_of(inputs, market) if market else None
    except Exception:
        # Whatever it was that could not be computed: the market has no price, and the others have theirs.
        return None
    return Pricing(round(fair.value * NANO), fees) if isinstance(fair, FairValue) else None
