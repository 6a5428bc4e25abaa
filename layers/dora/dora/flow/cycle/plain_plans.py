"""Plans that no quote is computed for: all is taken off, or all stays, whatever the market does."""

from collections.abc import Collection

from dora.core.orders.diff import plan_slots
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.slot_plan import SlotPlan
from dora.core.reasons import Reason


def pull_all(view: ReconciledOrders, reason: Reason, triggered: Collection[str]) -> SlotPlan:
    """No quote is wanted anywhere: cancel every order of ours that is proven to rest.

    But for those of `triggered` groups: the trigger has taken them off, whatever a stale read shows.
    """
    plan = without_taken(plan_slots((), view, {}), view, triggered)
    return plan._replace(why=dict.fromkeys(plan.why, reason))


def without_taken(plan: SlotPlan, view: ReconciledOrders, triggered: Collection[str]) -> SlotPlan:
    """The plan, which asks nothing of orders whose group is triggered: the trigger has taken them off."""
    if not triggered:
        return plan
    orders = view.journal.orders
    asked = {request.client_order_id for request in plan.cancels}
    asked |= {request.client_order_id for request in plan.decreases}
    asked |= {request.client_order_id for request in plan.extends}
    taken = {name for name in asked if orders[name].group_id in triggered}
    if not taken:
        return plan
    kept = {order.client_order_id for order in plan.kept}
    return plan._replace(
        kept=(*plan.kept, *(orders[name] for name in sorted(taken - kept))),
        decreases=tuple(r for r in plan.decreases if r.client_order_id not in taken),
        cancels=tuple(r for r in plan.cancels if r.client_order_id not in taken),
        extends=tuple(r for r in plan.extends if r.client_order_id not in taken),
        why={name: why for name, why in plan.why.items() if name not in taken},
    )


def leave_all(view: ReconciledOrders) -> SlotPlan:
    """Nothing may be decided: every order stays as it is."""
    kept = tuple(order for order in view.journal.orders.values() if order.open)
    return SlotPlan(kept=kept, decreases=(), cancels=(), places=(), withheld=())
