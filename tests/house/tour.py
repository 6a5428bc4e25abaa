"""A tour of everything both functions do, in small worlds: what they ask of AWS, and what they print."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import boto3

from dora.core.accounts.market_ledger import MarketLedger
from dora.core.orders.journal import Plan
from dora.core.units import TimeMs
from dora.edge.dynamo.book_items import retired_partition
from dora.edge.dynamo.codec import item_of
from dora.edge.dynamo.journal_items import plan_items
from tests.demo.options import Options
from tests.demo.run import run
from tests.demo.scene import choose_scene
from tests.simulator.faults import Faults
from tests.simulator.plant import Plant
from tests.simulator.wire import Reply, Request
from tests.support.small_world import DAY_MS, START_MS, TICKERS, Scripted, resting, set_book, setup, spec
from tests.world import config_items
from tests.world.archive_bucket import ARCHIVE_BUCKET, beside_a_bucket
from tests.world.bot import Bot, Deployment
from tests.world.output import Catcher, Fact, facts_in, printed_to
from tests.world.recording import RecordedBot, Recorder, Use, recorded_bot
from tests.world.setup import STATE_TABLE, Setup
from tests.world.tables import create_tables
from tests.world.world import MINUTE_MS, World, open_world

LIMITER_TABLE = "another-stack-state"
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:alarms"
BATCH = "/portfolio/events/orders/batched"
A, B, C = TICKERS


@dataclass(frozen=True)
class Tour:
    """What was seen on the way."""

    uses: frozenset[Use]
    text: str

    @property
    def facts(self) -> list[Fact]:
        return facts_in(self.text)

    @property
    def metrics(self) -> set[tuple[str, str, tuple[str, ...]]]:
        """Namespace, name and dimensions of every metric, as the lines declare them."""
        return {
            (block["Namespace"], metric["Name"], tuple(dimensions))
            for line in self.text.splitlines()
            if line.startswith('{"_aws"')
            for block in json.loads(line)["_aws"]["CloudWatchMetrics"]
            for metric in block["Metrics"]
            for dimensions in block["Dimensions"]
        }

    @property
    def units(self) -> dict[str, str]:
        """Metric name -> its unit, as CloudWatch spells it."""
        return {
            metric["Name"]: metric["Unit"]
            for line in self.text.splitlines()
            if line.startswith('{"_aws"')
            for block in json.loads(line)["_aws"]["CloudWatchMetrics"]
            for metric in block["Metrics"]
        }


@cache
def tour() -> Tour:
    """Every stop, once; and a demo, whose lines are those of an ordinary session."""
    recorder, catcher = Recorder(), Catcher()
    for stop in (_a_day, _markets_that_are_over, _limits, _scarcity, _silence, _refusals, _dry_run):
        stop(recorder, catcher)
    demo = run(choose_scene(Options(cycles=4, markets=4)), lambda *_: None, wire="adapter", cloud="process")
    return Tour(frozenset(recorder.uses), catcher.take() + demo.log)


@dataclass(frozen=True, kw_only=True)
class _WholeSetup(Setup):
    """With rate limits shared with another stack."""

    def environment(self, base_url: str, aws_endpoint: str) -> dict[str, str]:
        own = super().environment(base_url, aws_endpoint)
        return own | {"LIMITER_TABLE": LIMITER_TABLE}


@contextmanager
def _world(recorder: Recorder, catcher: Catcher, **changes: Any) -> Iterator[World]:
    small = setup(archive_bucket=ARCHIVE_BUCKET, alarm_topic=TOPIC_ARN, **changes)
    whole = _WholeSetup(**{own.name: getattr(small, own.name) for own in fields(small)})
    with (
        open_world(whole, _furnished(beside_a_bucket(recorded_bot(recorder)))) as world,
        printed_to(catcher.stream),
    ):
        for ticker in TICKERS:
            set_book(world, ticker)
        yield world


def _furnished(deploy: Deployment) -> Deployment:
    """Beside another stack's tables, with a topic for alarms."""

    @contextmanager
    def furnished(*given: Any) -> Iterator[Bot]:
        create_tables(boto3.client("dynamodb"), "another-stack-config", LIMITER_TABLE)
        boto3.client("sns").create_topic(Name=TOPIC_ARN.rpartition(":")[2])
        with deploy(*given) as bot:
            yield bot

    return furnished


# --- the stops ---------------------------------------------------------------------------------------


def _a_day(recorder: Recorder, catcher: Catcher) -> None:
    """Start, fills, moves, a decrease, halt and resume, drift, a settlement, teardown, and the day after."""
    with _world(recorder, catcher) as world:
        world.start()
        world.cycle()
        _fill(world, A, 300)
        _fill(world, B, 300)
        world.cycle()
        world.put_market(C, {**config_items.MARKET, "quote_size": 4})
        set_book(world, A, 4600, 4900)
        world.cycle()
        world.session("session_halt", reason="lunch")
        world.cycle()
        world.session("session_resume")
        world.cycle()
        _forget_position(world, A)
        world.cycle()
        world.exchange.settle(B, "yes")
        world.clock.advance_ms(10 * MINUTE_MS)
        world.cycle()
        _leave_a_folded_plan()
        _fill(world, C, 100)
        world.teardown()
        world.clock.advance_ms(DAY_MS + MINUTE_MS)
        world.start()
        world.cycle()
        world.session("session_status", checks=True)
        world.session("session_digest")


