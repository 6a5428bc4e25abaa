"""What a cycle's write tokens buy. A slot's cancel and its new order are one purchase: both or neither.

Cancels that must go, go first and whatever they cost: of quotes that are dangerous, larger than risk allows,
or not wanted any more. With the tokens that are left quotes are replaced and empty slots filled, as many as
can be paid in full. A quote that is only off its target keeps its queue place until its turn.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from dora.core.config import MarketConfig
from dora.core.exchange.account import Limits
from dora.core.exchange.market import Slot
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import ApprovedOrder, CancelRequest
from dora.core.orders.slot_plan import SlotPlan, slot_key
from dora.core.reasons import CancelReason, Reason
from dora.core.units import Count

OFF_TARGET = frozenset({CancelReason.REPRICED, CancelReason.RESIZED, CancelReason.RENEWED})
"""Why a quote is replaced that may as well wait."""
WAITING = frozenset({Reason.BUDGET, Reason.ORDER_RATE})
"""Why a target that is wanted waits for its turn."""
LOST = 1_000_000
"""The wait of a slot that stands empty because its create was not sent: longer than any that was counted."""


class Demand(NamedTuple):
    """What decides who is served first. All by ticker, but `waits`, which is by `slot_key`: in cycles."""

    configs: Mapping[str, MarketConfig]
    nets: Mapping[str, Count]
    waits: Mapping[str, int]


def must_go(
    plan: SlotPlan, orders: Mapping[str, TrackedOrder], is_dangerous: Callable[[TrackedOrder], bool]
) -> frozenset[str]:
    """The client order ids of cancels that are sent whether or not their slot's new order can be paid."""
    wanted = {place.slot: place for place in plan.places}
    return frozenset(
        request.client_order_id
        for request in plan.cancels
        if _must_go(
            orders[request.client_order_id],
            wanted.get(orders[request.client_order_id].slot),
            plan.why.get(request.client_order_id, ""),
            is_dangerous,
        )
    )


def _must_go(
    order: TrackedOrder,
    target: ApprovedOrder | None,
    why: str,
    is_dangerous: Callable[[TrackedOrder], bool],
) -> bool:
    if target is None or why not in OFF_TARGET or target.count < order.remaining:
        return True
    return is_dangerous(order)


def in_order(places: Collection[ApprovedOrder], demand: Demand, affordable: int) -> list[ApprovedOrder]:
    """First what reduces a position, then who has waited for a fair share, then the best value per token.

    A fair share is the number of cycles in which everybody would be served once. Who has waited so long goes
    before all others, the longest wait first, so nobody waits for more than two of them. Inner levels go
    before outer ones, which fill later. Value is the configured priority times what a fill would earn.
    """
    share = -(-len(places) // max(affordable, 1))

    def rank(place: ApprovedOrder) -> tuple[bool, int, int, int, Slot]:
        slot, config = place.slot, demand.configs[place.slot.ticker]
        reduces = demand.nets.get(slot.ticker, 0) * slot.side.sign < 0
        wait = demand.waits.get(slot_key(slot), 0)
        value = config.priority * place.edge * place.count
        return not reduces, -wait if wait >= share else 0, slot.level, -value, slot

    return sorted(places, key=rank)


def within_budget(
    plan: SlotPlan,
    orders: Mapping[str, TrackedOrder],
    urgent: Collection[str],
    limits: Limits,
    tokens: int,
    most_places: int | None = None,
    *,
    most_orders: int | None = None,
) -> SlotPlan:
    """The plan as far as these tokens pay for it, its cancels in the order in which they are to be sent.

    `plan.places` come most urgent first; the first ones are bought that can be paid in full, and no more
    than `most_places`, nor than `most_orders`, which a person allows one cycle. Orders of slots that must
    wait are kept, and their targets withheld (`budget`, or `order_rate`).
    """
    optional = _by_slot(plan, orders, urgent)
    left = tokens - (len(plan.cancels) - sum(map(len, optional.values()))) * limits.cancel_cost
    left -= (len(plan.decreases) + len(plan.extends)) * limits.default_cost
    bought = 0
    for place in plan.places[:most_places][:most_orders]:
        left -= limits.create_cost + len(optional.get(place.slot, ())) * limits.cancel_cost
        if left < 0:
            break
        bought += 1
    why = Reason.ORDER_RATE if bought == most_orders else Reason.BUDGET
    return _bought(plan, orders, urgent, optional, bought, why)


def _by_slot(
    plan: SlotPlan, orders: Mapping[str, TrackedOrder], urgent: Collection[str]
) -> dict[Slot, list[CancelRequest]]:
    """The cancels that need not go, by slot."""
    found: dict[Slot, list[CancelRequest]] = {}
    for request in plan.cancels:
        if request.client_order_id not in urgent:
            found.setdefault(orders[request.client_order_id].slot, []).append(request)
    return found


def _bought(
    plan: SlotPlan,
    orders: Mapping[str, TrackedOrder],
    urgent: Collection[str],
    optional: Mapping[Slot, list[CancelRequest]],
    bought: int,
    why: Reason,
) -> SlotPlan:
    places, waiting = plan.places[:bought], plan.places[bought:]
    replaced = [request for place in places for request in optional.get(place.slot, ())]
    spared = {r.client_order_id for place in waiting for r in optional.get(place.slot, ())}
    return plan._replace(
        kept=(*plan.kept, *(orders[key] for key in sorted(spared))),
        cancels=(*(r for r in plan.cancels if r.client_order_id in urgent), *replaced),
        places=places,
        withheld=(*plan.withheld, *((place.slot, why) for place in waiting)),
        why={key: reason for key, reason in plan.why.items() if key not in spared},
    )


def waits_after(before: Mapping[str, int], plan: SlotPlan, unsent: Collection[Slot]) -> dict[str, int]:
    """Cycles that slots have waited, after this one. `unsent`: slots whose create was bought and not sent."""
    waited = {slot_key(slot) for slot, why in plan.withheld if why in WAITING}
    return {key: before.get(key, 0) + 1 for key in sorted(waited)} | {
        slot_key(s): LOST for s in sorted(unsent)
    }
