"""One run: session start, the cycles, teardown."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.demo.observation import Observation, Watcher
from tests.demo.options import MINUTE_MS, DemoError
from tests.demo.order_requests import OrderRequests
from tests.demo.scene import Scene
from tests.demo.summary import Summary, summarize
from tests.simulator.invariants import Breach
from tests.simulator.model import Fill
from tests.world.bot import Answer, Deployment, deployed_bot
from tests.world.cloud import CloudKind
from tests.world.output import Catcher, printed_to
from tests.world.setup import Wire
from tests.world.world import World, open_world

ATTEMPTS = 3
PAYOUT_CYCLES = 3
"""After the last payout of a recorded session: by then the books hold them all."""
Progress = Callable[[int, Answer], None]


@dataclass(frozen=True)
class Run:
    """A finished run and all that is told of it."""

    scene: Scene
    summary: Summary
    seen: Observation
    fills: tuple[Fill, ...]
    breaches: tuple[Breach, ...]
    settled: dict[str, tuple[int, int]]
    """By market that paid out: when, and what a YES contract was worth in 1e-4 $."""
    write_tokens: dict[str, list[tuple[int, int]]]
    write_budget: int
    """Tokens of one write bucket in a minute."""
    log: str
    order_requests: tuple[str, ...]
    """Every create, cancel and decrease, in the order sent."""

    @property
    def finished(self) -> bool:
        return self.summary["teardown_status"] == "closed"


def run(
    scene: Scene,
    progress: Progress,
    *,
    wire: Wire = "adapter",
    cloud: CloudKind = "process",
    deploy: Deployment = deployed_bot,
) -> Run:
    """Play the scene to its end. `progress` hears of every finished cycle. Raises DemoError.

    All in this process unless said otherwise: a real socket has real timeouts, and on a busy machine one
    that runs out makes another run of the same arguments.
    """
    began = time.monotonic()
    with open_world(scene.setup(wire, cloud), deploy) as world:
        scene.play(world)
        asked = world.exchange.faults = OrderRequests(world.exchange, world.member)
        watcher = Watcher(world, scene.tickers, scene.end_ms)
        catcher = Catcher()
        with printed_to(catcher.stream):
            closing = _session(world, scene, watcher, progress)
            watcher.sample()
            _paid_out(world, scene)
        summary = summarize(scene, world, watcher.seen, closing, time.monotonic() - began)
        return _told(scene, world, watcher.seen, summary, catcher.take(), asked)


def _session(world: World, scene: Scene, watcher: Watcher, progress: Progress) -> Answer:
    opening = _until("active", world.start, world)
    if opening["status"] != "active":
        raise DemoError(f"the session did not start: {opening.get('reason') or opening}")
    for number in range(scene.options.cycles):
        began_ms = world.next_tick_ms()
        answer = world.cycle()
        watcher.cycle_done(began_ms, answer)
        progress(number + 1, answer)
    world.next_minute()
    return _until("closed", world.teardown, world)


def _paid_out(world: World, scene: Scene) -> None:
    """What is held at the end of a recorded session is settled as it was: at its own time, by its own result.

    Nothing is quoted by then, and nothing is seen of it but in the books.
    """
    held = [ticker for ticker, own in world.member.accounts[0].positions.items() if own.position_e2]
    ends = [spec for ticker in held if (spec := scene.recording.markets[ticker]).result]
    if scene.options.data is not None and ends:
        world.clock.advance_to(max(spec.close_ms + spec.settle_after_ms for spec in ends))
        for _ in range(PAYOUT_CYCLES):
            world.cycle()


def _until(status: str, ask: Callable[[], Answer], world: World) -> Answer:
    """Ask again a minute later while the answer is another, as a person would."""
    answer = ask()
    for _ in range(ATTEMPTS - 1):
        if answer["status"] == status:
            break
        world.next_minute()
        answer = ask()
    return answer


def _told(
    scene: Scene, world: World, seen: Observation, summary: Summary, log: str, asked: OrderRequests
) -> Run:
    stats = world.exchange.stats
    rate = world.member.buckets.limits.write_rate
    return Run(
        scene=scene,
        summary=summary,
        seen=seen,
        fills=tuple(world.member.fills),
        breaches=tuple(world.exchange.invariants.broken),
        settled={
            market.ticker: (market.settled_ms, market.value_e4)
            for market in world.exchange.venue.markets.values()
            if market.settled_ms is not None
        },
        write_tokens={name: list(rows) for name, rows in stats.tokens.items() if name.startswith("write")},
        write_budget=rate * MINUTE_MS // 1000,
        log=log,
        order_requests=tuple(asked.lines),
    )
