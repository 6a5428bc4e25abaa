"""Prism, a validating proxy that nobody here wrote, as a process on a free port."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.simulator.wire import PREFIX

PROGRAM = Path(__file__).parent / "node_modules" / ".bin" / "prism"
START_S, ANSWER_S, STOP_S = 60, 10, 10
POLL_S = 0.02

_LISTENING = re.compile(r"Prism is listening on (http://\S+)")
_RECEIVED = re.compile(r"\[HTTP SERVER\] (\S+) (\S+) .*Request received")
_COMPLAINT = re.compile(r"› +(\[.*?) +[✖⚠] +\w+ +(.*)")


class Proxy:
    """A running Prism. With `--errors` it answers a violation itself, with a problem+json of 422 or 500."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process, self._log = process, log
        self._questions = 0
        self._root = self._await(_LISTENING, START_S)[1]
        self.url = self._root + PREFIX

    def complaints(self) -> list[str]:
        """Errors and warnings so far, one line each."""
        return [f"{where}: {what}" for where, what in _COMPLAINT.findall(self._settled())]

    def calls(self) -> list[str]:
        """Every request so far, as `METHOD /path`."""
        return [f"{method.upper()} {path}" for method, path in _RECEIVED.findall(self._settled())]

    def _settled(self) -> str:
        """The log up to now. Prism answers first and writes its log afterwards, in order: so a question
        that it must complain about marks how far the log has come. Those questions are left out."""
        self._questions += 1
        question = f"/asked-by-the-test-{self._questions}"
        requests.get(self._root + question, timeout=ANSWER_S)
        self._await(re.compile(rf"{question} +✖"), ANSWER_S)
        return "\n".join(line for line in self._read().splitlines() if "/asked-by-the-test-" not in line)

    def _await(self, wanted: re.Pattern[str], limit_s: float) -> re.Match[str]:
        deadline = time.monotonic() + limit_s
        while (found := wanted.search(self._read())) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Prism did not say {wanted.pattern!r}:\n{self._read()[-2000:]}")
            time.sleep(POLL_S)
        return found

    def _read(self) -> str:
        return self._log.read_text(encoding="utf-8")


@contextmanager
def proxy(document: Path, upstream: str, log: Path) -> Iterator[Proxy]:
    """Prism between a client and the exchange at `upstream`, gone at the end whatever happened."""
    command = [PROGRAM, "proxy", document, upstream.removesuffix(PREFIX), "--errors", "--port", "0"]
    with log.open("wb") as out:
        plain = {**os.environ, "FORCE_COLOR": "0"}
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=plain)
    try:
        yield Proxy(process, log)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
