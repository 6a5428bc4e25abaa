"""Steps 6 to 8 of a cycle as one function, with what stands in for them when nothing may be placed."""

from collections.abc import Collection
from typing import NamedTuple

from dora.core.orders.danger import Exposed
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.orders.slot_plan import SlotPlan, with_cancels
from dora.core.reasons import CancelReason, Reason
from dora.flow.cycle.compute import decide
from dora.flow.cycle.inputs import Choice, Inputs
from dora.flow.cycle.plain_plans import leave_all, pull_all, without_taken
from dora.flow.cycle.protect import protect, without_triggered
from dora.flow.cycle.quote import learned


class Chosen(NamedTuple):
    """A choice, and the orders that it takes off because they must not rest."""

    choice: Choice
    exposed: Exposed = Exposed()


def choose(inputs: Inputs, triggered: Collection[str]) -> Chosen:
    """What to keep, change, cancel and place. Pure. `triggered`: groups whose orders are off already."""
    why = inputs.permission.blocked_by
    if why is not None:
        return _forbidden(inputs, why, triggered)
    choice = decide(inputs)
    failed = choice.failed.keys()
    plan = without_taken(_in_their_groups(inputs, choice.plan), inputs.view, triggered)
    plan, exposed = protect(inputs, plan, Reason.COMPUTE_FAILED, failed, triggered)
    return Chosen(choice=choice._replace(plan=plan), exposed=exposed)


def _in_their_groups(inputs: Inputs, plan: SlotPlan) -> SlotPlan:
    """An order that rests in another group than its brake is taken off: that of its event where orders are
    grouped by event, else one of the session's.
    """
    orders = inputs.view.journal.orders.values()
    if inputs.events is not None:
        astray = [order for order in orders if _is_astray(inputs, order)]
    elif inputs.session is not None and inputs.session.use_order_groups:
        own = {None, *(group.group_id for group in inputs.session.order_groups)}
        astray = [o for o in orders if o.group_id not in own and o.state is OrderState.LIVE]
    else:
        return plan
    return with_cancels(plan, astray, CancelReason.NOT_WANTED)


def _is_astray(inputs: Inputs, order: TrackedOrder) -> bool:
    market = inputs.snapshot.markets.get(order.slot.ticker)
    brake = (inputs.events or {}).get(market.event_ticker) if market else None
    if brake is None or brake.reason is not None or order.state is not OrderState.LIVE:
        return False
    return order.group_id != brake.group_id


def _forbidden(inputs: Inputs, why: Reason, triggered: Collection[str]) -> Chosen:
    """What is cancelled while nothing may be placed: all that was read, or else what is dangerous."""
    read, exposed = inputs.snapshot.resting is not None or inputs.snapshot.partial, Exposed()
    if inputs.permission.cancel_resting and read:
        plan = without_triggered(pull_all(inputs.view, why, triggered), inputs)
    else:
        tickers = {order.slot.ticker for order in inputs.view.journal.orders.values()}
        plan, exposed = protect(inputs, leave_all(inputs.view), why, tickers, triggered)
    return Chosen(choice=Choice(plan=plan, memory=learned(inputs)), exposed=exposed)
