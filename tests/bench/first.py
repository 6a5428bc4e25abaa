"""The first invocation of a fresh process in an account that has long been quoted: one cold start.

Imports are measured apart, because Lambda pays for them before the invocation begins. What is left is reading
the environment and the secret, building the clients, opening connections, and a cycle that remembers nothing.
"""

import importlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.bot import PATIENCE_MS, BenchClock, Control
from tests.world.event_files import read_event
from tests.world.lambda_context import LambdaContext


def main() -> None:
    """One cycle; its CPU goes to the file named in the argument."""
    given = json.loads(sys.argv[1])
    control = Control(given["env"]["KALSHI_BASE_URL"])
    clock = BenchClock(control)
    now_ms = control("step", minutes=1, share=0.1)["now_ms"]
    clock.set(now_ms)
    wiring = importlib.import_module("dora.wiring")
    handler = importlib.import_module("functions.cycle.app").lambda_handler
    tick = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    context = LambdaContext(clock, now_ms + PATIENCE_MS, "first", "dora-cycle")
    event = read_event("cycle") | {"scheduled_at": tick}
    began = time.process_time_ns()
    wiring.install(wiring.build(given["env"], clock=clock))
    answer = handler(event, context)
    cpu_ms = (time.process_time_ns() - began) / 1e6
    if answer["status"] != "completed":
        raise RuntimeError(f"the first cycle came to {answer}")
    Path(given["out"]).write_text(json.dumps({"cpu_ms": cpu_ms}), encoding="utf-8")


if __name__ == "__main__":
    main()
