"""All that can go wrong around one bot, in one hand: the exchange, AWS, and the bot's own sudden end.

disruption = Disruption()
with open_world(setup, disruption.deploy) as world:
    disruption.join(world)
    disruption.load(FaultPlan((Fault(kind="lose-answer", where="POST *"),)))
    world.cycle()
    disruption.clear()
"""

import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import boto3
from requests.adapters import BaseAdapter, HTTPAdapter

from dora.triggers import parse_session_command
from tests.simulator.fault_plan import Fault, FaultPlan
from tests.simulator.fault_script import FaultScript
from tests.simulator.fault_stage import FaultStage
from tests.world.books import BookedPosition
from tests.world.bot import Answer, Bot, DeployedBot, Env
from tests.world.bot_clock import BotClock
from tests.world.cloud_faults import CloudFaults
from tests.world.counted_adapter import CountedAdapter
from tests.world.lambda_context import LambdaContext
from tests.world.outside_calls import Killed, OutsideCalls
from tests.world.steady_clock import SteadyClock, SteadyWorkers
from tests.world.stored_books import StoredBooks
from tests.world.world import World

KILL = "kill"
Books = Mapping[str, BookedPosition]


class Disruption:
    """Give `deploy` to `open_world`, then `join` the world. `struck` counts by kind what really happened."""

    def __init__(self) -> None:
        self.struck: Counter[str] = Counter()
        self.calls = OutsideCalls()
        self._loads: list[Callable[[FaultPlan], None]] = []
        self._kills: list[tuple[int, Fault]] = []
        self._now_ms: Callable[[], int] = lambda: 0
        self._leading: Callable[[], AbstractContextManager[None]] = nullcontext
        self.read_ms = 0
        """What the latest list of fills described that a cycle read whole and could book."""
        self.torn_fills = 0
        """Torn lists of fills until then: what a later one lacked may be missing from the books."""

    def join(self, world: World) -> None:
        """Stand before this world's exchange."""
        exchange = world.exchange
        self.script = exchange.faults = FaultScript(exchange, self.struck)
        self.stage = FaultStage(exchange, self.struck)
        self._loads += [self.script.load, self.stage.load]
        self._now_ms = world.clock.now_ms
        self.read_ms = self.script.fills_as_of_ms
        # What happens in the very millisecond of a read may come before or after it.
        world.books.as_of_ms = lambda: self.read_ms - 1
        world.books.torn = lambda: self.script.torn_fills > self.torn_fills

    def load(self, plan: FaultPlan) -> None:
        """This plan begins now, and every fault of an earlier one is over."""
        for load in self._loads:
            load(plan)
        start_ms = self._now_ms()
        self._kills = [(start_ms + f.at_ms, f) for f in plan.faults if f.kind == KILL]

    def now(self, *faults: Fault, seed: int = 0) -> None:
        """A plan of these faults."""
        self.load(FaultPlan(faults, seed))

    def meanwhile(self, label: str, act: Callable[[], object]) -> None:
        """`act` happens once, just before the next call of that label leaves, and may take its time."""

        def leading() -> None:
            with self._leading():
                act()

        self.calls.meanwhile(label, leading)

    def clear(self) -> None:
        """Nothing goes wrong any more; what is held still lands."""
        self.load(FaultPlan())

    @contextmanager
    def deploy(self, env: Env, clock: BotClock, adapter: BaseAdapter | None) -> Iterator[Bot]:
        """The real handlers behind counted and faulty ways out. A `kill` fault ends one invocation after its
        `amount`-th call; `where` is `cycle` or `session`. What follows a kill is a cold start."""
        wiring = importlib.import_module("dora.wiring")
        steady = SteadyClock(clock)
        self._leading = steady.leading
        cloud = CloudFaults(self.calls, clock.now_ms, steady.sleep_ms, self.struck)
        session = boto3.DEFAULT_SESSION or boto3.Session()
        counted = CountedAdapter(adapter or HTTPAdapter(), self.calls)
        jitter: Callable[[int], int] = lambda span_ms: span_ms // 2  # noqa: E731 - one of three arguments

        def build() -> Any:
            cloud.listen(session)
            try:
                app = wiring.build(env, clock=steady, adapter=counted, jitter_ms=jitter)
                workers = SteadyWorkers(app.ports.workers, steady)
                return app._replace(ports=app.ports._replace(workers=workers))
            finally:
                cloud.leave(session)

        self._loads.append(cloud.load)
        try:
            yield FaultyBot(self, build, DeployedBot(env["STATE_TABLE"], env["BOT"]))
        finally:
            wiring.install(None)

    def due_kill(self, function: str) -> int | None:
        """After how many calls the invocation that now begins is to die, if it is."""
        for number, (at_ms, fault) in enumerate(self._kills):
            if at_ms <= self._now_ms() and fault.where in ("*", function):
                del self._kills[number]
                return fault.amount
        return None


class Stored(Protocol):
    """What a bot keeps: looked up, not asked for."""

    def positions(self) -> Books: ...

    def books(self) -> StoredBooks | None: ...


class FaultyBot:
    """The deployed handlers, each invocation counted; built anew after a kill, as Lambda would."""

    def __init__(self, disruption: Disruption, build: Callable[[], Any], stored: "Stored") -> None:
        self._disruption, self._build, self._stored = disruption, build, stored
        self._wiring = importlib.import_module("dora.wiring")
        self._warm = False
        self._sessions = 0

    def cycle(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """One scheduled tick. Raises Killed."""
        handler = importlib.import_module("functions.cycle.app").lambda_handler
        before_ms = self._disruption.script.fills_as_of_ms
        answer = self._invoke("cycle", lambda: handler(dict(event), context))
        now_ms = self._disruption.script.fills_as_of_ms
        if now_ms != before_ms and answer["status"] != "failed":
            self._disruption.read_ms = now_ms
            self._disruption.torn_fills = self._disruption.script.torn_fills
        return answer

    def session(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """One session action, with a session id that is the same in every run. Raises Killed."""
        flow = importlib.import_module("dora.flow.session.run")
        self._sessions += 1
        session_id = f"s-{self._sessions:04d}"

        def work(app: Any) -> Answer:
            command = parse_session_command(dict(event), bot=app.settings.bot)
            answer: Answer = flow.run_command(
                app.ports, command, session_id, context.get_remaining_time_in_millis()
            )
            return answer

        request_id, remaining_ms = context.aws_request_id, context.get_remaining_time_in_millis()
        serve = self._wiring.serve
        return self._invoke("session", lambda: serve("session", work, request_id, remaining_ms))

    def positions(self) -> Books:
        """By ticker, as durably stored."""
        return self._stored.positions()

    def books(self) -> StoredBooks | None:
        """Likewise."""
        return self._stored.books()

    def _invoke(self, function: str, handler: Callable[[], Answer]) -> Answer:
        calls = self._disruption.calls
        after = self._disruption.due_kill(function)
        if after is not None:
            calls.kill_after(after)
        try:
            with calls.invocation():
                if not self._warm:
                    self._wiring.install(self._build())
                self._warm = True
                answer = handler()
                # With a refused key the product drops its app: the next one is built here as well.
                self._warm = self._wiring._Environment.app is not None
                return answer
        except Killed:
            self._disruption.struck[KILL] += 1
            self._warm = False
            self._wiring.install(None)
            raise
