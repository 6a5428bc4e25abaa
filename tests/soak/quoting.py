"""How much a bot under faults quoted, measured against its fault-free twin.

A slot-minute in which the twin quoted and the bot did not is `forced` when a rule or the exchange left no
choice; every other one counts against the bot.

  unanswered   the slot holds a write of unknown outcome, for at most five minutes
  paused       the shard took no orders; resting ones it had cancelled
  closed       the market was closed
  no input     what a cycle must know could not be read, or its plan not be written: no new orders (I4, I6)
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulator.fault_plan import Fault, FaultPlan
from tests.soak.day import KILL, Outcome
from tests.soak.witness import LOOKED_AFTER_MS, Sample, Slot

PAUSES = ("pause-trading", "pause-exchange")
NOT_FORCED = "other"


@dataclass
class Quoting:
    """Slot-minutes of both, and why the bot missed some of the twin's."""

    twin: int = 0
    quoted: int = 0
    """Of the twin's; what the bot quoted where the twin did not is no merit."""
    missed: Counter[str] = field(default_factory=Counter)

    @property
    def forced(self) -> int:
        """Of those missed, the ones that no bot could have quoted."""
        return self.missed.total() - self.missed[NOT_FORCED]

    @property
    def ratio(self) -> float:
        """Quoted of what could be quoted."""
        return self.quoted / max(self.twin - self.forced, 1)

    def add(self, other: "Quoting") -> None:
        """Take another day into account."""
        self.twin += other.twin
        self.quoted += other.quoted
        self.missed += other.missed


def compare(twin: Outcome, bot: Outcome, plan: FaultPlan, shards: Mapping[str, int]) -> Quoting:
    """One day of both; `shards` by ticker."""
    seen, found = {sample.at_ms: sample for sample in bot.seen.samples}, Quoting()
    for wanted in twin.seen.samples:
        sample = seen.get(wanted.at_ms)
        found.twin += len(wanted.quoted)
        if sample is None:
            found.missed[NOT_FORCED] += len(wanted.quoted)
            continue
        found.quoted += len(wanted.quoted & sample.quoted)
        tick_ms = sample.at_ms - LOOKED_AFTER_MS
        lasting = [f for f in plan.faults if 0 <= tick_ms - bot.loaded_ms - f.at_ms < f.for_ms]
        for slot in wanted.quoted - sample.quoted:
            found.missed[_why(slot, sample, lasting, bot.reasons.get(tick_ms), shards)] += 1
    return found


def _why(
    slot: Slot, sample: Sample, lasting: list[Fault], reason: str | None, shards: Mapping[str, int]
) -> str:
    ticker = slot[0]
    if slot in sample.frozen:
        return "unanswered"
    if any(fault.kind in PAUSES and fault.where in ("*", str(shards[ticker])) for fault in lasting):
        return "paused"
    if any(fault.kind == "close" and fault.where == ticker for fault in lasting):
        return "closed"
    return "no input" if reason is not None and reason != KILL else NOT_FORCED
