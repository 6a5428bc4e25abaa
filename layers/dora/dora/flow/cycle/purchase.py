"""What of a plan this cycle can pay for, and when each of its writes may be sent."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from dora.core.exchange.account import Limits
from dora.core.exchange.pacing import cancel_batch_size, create_batch_size
from dora.core.orders.batches import split
from dora.core.orders.budget import Demand, in_order, must_go, within_budget
from dora.core.orders.danger import Pricing, is_dangerous
from dora.core.orders.journal import TrackedOrder
from dora.core.orders.requests import CancelRequest
from dora.core.orders.slot_plan import SlotPlan
from dora.core.ports import Ports
from dora.core.quoting.decision import Decision
from dora.core.quoting.ladder import NANO
from dora.core.units import TimeMs
from dora.flow.cycle.inputs import Choice, Inputs, fees_of
from dora.flow.shared.reads import reserve_or_none, smallest_send_times


class Purchase(NamedTuple):
    """A plan that is paid for. Batches and changes are sent at their times, those without one not at all."""

    plan: SlotPlan
    reserved_ms: TimeMs
    cancels: Sequence[Sequence[CancelRequest]]
    create_size: int
    tokens: int | None = None
    """What the plan could spend; None: nothing was bought."""
    most_places: int | None = None
    """Placements with a send time where they are fewer than the tokens buy."""
    cancel_ms: Sequence[TimeMs] = ()
    decrease_ms: Sequence[TimeMs] = ()
    extend_ms: Sequence[TimeMs] = ()
    create_ms: Sequence[TimeMs] = ()


def purchase(
    ports: Ports, inputs: Inputs, choice: Choice, place_until_ms: TimeMs, deadline_ms: TimeMs
) -> Purchase:
    """The largest part of the plan all of whose writes have send times, its creates by `place_until_ms`.

    Without the shared bucket only what must go is sent, at the pace of the smallest tier. A dry run buys
    nothing and keeps its plan.
    """
    limits, now_ms = inputs.limits, ports.clock.now_ms()
    size = create_batch_size(inputs.globals_.create_batch_size, limits)
    cancel_size = cancel_batch_size(inputs.globals_.cancel_batch_size, limits)
    if ports.dry_run:
        return Purchase(plan=choice.plan, reserved_ms=now_ms, cancels=(), create_size=size)
    tokens = ports.limiter.affordable("write", now_ms, place_until_ms)
    buy, most_places = _buyer(inputs, choice, limits, tokens), None
    plan = buy(tokens)
    cancels, changes = list(split(plan.cancels, cancel_size)), len(plan.decreases) + len(plan.extends)
    costs = [len(batch) * limits.cancel_cost for batch in cancels] + [limits.default_cost] * changes
    costs += [len(batch) * limits.create_cost for batch in split(plan.places, size)]
    sends = reserve_or_none(ports, "write", costs, now_ms, deadline_ms) if costs else ()
    if sends is None:
        sends = smallest_send_times(costs[: len(cancels) + changes], now_ms, deadline_ms)
    create_ms = [at_ms for at_ms in sends[len(cancels) + changes :] if at_ms <= place_until_ms]
    if len(create_ms) * size < len(plan.places):
        most_places = len(create_ms) * size
        plan = buy(tokens, most_places)
    change_ms = sends[len(cancels) : len(cancels) + changes]
    return Purchase(
        plan=plan,
        reserved_ms=now_ms,
        tokens=tokens,
        most_places=most_places,
        cancels=list(split(plan.cancels, cancel_size)),
        create_size=size,
        cancel_ms=sends[: len(cancels)],
        decrease_ms=change_ms[: len(plan.decreases)],
        extend_ms=change_ms[len(plan.decreases) :],
        create_ms=create_ms,
    )


def bought(inputs: Inputs, choice: Choice, tokens: int | None, most_places: int | None) -> SlotPlan:
    """The plan that `purchase` arrives at with these tokens and placements. Pure."""
    if tokens is None:
        return choice.plan
    return _buyer(inputs, choice, inputs.limits, tokens)(tokens, most_places)


def _buyer(inputs: Inputs, choice: Choice, limits: Limits, tokens: int) -> "partial[SlotPlan]":
    """Buys from the plan in the order of its demand, given tokens and perhaps a largest number of places."""
    orders, decisions = inputs.view.journal.orders, {d.ticker: d for d in choice.decisions}
    urgent = must_go(choice.plan, orders, partial(_is_dangerous, inputs, decisions))
    demand = Demand(configs=inputs.wanted, nets=inputs.nets, waits=inputs.waits)
    places = in_order(choice.plan.places, demand, tokens // (limits.create_cost + limits.cancel_cost))
    ordered = choice.plan._replace(places=tuple(places))
    most_orders = inputs.globals_.max_orders_per_cycle
    return partial(within_budget, ordered, orders, urgent, limits, most_orders=most_orders)


def _is_dangerous(inputs: Inputs, decisions: Mapping[str, Decision], order: TrackedOrder) -> bool:
    """Whether a quote that is to be replaced would lose money at the fair value of this cycle's decision.

    Also where that is not known.
    """
    ticker = order.slot.ticker
    decision, market = decisions.get(ticker), inputs.snapshot.markets.get(ticker)
    if decision is None or decision.fair_value is None or market is None:
        return True
    return is_dangerous(order, Pricing(round(decision.fair_value * NANO), fees_of(inputs, market)))
