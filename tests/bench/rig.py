"""The exchange, the cloud and the hand that moves them, in a process of their own when CPU counts.

The bot is told two addresses and is otherwise as deployed. What it asks is counted here, where it costs the
bot nothing. Between cycles the bench moves time and books through `/bench/...` on the exchange's port.

Every answer of the exchange can be held until a given time has passed since its request came in, the making
of it included: that is what a distance looks like from the bot's side. Answers that took longer to make are
counted as late, with the time they were late by.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from tests.bench import cloud_counts
from tests.bench.case import UNLIMITED, Case, MovingBook
from tests.simulator.buckets import TIERS, Tier
from tests.simulator.clock import VirtualClock
from tests.simulator.exchange import Exchange
from tests.simulator.member import Member
from tests.simulator.server import serve
from tests.simulator.stage import relaxed
from tests.simulator.wire import PREFIX, Reply, Request, json_reply
from tests.world.aws import EmbeddedAws
from tests.world.config_items import GLOBAL_SORT_KEY, as_attributes, market_sort_key
from tests.world.keys import fresh_key
from tests.world.setup import CONFIG_TABLE, DOLLAR_E6, Setup

CONTROL = "/bench/"
ARCHIVE_BUCKET = "bench-archive"
ITEMS_AT_ONCE = 25
ENDLESS = 1_000_000_000
TIERS.setdefault(UNLIMITED, Tier(*[ENDLESS] * 4, 1_000_000))


class RigClock(VirtualClock):
    """Virtual time that stands still, or runs as the wall's does."""

    def __init__(self, start_ms: int) -> None:
        super().__init__(start_ms)
        self._running_since: float | None = None

    def now_ms(self) -> int:
        """Unix milliseconds."""
        since = self._running_since
        return super().now_ms() + (0 if since is None else int((time.monotonic() - since) * 1000))

    def run(self, running: bool) -> None:
        """From now on it runs, or stands still."""
        self.advance_to(self.now_ms())
        self._running_since = time.monotonic() if running else None


