"""Answers that were not lost but changed: what a scenario does to the JSON of one kind of reply."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.battery.scene import Scene
from tests.simulator.faults import Faults
from tests.simulator.wire import PREFIX, Reply, Request

Content = dict[str, Any]


class Retold(Faults):
    """Every answer of one kind (`GET /markets`) is told anew until `over` is called."""

    def __init__(self, stage: Scene, label: str, change: Callable[[Content], object]) -> None:
        self._exchange, self._label, self._change = stage.world.exchange, label, change
        self._inner = self._exchange.faults
        self._exchange.faults = self

    def over(self) -> None:
        """Answers come as they were meant."""
        self._exchange.faults = self._inner

    def before(self, request: Request) -> Reply | None:
        return self._inner.before(request)

    def after(self, request: Request, reply: Reply) -> Reply:
        told = self._inner.after(request, reply)
        if label_of(request) != self._label:
            return told
        content = json.loads(told.body)
        self._change(content)
        return replace(told, body=json.dumps(content).encode())


class Heard(Faults):
    """Writes down every request of the bot, as method and path, and lets all through."""

    def __init__(self, stage: Scene) -> None:
        self._inner = stage.world.exchange.faults
        self.requests: list[Request] = []
        stage.world.exchange.faults = self

    def before(self, request: Request) -> Reply | None:
        self.requests.append(request)
        return self._inner.before(request)

    def after(self, request: Request, reply: Reply) -> Reply:
        return self._inner.after(request, reply)

    def labels(self) -> list[str]:
        """In order of arrival."""
        return [label_of(request) for request in self.requests]

    def writes(self) -> list[str]:
        """All but reads."""
        return [label for label in self.labels() if not label.startswith("GET ")]


def label_of(request: Request) -> str:
    """Method and path without the version prefix."""
    return f"{request.method} {request.path.removeprefix(PREFIX)}"
