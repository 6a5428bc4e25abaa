"""A whole universe for one bot: virtual time, an exchange, a cloud, configs, and the real handlers.

    with open_world(Setup(markets=..., start_ms=..., items=...)) as world:
        world.start()
        world.cycle()
        world.teardown()

Virtual time moves only between invocations, by write latency and by the bot's own waiting: never while
reads run side by side, so the same setup gives the same run.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from requests.adapters import BaseAdapter

from tests.simulator.adapter import ExchangeAdapter
from tests.simulator.clock import VirtualClock
from tests.simulator.exchange import Exchange
from tests.simulator.invariants import Breach
from tests.simulator.member import Member
from tests.simulator.server import serve
from tests.world import promises
from tests.world.aws import Cloud, EmbeddedAws
from tests.world.bookkeeping import Bookkeeping
from tests.world.bot import Answer, Bot, Deployment, deployed_bot
from tests.world.bot_clock import BotClock
from tests.world.config_items import GLOBAL_SORT_KEY, Item, as_attributes, market_sort_key
from tests.world.environment import environment
from tests.world.event_files import read_event
from tests.world.keys import ApiKey, fresh_key
from tests.world.lambda_context import CYCLE_TIMEOUT_MS, SESSION_TIMEOUT_MS, LambdaContext
from tests.world.setup import DOLLAR_E6, Setup

MINUTE_MS = 60_000
NOWHERE = "http://127.0.0.1:9/trade-api/v2"
"""Base address when requests go through the in-process adapter; nothing listens there."""


class World:
    """One bot in its universe. Every call to a door is one Lambda invocation."""

    def __init__(
        self,
        setup: Setup,
        exchange: Exchange,
        clock: VirtualClock,
        member: Member,
        cloud: Cloud,
        bot: Bot,
    ) -> None:
        self.setup, self.exchange, self.clock, self.member, self.bot = setup, exchange, clock, member, bot
        self._cloud = cloud
        self.books = Bookkeeping(exchange, member, bot)
        self.answers: list[Answer] = []
        self._invocations = 0
        self._last_tick_ms = 0

    def start(self) -> Answer:
        """Open a session; from here on every order must carry one of its groups (I3)."""
        self.exchange.invariants.declare_open()
        answer = self.session("session_start")
        expectations = self.exchange.invariants.expectations
        expectations.group_per_event = self.setup.globals.get("group_by") == "event"
        expectations.allow_groups(self._standing_groups())
        return answer

    def cycle(self, **event: object) -> Answer:
        """One scheduled tick, at the next whole virtual minute; then the bot's books are audited (I9)."""
        began_ms = self._last_tick_ms = self.next_tick_ms()
        self.clock.advance_to(began_ms)
        tick = {"scheduled_at": _iso(began_ms), "execution_id": f"tick-{self._invocations}"}
        context = self.context("dora-cycle", CYCLE_TIMEOUT_MS)
        answer = self.bot.cycle(read_event("cycle") | tick | event, context)
        self._returned(answer, context)
        if answer["status"] in ("completed", "halted", "degraded"):
            self.books.audit(began_ms)
        return answer

    def teardown(self) -> Answer:
        """Close the session; once it says closed, nothing may live (I10)."""
        began_ms = self.clock.now_ms()
        answer = self.session("session_teardown")
        if answer["status"] == "closed":
            self.exchange.invariants.declare_closed()
            self.books.audit(began_ms)
        return answer

    def status(self) -> Answer:
        """What the session function says of itself."""
        return self.session("session_status")

    def session(self, event_file: str, **event: object) -> Answer:
        """One session invocation with a sample event, some of its fields changed."""
        context = self.context("dora-session", SESSION_TIMEOUT_MS)
        answer = self.bot.session(read_event(event_file) | event, context)
        self._returned(answer, context)
        return answer

    def next_minute(self) -> None:
        """Let virtual time run to the next whole minute."""
        self.clock.advance_to((self.clock.now_ms() // MINUTE_MS + 1) * MINUTE_MS)

    def next_tick_ms(self) -> int:
        """When the next cycle begins: a whole minute, and never one that had its cycle."""
        return max(-(-self.clock.now_ms() // MINUTE_MS) * MINUTE_MS, self._last_tick_ms + MINUTE_MS)

    def put_global(self, item: Item) -> None:
        """Write the GLOBAL item as a person would."""
        self._cloud.put_config(as_attributes(self.setup.bot, GLOBAL_SORT_KEY, item))

    def put_market(self, ticker: str, item: Item) -> None:
        """Write a market's item as a person would, and hold the bot to it from now on."""
        self._cloud.put_config(as_attributes(self.setup.bot, market_sort_key(ticker), item))
        promises.declare_market(self.exchange.invariants.expectations, ticker, item)

    def resting(self, ticker: str, side: str) -> list[Any]:
        """The bot's live orders in one slot that truly stand in the book."""
        prefix = self.exchange.invariants.expectations.prefix
        orders = self.member.live.get((ticker, side), {}).values()
        return [order for order in orders if order.booked and order.client_order_id.startswith(prefix)]

    def open_orders(self) -> int:
        """The member's live orders on the exchange, whoever placed them."""
        return len(self.member.resting)

    def _standing_groups(self) -> list[str]:
        return [group.id for group in self.member.groups.values() if not (group.deleted or group.tripped)]

    def context(self, function: str, timeout_ms: int) -> LambdaContext:
        """Of the next invocation."""
        self._invocations += 1
        deadline_ms = self.clock.now_ms() + timeout_ms
        return LambdaContext(self.clock, deadline_ms, f"invocation-{self._invocations}", function)

    def _returned(self, answer: Answer, context: LambdaContext) -> None:
        """The answer must be JSON, and in time (I8)."""
        self.answers.append(json.loads(json.dumps(answer)))
        late_ms = self.clock.now_ms() - context.deadline_ms
        if late_ms > 0:
            text = f"{context.function_name} returned {late_ms} ms after its deadline"
            self.exchange.invariants.broken.append(Breach("I8", self.clock.now_ms(), text))


@contextmanager
def open_world(
    setup: Setup, deploy: Deployment = deployed_bot, cloud: Cloud | None = None
) -> Iterator[World]:
    """Build everything, hand it over, and leave the process as it was found.

    `cloud` is where the deployment keeps things, by default the embedded AWS that the setup names.
    """
    cloud = cloud or EmbeddedAws(setup.cloud)
    with ExitStack() as stack:
        clock = VirtualClock(setup.start_ms)
        key = fresh_key(setup.key)
        exchange, member = _open_exchange(setup, clock, key)
        adapter, base_url = _connect(setup, exchange, stack)
        env = setup.environment(base_url, stack.enter_context(cloud.opened()))
        stack.enter_context(environment({name: value or None for name, value in env.items()}))
        _furnish(setup, cloud, key)
        bot = deploy(env, BotClock(clock, exchange.lock, setup.skew_ms), adapter)
        yield World(setup, exchange, clock, member, cloud, stack.enter_context(bot))


def _open_exchange(setup: Setup, clock: VirtualClock, key: ApiKey) -> tuple[Exchange, Member]:
    exchange = Exchange(clock=clock, knobs=setup.knobs, seed=setup.seed)
    for spec in setup.markets:
        exchange.add_market(spec)
    cash = dict.fromkeys(setup.shards, setup.cash_dollars * DOLLAR_E6)
    member = exchange.add_member(
        key_id=key.key_id, public_key_pem=key.public_pem, cash_e6=cash, tier=setup.tier
    )
    if setup.plant is not None:
        exchange.plant = setup.plant
    promises.declare(exchange.invariants.expectations, setup)
    return exchange, member


def _connect(setup: Setup, exchange: Exchange, stack: ExitStack) -> tuple[BaseAdapter | None, str]:
    if setup.wire == "adapter":
        return ExchangeAdapter(exchange), NOWHERE
    server = serve(exchange, port=0)
    stack.callback(server.stop)
    return None, server.url


def _furnish(setup: Setup, cloud: Cloud, key: ApiKey) -> None:
    """Tables, secret and configs: what deploying and a person's first hour leave behind."""
    cloud.furnish(key)
    cloud.put_config(as_attributes(setup.bot, GLOBAL_SORT_KEY, setup.globals))
    for ticker, item in setup.items.items():
        cloud.put_config(as_attributes(setup.bot, market_sort_key(ticker), item))


def _iso(at_ms: int) -> str:
    """As EventBridge Scheduler writes it: seconds, UTC."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
