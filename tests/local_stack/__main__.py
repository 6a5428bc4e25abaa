"""`python -m tests.local_stack`: a stack on this machine until Ctrl-C; `dora local up` starts it."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from dora.wiring import SystemClock
from dora_operator.exchange import BASE_URLS, signer_of
from dora_operator.failures import OperatorError
from dora_operator.whole_file import read_whole
from tests.demo.options import MINUTE_MS, DemoError, Options
from tests.local_stack.live import live_reads
from tests.local_stack.live_scene import LiveScene, live_scene
from tests.local_stack.stack import LocalOptions, LocalStack, open_local_stack
from tests.replay.fill_models import MODELS, PESSIMISTIC
from tests.simulator.buckets import TIERS

FASTEST = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when it was stopped, 2 when it cannot run."""
    given = _given(arguments)
    options = _options(given)
    try:
        live = _live(given) if given.live else None
        with open_local_stack(options, given.folder, live) as local:
            _greet(local, options, given.folder)
            local.follow_the_clock()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
    except DemoError as error:
        sys.stderr.write(f"dora local up: {error}\n")
        return 2
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong alone: its usage is not that of `dora local up`, whose help shows the options."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _given(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="dora local up", description=__doc__)
    parser.add_argument("--markets", type=int, default=12)
    parser.add_argument("--minutes", type=int, default=480, help="of order flow")
    parser.add_argument("--data", type=Path, help="a recording; without it, synthetic order flow")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tier", choices=sorted(TIERS), default="advanced")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--configured", action="store_true", help="with sample configs, every market enabled")
    parser.add_argument("--live", action="store_true", help="paper trading on live books")
    parser.add_argument("--stage", choices=sorted(BASE_URLS), help="of --live: which exchange is read")
    parser.add_argument("--base-url", default="", help="of --live, instead of --stage: another address")
    parser.add_argument("--key-id", default="", help="of --live: a key that may read")
    parser.add_argument("--pem", type=Path, help="of --live: its private key")
    parser.add_argument("--series", action="append", default=[], help="of --live: whose markets")
    parser.add_argument("--fills", choices=[own.name for own in MODELS], default=PESSIMISTIC.name)
    parser.add_argument("--dollars", type=int, default=1_000, help="of --live: on each shard, on paper")
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args(arguments)
    if not 0 < given.speed <= FASTEST:
        parser.error(f"--speed is {given.speed:g}; write a number above 0, at most {FASTEST:g}")
    if min(given.markets, given.minutes, given.dollars) < 1:
        parser.error("--markets, --minutes and --dollars must be at least 1")
    if given.live and (given.speed != 1 or given.data):
        parser.error("--live goes at the speed of the exchange, without --speed and --data")
    if given.live and not (given.key_id and given.pem and given.series):
        parser.error("--live needs --key-id, --pem and --series")
    if given.live and bool(given.stage) == bool(given.base_url):
        parser.error("--live needs --stage or --base-url, one of the two")
    if given.base_url and not _is_safe(given.base_url):
        parser.error(
            f"--base-url is {given.base_url}; write https://HOST/trade-api/v2, http for 127.0.0.1 alone"
        )
    return given


def _is_safe(base_url: str) -> bool:
    """What is signed with a person's key leaves this machine encrypted, or not at all."""
    address = urlsplit(base_url)
    return bool(address.hostname) and (address.scheme == "https" or base_url.startswith("http://127.0.0.1:"))


def _options(given: argparse.Namespace) -> LocalOptions:
    begins = {} if given.data else {"start_ms": _this_minute_ms()}
    scene = Options(data=given.data, cycles=given.minutes, markets=given.markets, seed=given.seed, **begins)
    return LocalOptions(scene=scene, speed=given.speed, configured=given.configured, tier=given.tier)


def _this_minute_ms() -> int:
    return time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS


def _live(given: argparse.Namespace) -> LiveScene:
    """Raises DemoError."""
    try:
        signer = signer_of(given.key_id, given.pem, read_whole(given.pem))
    except OperatorError as error:
        raise DemoError(error.message) from None
    return live_scene(
        live_reads(given.base_url or BASE_URLS[given.stage], signer, SystemClock()),
        given.series,
        most=given.markets,
        start_ms=_this_minute_ms(),
        model=next(own for own in MODELS if own.name == given.fills),
        tier=given.tier,
        dollars=given.dollars,
    )


def _greet(local: LocalStack, options: LocalOptions, folder: Path) -> None:
    first = "dora start" if options.configured else "dora init --out dora.yaml"
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
