"""A scene on the fast storage in memory, for long walks: its judge follows the session, whoever wrote it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from dora.core.session import SessionMetadata, SessionStatus
from tests.battery.beside import elsewhere
from tests.battery.scene import HOLD_CYCLES, Scene
from tests.simulator.knobs import Knobs
from tests.simulator.plant import Plant
from tests.simulator.wire import Refusal
from tests.soak.faulty_bot import MemoryDisruption
from tests.soak.witness import Witness
from tests.support.small_world import TICKERS, Seen, broken, resting, set_book, setup
from tests.world import config_items
from tests.world.output import Catcher, printed_to
from tests.world.outside_calls import Killed
from tests.world.world import MINUTE_MS, open_world

GLOBAL = {
    **config_items.GLOBAL,
    "group_burst_limit": 25,
    "max_daily_loss_dollars": 1_000_000,
    "max_loss_since_dollars": 1_000_000,
}
"""A few orders taken within 15 s trip a group; no day's loss ends a walk."""
MARKET = {**config_items.MARKET, "max_position": 30}
"""Three whole quotes to the cap."""
ROOMY = {**config_items.MARKET, "max_position": 100_000}
"""So far from the cap that both sides are quoted, whatever a walk has left behind."""
FORGOTTEN_MS = 11 * MINUTE_MS
"""The memory of how fast a market moves is younger than this: after it none is too fast to be quoted."""
QUIET_CYCLES = HOLD_CYCLES + 1
"""The first one may find the lease of a dead cycle."""
TEARDOWN_TRIES = 5
REARMED_CYCLES = 5
"""Until an event's group that rested is triggered for certain, armed again, and quoted in."""
BY_EVENT = {**GLOBAL, "group_by": "event", "event_cooldown_s": 122, "event_trips_a_day": 1000}


