"""Step 11 of a cycle: what it made becomes state, facts and an answer."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dora.core.config import GlobalConfig, MarketConfig
from dora.core.errors import StateError
from dora.core.orders.diff import slot_key
from dora.core.orders.journal import Journal
from dora.core.orders.requests import OrderRequest
from dora.core.ports import Ports
from dora.core.reasons import Reason
from dora.core.record import CycleFacts, answer_of, wide_record
from dora.core.risk.gates import Permission
from dora.core.state import BotState, Changes, Configs, LeaseGrant, Progress, ReferenceData
from dora.core.units import Money, TimeMs
from dora.flow.cycle import cycle_facts
from dora.flow.cycle.breakers import DayStart
from dora.flow.cycle.compute import Choice
from dora.flow.cycle.execute import Execution
from dora.flow.cycle.read import Snapshot
from dora.flow.shared.accounting import Accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedState:
    """What was loaded: configs, state, and the journal with every cut-short plan folded in."""

    configs: Configs
    globals_: GlobalConfig
    state: BotState
    journal: Journal
    reference: ReferenceData
    wanted: Mapping[str, MarketConfig]


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleContext:
    """This cycle's right to write and its times, by our clock."""

    cycle_id: str
    grant: LeaseGrant
    began_ms: TimeMs
    deadline_ms: TimeMs
    calls_before: Counter[str]
    """The exchange client's count so far: a warm environment has served other cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleResult:
    """Everything a cycle came to, before it is written down."""

    snapshot: Snapshot
    accounts: Accounts
    profit: Money
    day: DayStart
    permission: Permission
    choice: Choice
    execution: Execution


def finish(ports: Ports, turn: CycleContext, known: LoadedState, made: CycleResult) -> dict[str, object]:
    """Outcomes, cursors, memory and one wide record, made durable; then the archive.

    Safe to repeat: no, because the journal it stores replaces the stored one; the fence keeps others out.
    """
    record = wide_record(_facts(ports, turn, known, made))
    ports.state.commit(turn.grant.fence, _changes(ports, turn, known, made, record))
    if made.execution.dropped:
        cycle_facts.budget_low(ports.facts, len(made.execution.dropped), made.execution.stopped)
    cycle_facts.mostly_failed(ports.facts, made.execution.tally)
    cycle_facts.cycle(ports.facts, record, made.choice.news, made.accounts.drift or ())
    _archive(ports, turn.cycle_id, record)
    return answer_of(record)


def _facts(ports: Ports, turn: CycleContext, known: LoadedState, made: CycleResult) -> CycleFacts:
    accounts, choice, execution = made.accounts, made.choice, made.execution
    unconfirmed = [Reason.CANCEL_UNCONFIRMED] * execution.withheld
    return CycleFacts(
        cycle_id=turn.cycle_id,
        began_ms=turn.began_ms,
        ended_ms=ports.clock.now_ms(),
        blocked_by=made.permission.blocked_by,
        stopped=execution.stopped,
        failures=made.snapshot.failures,
        problems=len(known.configs.problems),
        decisions=choice.decisions,
        withheld=[*(why for _, why in choice.plan.withheld), *unconfirmed],
        kept=len(choice.plan.kept),
        decreased=execution.decreased,
        dropped=len(execution.dropped),
        cancels=execution.cancels,
        places=execution.places,
        fills=accounts.booked,
        drift=None if accounts.drift is None else len(accounts.drift),
        net=accounts.net,
        traded=accounts.traded,
        profit=made.profit,
        unmarked=accounts.unmarked(made.snapshot.books, known.state.memory),
        fees=accounts.fees,
        calls=ports.exchange.calls - turn.calls_before,
    )


def _changes(
    ports: Ports, turn: CycleContext, known: LoadedState, made: CycleResult, record: Mapping[str, object]
) -> Changes:
    return Changes(
        journal=made.execution.journal,
        finished_plans=(*known.state.plans, *made.execution.plans),
        memory=made.choice.memory,
        cursors=made.accounts.cursors,
        progress=Progress(
            completed_ms=ports.clock.now_ms(),
            cycle_id=turn.cycle_id,
            status=str(record["status"]),
            day=made.day.day,
            day_profit=made.day.profit,
            starved=_starved(known.state.progress.starved, made.execution.dropped),
        ),
        reference=known.reference if known.reference != known.state.reference else None,
        summary=record,
    )


def _starved(before: Mapping[str, int], dropped: Iterable[OrderRequest]) -> dict[str, int]:
    """Cycles that each dropped placement has waited; whatever was not dropped now has stopped waiting."""
    return {key: before.get(key, 0) + 1 for key in sorted(slot_key(r.slot) for r in dropped)}


def _archive(ports: Ports, cycle_id: str, record: Mapping[str, object]) -> None:
    """The archive is for later questions: without it a cycle is still whole."""
    try:
        ports.archive.save(cycle_id, record)
    except StateError as error:
        ports.facts.emit("ERROR", what="archive of the cycle", why=str(error))
