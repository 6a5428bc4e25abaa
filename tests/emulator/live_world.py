"""A universe on real time for a bot in processes of its own: exchange and cloud behind loopback ports.

`tests.world` moves virtual time, which another process cannot see. Here a cycle runs when it is invoked.
"""

import importlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO

import boto3

from tests.emulator.link import LOOPBACK, Link
from tests.emulator.runtime import BALANCE_S
from tests.simulator.clock import WallClock
from tests.simulator.exchange import Exchange
from tests.simulator.member import Member
from tests.simulator.model import MarketSpec
from tests.simulator.server import serve
from tests.simulator.wire import PREFIX
from tests.world import config_items, promises
from tests.world.cloud import open_cloud
from tests.world.environment import environment
from tests.world.keys import ApiKey, fresh_key
from tests.world.lambda_context import SESSION_TIMEOUT_MS, LambdaContext
from tests.world.setup import CONFIG_TABLE, DOLLAR_E6, SECRET_ID, STATE_TABLE, Setup
from tests.world.tables import create_tables

DAY_MS = 86_400_000
TICKERS = ("KXA-26NOV21-T1", "KXB-26NOV21-T1", "KXC-26NOV21-T1")
"""One market on each of three shards."""
DEPTH_E2 = 50_000
BOT = "dora"


@dataclass(frozen=True, slots=True)
class LiveWorld:
    """An exchange with standing books, a configured bot's tables and secret, and the way to them."""

    exchange: Exchange
    member: Member
    link: Link
    variables: Mapping[str, str]
    """A function's environment, by the names that the template declares."""
    here: Mapping[str, str]
    """The same for this process."""

    def set_books(self, bid_e4: int, ask_e4: int) -> None:
        """Others' quotes in every market, 500 contracts on each side."""
        for ticker in TICKERS:
            self.exchange.set_background_book(ticker, [(bid_e4, DEPTH_E2)], [(ask_e4, DEPTH_E2)])

    def resting(self) -> dict[tuple[str, str], list[int]]:
        """Prices (1e-4 $) of the bot's live orders by market and side, as the engine holds them."""
        found: dict[tuple[str, str], list[int]] = {}
        with self.exchange.lock:
            for order in self.member.resting.values():
                found.setdefault((order.market.ticker, order.side), []).append(order.price_e4)
        return found

    def broken(self) -> list[str]:
        """What the exchange's judge has seen."""
        return [f"{breach.invariant} {breach.text}" for breach in self.exchange.invariants.broken]

    def put_global(self, **changes: config_items.Human) -> None:
        """Write the GLOBAL item as a person would, some of it changed."""
        _put_items({config_items.GLOBAL_SORT_KEY: {**config_items.GLOBAL, **changes}})

    def start_session(self) -> None:
        """Open a session with the handler of the checkout, in this process. Raises RuntimeError."""
        wiring = importlib.import_module("dora.wiring")
        start = importlib.import_module("functions.session.app").lambda_handler
        clock = self.exchange.venue.clock
        context = LambdaContext(clock, clock.now_ms() + SESSION_TIMEOUT_MS, "start", "dora-session")
        with environment(dict(self.here)), redirect_stdout(StringIO()):
            answer = start({"action": "start"}, context)
        wiring.install(None)
        if answer["status"] != "active":
            raise RuntimeError(f"the session did not open: {answer}")
        time.sleep(BALANCE_S)


@contextmanager
def open_live_world(
    host: str = LOOPBACK, name: str = LOOPBACK, *, configured: bool = True
) -> Iterator[LiveWorld]:
    """Serve everything on free ports. `host` is the interface, `name` what a function calls it."""
    clock = WallClock()
    setup = _setup(clock.now_ms())
    key = fresh_key()
    with ExitStack() as stack:
        stack.callback(clock.stop)
        exchange = Exchange(clock=clock, seed=setup.seed)
        member = _people(exchange, setup, key)
        server = serve(exchange)
        stack.callback(server.stop)
        endpoint = stack.enter_context(open_cloud("server"))
        _furnish(setup, key, configured=configured)
        link, cloud = Link(server.port, host), Link(int(endpoint.rpartition(":")[2]), host)
        stack.callback(link.close)
        stack.callback(cloud.close)
        variables = setup.environment(f"http://{name}:{link.port}{PREFIX}", f"http://{name}:{cloud.port}")
        here = setup.environment(server.url, endpoint)
        world = LiveWorld(exchange, member, link, variables, here)
        world.set_books(4400, 4700)
        yield world


def _setup(now_ms: int) -> Setup:
    return Setup(
        bot=BOT,
        markets=tuple(_spec(ticker, shard, now_ms) for shard, ticker in enumerate(TICKERS)),
        start_ms=now_ms,
        items=dict.fromkeys(TICKERS, config_items.MARKET),
        wire="http",
        cloud="server",
    )


def _spec(ticker: str, shard: int, now_ms: int) -> MarketSpec:
    event = ticker.rpartition("-")[0]
    series = event.partition("-")[0]
    return MarketSpec(
        ticker=ticker,
        event_ticker=event,
        series_ticker=series,
        shard=shard,
        open_ms=now_ms - DAY_MS,
        close_ms=now_ms + DAY_MS,
    )


def _people(exchange: Exchange, setup: Setup, key: ApiKey) -> Member:
    """The markets, the bot's account, and what the judge must know of its promises."""
    for spec in setup.markets:
        exchange.add_market(spec)
    cash_e6 = dict.fromkeys(setup.shards, setup.cash_dollars * DOLLAR_E6)
    promises.declare(exchange.invariants.expectations, setup)
    return exchange.add_member(
        key_id=key.key_id, public_key_pem=key.public_pem, cash_e6=cash_e6, tier=setup.tier
    )


def _furnish(setup: Setup, key: ApiKey, *, configured: bool) -> None:
    """Tables, secret and configs: what deploying and a person's first hour leave behind."""
    create_tables(boto3.client("dynamodb"), CONFIG_TABLE, STATE_TABLE)
    secret = json.dumps({"key_id": key.key_id, "private_key_pem": key.private_pem})
    boto3.client("secretsmanager").create_secret(Name=SECRET_ID, SecretString=secret)
    if configured:
        _put_items({config_items.GLOBAL_SORT_KEY: setup.globals})
        _put_items({config_items.market_sort_key(ticker): item for ticker, item in setup.items.items()})


def _put_items(items: Mapping[str, config_items.Item]) -> None:
    dynamo = boto3.client("dynamodb")
    for sort_key, item in items.items():
        dynamo.put_item(TableName=CONFIG_TABLE, Item=config_items.as_attributes(BOT, sort_key, item))
