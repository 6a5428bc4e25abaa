"""`python -m tests.local_stack`: a stack on this machine until Ctrl-C; `dora local up` starts it."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.demo.options import MINUTE_MS, DemoError, Options
from tests.local_stack.stack import LocalOptions, LocalStack, open_local_stack
from tests.simulator.buckets import TIERS

FASTEST = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when it was stopped, 2 when it cannot run."""
    options, folder = _options(arguments)
    try:
        with open_local_stack(options, folder) as local:
            _greet(local, options, folder)
            local.follow_the_clock()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
    except DemoError as error:
        sys.stderr.write(f"dora local up: {error}\n")
        return 2
    return 0


def _options(arguments: Sequence[str] | None) -> tuple[LocalOptions, Path]:
    parser = argparse.ArgumentParser(prog="dora local up", description=__doc__)
    parser.add_argument("--markets", type=int, default=12)
    parser.add_argument("--minutes", type=int, default=480, help="of order flow")
    parser.add_argument("--data", type=Path, help="a recording; without it, synthetic order flow")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tier", choices=sorted(TIERS), default="advanced")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--configured", action="store_true", help="with sample configs, every market enabled")
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args(arguments)
    if not 0 < given.speed <= FASTEST:
        parser.error(f"--speed is {given.speed:g}; write a number above 0, at most {FASTEST:g}")
    if given.markets < 1 or given.minutes < 1:
        parser.error("--markets and --minutes must be at least 1")
    begins = {} if given.data else {"start_ms": time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS}
    scene = Options(data=given.data, cycles=given.minutes, markets=given.markets, seed=given.seed, **begins)
    local = LocalOptions(scene=scene, speed=given.speed, configured=given.configured, tier=given.tier)
    return local, given.folder


def _greet(local: LocalStack, options: LocalOptions, folder: Path) -> None:
    first = "dora start" if options.configured else "dora suggest --out markets.yaml"
    sys.stdout.write(
        f"A stack on this machine: {len(local.scene.tickers)} markets, a minute every "
        f"{60 / options.speed:g} s, until Ctrl-C.\n"
        f"Connection: {folder / 'connection.json'}; log: {folder / 'log.jsonl'}\n"
        f"In another terminal: {first} --local\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    # A shell starts its background jobs with SIGINT ignored, and they must end too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
