"""The files a run leaves: summary.json, report.html, log.jsonl, order_requests.txt."""

import json
from pathlib import Path

from tests.demo.options import DemoError
from tests.demo.report import render
from tests.demo.run import Run

FILES = ("summary.json", "report.html", "log.jsonl", "order_requests.txt")


def prepare(folder: Path) -> None:
    """Make the folder before anything runs, and take away what an earlier run left there: a run that does not
    come to its end is not to be judged by the figures of another. Raises DemoError when it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log.jsonl").write_text("", encoding="utf-8")
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise DemoError(
            f"cannot write to {folder}: {error.strerror}; name another folder with --out"
        ) from error


def leave(run: Run, folder: Path) -> None:
    """Write all four."""
    (folder / "summary.json").write_text(json.dumps(run.summary, indent=2) + "\n", encoding="utf-8")
    (folder / "log.jsonl").write_text(run.log, encoding="utf-8")
    (folder / "order_requests.txt").write_text(
        "".join(f"{line}\n" for line in run.order_requests), encoding="utf-8"
    )
    (folder / "report.html").write_text(render(run), encoding="utf-8")
