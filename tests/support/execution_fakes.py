"""For the tests of the execution: an exchange and a state that do as told and keep a common diary."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dora.core.errors import StateUnavailable
from dora.core.exchange.market import Side, Slot
from dora.core.exchange.pacing import backoff_ms
from dora.core.orders.journal import Journal, OrderState, Plan, TrackedOrder, planned_order
from dora.core.orders.requests import (
    BatchCancelResult,
    BatchPlaceResult,
    CancelledOrder,
    CancelRequest,
    ChangeResult,
    DecreaseRequest,
    FailedOrder,
    OrderRequest,
    Outcome,
    PlacedOrder,
)
from dora.core.orders.slot_plan import cancel_request
from dora.core.ports import Ports
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.state import KillSwitch, LeaseGrant
from dora.core.units import Count, Price, TimeMs
from dora.flow.cycle.execute import Bounds, Execution
from tests.support.kalshi_fakes import FakeClock, FakeFacts
from tests.world.one_by_one import OneByOne

START_MS = TimeMs(1_000_000)
DEADLINE_MS, PLACE_UNTIL_MS, LEASE_MS = TimeMs(1_040_000), TimeMs(1_035_000), TimeMs(1_048_000)
SESSION = SessionMetadata(
    session_id="s1", status=SessionStatus.ACTIVE, created_at_ms=START_MS, contracts_limit=Count(500_000)
)
TEN = Count(1_000)


def slot(ticker: str, side: Side = Side.BID) -> Slot:
    return Slot(ticker, side)


def request(ticker: str, side: Side = Side.BID) -> OrderRequest:
    return OrderRequest(
        client_order_id=f"new-{ticker}-{side}",
        slot=slot(ticker, side),
        shard=0,
        price=Price(4_400),
        count=TEN,
        group_id="g1",
        expires_s=2_000,
    )


def requests(number: int) -> list[OrderRequest]:
    return [request(f"M{n}") for n in range(number)]


def resting(ticker: str, side: Side = Side.BID) -> TrackedOrder:
    """An order of ours that is proven to rest."""
    key = f"old-{ticker}-{side}"
    return TrackedOrder(
        client_order_id=key,
        slot=slot(ticker, side),
        shard=0,
        price=Price(4_000),
        count=TEN,
        remaining=TEN,
        state=OrderState.LIVE,
        sent_ms=TimeMs(0),
        order_id=f"id-{key}",
    )


def cancels(orders: Iterable[TrackedOrder]) -> list[CancelRequest]:
    return [cancel_request(order) for order in orders]


def decrease(order: TrackedOrder, count: int) -> DecreaseRequest:
    return DecreaseRequest(
        order_id=order.order_id or "",
        client_order_id=order.client_order_id,
        ticker=order.slot.ticker,
        shard=order.shard,
        reduce_to=Count(count),
    )


# --- answers -------------------------------------------------------------------------------------------

PlaceAnswer = Callable[[Sequence[OrderRequest]], BatchPlaceResult]
CancelAnswer = Callable[[Sequence[CancelRequest]], BatchCancelResult]


def all_placed(batch: Sequence[OrderRequest]) -> BatchPlaceResult:
    return BatchPlaceResult(placed=tuple(_placed(asked) for asked in batch))


def _placed(asked: OrderRequest) -> PlacedOrder:
    order_id = f"id-{asked.client_order_id}"
    return PlacedOrder(
        request=asked, order_id=order_id, remaining=asked.count, filled=Count(0), ts_ms=START_MS
    )


def _failed(asked: OrderRequest | CancelRequest, code: str, outcome: Outcome) -> FailedOrder:
    return FailedOrder(request=asked, code=code, message="", outcome=outcome)


def all_refused(code: str) -> PlaceAnswer:
    return lambda batch: BatchPlaceResult(failed=tuple(_failed(r, code, Outcome.REFUSED) for r in batch))


def all_unknown(batch: Sequence[OrderRequest]) -> BatchPlaceResult:
    return BatchPlaceResult(unknown=tuple(_failed(r, "unanswered", Outcome.UNKNOWN) for r in batch))


def first_refused(code: str) -> PlaceAnswer:
    """The first order of the batch is refused with this code, the rest are placed."""
    return lambda batch: BatchPlaceResult(
        placed=all_placed(batch[1:]).placed, failed=(_failed(batch[0], code, Outcome.REFUSED),)
    )


def all_cancelled(batch: Sequence[CancelRequest]) -> BatchCancelResult:
    return reduced_by(None)(batch)


def reduced_by(count: int | None) -> CancelAnswer:
    """Every cancel is done and takes off this much (None: all that was seen)."""
    return lambda batch: BatchCancelResult(
        succeeded=tuple(
            CancelledOrder(
                request=asked,
                reduced_by=asked.remaining if count is None else Count(count),
                ts_ms=START_MS,
            )
            for asked in batch
        )
    )


def cancels_refused(code: str) -> CancelAnswer:
    return lambda batch: BatchCancelResult(failed=tuple(_failed(r, code, Outcome.REFUSED) for r in batch))


def cancels_unknown(batch: Sequence[CancelRequest]) -> BatchCancelResult:
    return BatchCancelResult(unknown=tuple(_failed(r, "unanswered", Outcome.UNKNOWN) for r in batch))


# --- outside -------------------------------------------------------------------------------------------


@dataclass
class FakeExchange:
    """Each call takes `takes_ms`; place answers come in turn, the last one for ever."""

    clock: FakeClock
    diary: list[str]
    places: list[PlaceAnswer] = field(default_factory=lambda: [all_placed])
    cancels: CancelAnswer = all_cancelled
    decreases: list[ChangeResult] = field(default_factory=list)
    takes_ms: int = 0
    sent_ms: list[int] = field(default_factory=list)

    def place(self, batch: Sequence[OrderRequest]) -> BatchPlaceResult:
        answer = self.places[0] if len(self.places) == 1 else self.places.pop(0)
        self._sent("place", [asked.client_order_id for asked in batch])
        return answer(batch)

    def cancel(self, batch: Sequence[CancelRequest]) -> BatchCancelResult:
        self._sent("cancel", [asked.client_order_id for asked in batch])
        return self.cancels(batch)

    def decrease(self, asked: DecreaseRequest) -> ChangeResult:
        self._sent("decrease", [asked.client_order_id])
        if self.decreases:
            return self.decreases.pop(0)
        return ChangeResult(Outcome.DONE, remaining=asked.reduce_to, ts_ms=START_MS)

    def _sent(self, what: str, ids: list[str]) -> None:
        self.sent_ms.append(self.clock.at_ms)
        self.diary.append(f"{what} {' '.join(ids)}")
        self.clock.at_ms += self.takes_ms


@dataclass
class FakeState:
    """Plans are durable unless `broken`; `control` and `session` are what anybody may change meanwhile."""

    diary: list[str]
    broken: bool = False
    control: KillSwitch = field(default_factory=KillSwitch)
    session: SessionMetadata | None = SESSION
    looks: int = 0
    plans: list[Plan] = field(default_factory=list)

    def write_plan(self, plan: Plan) -> None:
        if self.broken:
            raise StateUnavailable("no answer")
        self.plans.append(plan)
        self.diary.append(f"plan {plan.phase}")

    def read_kill_switch(self) -> tuple[KillSwitch, SessionMetadata | None]:
        self.looks += 1
        return self.control, self.session


@dataclass
class FakeLimiter:
    """Keeps who was pushed back, and how many 429s came in a row."""

    pushed: list[tuple[str, int, int]] = field(default_factory=list)
    hits: int = 0
    broken: bool = False

    def push_back(self, bucket: str, now_ms: TimeMs, base_ms: int, longest_ms: int) -> tuple[int, int]:
        if self.broken:
            raise StateUnavailable("limiter")
        self.pushed.append((bucket, now_ms, base_ms))
        self.hits += 1
        return self.hits, backoff_ms(self.hits, base_ms, longest_ms)

    def passed(self, bucket: str) -> None:
        if self.broken:
            raise StateUnavailable("limiter")
        self.hits = 0


class Desk:
    """An execution with all that it touches."""

    def __init__(self, *orders: TrackedOrder, **bounds: TimeMs) -> None:
        self.diary: list[str] = []
        self.clock, self.facts = FakeClock(START_MS), FakeFacts()
        self.exchange = FakeExchange(self.clock, self.diary)
        self.state, self.limiter = FakeState(self.diary), FakeLimiter()
        ports = Ports(
            clock=self.clock,
            workers=OneByOne(),
            exchange=self.exchange,
            configs=None,
            state=self.state,
            lease=None,
            limiter=self.limiter,
            archive=None,
            facts=self.facts,
            prefix="new",
            dry_run=False,
        )
        self.execution = Execution(ports, _bounds(**bounds), Journal().with_orders(orders))

    def place(self, asked: Sequence[OrderRequest], size: int = 2, at_ms: Sequence[int] = ()) -> None:
        """In batches of `size`, at these times (at once unless told)."""
        times = at_ms or [START_MS] * len(asked)
        self.execution.place(list(asked), size, tuple(TimeMs(at) for at in times))

    def cancel(
        self,
        *batches: Sequence[TrackedOrder],
        at_ms: Sequence[int] = (),
        why: Mapping[str, str] | None = None,
    ) -> None:
        times = at_ms or [START_MS] * len(batches)
        self.execution.cancel([cancels(batch) for batch in batches], tuple(map(TimeMs, times)), why)

    def decrease(self, *asked: DecreaseRequest) -> None:
        """At once."""
        self.execution.decrease(list(asked), (START_MS,) * len(asked))

    @property
    def sent(self) -> list[str]:
        """Client ids of the creates that were sent, in order."""
        return [word for line in self.diary if line.startswith("place ") for word in line.split()[1:]]

    @property
    def dropped(self) -> list[str]:
        return [asked.client_order_id for asked in self.execution.dropped]

    def states(self) -> dict[str, OrderState]:
        return {key: order.state for key, order in self.execution.journal.orders.items()}

    def stored(self) -> dict[str, TrackedOrder]:
        """Creates of the durable plans, as the next cycle would find them."""
        return {
            asked.client_order_id: planned_order(asked, plan.until_ms, plan.cycle_id)
            for plan in self.state.plans
            for asked in plan.places
        }


def _bounds(
    *,
    deadline_ms: TimeMs = DEADLINE_MS,
    place_until_ms: TimeMs = PLACE_UNTIL_MS,
    expires_ms: TimeMs = LEASE_MS,
) -> Bounds:
    return Bounds(
        grant=LeaseGrant(fence=7, expires_ms=expires_ms),
        cycle_id="c1",
        deadline_ms=deadline_ms,
        place_until_ms=place_until_ms,
        reserved_ms=START_MS,
    )
