"""Starts the processes of a measurement, each fresh: the rig, and the bot beside it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.case import UNLIMITED, Case
from tests.bench.runs import Plan

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 3600
TIERS = ("basic", "advanced", "premier")


def measure(plan: Plan, tiers: Sequence[str] = TIERS) -> dict[str, Any]:
    """All figures of one size of account. Raises subprocess.CalledProcessError."""
    figures = _run(plan, UNLIMITED, "all")
    limited = {tier: _run(plan, tier, "tier") for tier in tiers}
    figures["http_calls_by_tier"] = {tier: own["http_calls"] for tier, own in limited.items()}
    return figures | {"by_tier": limited}


def hot_spots(markets: int) -> list[dict[str, Any]]:
    """Where the CPU of an ordinary cycle goes."""
    rows: list[dict[str, Any]] = _run(Plan(markets, ordinary=5), UNLIMITED, "hot_spots")["rows"]
    return rows


def _run(plan: Plan, tier: str, kind: str) -> dict[str, Any]:
    with running_rig(Case(plan.markets, tier)) as env, tempfile.TemporaryDirectory() as folder:
        return bot_process("runs", env, Path(folder), plan=asdict(plan), kind=kind)


@contextmanager
def running_rig(case: Case) -> Iterator[dict[str, str]]:
    """A rig in a process of its own; yields the bot's environment variables."""
    command = [sys.executable, "-m", "tests.bench.rig", json.dumps(asdict(case))]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=with_bytecode(ROOT / "layers/dora", ROOT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as rig:
        assert rig.stdin is not None
        assert rig.stdout is not None
        try:
            yield json.loads(rig.stdout.readline())
        finally:
            rig.stdin.close()


def bot_process(module: str, env: dict[str, str], folder: Path, **given: Any) -> dict[str, Any]:
    """Run a module of this package as the bot's process, which leaves its figures in a file."""
    out, log = folder / f"{module}.json", folder / f"{module}.log"
    asked = json.dumps({"env": env, "out": str(out), "log": str(log), **given})
    with log.open("wb") as stdout:
        subprocess.run(
            [sys.executable, "-m", f"tests.bench.{module}", asked],
            cwd=ROOT,
            env=with_bytecode(ROOT / "layers/dora", ROOT) | env,
            stdout=stdout,
            check=True,
            timeout=TIMEOUT_S,
        )
    figures: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return figures


def with_bytecode(*folders: Path) -> dict[str, str]:
    """This process's environment with these folders to import from, compiled once as a deployed layer is."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join(map(str, folders))
    return {**own, "PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(ROOT / "build/bytecode")}
