"""`python -m tests.replay`: what a strategy would have done on recorded markets, and what that proves."""

import gc
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dora.core.errors import ConfigInvalid
from tests.replay import report
from tests.replay.brakes import brake_table, braked
from tests.replay.loading import made_up_tape, read_tape
from tests.replay.options import Options, parse
from tests.replay.recorded_settings import setting_for
from tests.replay.run import Result, replay
from tests.replay.sweep import Swept, run_sweep, split
from tests.replay.sweep_report import sweep_table
from tests.replay.tape import Tape
from tests.replay.total import Total
from tests.simulator.tape import RecordingError

CANNOT_RUN = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 2 could not run. A loss is a result, not a failure."""
    options = parse(arguments)
    try:
        report.prepare(options.out)
        _run(options)
    except (RecordingError, ConfigInvalid) as error:
        print(f"replay: {error}", file=sys.stderr)
        return CANNOT_RUN
    return 0


def _run(options: Options) -> None:
    total = Total()
    for load in _tapes(options):
        tape = load()
        gc.freeze()
        if options.brakes_s:
            _braked(tape, options)
        else:
            total.add(_swept(tape, options) if options.sweep else _replayed(tape, options))
        gc.unfreeze()
    if total.recordings > 1:
        print(f"\n{total.table()}")
        report.write(options.out, "total", total.as_json(), total.table())


def _tapes(options: Options) -> list[Callable[[], Tape]]:
    """Read one after the other, so that only one is held."""
    if not options.data:
        return [made_up_tape]
    return [partial(read_tape, path) for path in options.data]


def _replayed(tape: Tape, options: Options) -> Result:
    result = replay(tape, options.strategies, options.raw, _say(tape.name))
    _leave(options.out, result, "")
    return result


def _swept(tape: Tape, options: Options) -> Result:
    parts = split(tape, options.split)
    swept: Swept = run_sweep(parts, options.strategies[0], options.raw, options.sweep, _say(tape.name))
    _leave(options.out, swept.judged, f"{sweep_table(swept)}\n\n")
    return swept.judged


def _braked(tape: Tape, options: Options) -> None:
    for name in options.strategies:
        made = setting_for(tape, name, options.raw)
        told = brake_table(tuple(braked(tape, made, options.brakes_s, _say(tape.name))))
        print(f"\n{tape.name}, {made.strategy}\n\n{told}")


def _leave(out: Path, result: Result, before: str) -> None:
    print(f"\n{before}{report.summary(result)}")
    path = report.write(out, result.tape.name, report.as_json(result), before + report.details(result))
    print(f"\n{_cost(result)}\nby situation, event-day and market: {path}")


def _cost(result: Result) -> str:
    """What it took, for the run that asks whether it is quick enough."""
    outcomes = [outcome for by_model in result.strategies.values() for outcome in by_model.values()]
    minutes = max(outcome.total.minutes for outcome in outcomes)
    slowest = max(outcome.played.cpu_s for outcome in outcomes)
    return f"{minutes} market-minutes; CPU of a strategy under one fill model: up to {slowest:.1f} s"


def _say(name: str) -> Callable[[str, str], None]:
    def say(strategy: str, model: str) -> None:
        if sys.stderr.isatty():
            print(f"{name}: {strategy}, {model}", file=sys.stderr)

    return say


if __name__ == "__main__":
    sys.exit(main())
