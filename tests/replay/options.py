"""What a person asks of a replay, checked before anything is read."""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dora.core.config import DEFAULT_STRATEGY
from dora.core.errors import ConfigInvalid
from dora.core.quoting.registry import STRATEGIES
from tests.replay.recorded_settings import RECORDED
from tests.replay.settings import read_pairs, setting

OUT = Path("build/replay")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SECONDS = re.compile(r"[1-9]\d{0,5}(,[1-9]\d{0,5})*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run. `data` empty: a day made up. `sweep`: a key and the values to choose from; empty: no sweep.

    `brakes_s`: seconds that an event rests after its order group tripped, to be compared; empty: none trips.
    """

    data: tuple[Path, ...] = ()
    strategies: tuple[str, ...] = (RECORDED,)
    """Where nobody recorded with any settings, `recorded` is the default strategy."""
    raw: Mapping[str, str]
    sweep: Mapping[str, tuple[str, ...]]
    split: str | None = None
    brakes_s: tuple[int, ...] = ()
    out: Path = OUT


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Options from the command line. Ends the program with status 2 and one line when they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m tests.replay", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        nargs="*",
        default=[],
        help="bbo-*.csv.gz, trades-*.csv.gz, archive folders",
    )
    parser.add_argument(
        "--strategy",
        default=RECORDED,
        help=f"one or several, with commas ({RECORDED}: as a folder's bot was set, else {DEFAULT_STRATEGY})",
    )
    parser.add_argument("--set", default="", dest="pairs", help='"key=value ..." as in a config item')
    parser.add_argument("--sweep", default="", help='"key=a,b,c ..." chosen on the earlier days')
    parser.add_argument("--split", type=_day, help="the first day that judges, YYYY-MM-DD (half of the days)")
    parser.add_argument(
        "--brake", default="", help="compare order groups by event that rest so many seconds: a,b,c"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="folder of what the run leaves (build/replay)")
    given = parser.parse_args(arguments)
    try:
        return _checked(given)
    except ConfigInvalid as error:
        parser.error(str(error))


def _checked(given: argparse.Namespace) -> Options:
    names = tuple(given.strategy.split(","))
    sweep = {key: tuple(values.split(",")) for key, values in read_pairs(given.sweep).items()}
    raw = read_pairs(given.pairs)
    for name in names:
        if name not in {RECORDED, *STRATEGIES}:
            known = ", ".join(sorted({RECORDED, *STRATEGIES}))
            raise ConfigInvalid("STRATEGY", f"{name!r} is not registered", f"write one of: {known}")
        if name != RECORDED:
            setting(name, raw)
        elif not any(path.is_dir() for path in given.data):
            setting(DEFAULT_STRATEGY, raw)
    if sweep and len(names) > 1:
        raise ConfigInvalid("SWEEP", "two strategies at once", "sweep one strategy")
    if given.split and not sweep:
        raise ConfigInvalid("SPLIT", "nothing is chosen without a sweep", "give SWEEP too")
    return Options(
        data=tuple(given.data),
        strategies=names,
        raw=raw,
        sweep=sweep,
        split=given.split,
        brakes_s=_brakes_s(given.brake, sweep=bool(sweep)),
        out=given.out,
    )


def _brakes_s(text: str, *, sweep: bool) -> tuple[int, ...]:
    if text and sweep:
        raise ConfigInvalid("BRAKE", "two questions at once", "compare brakes without a sweep")
    if text and not _SECONDS.fullmatch(text):
        raise ConfigInvalid("BRAKE", f"{text!r} is no list of seconds", "write for example 300,600")
    return tuple(int(part) for part in text.split(",")) if text else ()


def _day(text: str) -> str:
    if not _DAY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write 2025-12-14")
    return text
