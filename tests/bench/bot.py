"""The bot in a process of its own: the deployed handlers, run as often as wanted, and what each run took.

The process holds nothing else of weight, so its CPU and its peak memory are the bot's. Exchange and cloud
stand in the rig's process. The bot's clock is the rig's: it stands still during a cycle, so that no figure
but the wall's depends on how fast this machine is today, and waiting moves it.
"""

import http.client
import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, get_ident
from typing import Any
from urllib.parse import urlsplit

from dora.core.units import TimeMs
from tests.bench.phases import Phases
from tests.world.event_files import read_event
from tests.world.lambda_context import LambdaContext
from tests.world.one_by_one import OneByOne
from tests.world.steady_clock import SteadyWorkers

PATIENCE_MS = 600_000
"""Granted where it is not the deadline that is measured."""


def _not_built(*_: object) -> dict[str, Any]:
    raise RuntimeError("build the bot first")


def _directly(work: Callable[..., Any], *given: Any) -> Any:
    return work(*given)


class Control:
    """The bench's own line to the rig."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=300)
        self._lock = Lock()

    def __call__(self, act: str, **given: object) -> Any:
        """The rig's answer: its time, and what it has done."""
        with self._lock:
            self._connection.request("POST", f"/bench/{act}", json.dumps(given))
            return json.loads(self._connection.getresponse().read())

    def close(self) -> None:
        """Close the line."""
        self._connection.close()


class BenchClock:
    """The rig's time, fetched between cycles; runs with the wall where asked to.

    Where it stands still, the main thread's wait is no time for a request under way to arrive in: it moves
    the time only when all of them are answered. Else a batch would meet a bucket of a later second.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._lock, self._main = Lock(), get_ident()
        self._under_way: list[Future[Any]] = []
        self._at_ms = 0
        self._running_since: float | None = None
        self.slept_ms = 0
        self.sleeping_cpu_ns = 0

    def set(self, at_ms: int, *, running: bool = False) -> None:
        """Stand at this time, or run from there."""
        self._under_way.clear()
        self._at_ms = at_ms
        self._running_since = time.monotonic() if running else None

    def began(self, work: "Future[Any]") -> None:
        """This is under way, in a thread of its own."""
        self._under_way.append(work)

    def now_ms(self) -> TimeMs:
        """Unix milliseconds."""
        since = self._running_since
        return TimeMs(self._at_ms + (0 if since is None else int((time.monotonic() - since) * 1000)))

    def sleep_ms(self, span_ms: int) -> None:
        """Virtual time passes here and at the rig, or real time where it runs. Waits side by side overlap."""
        if self._running_since is not None:
            self.slept_ms += max(span_ms, 0)
            time.sleep(max(span_ms, 0) / 1000)
            return
        if get_ident() == self._main:
            wait(self._under_way)
            self._under_way.clear()
        until_ms, began = self._at_ms + span_ms, time.thread_time_ns()
        with self._lock:
            left_ms = max(until_ms - self._at_ms, 0)
            self._control("sleep", span_ms=left_ms)
            self._at_ms += left_ms
            self.slept_ms += left_ms
            self.sleeping_cpu_ns += time.thread_time_ns() - began


@dataclass
class Took:
    """One cycle: CPU and wall in ms, what the rig counted, what was logged, and the handler's answer."""

    cpu_ms: float
    wall_ms: float
    waited_ms: int
    phases: dict[str, float]
    clients: dict[str, float]
    counts: dict[str, Any]
    cloud_wait_ms: float
    log_bytes: int
    log_lines: int
    answer: dict[str, Any] = field(repr=False)


class PrintedTo:
    """The file that standard output goes to; a call gives what was printed since the last one."""

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0

    def __call__(self) -> bytes:
        """As bytes, metrics included."""
        sys.stdout.flush()
        with self._path.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        self._read += len(text)
        return text


class BenchBot:
    """One warm environment. `printed` gives what was printed since it was last asked."""

    def __init__(self, env: dict[str, str], printed: Callable[[], bytes], control: Control) -> None:
        self.control, self._printed = control, printed
        self.clock = BenchClock(control)
        self.phases = Phases()
        self._env = env
        self._invocations = 0
        self._cycle = self._session = _not_built

    def build(self, *, phases: bool = True, one_by_one: bool = False) -> None:
        """The first invocation's work, done aside: import everything, build the app.

        `phases` wraps what is measured; `one_by_one` keeps all reads in the main thread.
        """
        wiring = importlib.import_module("dora.wiring")
        self._cycle = importlib.import_module("functions.cycle.app").lambda_handler
        self._session = importlib.import_module("functions.session.app").lambda_handler
        if phases:
            self.phases.install()
        app = wiring.build(self._env, clock=self.clock, jitter_ms=lambda span_ms: span_ms // 2)
        workers = OneByOne() if one_by_one else SteadyWorkers(app.ports.workers, self.clock)
        app = app._replace(ports=app.ports._replace(workers=workers))
        wiring.install(app)
        self.clock.set(self.control("step", minutes=0, share=0)["now_ms"])

    def start(self) -> dict[str, Any]:
        """Open a session."""
        answer = self._session(read_event("session_start"), self._context("session", PATIENCE_MS))
        self.control("take")
        return answer

    def cycle(
        self,
        share: float,
        *,
        minutes: int = 1,
        patience_ms: int = PATIENCE_MS,
        running: bool = False,
        through: Callable[..., Any] = _directly,
    ) -> Took:
        """Time moves on, this share of the markets (0 to 1) moves, and one cycle runs `through` a profiler.

        `running`: the clock runs meanwhile.
        """
        now_ms = self.control("step", minutes=minutes, share=share)["now_ms"]
        self.control("run", running=running)
        self.clock.set(now_ms, running=running)
        tick = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = read_event("cycle") | {"scheduled_at": tick}
        context = self._context("cycle", patience_ms)
        took = self._measured(lambda: through(self._cycle, event, context))
        self.control("run", running=False)
        return took

    def _measured(self, invoke: Callable[[], dict[str, Any]]) -> Took:
        slept_ms, sleeping = self.clock.slept_ms, self.clock.sleeping_cpu_ns
        self._printed()
        self.phases.take()
        wall, cpu = time.perf_counter(), time.process_time_ns()
        answer = invoke()
        cpu_ns, wall_s = time.process_time_ns() - cpu, time.perf_counter() - wall
        text, (phases, clients, waits) = self._printed(), self.phases.take()
        return Took(
            cpu_ms=(cpu_ns - (self.clock.sleeping_cpu_ns - sleeping)) / 1e6,
            wall_ms=wall_s * 1000,
            waited_ms=self.clock.slept_ms - slept_ms,
            phases=phases,
            clients=clients,
            counts=self.control("take")["done"],
            cloud_wait_ms=waits.get("botocore", 0.0),
            log_bytes=len(text),
            log_lines=text.count(b"\n"),
            answer=answer,
        )

    def _context(self, function: str, patience_ms: int) -> Any:
        self._invocations += 1
        deadline_ms = self.clock.now_ms() + patience_ms
        return LambdaContext(self.clock, deadline_ms, f"invocation-{self._invocations}", f"dora-{function}")


def peak_memory_mb() -> float:
    """The largest resident set of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
