"""A walk at random over cycles, sessions, faults and time: nothing may break on the way or at its end."""

from contextlib import ExitStack, suppress

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.battery.machine_faults import (
    EXCHANGES,
    faults,
)
from tests.battery.machine_stage import GLOBAL, MARKET, MachineStage, machine_stage
from tests.battery.scene import CANCEL, CREATE, fill
from tests.simulator.fault_plan import Fault
from tests.simulator.knobs import Knobs
from tests.simulator.plant import Plant
from tests.simulator.wire import Refusal
from tests.support.small_world import TICKERS, broken

FROZEN_MS = 56_000
"""A cycle that stands still for so long has lost its lease, and the next minute's tick may begin."""
CALLS = ("limiter.reserve", "state.booked", "state.book", "state.write_plan", CANCEL, CREATE,
         "state.read_kill_switch", "state.commit", "lease.release")  # fmt: skip
"""Calls before which something else may happen: of a cycle's own thread, for only that one can sleep."""

tickers = st.sampled_from(TICKERS)
sides = st.sampled_from(("bid", "ask"))
calls = st.integers(0, 40)
moves = st.sampled_from((0, -200, 200))
"""Of every book, in 1e-4 $."""


class Walk(RuleBasedStateMachine):
    """Each rule is one thing that may happen to a bot that runs; none is kept from happening at any time."""

    plants: tuple[str, ...] = ()
    """How the exchange cheats, so that the walk is seen to fail."""
    limits = GLOBAL

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.stage: MachineStage

    @initialize(knobs=EXCHANGES)
    def begin(self, knobs: Knobs) -> None:
        plant = Plant(*self.plants, every=2) if self.plants else None
        self.stage = self.open.enter_context(machine_stage(knobs, plant, self.limits))
        self.stage.cycle()

    @invariant()
    def nothing_is_broken(self) -> None:
        if hasattr(self, "stage"):
            self.stage.settle()
            assert not broken(self.stage.world), broken(self.stage.world)

    def teardown(self) -> None:
        with self.open:
            if hasattr(self, "stage") and not broken(self.stage.world):
                self.stage.wind_up()

    # --- cycles: after some moves of the books, cancels and creates are due ------------------------------

    @rule(by=moves, times=st.integers(1, 3))
    def cycle(self, by: int, times: int) -> None:
        self.stage.move_by(by)
        for _ in range(times):
            self.stage.cycle()

    @rule(by=moves)
    def cycle_twice_for_one_tick(self, by: int) -> None:
        self.stage.move_by(by)
        tick_ms = self.stage.world.next_tick_ms()
        self.stage.cycle()
        orders = self.stage.world.exchange.stats.orders
        self.stage.invoke(tick_ms)
        assert self.stage.world.exchange.stats.orders == orders

    @rule(by=moves, plan=faults(st.just(1)))
    def cycle_struck(self, by: int, plan: list[Fault]) -> None:
        self.stage.move_by(by)
        self.stage.faults.now(*plan)
        self.stage.cycle()
        self.stage.faults.clear()

    @rule(by=moves, after=calls)
    def cycle_killed(self, by: int, after: int) -> None:
        self.stage.move_by(by)
        self.stage.killed(after, self.stage.cycle)

    @rule(by=moves, at=st.sampled_from(CALLS), frozen=st.booleans())
    def cycle_beside_cycle(self, by: int, at: str, frozen: bool) -> None:
        self.stage.move_by(by)
        self.stage.overlapped(at, FROZEN_MS * frozen, self.stage.invoke)

    @rule(by=moves, at=st.sampled_from(CALLS), verb=st.sampled_from(("teardown", "halt", "watch")))
    def cycle_beside_session(self, by: int, at: str, verb: str) -> None:
        self.stage.move_by(by)
        self.stage.overlapped(at, 0, lambda _: self.stage.world.session(f"session_{verb}"))

    # --- what goes wrong ---------------------------------------------------------------------------------

    @rule(by=moves, plan=faults(st.integers(1, 4)))
    def cycle_under_a_lasting_fault(self, by: int, plan: list[Fault]) -> None:
        self.stage.move_by(by)
        self.stage.faults.now(*plan)
        self.stage.cycle()

    @rule()
    def clear(self) -> None:
        self.stage.faults.clear()

    # --- the rest of the world ---------------------------------------------------------------------------

    @rule(span_s=st.sampled_from((1, 10, 20, 45, 61, 200, 900)))
    def wait(self, span_s: int) -> None:
        self.stage.world.clock.advance_ms(span_s * 1000)

    @rule(ticker=tickers, bid_e4=st.integers(30, 60), spread_e4=st.sampled_from((100, 200, 300, 800)))
    def move(self, ticker: str, bid_e4: int, spread_e4: int) -> None:
        self.stage.books[ticker] = bid_e4 * 100, bid_e4 * 100 + spread_e4
        self.stage.show(ticker)

    @rule(ticker=tickers, side=sides, count_e2=st.sampled_from((None, 100, 350, 900)))
    def take(self, ticker: str, side: str, count_e2: int | None) -> None:
        if len(self.stage.world.resting(ticker, side)) == 1:
            fill(self.stage.world, ticker, side, count_e2)
            self.stage.show(ticker)

    @rule(ticker=tickers, side=sides)
    def cancel_by_hand(self, ticker: str, side: str) -> None:
        world = self.stage.world
        for order in world.resting(ticker, side):
            with suppress(Refusal):
                world.exchange.engine.cancel(world.member, order.id, order.market.shard)

    @rule(ticker=tickers, side=sides, count_e2=st.sampled_from((100, 2_000)), near=st.booleans())
    def order_by_hand(self, ticker: str, side: str, count_e2: int, near: bool) -> None:
        prices_e4 = self.stage.books[ticker] if near else (1_000, 9_000)
        self.stage.by_hand(ticker, side, prices_e4[side == "ask"], count_e2)

    # --- people ----------------------------------------------------------------------------------------

    @rule()
    def carry_on(self) -> None:
        self.stage.carry_on()

    @rule(verb=st.sampled_from(("start", "halt", "resume", "reset", "watch", "teardown")))
    def session(self, verb: str) -> None:
        self.stage.world.clock.advance_ms(2_000)
        self.stage.world.session(f"session_{verb}")

    @rule(verb=st.sampled_from(("teardown", "start", "reset", "watch")), after=calls)
    def session_killed(self, verb: str, after: int) -> None:
        self.stage.world.clock.advance_ms(2_000)
        self.stage.killed(after, lambda: self.stage.world.session(f"session_{verb}"))

    @rule(on=st.booleans())
    def switch_trading(self, on: bool) -> None:
        self.stage.switch(on)

    @rule(ticker=tickers, on=st.booleans())
    def switch_market(self, ticker: str, on: bool) -> None:
        self.stage.configure(ticker, {**MARKET, "enabled": on})
