"""Step 2 of a cycle: one read of the configs, one of the state, and what is made of both."""

from dora.core.fallbacks import UNCONFIGURED
from dora.core.orders.journal import fold_plans
from dora.core.ports import Ports
from dora.core.state import BotState
from dora.flow.cycle.cycle_context import LoadedState
from dora.flow.cycle.event_groups import load_groups
from dora.flow.cycle.inputs import LIMITS
from dora.flow.shared.account_limits import refresh_limits, share_of, tell_limiter
from dora.flow.shared.fee_changes import FEES, read_fee_changes
from dora.flow.shared.universe import refresh_listings, wanted_markets


def load(ports: Ports, fence: int) -> LoadedState:
    """Configs, state and limits under a lease. Raises StateError: without state nothing is done."""
    configs = ports.configs.load()
    state = ports.state.load(fence)
    for problem in configs.problems:
        ports.facts.emit("CONFIG_INVALID", what=problem.problem, where=problem.where, how_to_fix=problem.fix)
    ports.facts.count("ConfigItemsInvalid", len(configs.problems))
    globals_ = configs.globals_ or UNCONFIGURED
    tell_limiter(ports.limiter, state.limits, globals_, ports.prefix)
    learned_ms, contradicted = _age(state)
    limits, learned_ms = refresh_limits(ports, state.limits, learned_ms, contradicted=contradicted)
    tell_limiter(ports.limiter, limits, globals_, ports.prefix)
    reference = refresh_listings(ports, configs, state.reference, state.memory)
    held = [ticker for ticker, position in state.positions.items() if position.net]
    loaded = LoadedState(
        configs=configs,
        globals_=globals_,
        state=state,
        limits=share_of(limits, globals_),
        limits_learned_ms=learned_ms,
        journal=fold_plans(state.journal, state.plans),
        reference=reference,
        wanted=wanted_markets(configs, reference, held),
        fee_changes=read_fee_changes(state.memory.get(FEES, {})),
    )
    return loaded._replace(events=load_groups(ports, loaded))


def _age(state: BotState) -> tuple[int, bool]:
    """When the limits were learned (a session's start does), and whether a 429 has contradicted them."""
    noted = state.memory.get(LIMITS, {})
    learned_ms, contradicted = noted.get("learned_ms"), noted.get("contradicted")
    since_ms = state.session.created_at_ms if state.session else 0
    return max(learned_ms if isinstance(learned_ms, int) else 0, since_ms), contradicted == 1
