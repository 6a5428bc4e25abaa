"""The files a run leaves: summary.json, report.html, log.jsonl, order_requests.txt."""

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.demo.options import DemoError
from tests.demo.report import render
from tests.demo.run import Run

SUMMARY = "summary.json"
FILES = ("report.html", "log.jsonl", "order_requests.txt", SUMMARY)
"""The summary last: while it is there, the others are of the same run."""


def prepare(folder: Path) -> None:
    """Make the folder before anything runs. What an earlier run left there stays until this one has ended.

    Raises DemoError when it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _draft(folder, SUMMARY).write_text("", encoding="utf-8")
    except OSError as error:
        raise DemoError(
            f"cannot write to {folder}: {error.strerror}; name another folder with --out"
        ) from error
    _draft(folder, SUMMARY).unlink()


def leave(run: Run, folder: Path) -> None:
    """Write all four, then put them in the place of an earlier run's."""
    told = {
        SUMMARY: json.dumps(run.summary, indent=2) + "\n",
        "log.jsonl": run.log,
        "order_requests.txt": "".join(f"{line}\n" for line in run.order_requests),
        "report.html": render(run),
    }
    try:
        for name in FILES:
            _draft(folder, name).write_text(told[name], encoding="utf-8")
        (folder / SUMMARY).unlink(missing_ok=True)
        for name in FILES:
            _draft(folder, name).replace(folder / name)
    finally:
        for name in FILES:
            _draft(folder, name).unlink(missing_ok=True)


def what_stays(folder: Path) -> str:
    """What stands there after a run that was stopped: one of before, with its time, or none."""
    try:
        ended = datetime.fromtimestamp((folder / SUMMARY).stat().st_mtime, UTC)
    except OSError:
        return f"{folder} holds no run"
    return f"{folder} still holds the run that ended at {ended:%Y-%m-%d %H:%M} UTC"


def _draft(folder: Path, name: str) -> Path:
    return folder / f"{name}.part"
