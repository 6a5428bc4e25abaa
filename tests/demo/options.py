"""What a person asks of the demo, checked before anything starts."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.simulator.buckets import TIERS
from tests.simulator.plant import MODES
from tests.support.arguments import up_to

MINUTE_MS = 60_000
MOST_CYCLES, MOST_MARKETS = 10_080, 1_000
"""A week, and what a machine of a few gigabytes holds."""
OUT = Path("build/demo")


class DemoError(Exception):
    """The demo cannot run; the text says why and what to do, in one line."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run. `start_ms` None: the busiest stretch of the recording."""

    data: Path | None = None
    start_ms: int | None = None
    cycles: int = 60
    markets: int = 12
    seed: int = 1
    tier: str = "advanced"
    plant: str | None = None
    out: Path = OUT


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Options from the command line. Ends the program with status 2 and one line when they make no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo",
        description="A whole trading session of the real handlers against a simulated exchange.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="a recording or a folder of archive objects (made up flow)",
    )
    parser.add_argument("--start", type=_minute, metavar="ISO", dest="start_ms", help="first minute, UTC")
    parser.add_argument(
        "--cycles", type=up_to(MOST_CYCLES), default=Options.cycles, help="one-minute cycles (60)"
    )
    parser.add_argument(
        "--markets", type=up_to(MOST_MARKETS), default=Options.markets, help="markets to quote (12)"
    )
    parser.add_argument("--seed", type=int, default=Options.seed, help="of everything drawn at random (1)")
    parser.add_argument(
        "--tier", choices=sorted(TIERS), default=Options.tier, help="API usage tier (advanced)"
    )
    parser.add_argument("--plant", choices=MODES, help="let the exchange cheat, to see it noticed")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of what the run leaves (build/demo)")
    return Options(**vars(parser.parse_args(arguments)))


def _minute(text: str) -> int:
    """A whole minute in Unix milliseconds; a time without a zone is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write 2026-03-02T15:00Z") from None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return int(aware.timestamp()) * 1000 // MINUTE_MS * MINUTE_MS


def iso(at_ms: int) -> str:
    """A time in UTC, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