def _markets_that_are_over(recorder: Recorder, catcher: Catcher) -> None:
    """One leaves the state in a cycle, and a teardown books a fill of one that has left."""
    markets = tuple(
        spec(ticker, shard, close_ms=START_MS + 9 * DAY_MS) for shard, ticker in enumerate(TICKERS)
    )
    with _world(recorder, catcher, markets=markets) as world:
        world.start()
        world.cycle()
        _fill(world, A, 300)
        world.cycle()
        world.exchange.settle(A, "yes")
        world.cycle()
        world.clock.advance_ms(2 * DAY_MS)
        world.cycle()
        world.start()
        world.cycle()
        _leave_a_record_of(C)
        _fill(world, C, 100)
        world.teardown()


def _limits(recorder: Recorder, catcher: Catcher) -> None:
    """A group trips; a person resets it."""
    with _world(recorder, catcher, globals={**config_items.GLOBAL, "group_burst_limit": 10}) as world:
        world.start()
        world.cycle()
        for side, price_e4 in (("bid", 9900), ("ask", 100)):
            world.exchange.set_background_book(A, [], [])
            world.exchange.background_take(A, side, price_e4, 1_000)
        world.cycle()
        world.session("session_reset")
        world.session("session_status", bot="another")


def _scarcity(recorder: Recorder, catcher: Catcher) -> None:
    """More quotes are wanted than one cycle may place, and its share of the key hardly pays for its reads."""
    globals_ = {**config_items.GLOBAL, "max_orders_per_cycle": 4, "budget_share_percent": 20}
    with _world(recorder, catcher, globals=globals_) as world:
        world.start()
        world.cycle()


def _silence(recorder: Recorder, catcher: Catcher) -> None:
    """Cycles stop; the watch pulls the session off the market, and a teardown is finished by it."""
    with _world(recorder, catcher) as world:
        world.start()
        world.cycle()
        world.session("session_watch")
        world.clock.advance_ms(3 * MINUTE_MS)
        world.session("session_watch")
        world.exchange.faults = Scripted({"PUT /trigger": "request"})
        world.teardown()
        world.exchange.faults = Faults()
        world.session("session_watch")


def _refusals(recorder: Recorder, catcher: Catcher) -> None:
    """Cancels that find nothing or get no answer, unknown creates, and 429s of a write and of a read."""
    with _world(recorder, catcher) as world:
        world.start()
        world.cycle()
        for ticker in TICKERS:
            set_book(world, ticker, 4600, 4900)
        world.exchange.faults = _Overtaken(world)
        world.cycle()
        world.exchange.faults = Scripted({f"DELETE {BATCH}": "answer", f"POST {BATCH}": "answer"})
        world.cycle()
        world.exchange.faults = _OneRefusedRead()
        world.cycle()
        for ticker in TICKERS:
            set_book(world, ticker)
        world.exchange.plant = Plant("drain-tokens", every=1)
        world.cycle()
        world.cycle()


def _dry_run(recorder: Recorder, catcher: Catcher) -> None:
    """Everything but writes to the exchange."""
    with _world(recorder, catcher, dry_run=True) as world:
        world.start()
        world.cycle()
        world.teardown()


# --- what happens on the way -------------------------------------------------------------------------


def _fill(world: World, ticker: str, count_e2: int) -> None:
    """Somebody sells into the bot's bid."""
    (bid_e4, _), *_ = resting(world)[ticker, "bid"]
    world.exchange.set_background_book(ticker, [], [(4700, 50_000)])
    world.exchange.background_take(ticker, "ask", bid_e4, count_e2)
    set_book(world, ticker)


def _forget_position(world: World, ticker: str) -> None:
    """A person deletes a position in the console, which an environment that starts anew finds missing."""
    assert isinstance(world.bot, RecordedBot)
    world.bot.start_anew()
    key = {"pk": {"S": "dora"}, "sk": {"S": f"POSITION#{TICKERS.index(ticker)}#{ticker}"}}
    old = boto3.client("dynamodb").delete_item(TableName=STATE_TABLE, Key=key, ReturnValues="ALL_OLD")
    assert old["Attributes"]


def _leave_a_folded_plan() -> None:
    """As a cycle leaves it that dies between its commit and clearing away what is litter by then."""
    (item,) = plan_items("dora", Plan(fence=1, phase="1cancel", cycle_id="", until_ms=TimeMs(0)), after=0)
    boto3.client("dynamodb").put_item(TableName=STATE_TABLE, Item=item)


def _leave_a_record_of(ticker: str) -> None:
    """As of a market that was over by mistake."""
    ledger = MarketLedger(ticker=ticker, shard=TICKERS.index(ticker))
    item = item_of(retired_partition("dora"), ticker, ledger)
    boto3.client("dynamodb").put_item(TableName=STATE_TABLE, Item=item)


class _Overtaken(Faults):
    """Just before a cancel arrives, its orders in one market fill."""

    def __init__(self, world: World) -> None:
        self._world = world

    def before(self, request: Request) -> Reply | None:
        if request.method == "DELETE":
            self._world.exchange.set_background_book(A, [], [])
            for side, price_e4 in (("bid", 9900), ("ask", 100)):
                self._world.exchange.background_take(A, side, price_e4, 1_000)
        return None


class _OneRefusedRead(Faults):
    """The first read of fills is one too many."""

    def __init__(self) -> None:
        self._refused = False

    def before(self, request: Request) -> Reply | None:
        if self._refused or not request.path.endswith("/portfolio/fills"):
            return None
        self._refused = True
        return Reply(429, b'{"error":{"code":"too_many_requests","message":"too many requests"}}')
