"""Which AWS actions each function uses on which resource, in the words of IAM, heard at botocore itself."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from requests.adapters import BaseAdapter

from dora.core.ports import StateStore
from tests.world.books import BookedPosition
from tests.world.bot import Answer, Bot, Deployment, Env
from tests.world.bot_clock import BotClock
from tests.world.lambda_context import LambdaContext
from tests.world.stored_books import StoredBooks


@dataclass(frozen=True, slots=True)
class Use:
    """One action of one function on one resource; `resource` is the name that the request carries."""

    function: str
    action: str
    resource: str


class Recorder:
    """Hears every request of the clients that a session makes; keeps those made while a function runs."""

    def __init__(self) -> None:
        self.uses: set[Use] = set()
        self._running = ""

    @contextmanager
    def running(self, function: str) -> Iterator[None]:
        """What is sent in this block is sent by this function."""
        self._running = function
        try:
            yield
        finally:
            self._running = ""

    def listen(self, session: boto3.Session) -> None:
        """Only clients made afterwards are heard."""
        session.events.register("provide-client-params", self._hear)

    def _hear(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        if self._running:
            service = model.service_model.service_name
            self.uses |= {Use(self._running, *used) for used in actions(service, model.name, params)}


def actions(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions that one request needs. A transaction has none of its own: it needs those of its items."""
    match service, operation:
        case "dynamodb", "TransactWriteItems" | "TransactGetItems":
            for element in params["TransactItems"]:
                ((kind, item),) = element.items()
                yield f"dynamodb:{kind}Item", item["TableName"]
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            yield from ((f"dynamodb:{operation}", table) for table in params["RequestItems"])
        case "dynamodb", _:
            yield f"dynamodb:{operation}", params["TableName"]
        case "s3", _:
            yield f"s3:{operation}", params["Bucket"]
        case "secretsmanager", _:
            yield f"secretsmanager:{operation}", params["SecretId"]
        case "sns", _:
            yield f"sns:{operation}", params["TopicArn"]
        case _:
            yield f"{service}:{operation}", "*"


class RecordedBot:
    """Both functions, each with an environment of its own, as deployed; each cold start is heard too."""

    def __init__(self, recorder: Recorder, build: Callable[[], Any], books: StateStore) -> None:
        self._recorder, self._books, self._build = recorder, books, build
        self.start_anew()

    def start_anew(self) -> None:
        """Cold starts of both functions."""
        self._apps = {name: self._cold_start(name, self._build) for name in ("cycle", "session")}

    def _cold_start(self, function: str, build: Callable[[], Any]) -> Any:
        with self._recorder.running(function):
            return build()

    def cycle(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """One scheduled tick."""
        return self._invoke("cycle", event, context)

    def session(self, event: Mapping[str, object], context: LambdaContext) -> Answer:
        """One verb of a person or of the watch schedule."""
        return self._invoke("session", event, context)

    def positions(self) -> Mapping[str, BookedPosition]:
        """What the product's own store reads from the state table; no function's doing."""
        return self._books.load().positions

    def books(self) -> StoredBooks:
        """Likewise."""
        return StoredBooks(self._books.load().books, self._books.profit_rows())

    def _invoke(self, function: str, event: Mapping[str, object], context: LambdaContext) -> Answer:
        importlib.import_module("dora.wiring").install(self._apps[function])
        handler = importlib.import_module(f"functions.{function}.app").lambda_handler
        with self._recorder.running(function):
            answer: Answer = handler(dict(event), context)
        return answer


def recorded_bot(recorder: Recorder) -> Deployment:
    """A deployment of the real handlers whose every AWS request is heard."""

    @contextmanager
    def deploy(env: Env, clock: BotClock, adapter: BaseAdapter | None) -> Iterator[Bot]:
        wiring = importlib.import_module("dora.wiring")
        boto3.setup_default_session()
        assert boto3.DEFAULT_SESSION is not None
        recorder.listen(boto3.DEFAULT_SESSION)

        def build() -> Any:
            return wiring.build(env, clock=clock, adapter=adapter, jitter_ms=lambda span_ms: span_ms // 2)

        try:
            yield RecordedBot(recorder, build, build().ports.state)
        finally:
            wiring.install(None)

    return deploy
