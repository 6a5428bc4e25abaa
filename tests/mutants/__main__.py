"""`make mutants`: switch off one guard at a time and show that the battery notices.

Each guard is switched off in a copy of the tree, and the scenario that stands beside it must fail there. A
guard whose absence its scenario does not notice is a defect of the battery, and ends the program with 1.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.guards import BATTERY, GUARDS, PACKAGE, Guard

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("layers", "functions", "tests", "events", "pyproject.toml", "template.yaml", "samconfig.toml")
MINUTES_EACH = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every chosen guard is missed by some test."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="guards to switch off (all)")
    chosen = set(parser.parse_args(arguments).names) or {guard.name for guard in GUARDS}
    unknown = chosen - {guard.name for guard in GUARDS}
    if unknown:
        parser.error(f"no guard {', '.join(sorted(unknown))}; there are {', '.join(g.name for g in GUARDS)}")
    alive = 0
    with ThreadPoolExecutor(os.cpu_count()) as beside:
        guards = [guard for guard in GUARDS if guard.name in chosen]
        for guard, failed in zip(guards, beside.map(_noticed_by, guards), strict=True):
            print(f"{guard.name:18} {failed or 'NO TEST NOTICED'}", flush=True)
            alive += not failed
    print(f"{len(guards) - alive} passed, {alive} failed")
    return 1 if alive else 0


def _noticed_by(guard: Guard) -> str:
    """The test that fails without the guard, "" when none does."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in COPIED:
            _copy(ROOT / name, tree / name)
        (tree / PACKAGE / guard.file).write_text(guard.switched_off(ROOT), encoding="utf-8")
        return _first_failure(tree, f"{BATTERY}/{guard.scenario}")


def _copy(source: Path, target: Path) -> None:
    """With the times of the files, so that what Python compiled of them before is good there too."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules"))
    else:
        shutil.copy(source, target)


def _first_failure(tree: Path, scenario: str) -> str:
    """The first test that fails, "" when all pass. Whatever else ends pytest is an error."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", scenario]
    done = subprocess.run(
        command,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": "layers/dora"},
        capture_output=True,
        text=True,
        timeout=MINUTES_EACH * 60,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(
            f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    return lines[0].removeprefix("FAILED ").split(" - ")[0] if lines else ""


if __name__ == "__main__":
    sys.exit(main())
