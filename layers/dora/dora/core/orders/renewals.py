"""When orders get their later expiry: as late as they can, but never more in a cycle than it can send.

There is no amend for many orders, so each is a call of its own. Of those that are extended at most m a cycle
the k-th to expire must have its turn before the last k / m cycles of its life. Where a life is too short for
all of them to have theirs, all orders live longer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.orders.expiry import RENEW_MS
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.units import TimeMs
from dora.core.zones import MINUTE_MS

LIVE = OrderState.LIVE
EXTENSIONS = 8
"""A cycle's calls for it; its reads and batches are some 26 at 1,000 markets."""
LONGEST_LIFE_S = 604_800


def with_life(globals_: GlobalConfig, wanted: Mapping[str, MarketConfig]) -> GlobalConfig:
    """The config, with a longer `order_life_s` where that one is too short for its extensions.

    Two thirds of a life suffice to extend all orders, so that those that were placed at once need not begin
    at once.
    """
    if not (globals_.order_life_s and globals_.extend_expiry):
        return globals_
    orders = sum([2 * config.levels for config in wanted.values() if config.quoted])
    needed_s = -(-orders // EXTENSIONS) * 90 + RENEW_MS // 1000
    if needed_s <= globals_.order_life_s:
        return globals_
    return replace(globals_, order_life_s=min(needed_s, LONGEST_LIFE_S))


def extended_early(
    orders: Iterable[TrackedOrder], latest_ms: Mapping[str, TimeMs], now_ms: TimeMs
) -> frozenset[str]:
    """The client order ids of those that are extended now although there is time, to leave fewer for later.

    `latest_ms`: by ticker, the expiry they would get. One that gains less than a minute by it is left alone.
    """
    live = [
        (order.expires_ms, order.client_order_id)
        for order in orders
        if order.state is LIVE
        and order.expires_ms is not None
        and order.expires_ms + MINUTE_MS <= latest_ms.get(order.slot.ticker, 0)
    ]
    must = _must(sorted([expires_ms for expires_ms, _ in live]), now_ms)
    return frozenset([key for _, key in nsmallest(min(must, EXTENSIONS), live)])


def _must(expiries_ms: Sequence[int], now_ms: TimeMs) -> int:
    """How many have to be extended now, by the k-th of each that expires; in order of their expiry."""
    horizon_ms = now_ms + RENEW_MS + (len(expiries_ms) // EXTENSIONS + 1) * MINUTE_MS
    must = 0
    for place, expires_ms in enumerate(expiries_ms, 1):
        if expires_ms >= horizon_ms:
            break
        minutes = (expires_ms - RENEW_MS - now_ms) // MINUTE_MS + 1
        overdue = place - EXTENSIONS * minutes if minutes > 0 else place
        must = max(must, overdue)
    return must
