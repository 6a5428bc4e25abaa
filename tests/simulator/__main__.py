"""Serve the simulated exchange: `python -m tests.simulator --port 8099`."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from .buckets import TIERS
from .clock import VirtualClock, WallClock
from .exchange import Exchange
from .knobs import Knobs
from .plant import DEFAULT_EVERY, MODES, Plant
from .server import RunningServer, serve
from .stage import fund, furnish, generate_key, relaxed

DEFAULT_PORT = 8099


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; 2 when the port or a file is unusable."""
    options = _options(arguments)
    try:
        exchange, running = _start(options)
    except OSError as problem:
        print(_advice(options, problem), file=sys.stderr)
        return 2
    _serve(running, f"{len(exchange.venue.markets)} markets, tier {options.tier}: {running.url}")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free port")
    parser.add_argument(
        "--virtual", action="store_true", help="time stands still until POST /simulator/advance?ms=N"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tier", choices=sorted(TIERS), default="basic")
    parser.add_argument("--markets", type=int, default=12)
    parser.add_argument(
        "--plant", choices=MODES, nargs="*", default=[], help="cheat, so that a checker can be seen to fail"
    )
    parser.add_argument("--plant-every", type=int, default=DEFAULT_EVERY, metavar="K")
    parser.add_argument("--key-id", help="with --public-key: the API key to accept")
    parser.add_argument("--public-key", type=Path, metavar="FILE", help="its public half, PEM")
    options = parser.parse_args(arguments)
    if (options.key_id is None) != (options.public_key is None):
        parser.error("--key-id and --public-key belong together")
    return options


def _start(options: argparse.Namespace) -> tuple[Exchange, RunningServer]:
    """Take the port first, so that a failure costs nothing."""
    now_ms = time.time_ns() // 1_000_000
    clock = VirtualClock(now_ms) if options.virtual else WallClock()
    exchange = Exchange(
        clock=clock, knobs=relaxed(Knobs()) if options.virtual else Knobs(), seed=options.seed
    )
    running = serve(exchange, options.port)
    exchange.plant = Plant(*options.plant, every=options.plant_every)
    furnish(exchange, clock, seed=options.seed, markets=options.markets)
    key_id, public_key_pem = _key(options)
    fund(exchange, key_id, public_key_pem, options.tier)
    return exchange, running


def _key(options: argparse.Namespace) -> tuple[str, str]:
    """The key named, or a fresh one whose private half is left in a temporary folder."""
    if options.public_key is not None:
        return options.key_id, options.public_key.read_text()
    key, public_key_pem = generate_key(Path(tempfile.mkdtemp(prefix="simulator-")))
    print(f"key id: {key.key_id}\nprivate key: {key.private_key_file}", flush=True)
    return key.key_id, public_key_pem


def _advice(options: argparse.Namespace, problem: OSError) -> str:
    if problem.filename:
        return f"cannot read {problem.filename}: {problem.strerror}"
    return f"port {options.port} is not free ({problem.strerror}): pass another, or --port 0 for any"


def _serve(running: RunningServer, greeting: str) -> None:
    """Until interrupted; whoever has read the greeting may interrupt."""
    try:
        print(greeting, flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        running.stop()


if __name__ == "__main__":
    # A shell starts its background jobs with SIGINT ignored, and they must end too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
