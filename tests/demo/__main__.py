"""`python -m tests.demo`: a whole trading session against the simulated exchange."""

import sys
from collections.abc import Sequence

from tests.demo.options import DemoError, Options, parse
from tests.demo.outcome import leave, prepare, what_stays
from tests.demo.progress import show_summary, shown
from tests.demo.run import Run, run
from tests.demo.scene import choose_scene

CANNOT_RUN = 2
NOT_CLEAN = 1
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 clean, 1 broken rules or not closed, 2 could not run, 130 stopped by Ctrl-C."""
    options = parse(arguments)
    try:
        done = _play(options)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print(f"demo: stopped, nothing of this run is kept; {what_stays(options.out)}", file=sys.stderr)
        return INTERRUPTED
    show_summary(done.summary, done.breaches)
    print(f"report: {options.out / 'report.html'}")
    return _status(done)


def _play(options: Options) -> Run:
    scene = choose_scene(options)
    prepare(options.out)
    with shown(options.cycles) as hear:
        done = run(scene, hear)
    leave(done, options.out)
    return done


def _status(done: Run) -> int:
    """A planted fault is meant to break things."""
    if done.scene.options.plant:
        return 0
    return 0 if done.finished and not done.breaches else NOT_CLEAN


if __name__ == "__main__":
    sys.exit(main())