class MachineStage(Scene):
    """What a walk does to the world, and what must be so at its end."""

    def __init__(self, seen: Seen, faults: MemoryDisruption) -> None:
        super().__init__(seen, faults)
        self.globals = seen.world.setup.globals
        self.stored = faults.stored
        self.witness = Witness(self.world, faults, until_ms=0)
        self.books = dict.fromkeys(TICKERS, (4400, 4700))
        self.trading = True
        self.by_hand_e2 = dict.fromkeys(TICKERS, 0)

    @property
    def session(self) -> SessionMetadata | None:
        """As stored."""
        return self.stored.state.session

    @property
    def status(self) -> SessionStatus:
        """Of the session as stored; without one it is closed."""
        return self.session.status if self.session else SessionStatus.CLOSED

    @property
    def may_place(self) -> bool:
        """Whether session, kill flag and GLOBAL, as they stand, let anything be placed."""
        return self.status is SessionStatus.ACTIVE and self.trading and not self.stored.state.control.halted

    @property
    def unanswered(self) -> list[str]:
        """Slots with a write of which nobody knows what became."""
        orders = [own for own in self.stored.state.journal.orders.values() if own.open]
        doubtful = [own.slot for own in orders if str(own.state) != "live"]
        planned = [place.slot for plan in self.stored.plans.values() for place in plan.places]
        return sorted({f"{slot.ticker} {slot.side}" for slot in (*doubtful, *planned)})

    # --- steps ---------------------------------------------------------------------------------------

    def settle(self) -> None:
        """After every step: the judge learns the session's groups, and whether it is closed (I3, I10)."""
        judge, session = self.world.exchange.invariants, self.session
        judge.expectations.group_per_event = self.globals.get("group_by") == "event"
        if session is not None:
            judge.expectations.allow_groups(group.group_id for group in session.order_groups)
        if self.status is not SessionStatus.CLOSED:
            judge.declare_open()
        elif not judge.expectations.closed:
            judge.declare_closed()

    def cycle(self) -> dict[str, Any]:
        """One tick, with nothing placed where nothing may be."""
        allowed, stats = self.may_place, self.world.exchange.stats
        before = stats.orders
        answer = self.world.cycle()
        assert allowed or stats.orders == before, answer
        return answer

    def killed(self, after: int, invocation: Callable[[], object]) -> bool:
        """One invocation that dies after so many calls; False: it ended before."""
        self.faults.calls.kill_after(after)
        try:
            invocation()
        except Killed:
            return True
        finally:
            self.faults.calls.kill_after(None)
        return False

    def overlapped(self, label: str, frozen_ms: int, other: Callable[[int], object]) -> None:
        """A cycle that stands still before a call of that kind, while something else is invoked elsewhere."""
        tick_ms = self.world.next_tick_ms()
        self.world.clock.advance_to(tick_ms)

        def meanwhile() -> None:
            self.world.clock.advance_ms(frozen_ms)
            with elsewhere(self):
                other(tick_ms + (MINUTE_MS if frozen_ms else 1_000))

        self.meanwhile(label, meanwhile)
        self.invoke(tick_ms)
        self.meanwhile("", lambda: None)
        self.world.clock.advance_ms(1)

    def show(self, ticker: str) -> None:
        """The book of others as it should be."""
        set_book(self.world, ticker, *self.books[ticker])

    def move_by(self, by_e4: int) -> None:
        """All books, if they stay where markets are quoted."""
        for ticker, (bid_e4, ask_e4) in self.books.items():
            if by_e4 and 2_000 < bid_e4 + by_e4 < 7_000:
                self.books[ticker] = bid_e4 + by_e4, ask_e4 + by_e4
                self.show(ticker)

    def by_hand(self, ticker: str, side: str, price_e4: int, count_e2: int) -> None:
        """An order of somebody else on the account. What the bot cannot know yet is not held against it."""
        self.by_hand_e2[ticker] += count_e2
        self.world.exchange.invariants.expectations.market_caps_e2[ticker] += count_e2
        with suppress(Refusal):
            self.world.exchange.member_order(self.world.member, ticker, side, price_e4, count_e2)

    def configure(self, ticker: str, item: config_items.Item) -> None:
        """Another market item; what was ordered by hand stays on top of its cap."""
        self.world.put_market(ticker, item)
        self.world.exchange.invariants.expectations.market_caps_e2[ticker] += self.by_hand_e2[ticker]

    def carry_on(self) -> dict[str, Any]:
        """As a person would who wants quotes; a start adds the groups that new shards need."""
        self.switch(True)
        self.world.clock.advance_ms(2_000)
        self.world.session("session_resume")
        self.world.session("session_reset")
        return self.world.session("session_start")

    # --- the end ---------------------------------------------------------------------------------------

    def wind_up(self) -> None:
        """Faults over: every gap closes, all is quoted again, and a teardown leaves nothing (I5, I10)."""
        self.faults.clear()
        self.switch(True)
        self._quiet()
        assert not self.may_place or not self.unanswered, "no id is probed while nothing may be placed"
        assert self.may_place or not resting(self.world), (self.status, resting(self.world))
        self._revive()
        self.sound()
        self._close()
        assert not broken(self.world), broken(self.world)

    def switch(self, on: bool) -> None:
        """Trading as a whole."""
        self.trading = on
        self.world.put_global({**self.globals, "trading_enabled": on})

    def _quiet(self) -> None:
        for _ in range(QUIET_CYCLES):
            self.cycle()
            self.settle()
            assert not broken(self.world), broken(self.world)
            self.slots()

    def _revive(self) -> None:
        """Everything can be quoted again: no order by hand stands in the way of a quote."""
        world, prefix = self.world, self.world.exchange.invariants.expectations.prefix
        for order in list(world.member.resting.values()):
            if not order.client_order_id.startswith(prefix):
                world.exchange.engine.cancel(world.member, order.id, order.market.shard)
        for ticker in TICKERS:
            self.configure(ticker, ROOMY)
            self.show(ticker)
        if self.status is SessionStatus.CLOSING:
            self._close()
        assert self.carry_on()["status"] == "active"
        self.settle()
        self.world.clock.advance_ms(FORGOTTEN_MS)
        self.run(2 if self.globals.get("group_by") != "event" else REARMED_CYCLES)

    def _close(self) -> None:
        tries = (self.world.teardown()["status"] for _ in range(TEARDOWN_TRIES))
        assert "closed" in tries, self.status
        self.settle()
        self.run(2)
        assert not resting(self.world), resting(self.world)
        assert not self.unanswered, self.unanswered


@contextmanager
def machine_stage(
    knobs: Knobs, plant: Plant | None, limits: config_items.Item = GLOBAL
) -> Iterator[MachineStage]:
    """Three markets on three shards, a session open, on storage in memory."""
    faults, catcher = MemoryDisruption(), Catcher()
    chosen = setup(knobs=knobs, plant=plant, globals=dict(limits), items=dict.fromkeys(TICKERS, MARKET))
    with (
        open_world(chosen, faults.deploy, faults.cloud) as world,
        printed_to(catcher.stream),
    ):
        faults.join(world)
        stage = MachineStage(Seen(world, catcher), faults)
        for ticker in TICKERS:
            stage.show(ticker)
        assert world.session("session_start")["status"] == "active"
        world.clock.advance_ms(10_000)
        stage.settle()
        yield stage
