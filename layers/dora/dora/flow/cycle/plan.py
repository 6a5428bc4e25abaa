"""Steps 6 to 8 of a cycle, and what of their outcome tokens can buy: from what is known to what is sent."""

from collections.abc import Mapping
from typing import NamedTuple

from dora.core.orders.renewals import with_life
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.risk.rests import RESTS, Rest, read_rests, standing, stored_rests
from dora.core.units import TimeMs
from dora.flow.cycle import cycle_facts
from dora.flow.cycle.archive import Basis
from dora.flow.cycle.choose import choose
from dora.flow.cycle.cycle_context import CycleContext
from dora.flow.cycle.guard import Guarded
from dora.flow.cycle.inputs import Choice, Inputs, MemoryByTicker, net_positions, waits_of
from dora.flow.cycle.observe import Observed
from dora.flow.cycle.purchase import Purchase, purchase
from dora.flow.cycle.quality import STATISTICS
from dora.flow.cycle.recent_trades import after_the_tape
from dora.flow.shared.accounting import Accounts


class Planned(NamedTuple):
    """What is to be sent, and what it was decided from. `choice.plan` holds what was bought."""

    basis: Basis
    choice: Choice
    bought: Purchase
    rests: Mapping[str, Rest]
    """Markets and shards that rested when it was decided, since their orders had been refused."""
    place_until_ms: TimeMs

    @property
    def inputs(self) -> Inputs:
        """All that steps 6 to 8 went by."""
        return self.basis.inputs


def plan(
    ports: Ports,
    context: CycleContext,
    observed: Observed,
    accounts: Accounts,
    guarded: Guarded,
    place_until_ms: TimeMs,
) -> Planned:
    """Compute, risk, diff, then the purchase. Safe to repeat, but for tokens, which are spent again."""
    now_ms = ports.clock.now_ms()
    memory = observed.loaded.state.memory
    rests = standing(read_rests(memory.get(RESTS, {})), now_ms, guarded.losses.control.at_ms)
    memory = {**memory, RESTS: stored_rests(rests.values())}
    inputs = _inputs(now_ms, observed, accounts, guarded, memory)
    choice, basis = _choose(ports, inputs, guarded.triggered)
    cycle_facts.uncomputed(ports.facts, context.cycle_id, choice.failed)
    bought = purchase(ports, inputs, choice, place_until_ms, context.deadline_ms)
    asked = basis.asked._replace(tokens=bought.tokens, most_places=bought.most_places)
    return Planned(
        basis=basis._replace(asked=asked),
        choice=choice._replace(plan=bought.plan),
        bought=bought,
        rests=rests,
        place_until_ms=place_until_ms,
    )


def _inputs(
    now_ms: TimeMs, observed: Observed, accounts: Accounts, guarded: Guarded, memory: MemoryByTicker
) -> Inputs:
    loaded, snapshot, reconciled = observed
    return Inputs(
        now_ms=now_ms,
        globals_=with_life(loaded.globals_, loaded.wanted),
        wanted=loaded.wanted,
        reference=loaded.reference,
        snapshot=snapshot,
        view=reconciled,
        positions=accounts.positions,
        nets=net_positions(accounts.positions, reconciled),
        permission=guarded.permission,
        memory={name: own for name, own in memory.items() if name not in STATISTICS},
        session=loaded.state.session,
        events=guarded.events.by_event,
        waits=waits_of(memory),
        limits=loaded.limits,
    )


def _choose(ports: Ports, inputs: Inputs, triggered: frozenset[str]) -> tuple[Choice, Basis]:
    """Where reads are late, with a look at the tape before anything is cancelled."""
    chosen, blocked_by = choose(inputs, triggered), inputs.permission.blocked_by
    cycle_facts.protected(ports.facts, chosen.exposed, blocked_by or Reason.COMPUTE_FAILED)
    basis = Basis(inputs=inputs, triggered=triggered)
    if blocked_by is not None:
        return chosen.choice, basis
    choice, asked = after_the_tape(ports, inputs, chosen.choice)
    return choice, basis._replace(asked=asked)
