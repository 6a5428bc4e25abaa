"""A stack on this machine: exchange, tables, secret, bucket, and both functions, kept until it is stopped.

Its time is virtual and follows the clock on the wall, so many times as fast: it stands still while a function
runs. Everything listens on loopback at free ports, which the connection file names.
"""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from tests.demo.options import Options
from tests.demo.scene import Scene, choose_scene
from tests.local_stack.live_scene import LiveScene
from tests.local_stack.log_times import virtual_log_times
from tests.local_stack.server import FunctionServer
from tests.simulator.server import RunningServer, serve
from tests.simulator.wire import PREFIX
from tests.world import config_items
from tests.world.archive_bucket import ARCHIVE_BUCKET, beside_a_bucket
from tests.world.aws import EmbeddedAws
from tests.world.bot import Answer, deployed_bot
from tests.world.lambda_context import CYCLE_TIMEOUT_MS, SESSION_TIMEOUT_MS
from tests.world.output import printed_to
from tests.world.setup import CONFIG_TABLE, SECRET_ID, STAGE, STATE_TABLE, Setup
from tests.world.world import MINUTE_MS, World, open_world

STACK = "dora-local"
CYCLE, SESSION = "dora-cycle", "dora-session"
PACE_S = 0.1


class _Unconfigured(EmbeddedAws):
    """A cloud in which nobody has written any config yet."""

    def put_config(self, item: Mapping[str, Any]) -> None:
        """Not this one either."""


@dataclass(frozen=True, kw_only=True)
class LocalOptions:
    """`speed` 0: time moves only when a function is asked. `configured`: every market gets the `item`."""

    scene: Options
    speed: float = 1.0
    configured: bool = False
    tier: str = "advanced"
    item: config_items.Item = field(default_factory=lambda: dict(config_items.SAMPLE))
    log_level: str = "WARNING"


class LocalStack:
    """One world, asked over HTTP. One function runs at a time."""

    def __init__(self, world: World, scene: Scene | LiveScene, speed: float, log: TextIO) -> None:
        self.world, self.scene, self._speed, self._log = world, scene, speed, log
        self._one_at_a_time = threading.RLock()
        self._began = time.monotonic()
        self._next_tick_ms = world.next_tick_ms()
        self.stopped = threading.Event()
        self.cycles = 0

    def invoke(self, function: str, event: Mapping[str, object]) -> Answer:
        """What Lambda would do with this event. Raises KeyError for another function's name."""
        ask = {CYCLE: self._cycle, SESSION: self._session}[function]
        with self._one_at_a_time, printed_to(self._log):
            answer = ask(event)
            self._log.flush()
            return answer

    def minute(self) -> Answer:
        """The next scheduled tick, at its time."""
        with self._one_at_a_time:
            at_ms, self._next_tick_ms = self._next_tick_ms, self._next_tick_ms + MINUTE_MS
            self._advance_to(at_ms)
            self.cycles += 1
            return self.invoke(CYCLE, {"action": "cycle"})

    def sleep_to_the_next_tick(self) -> None:
        """After the time was moved by hand."""
        self._next_tick_ms = self.world.next_tick_ms()

    def follow_the_clock(self) -> None:
        """Until stopped: time passes, and every minute there is a cycle."""
        start_ms = self.world.clock.now_ms()
        while not self.stopped.wait(PACE_S):
            due_ms = start_ms + int((time.monotonic() - self._began) * 1000 * self._speed)
            if due_ms >= self._next_tick_ms:
                self.minute()
            else:
                with self._one_at_a_time:
                    self._advance_to(due_ms)

    def _advance_to(self, at_ms: int) -> None:
        with self.world.exchange.lock:
            if at_ms > self.world.clock.now_ms():
                self.world.clock.advance_to(at_ms)

    def _cycle(self, event: Mapping[str, object]) -> Answer:
        return self.world.bot.cycle(event, self.world.context(CYCLE, CYCLE_TIMEOUT_MS))

    def _session(self, event: Mapping[str, object]) -> Answer:
        return self.world.bot.session(event, self.world.context(SESSION, SESSION_TIMEOUT_MS))


@contextmanager
def open_local_stack(
    options: LocalOptions, folder: Path, live: LiveScene | None = None
) -> Iterator[LocalStack]:
    """Everything up and the connection file written, in `folder` beside the log; the file is gone at the end.

    `live`: paper trading in its markets, instead of the scene of the options. Raises DemoError.
    """
    scene = live or choose_scene(replace(options.scene, tier=options.tier))
    setup = replace(
        scene.setup("adapter", "server"),
        items=dict.fromkeys(scene.tickers, options.item) if options.configured else {},
        archive_bucket=ARCHIVE_BUCKET,
        log_level=options.log_level,
    )
    cloud = EmbeddedAws("server") if options.configured else _Unconfigured("server")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        world = stack.enter_context(open_world(setup, beside_a_bucket(deployed_bot), cloud))
        world.exchange.invariants.expectations.most_live_orders = None
        scene.play(world)
        log = stack.enter_context((folder / "log.jsonl").open("w", encoding="utf-8"))
        stack.enter_context(virtual_log_times(world.clock.now_ms))
        local = LocalStack(world, scene, options.speed, log)
        exchange = serve(world.exchange, port=0)
        stack.callback(exchange.stop)
        functions = FunctionServer(local.invoke)
        stack.callback(functions.stop)
        connection = folder / "connection.json"
        connection.write_text(
            json.dumps(_connection(setup, exchange, functions, folder, options.speed), indent=2) + "\n",
            encoding="utf-8",
        )
        stack.callback(connection.unlink, missing_ok=True)
        stack.callback(local.stopped.set)
        yield local


def _connection(
    setup: Setup, exchange: RunningServer, functions: FunctionServer, folder: Path, speed: float
) -> dict[str, object]:
    """What the operator's command must know, in the words of the template's parameters and outputs."""
    return {
        "stack": STACK,
        "process": os.getpid(),
        "aws_url": os.environ["AWS_ENDPOINT_URL"],
        "functions_url": functions.url,
        "exchange_url": exchange.url,
        "clock_url": exchange.url.removesuffix(PREFIX) + "/simulator/advance",
        "log": str((folder / "log.jsonl").resolve()),
        "speed": speed,
        "parameters": {
            "Stage": STAGE,
            "Bot": setup.bot,
            "KalshiSecretName": SECRET_ID,
            "DryRun": "false",
            "Archive": setup.archive,
        },
        "outputs": {
            "CycleFunctionName": CYCLE,
            "SessionFunctionName": SESSION,
            "ConfigTableName": CONFIG_TABLE,
            "StateTableName": STATE_TABLE,
            "ArchiveBucketName": ARCHIVE_BUCKET,
            "LogGroupName": "",
        },
    }
