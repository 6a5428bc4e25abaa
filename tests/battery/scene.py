"""A small world for one scenario: three markets on three shards, faults in hand, and what must hold after."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulator.fault_plan import Fault
from tests.simulator.faults import Faults
from tests.simulator.knobs import OTHER_ANSWERS, Knobs
from tests.simulator.wire import PREFIX, Reply, Request
from tests.support.small_world import TICKERS, Seen, broken, resting, set_book, setup, small_aws_world
from tests.world.archive_bucket import beside_a_bucket
from tests.world.disruption import Disruption
from tests.world.lambda_context import CYCLE_TIMEOUT_MS, LambdaContext
from tests.world.outside_calls import Killed
from tests.world.setup import Setup
from tests.world.world import World

BATCH = "/portfolio/events/orders/batched"
CREATE, CANCEL = f"POST {BATCH}", f"DELETE {BATCH}"
_PLAN = ("ConditionCheck LEASE", "Put PLAN")
FIRST_PLAN, PLAN = (
    ", ".join(sorted(f"TransactWriteItems {each}" for each in (*_PLAN, head)))
    for head in ("Put JOURNAL", "ConditionCheck JOURNAL")
)
"""The transaction of a plan: where nothing may rest yet, so that the head must be written too; and later."""
SLOTS = 2 * len(TICKERS)
HOLD_CYCLES = 4
"""Cycles after which the gaps of an unanswered create are closed: its hold, and two more."""

# Both answers of what is not known about the exchange, by subject.
CLIENT_IDS = (Knobs(), Knobs(client_id_scope="open_only"), Knobs(refused_spends_client_id=True))
BATCHES = (
    Knobs(),
    Knobs(batch_reply="reversed"),
    Knobs(batch_reply="shuffled", batch_execution="reversed"),
    Knobs(failed_entry_echoes_client_id=False),
    Knobs(failed_entry_echoes_client_id=False, failed_entry_style="absent"),
)
STAMPS = (Knobs(), Knobs(user_data_timestamp_offset_ms=600_000))
IDLE_STAMP = Knobs(user_data_timestamp_on_activity=True)
UNKNOWNS = (Knobs(), *(Knobs(**{name: answer}) for name, answer in OTHER_ANSWERS.items()))
"""The default, and beside it each question answered otherwise."""
FILLS = (Knobs(), Knobs(fills_sorted="ascending"), Knobs(min_ts_inclusive=False))


def unlike(knobs: Knobs) -> str:
    """What a setting changes, as the name of a test case."""
    plain = vars(Knobs())
    return (
        ",".join(f"{name}={value}" for name, value in vars(knobs).items() if value != plain[name]) or "plain"
    )


class Scene:
    """The world, its faults, and the facts that the bot prints."""

    def __init__(self, seen: Seen, faults: Disruption) -> None:
        self.seen, self.world, self.faults = seen, seen.world, faults
        self.cancelled: Counter[str] = Counter()
        """How often each order was named by a cancel that arrived."""

    def run(self, cycles: int) -> list[dict[str, Any]]:
        """So many cycles, and their answers."""
        return [self.world.cycle() for _ in range(cycles)]

    def dies(self, after: int) -> bool:
        """One cycle that is killed after so many calls; False: it ended before."""
        self.faults.calls.kill_after(after)
        try:
            self.world.cycle()
        except Killed:
            return True
        return False

    def cold_start(self) -> None:
        """The process is gone; the next invocation begins a new one."""
        self.faults.calls.kill_after(0)
        with pytest.raises(Killed):
            self.world.cycle()

    def move(self, bid_e4: int = 4600) -> None:
        """Another book in every market: every quote must be replaced."""
        for ticker in TICKERS:
            set_book(self.world, ticker, bid_e4, bid_e4 + 300)

    def struck(self, *faults: Fault) -> dict[str, Any]:
        """One cycle under these faults, which then are over."""
        self.faults.now(*faults)
        try:
            return self.world.cycle()
        finally:
            self.faults.clear()

    def meanwhile(self, label: str, act: Callable[[], object]) -> None:
        """`act` happens once, just before the next call of that kind leaves."""
        self.faults.meanwhile(label, act)

    def invoke(self, tick_ms: int) -> dict[str, Any]:
        """A cycle for that tick, now, whatever else is running."""
        tick = datetime.fromtimestamp(tick_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        deadline_ms = self.world.clock.now_ms() + CYCLE_TIMEOUT_MS
        context = LambdaContext(self.world.clock, deadline_ms, f"again-{tick}", "dora-cycle")
        return self.world.bot.cycle({"action": "cycle", "scheduled_at": tick}, context)

    def rewrite(self, label: str, old: bytes, new: bytes) -> None:
        """The next request of that kind reaches the exchange with another body."""
        self.world.exchange.faults = _Rewrite(self, label, old, new)

    def count_cancels(self) -> None:
        """From now on, note which orders are named by cancels."""
        self.world.exchange.faults = _CancelCounter(self.world.exchange.faults, self.cancelled)

    def slots(self) -> int:
        """How many of the slots hold exactly one order; more than one anywhere is a failure."""
        live = resting(self.world)
        assert all(len(orders) == 1 for orders in live.values()), live
        return len(live)

    def sound(self) -> None:
        """Nothing broken, every slot quoted once, nothing left open (I1 to I5, I9)."""
        assert not broken(self.world), broken(self.world)
        assert self.slots() == SLOTS, resting(self.world)
        status = self.world.status()
        assert (status["unfinished_plans"], status["open_orders"]) == (0, SLOTS)


@contextmanager
def scene(knobs: Knobs | None = None, *, started: bool = True, **changes: Any) -> Iterator[Scene]:
    """A world with an open session, its first tokens refilled."""
    chosen: Setup = setup(knobs=knobs or Knobs(), **changes)
    faults = Disruption()
    deploy = beside_a_bucket(faults.deploy) if chosen.archive_bucket else faults.deploy
    with small_aws_world(chosen, deploy) as seen:
        faults.join(seen.world)
        if started:
            assert seen.world.start()["status"] == "active"
            seen.world.clock.advance_ms(10_000)
        yield Scene(seen, faults)


def fill(world: World, ticker: str, side: str, count_e2: int | None = None) -> int:
    """Somebody takes our order in that slot, whole or in part; returns what was taken."""
    (order,) = world.resting(ticker, side)
    world.exchange.set_background_book(ticker, [], [])
    taker = "ask" if side == "bid" else "bid"
    taken: int = world.exchange.background_take(ticker, taker, order.price_e4, count_e2 or order.remaining_e2)
    return taken


class _Rewrite(Faults):
    def __init__(self, stage: Scene, label: str, old: bytes, new: bytes) -> None:
        self._stage, self._label, self._old, self._new = stage, label, old, new

    def before(self, request: Request) -> Reply | None:
        if _label(request) != self._label:
            return None
        exchange = self._stage.world.exchange
        exchange.faults = self._stage.faults.script
        return exchange.handle(replace(request, body=request.body.replace(self._old, self._new)))


class _CancelCounter(Faults):
    def __init__(self, inner: Faults, cancelled: Counter[str]) -> None:
        self._inner, self._cancelled = inner, cancelled

    def before(self, request: Request) -> Reply | None:
        if request.method == "DELETE":
            self._cancelled.update(own["order_id"] for own in json.loads(request.body)["orders"])
        return self._inner.before(request)

    def after(self, request: Request, reply: Reply) -> Reply:
        return self._inner.after(request, reply)


def _label(request: Request) -> str:
    return f"{request.method} {request.path.removeprefix(PREFIX)}"
