"""One virtual day of one bot, with faults or without."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from tests.simulator.fault_draw import Rates, draw
from tests.simulator.fault_plan import FaultPlan
from tests.simulator.flow import RecordedFlow
from tests.simulator.invariants import Breach
from tests.simulator.knobs import Knobs
from tests.simulator.model import IncentiveProgram, MarketSpec
from tests.simulator.plant import Plant
from tests.simulator.synthetic import synthetic_recording
from tests.soak.faulty_bot import BOT, MemoryDisruption
from tests.soak.settled import Settlement
from tests.soak.witness import Seen, Witness
from tests.world import config_items
from tests.world.bot import Answer
from tests.world.disruption import KILL
from tests.world.output import Catcher, printed_to
from tests.world.outside_calls import Killed
from tests.world.setup import Setup
from tests.world.world import MINUTE_MS, World, open_world

START_MS = int(datetime(2026, 3, 2, 15, 0, tzinfo=UTC).timestamp()) * 1000
AFTERWARDS = 8
"""Minutes without faults at the end: every gap closes, nothing stays unresolved (I5)."""
QUIET_CYCLES = AFTERWARDS - 1
UNSETTLED_CYCLES = 1
"""So many of them may pass until what rests is what is wanted."""
LEVELS = 2
TEARDOWN_TRIES = 5
WRITE_LATENCY_MS = 40
PERCENTS = (1.0, 2.0, 3.0, 4.0, 5.0)
"""How many of a hundred minutes each kind of fault begins in: one of these for each seed and kind."""

GLOBAL = {
    **config_items.GLOBAL,
    "session_contract_limit": 10_000_000,
    "max_daily_loss_dollars": 1_000_000,
    "max_loss_since_dollars": 1_000_000,
    "max_error_rate_percent": 100,
    "session_hours": 168,
}
"""No limit is to end the day early, and no brake to spare it faults: the soak is about orders."""
PAID = {
    "enabled": True,
    "strategy": "incentive",
    "quote_size": 50,
    "max_position": 200,
    "warm_up_minutes": 0,
    "max_spread_dollars": Decimal("0.30"),
    "min_edge_dollars": 0,
    "max_speed_percent": 1000,
    "resume_speed_percent": 1000,
    "min_price_dollars": Decimal("0.01"),
    "max_price_dollars": Decimal("0.99"),
}
OF_RESERVATION = ("min_half_spread_dollars", "volatility_percent_of_move")
JOINED = {
    **{name: own for name, own in config_items.MARKET.items() if name not in OF_RESERVATION},
    "strategy": "join",
}
EVERY_OTHER = 2
TARGET_E2, REWARD_E4 = 1_000, 50_000_000
"""A rich program for few contracts: its market is entered as soon as the rules allow."""

BY_EVENT = {
    **GLOBAL,
    "group_by": "event",
    "event_cooldown_s": 122,
    "event_trips_a_day": 1000,
    "event_trips_together": 1000,
    "max_burst_loss_dollars": 1_000_000,
}
"""An event that tripped rests for as short as it may."""

Progress = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Day:
    """What is played."""

    seed: int
    minutes: int
    markets: int
    levels: int = LEVELS
    plant: Plant | None = None
    paid: bool = False
    """Whether every strategy quotes some of the markets: those for a reward from a quarter of an hour on."""
    group_by: str = "shard"

    @property
    def all_minutes(self) -> int:
        return self.minutes + AFTERWARDS

    @property
    def settled_ms(self) -> int:
        """The first tick after which everything must be as decided."""
        return self.end_ms - (QUIET_CYCLES - UNSETTLED_CYCLES) * MINUTE_MS

    @property
    def end_ms(self) -> int:
        return START_MS + self.all_minutes * MINUTE_MS

    def setup(self) -> Setup:
        """The synthetic markets of this seed."""
        specs = synthetic_recording(self.seed, self.markets, START_MS, self.all_minutes).markets
        paid = _paid(specs) if self.paid else []
        joined = sorted(specs.keys() - paid)[::EVERY_OTHER] if self.paid else []
        return Setup(
            markets=tuple(specs.values()),
            start_ms=START_MS,
            items={ticker: self._item(ticker, paid, joined) for ticker in specs},
            globals=GLOBAL if self.group_by == "shard" else BY_EVENT,
            seed=self.seed,
            knobs=Knobs(write_latency_ms=WRITE_LATENCY_MS),
            plant=self.plant,
            key="shared",
            bot=BOT,
        )

    def _item(self, ticker: str, paid: Collection[str], joined: Collection[str]) -> config_items.Item:
        if ticker in paid:
            return PAID
        return {**(JOINED if ticker in joined else config_items.MARKET), "levels": self.levels}

    def programs(self) -> list[IncentiveProgram]:
        """What pays the makers of some of the markets, from the first minute to the last."""
        if not self.paid:
            return []
        specs = synthetic_recording(self.seed, self.markets, START_MS, self.all_minutes).markets
        span = {"start_ms": START_MS, "end_ms": self.end_ms, "reward_e4": REWARD_E4}
        return [
            IncentiveProgram(id=f"of-{ticker}", ticker=ticker, target_e2=TARGET_E2, **span)
            for ticker in _paid(specs)
        ]

    def plan(self) -> FaultPlan:
        """The faults of this seed, every kind at one to five percent."""
        setup = self.setup()
        tickers = [spec.ticker for spec in setup.markets]
        own = {kind: PERCENTS[(self.seed + n) % len(PERCENTS)] for n, kind in enumerate(kinds())}
        return draw(self.seed, self.minutes, Rates(own=own), tickers=tickers, shards=setup.shards)


def _paid(specs: Mapping[str, MarketSpec]) -> list[str]:
    """Every other market that is priced in cents."""
    in_cents = [
        ticker for ticker, spec in specs.items() if {step for _, _, step in spec.price_ranges} == {100}
    ]
    return in_cents[::EVERY_OTHER]


def kinds() -> list[str]:
    """Every kind of fault that a plan is drawn from."""
    return sorted({fault.kind for fault in draw(0, 1, Rates(percent=100), tickers=("T",)).faults})


@dataclass
class Outcome:
    """What became of a day."""

    seen: Seen
    cycles: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: dict[int, str] = field(default_factory=dict)
    """By tick: why a cycle did not complete."""
    struck: Counter[str] = field(default_factory=Counter)
    broken: tuple[Breach, ...] = ()
    placed: int = 0
    fills: int = 0
    audits: int = 0
    settled: int = 0
    """Slots found as decided, or excused, once the faults were over."""
    cancel_404: int = 0
    loaded_ms: int = 0
    """When the plan began."""
    shards: int = 0
    closed: bool = False


def play(day: Day, plan: FaultPlan, progress: Progress, *, until_broken: bool = False) -> Outcome:
    """The day under this plan. `until_broken`: no longer than to the first breach."""
    faults, catcher = MemoryDisruption(), Catcher()
    with open_world(day.setup(), faults.deploy, faults.cloud) as world, printed_to(catcher.stream):
        faults.join(world)
        _flow(day, world)
        for program in day.programs():
            world.exchange.add_program(program)
        world.start()
        world.next_minute()
        witness = Witness(world, faults, day.end_ms)
        settlement = Settlement(world, faults, witness)
        outcome = Outcome(witness.seen, loaded_ms=world.clock.now_ms(), shards=len(world.setup.shards))
        faults.load(plan)
        while world.next_tick_ms() < day.end_ms:
            tick_ms = world.next_tick_ms()
            if tick_ms == day.end_ms - QUIET_CYCLES * MINUTE_MS:
                faults.clear()
            answer = _cycle(world, outcome)
            if tick_ms >= day.settled_ms:
                _settled(world, settlement, tick_ms, answer)
            catcher.take()
            progress(outcome.cycles)
            if until_broken and world.exchange.invariants.broken:
                return _told(world, faults, witness, outcome)
        outcome.settled = settlement.checked
        _close(world, outcome)
        return _told(world, faults, witness, outcome)


def _flow(day: Day, world: World) -> None:
    recording = synthetic_recording(day.seed, day.markets, START_MS, day.all_minutes)
    RecordedFlow(recording, world.exchange, world.clock, START_MS, day.end_ms, recording.markets, day.seed)


def _cycle(world: World, outcome: Outcome) -> Answer:
    tick_ms = world.next_tick_ms()
    try:
        answer: Answer = world.cycle()
    except Killed:
        answer = {"status": KILL}
    outcome.cycles += 1
    outcome.statuses[str(answer["status"])] += 1
    if answer["status"] != "completed":
        outcome.reasons[tick_ms] = str(answer.get("reason") or answer["status"])
    outcome.placed += int(answer.get("placed", 0))
    return answer


def _settled(world: World, settlement: Settlement, tick_ms: int, answer: Answer) -> None:
    """I5."""
    now_ms = world.clock.now_ms()
    found = settlement.unsettled(tick_ms, answer)
    world.exchange.invariants.broken += [Breach("I5", now_ms, text) for text in found]


def _close(world: World, outcome: Outcome) -> None:
    """I10 after a teardown."""
    for _ in range(TEARDOWN_TRIES):
        world.next_minute()
        outcome.closed = world.teardown()["status"] == "closed"
        if outcome.closed:
            return
    text = "the session could not be closed"
    world.exchange.invariants.broken.append(Breach("I10", world.clock.now_ms(), text))


def _told(world: World, faults: MemoryDisruption, witness: Witness, outcome: Outcome) -> Outcome:
    witness.finished()
    outcome.struck = faults.struck
    outcome.broken = tuple(world.exchange.invariants.broken)
    outcome.fills = len(world.member.fills)
    outcome.audits = world.books.audits
    outcome.cancel_404 = world.exchange.stats.cancels_404
    return outcome
