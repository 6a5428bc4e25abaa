"""How much a bot under faults quoted, measured against its fault-free twin.

A slot-minute in which the twin quoted and the bot did not is `forced` when a rule or the exchange left no
choice, and `aside` when the bot completed its cycle and decided not to quote, by a rule that goes by what it
was dealt. Every other one counts against the bot.

  unanswered   the slot holds a write of unknown outcome, for at most five minutes
  paused       the shard took no orders; resting ones it had cancelled
  closed       the market was closed
  resting      a match tripped the order group of its event, not more than five minutes ago
  no input     what a cycle must know could not be read, or its plan not be written: no new orders (I4, I6)

  aside        `STANDS_ASIDE`: the twin has other fills, another grid, and no look that failed, so it rests
               its events, enters its programs and leaves them at other minutes. `too_fast` is none of these:
               both see the same books of others, and what a gap in the reads does to that is its own matter.

None is excused without end: of what the twin quoted, rests left out, the bot must quote `report.LEAST_SHARE`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from dora.core.reasons import Reason
from tests.simulator.fault_plan import Fault, FaultPlan
from tests.soak.day import KILL, Outcome
from tests.soak.witness import LOOKED_AFTER_MS, Sample, Slot

PAUSES = ("pause-trading", "pause-exchange")
NOT_FORCED, RESTING = "other", "resting"
STANDS_ASIDE = frozenset({
    Reason.COOL_OFF,
    Reason.REWARD_GATE,
    Reason.REWARD_WAITING,
    Reason.REWARD_TOO_LOW,
    Reason.EVENT_FULL,
    Reason.EVENT_WITHOUT_GROUP,
    Reason.GRID_TOO_FINE,
})  # fmt: skip
"""After adverse fills an event rests; a program is entered and left by what ten looks and an hour showed; of
an event so many markets are quoted for one; a grid that a fault makes finer is not quoted for one; and no
order goes into an event's order group in the cycle that made or armed it."""


@dataclass
class Quoting:
    """Slot-minutes of both, and why the bot missed some of the twin's."""

    twin: int = 0
    quoted: int = 0
    """Of the twin's; what the bot quoted where the twin did not is no merit."""
    missed: Counter[str] = field(default_factory=Counter)
    aside: Counter[str] = field(default_factory=Counter)
    """By reason, missed as well."""

    @property
    def forced(self) -> int:
        """Of those missed, the ones that no bot could have quoted."""
        return self.missed.total() - self.missed[NOT_FORCED]

    @property
    def ratio(self) -> float:
        """Quoted of what could be quoted."""
        return self.quoted / max(self.twin - self.forced - self.aside.total(), 1)

    @property
    def share(self) -> float:
        """Quoted of what the twin quoted; but events rest when they trade, which is not at the same time."""
        return self.quoted / max(self.twin - self.missed[RESTING], 1)

    def add(self, other: "Quoting") -> None:
        """Take another day into account."""
        self.twin += other.twin
        self.quoted += other.quoted
        self.missed += other.missed
        self.aside += other.aside


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
        reason = bot.reasons.get(tick_ms)
        for slot in wanted.quoted - sample.quoted:
            why, said = _why(slot, sample, lasting, reason, shards), sample.skips.get(slot[0], "")
            if why == NOT_FORCED and reason is None and said in STANDS_ASIDE:
                found.aside[said] += 1
            else:
                found.missed[why] += 1
    return found


def _why(
    slot: Slot, sample: Sample, lasting: list[Fault], reason: str | None, shards: Mapping[str, int]
) -> str:
    ticker = slot[0]
    if slot in sample.frozen:
        return "unanswered"
    if ticker in sample.resting:
        return RESTING
    if any(fault.kind in PAUSES and fault.where in ("*", str(shards[ticker])) for fault in lasting):
        return "paused"
    if any(fault.kind == "close" and fault.where == ticker for fault in lasting):
        return "closed"
    return "no input" if reason is not None and reason != KILL else NOT_FORCED
