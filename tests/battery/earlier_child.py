"""The handlers of an earlier commit, in a process of their own: this file is run by `earlier_version`.

It imports nothing of the checkout around it. Events come as lines of JSON on standard input; a question of
the time, a wait, or an answer goes out as one. What the handlers print goes to standard error.
"""

import importlib
import json
import os
import sys
import threading
from dataclasses import dataclass
from typing import Any, TextIO


class Line:
    """One question at a time, whichever thread asks."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._lock = out, threading.Lock()

    def tell(self, what: object) -> None:
        """Without an answer."""
        self._out.write(json.dumps(what) + "\n")
        self._out.flush()

    def ask(self, what: object) -> Any:
        """The answer to it."""
        with self._lock:
            self.tell(what)
            return json.loads(sys.stdin.readline())


class Clock:
    """The world's, asked over the line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def now_ms(self) -> int:
        """As the world has it."""
        return int(self._line.ask({"sleep_ms": 0}))

    def sleep_ms(self, span_ms: int) -> None:
        """Time passes in the world."""
        self._line.ask({"sleep_ms": span_ms})


@dataclass
class Context:
    """What handlers and their logger read of Lambda's."""

    clock: Clock
    deadline_ms: int
    function_name: str
    aws_request_id: str
    memory_limit_in_mb: int = 1024
    function_version: str = "$LATEST"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:earlier"

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda would kill it."""
        return max(self.deadline_ms - self.clock.now_ms(), 0)


def main() -> None:
    """Serve until the line is closed."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    line = Line(out)
    clock = Clock(line)
    wiring = importlib.import_module("dora.wiring")
    wiring.install(wiring.build(os.environ, clock=clock, jitter_ms=lambda span_ms: span_ms // 2))
    while text := sys.stdin.readline():
        asked = json.loads(text)
        handler = importlib.import_module(f"functions.{asked['function']}.app").lambda_handler
        context = Context(clock, asked["deadline_ms"], asked["function"], asked["request_id"])
        line.tell({"answer": handler(asked["event"], context)})


if __name__ == "__main__":
    main()
