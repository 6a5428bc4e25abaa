"""The bot under test, called as Lambda would call it: an event and a context in, a JSON object out."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from requests.adapters import BaseAdapter

from dora.core.ports import StateStore
from tests.world.books import BookedPosition
from tests.world.bot_clock import BotClock
from tests.world.lambda_context import LambdaContext

Answer = dict[str, Any]
Env = Mapping[str, str]


class Bot(Protocol):
    """The two doors, and the books behind them."""

    def cycle(self, event: Mapping[str, object], context: LambdaContext) -> Answer: ...

    def session(self, event: Mapping[str, object], context: LambdaContext) -> Answer: ...

    def positions(self) -> Mapping[str, BookedPosition]:
        """By ticker, as durably stored."""


Deployment = Callable[[Env, BotClock, BaseAdapter | None], AbstractContextManager[Bot]]
"""Brings a bot to life in an environment, for the time of a block."""


class DeployedBot:
    """The handlers that the template deploys."""

    def __init__(self, state: StateStore) -> None:
        self._state = state
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

    def positions(self) -> Mapping[str, BookedPosition]:
        """What the product's own store reads from the state table."""
        return self._state.load().positions


@contextmanager
def deployed_bot(env: Env, clock: BotClock, adapter: BaseAdapter | None) -> Iterator[Bot]:
    """The handlers wired to this environment for the time of the block, as after one cold start."""
    wiring = importlib.import_module("dora.wiring")
    app = wiring.build(env, clock=clock, adapter=adapter, jitter_ms=lambda span_ms: span_ms // 2)
    wiring.install(app)
    try:
        yield DeployedBot(app.outside.state)
    finally:
        wiring.install(None)
