"""The bot under test, called as Lambda would call it: an event and a context in, a JSON object out."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import boto3
from requests.adapters import BaseAdapter

from dora.core.accounts.ledger import Position
from dora.core.accounts.market_ledger import MarketLedger
from dora.edge.dynamo.book_items import (
    books_partition,
    read_books,
    read_rows,
    retired_partition,
    rows_partition,
)
from dora.edge.dynamo.codec import value_of_item
from dora.edge.dynamo.items import POSITION
from tests.world.books import BookedPosition
from tests.world.bot_clock import BotClock
from tests.world.lambda_context import LambdaContext
from tests.world.stored_books import StoredBooks, of_markets

Answer = dict[str, Any]
Env = Mapping[str, str]


class Bot(Protocol):
    """The two doors, and the books behind them."""

    def cycle(self, event: Mapping[str, object], context: LambdaContext) -> Answer: ...

    def session(self, event: Mapping[str, object], context: LambdaContext) -> Answer: ...

    def positions(self) -> Mapping[str, BookedPosition]:
        """By ticker, as durably stored."""

    def books(self) -> StoredBooks | None:
        """Likewise; None for a bot that keeps none."""


Deployment = Callable[[Env, BotClock, BaseAdapter | None], AbstractContextManager[Bot]]
"""Brings a bot to life in an environment, for the time of a block."""


class DeployedBot:
    """The handlers that the template deploys."""

    def __init__(self, state_table: str, state_key: str) -> None:
        self._state_table, self._state_key = state_table, state_key
        self._query = boto3.client("dynamodb").get_paginator("query")
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
        """The stored items, decoded as the product decodes them; its own store is not touched."""
        stored = [value_of_item(Position, item) for item in self._items(self._state_key, f"{POSITION}#")]
        return of_markets({position.ticker: position for position in stored}, self._retired())

    def books(self) -> StoredBooks:
        """Likewise."""
        ledgers = read_books(self._items(books_partition(self._state_key)))
        rows = read_rows(self._items(rows_partition(self._state_key)))
        return StoredBooks.of(ledgers, self._retired(), rows)

    def _retired(self) -> Mapping[str, MarketLedger]:
        return read_books(self._items(retired_partition(self._state_key)))

    def _items(self, pk: str, prefix: str = "") -> list[Any]:
        pages = self._query.paginate(
            TableName=self._state_table,
            KeyConditionExpression="pk = :pk" + (" AND begins_with(sk, :prefix)" if prefix else ""),
            ExpressionAttributeValues={":pk": {"S": pk}, **({":prefix": {"S": prefix}} if prefix else {})},
            ConsistentRead=True,
        )
        return [item for page in pages for item in page["Items"]]


@contextmanager
def deployed_bot(env: Env, clock: BotClock, adapter: BaseAdapter | None) -> Iterator[Bot]:
    """The handlers wired to this environment for the time of the block, as after one cold start."""
    wiring = importlib.import_module("dora.wiring")
    app = wiring.build(env, clock=clock, adapter=adapter, jitter_ms=lambda span_ms: span_ms // 2)
    wiring.install(app)
    try:
        yield DeployedBot(app.settings.state_table, app.settings.state_key)
    finally:
        wiring.install(None)
