"""Which resting quotes go although nothing may be placed: cancelling needs orders and books, and no more.

While cash, positions or the status cannot be read, quotes would stay at old prices and be taken. A quote is
dangerous once its fill would lose money at today's fair value, fees included; our inventory is left out, for
it is a reason to want a price and not a measure of its harm. What was not repriced for too long goes too.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dora.core.exchange.fees import FREE, FeeTerms, maker_fee_per_contract
from dora.core.orders.evidence import EXPIRY_MARGIN_MS
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.quoting.ladder import NANO_PER_PRICE
from dora.core.units import TimeMs


class Pricing(NamedTuple):
    """What one market's quotes are measured by: fair value in 1e-9 $, and its fees (None: not known)."""

    fair_e9: int
    fees: FeeTerms | None


class Exposed(NamedTuple):
    """Orders that must not rest any longer: `dangerous` by their price, `unpriced` by their age."""

    dangerous: tuple[TrackedOrder, ...] = ()
    unpriced: tuple[TrackedOrder, ...] = ()


def removable(view: ReconciledOrders, now_ms: TimeMs, *, by_acknowledgement: bool) -> list[TrackedOrder]:
    """Live orders that a cancel will find: each has a row that is not older than our last write to it.

    `by_acknowledgement`: the reads are behind, so the engine's word that an order rests must do.
    """
    soon_ms = TimeMs(now_ms + EXPIRY_MARGIN_MS)
    return [
        order
        for key, order in sorted(view.journal.orders.items())
        if order.state is OrderState.LIVE
        and order.order_id is not None
        and (by_acknowledgement or key in view.shown)
        and not order.expires_by(soon_ms)
    ]


def is_dangerous(order: TrackedOrder, pricing: Pricing) -> bool:
    """Whether its fill would lose money: a bid above fair value less the fee, an ask below it plus the fee.

    Unknown fees count as none: such a quote is dangerous by its price alone. The fee is that of the whole
    order, as it was when it was quoted.
    """
    gain_e9 = order.slot.side.sign * (pricing.fair_e9 - order.price * NANO_PER_PRICE)
    fees = FREE if pricing.fees is None else pricing.fees
    fee = maker_fee_per_contract(fees, order.price, order.count, order.slot.side)
    return gain_e9 < fee * NANO_PER_PRICE


def exposed(
    orders: Iterable[TrackedOrder],
    pricing: Mapping[str, Pricing],
    now_ms: TimeMs,
    max_unpriced_age_ms: int,
    *,
    priced_age_too: bool = False,
) -> Exposed:
    """Those of the orders that are dangerous, or whose market has no price and which are too old for that.

    `priced_age_too`: their own quotes cannot be computed, so the age limit holds with a fair value as well.
    """
    dangerous, unpriced = list[TrackedOrder](), list[TrackedOrder]()
    for order in orders:
        priced, age_ms = pricing.get(order.slot.ticker), now_ms - (order.write_ms or order.sent_ms)
        if priced is not None and is_dangerous(order, priced):
            dangerous.append(order)
        elif (priced is None or priced_age_too) and age_ms > max_unpriced_age_ms:
            unpriced.append(order)
    return Exposed(tuple(dangerous), tuple(unpriced))