class Rig:
    """Stands before an exchange as its server's face: takes the bench's orders, else delays and counts."""

    def __init__(self, case: Case, exchange: Exchange, clock: RigClock, member: Member) -> None:
        self.exchange, self.clock, self.member = exchange, clock, member
        self._books = {ticker: MovingBook(case.seed, ticker) for ticker in case.tickers}
        self._chance = random.Random(case.seed)
        self._lock = Lock()
        self._delay_s = 0.0
        self.calls: Counter[str] = Counter()
        self._late, self._late_s = 0, 0.0
        self._archive_bytes = 0
        self._acts: dict[str, Callable[..., Any]] = {
            "step": self.step,
            "delay": self.delay,
            "run": self.run,
            "sleep": self.clock.advance_ms,
            "take": self.take,
        }
        for ticker in self._books:
            self._show(ticker)

    def handle(self, request: Request) -> Reply:
        """One request of the bot, or of the bench about it."""
        if request.path.startswith(CONTROL):
            with self.exchange.lock:
                act = self._acts[request.path.removeprefix(CONTROL)]
                done = act(**json.loads(request.body or b"{}"))
                return json_reply(200, {"now_ms": self.clock.now_ms(), "done": done})
        due = time.monotonic() + self._delay_s
        reply = self.exchange.handle(request)
        self._wait_until(due)
        with self._lock:
            self.calls[_label(request)] += 1
        return reply

    def step(self, minutes: int, share: float) -> int:
        """Time moves on, and this share of the markets (0 to 1) moves; every second other one rustles."""
        self.clock.advance_ms(minutes * 60_000)
        moving = set(self._chance.sample(list(self._books), round(share * len(self._books))))
        for number, (ticker, book) in enumerate(self._books.items()):
            if ticker in moving:
                book.move()
            elif (number + self.clock.now_ms() // 60_000) % 2:
                book.rustle()
            else:
                continue
            self._show(ticker)
        return len(moving)

    def delay(self, delay_ms: int) -> None:
        """How long every answer takes from now on."""
        self._delay_s = delay_ms / 1000

    def run(self, running: bool) -> None:
        """Whether time runs by itself."""
        self.clock.run(running)

    def take(self) -> dict[str, Any]:
        """Everything counted since the last time, and how many orders rest."""
        cloud, stats = cloud_counts.take(), self.exchange.venue.stats
        calls, self.calls = self.calls, Counter()
        late, late_s = self.lateness()
        refused = dict(stats.too_many_requests)
        stats.too_many_requests.clear()
        return {
            "http_calls": sum(calls.values()),
            "http": dict(calls),
            "dynamodb_calls": sum(cloud.calls.values()),
            "dynamodb": dict(cloud.calls),
            "write_units": cloud.write_units,
            "read_units": cloud.read_units,
            "limiter_updates": cloud.limiter_updates,
            "largest_item_bytes": cloud.largest,
            "refused_429": refused,
            "late": late,
            "late_ms": round(late_s * 1000, 1),
            "resting": len(self.member.resting),
            "fills": stats.fills,
            "archive_bytes": self._archived(),
        }

    def lateness(self) -> tuple[int, float]:
        """Answers that took longer to make than they were to be held, and by how many seconds in all."""
        taken = self._late, self._late_s
        self._late, self._late_s = 0, 0.0
        return taken

    def _archived(self) -> int:
        """Bytes stored as objects since the last time."""
        kept = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[ARCHIVE_BUCKET].keys.values()
        total = sum(key.size for key in kept)
        before, self._archive_bytes = self._archive_bytes, total
        return total - before

    def _show(self, ticker: str) -> None:
        self.exchange.set_background_book(ticker, *self._books[ticker].sides())

    def _wait_until(self, due: float) -> None:
        left_s = due - time.monotonic()
        if left_s > 0:
            time.sleep(left_s)
        elif self._delay_s:
            with self._lock:
                self._late += 1
                self._late_s -= left_s


def _label(request: Request) -> str:
    """Method and path, without what names a single thing."""
    parts = request.path.removeprefix(PREFIX).split("/")
    return f"{request.method} {'/'.join(part for part in parts if not any(map(str.isdigit, part)))}"


@contextmanager
def open_rig(case: Case) -> Iterator[tuple[Rig, dict[str, str]]]:
    """The rig, and the environment variables of a bot that works in it."""
    setup, clock, key = case.setup(), RigClock(case.setup().start_ms), fresh_key(case.key)
    exchange = Exchange(clock=clock, knobs=relaxed(setup.knobs), seed=case.seed)
    for spec in setup.markets:
        exchange.add_market(spec)
    cash = dict.fromkeys(setup.shards, setup.cash_dollars * DOLLAR_E6)
    member = exchange.add_member(
        key_id=key.key_id, public_key_pem=key.public_pem, cash_e6=cash, tier=case.tier
    )
    rig = Rig(case, exchange, clock, member)
    with ExitStack() as stack:
        server = serve(rig, port=0)
        stack.callback(server.stop)
        stack.enter_context(cloud_counts.counting())
        cloud = EmbeddedAws("server")
        url = stack.enter_context(cloud.opened())
        cloud.furnish(key)
        _configure(setup)
        boto3.client("s3").create_bucket(Bucket=ARCHIVE_BUCKET)
        rig.take()
        yield rig, setup.environment(server.url, url) | _deployed()


def _deployed() -> dict[str, str]:
    """What the template sets and a test's world leaves out; and credentials of nobody."""
    return {
        "ARCHIVE_BUCKET": ARCHIVE_BUCKET,
        "LOG_LEVEL": "INFO",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nobody",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _configure(setup: Setup) -> None:
    """The config table as its owner filled it, in one go."""
    items = [as_attributes(setup.bot, GLOBAL_SORT_KEY, setup.globals)]
    items += [as_attributes(setup.bot, market_sort_key(ticker), item) for ticker, item in setup.items.items()]
    client = boto3.client("dynamodb")
    for first in range(0, len(items), ITEMS_AT_ONCE):
        puts = [{"PutRequest": {"Item": item}} for item in items[first : first + ITEMS_AT_ONCE]]
        client.batch_write_item(RequestItems={CONFIG_TABLE: puts})


def main() -> None:
    """Serve one case, named in JSON by the first argument, until standard input ends."""
    with open_rig(Case(**json.loads(sys.argv[1]))) as (_, env):
        print(json.dumps(env), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
