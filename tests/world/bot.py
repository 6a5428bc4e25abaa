"""The bot under test, called as Lambda would call it: an event and a context in, a JSON object out."""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from requests.adapters import BaseAdapter

from tests.world.bot_clock import BotClock
from tests.world.lambda_context import LambdaContext

Answer = dict[str, Any]


class Bot(Protocol):
    """The two doors."""

    def cycle(self, event: Mapping[str, object], context: LambdaContext) -> Answer: ...

    def session(self, event: Mapping[str, object], context: LambdaContext) -> Answer: ...


class DeployedBot:
    """The handlers that the template deploys."""

    def __init__(self) -> None:
        self._cycle = importlib.import_module("functions.cycle.app").lambda_handler
        self._session = importlib.import_module("functions.session.app").lambda_handler

    def cycle(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """One scheduled tick."""
        answer: Answer = self._cycle(dict(event), context)
        return answer

    def session(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """One verb of a person or of the watch schedule."""
        answer: Answer = self._session(dict(event), context)
        return answer


@contextmanager
def deployed_bot(env: Mapping[str, str], clock: BotClock, adapter: BaseAdapter | None) -> Iterator[Bot]:
    """The handlers wired to this environment for the time of the block, as after one cold start."""
    wiring = importlib.import_module("dora.wiring")
    wiring.install(wiring.build(env, clock=clock, adapter=adapter))
    try:
        yield DeployedBot()
    finally:
        wiring.install(None)
