"""What the handlers print, caught while they run: one JSON line for every fact."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any, TextIO

Fact = dict[str, Any]


@contextmanager
def printed_to(stream: TextIO) -> Iterator[None]:
    """Standard output goes to `stream`, also that of loggers which took hold of it earlier."""
    handlers = _stream_handlers()
    before = [handler.stream for handler in handlers]
    for handler in handlers:
        handler.setStream(stream)
    try:
        with redirect_stdout(stream):
            yield
    finally:
        for handler, earlier in zip(handlers, before, strict=True):
            handler.setStream(earlier)


def _stream_handlers() -> list["logging.StreamHandler[TextIO]"]:
    """The handlers that Powertools put on its loggers."""
    loggers = logging.root.manager.loggerDict.values()
    found = {getattr(logger, "powertools_handler", None) for logger in loggers}
    return [handler for handler in found if isinstance(handler, logging.StreamHandler)]


def facts_in(text: str) -> list[Fact]:
    """The JSON lines that carry an `event_type`; metrics and diagnostics are left out."""
    objects = (json.loads(line) for line in text.splitlines() if line.startswith("{"))
    return [fact for fact in objects if "event_type" in fact]


class Catcher:
    """Everything printed since the last `take`."""

    def __init__(self) -> None:
        self.stream = StringIO()

    def take(self) -> str:
        """What was printed, which is then forgotten."""
        text = self.stream.getvalue()
        self.stream.seek(0)
        self.stream.truncate()
        return text
