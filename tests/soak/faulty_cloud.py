"""A cloud in memory that throttles, conflicts, loses requests and replies, and stalls, as a plan says.

The kinds and what they strike are those of `tests.world.cloud_faults`; here they meet the port itself. What
the SDK would try again is tried again: a write whose reply was lost is then carried out twice. An error or an
answer that is bare says nothing of the write, and the adapter takes it for unavailable.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from dora.core.errors import StateUnavailable
from tests.simulator.fault_aim import Aim
from tests.simulator.fault_plan import Fault, FaultPlan
from tests.world.cloud_faults import BARE, BROKEN, READ_TIMEOUT_MS, REFUSALS, TRIES
from tests.world.memory_cloud import MemoryCloud
from tests.world.outside_calls import OutsideCalls

R = TypeVar("R")

FENCED = "TransactWriteItems ConditionCheck LEASE"
LABELS = {
    "configs.load": ("Query",),
    "state.load": ("Query",),
    "state.read_kill_switch": ("BatchGetItem CONTROL", "BatchGetItem SESSION"),
    "state.emergency_state": ("BatchGetItem SESSION",),
    "state.write_plan": (FENCED, "TransactWriteItems Put PLAN"),
    "state.book": (
        FENCED,
        "TransactWriteItems Put FILL",
        "TransactWriteItems Put SETTLEMENT",
        "TransactWriteItems Put POSITION",
    ),
    "state.payouts": ("Query",),
    "state.profit_rows": ("Query",),
    "state.booked": ("BatchGetItem FILL",),
    "state.commit": (FENCED, "TransactWriteItems Put PROGRESS"),
    "state.leave": ("PutItem MEMORY", "BatchWriteItem CYCLE"),
    "state.save_session": ("PutItem SESSION",),
    "state.save_history": ("PutItem HISTORY",),
    "state.history": ("Query",),
    "state.event_groups": ("Query",),
    "state.readable_event_groups": ("Query",),
    "state.save_event_group": ("PutItem GROUP",),
    "state.drop_event_group": ("BatchWriteItem GROUP",),
    "state.set_control": ("PutItem CONTROL",),
    "state.save_limits": ("PutItem LIMITS",),
    "state.summary": ("BatchGetItem CYCLE",),
    "lease.acquire": ("UpdateItem LEASE",),
    "lease.release": ("UpdateItem LEASE",),
    "limiter.reserve": ("UpdateItem LIMITER",),
    "limiter.charge": ("UpdateItem LIMITER",),
    "limiter.push_back": ("UpdateItem LIMITER",),
    "limiter._forget": ("UpdateItem LIMITER",),
    "limiter.level": ("BatchGetItem LIMITER",),
}
"""What each request of the port is called in a plan: the DynamoDB operations that it stands for."""


class FaultyCloud(MemoryCloud):
    """Counts requests as outside calls of the bot, and strikes some of them."""

    def __init__(
        self,
        calls: OutsideCalls,
        now_ms: Callable[[], int],
        wait_ms: Callable[[int], None],
        struck: Counter[str],
    ) -> None:
        super().__init__()
        self._outside, self._wait_ms = calls, wait_ms
        self._refusals = Aim((*REFUSALS, *BARE), now_ms, struck)
        self._broken = Aim(BROKEN, now_ms, struck)

    def load(self, plan: FaultPlan) -> None:
        """This plan begins now."""
        self._refusals.load(plan)
        self._broken.load(plan)

    def serve(self, method: str, work: Callable[[], R]) -> R:
        """One request, tried as often as the SDK would. Raises StateUnavailable."""
        if not self._outside.running:
            return super().serve(method, work)
        labels = LABELS[method]
        while (fault := self._refusals.at(labels, method)) is not None:
            self._call(method, lambda: None)
            self._refusals.count(fault)
            if not fault.times or fault.kind in BARE:
                raise StateUnavailable(f"{method}: {fault.kind}")
        once = partial(super().serve, method, work)
        for _ in range(TRIES):
            fault = self._broken.at(labels, method)
            if fault is None:
                return self._call(method, once)
            answers = self._struck(fault, method, once)
            if answers:
                return answers[0]
        raise StateUnavailable(f"{method}: no answer")

    def _struck(self, fault: Fault, method: str, work: Callable[[], R]) -> list[R]:
        """One try that a fault strikes: the answer, or none."""
        self._broken.count(fault)
        late = fault.kind == "aws-stall" and fault.amount >= READ_TIMEOUT_MS
        if fault.kind == "aws-stall":
            self._wait_ms(min(fault.amount, READ_TIMEOUT_MS))
        if fault.kind == "aws-lose-request" or (late and fault.code == "before"):
            self._call(method, lambda: None)
            return []
        answer = self._call(method, work)
        return [answer] if fault.kind == "aws-stall" and not late else []

    def _call(self, method: str, work: Callable[[], R]) -> R:
        number = self._outside.enter(method)
        try:
            return work()
        finally:
            self._outside.leave(number)
