"""The deployed handlers, the real exchange client, and storage in memory: a bot for long runs."""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from requests.adapters import BaseAdapter

from dora import wiring
from dora.core.orders.journal import order_prefix
from dora.core.ports import Ports
from dora.edge.archive.bucket import NoArchive
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.signing import Signer
from dora.settings import Settings, read_settings
from dora.telemetry import Telemetry
from tests.simulator.auth import SHARED_SECRET, shared_signature
from tests.world.books import BookedPosition
from tests.world.bot import Answer, Bot, Deployment, Env
from tests.world.bot_clock import BotClock
from tests.world.keys import ApiKey
from tests.world.lambda_context import LambdaContext
from tests.world.memory_cloud import MemoryCloud
from tests.world.memory_configs import MemoryConfigs
from tests.world.memory_lease import MemoryLease
from tests.world.memory_limiter import MemoryLimiter
from tests.world.memory_store import MemoryStore, positions_of, stored_books
from tests.world.one_by_one import OneByOne
from tests.world.setup import Setup
from tests.world.stored_books import StoredBooks, of_markets
from tests.world.world import World, open_world

KEY_NAME = "key"


def memory_app(
    cloud: MemoryCloud,
    env: Env,
    clock: BotClock,
    adapter: BaseAdapter | None,
    telemetry_kind: type[Telemetry] = Telemetry,
) -> wiring.App:
    """One cold start: nothing of it is known to any other, but what lies in the cloud."""
    settings = read_settings(env)
    telemetry = telemetry_kind(bot=settings.bot, service=settings.bot, log_level=settings.log_level)
    exchange = _exchange(cloud, settings, clock, adapter, telemetry)
    ports = Ports(
        clock=clock,
        workers=OneByOne(),
        exchange=exchange,
        configs=MemoryConfigs(cloud, settings.bot),
        state=MemoryStore(cloud, settings.state_key),
        lease=MemoryLease(cloud, settings.state_key),
        limiter=MemoryLimiter(cloud, KEY_NAME),
        archive=NoArchive(),
        facts=telemetry,
        prefix=order_prefix(settings.bot, settings.stage),
        dry_run=settings.dry_run,
    )
    return wiring.App(settings, telemetry, ports)


def _exchange(
    cloud: MemoryCloud, settings: Settings, clock: BotClock, adapter: BaseAdapter | None, facts: Telemetry
) -> KalshiExchange:
    if cloud.key is None:
        raise ValueError("the cloud holds no key: furnish it first")
    return KalshiExchange(
        base_url=settings.base_url,
        signer=_signer(cloud.key),
        clock=clock,
        facts=facts,
        subaccount=settings.subaccount,
        adapter=adapter,
        jitter_ms=lambda span_ms: span_ms // 2,
    )


def _signer(key: ApiKey) -> Signer:
    """The product's, whatever it signs with."""
    if key.private_pem.startswith(SHARED_SECRET):
        return Signer(key.key_id, partial(shared_signature, key.private_pem))
    return Signer.from_pem(key.key_id, key.private_pem)


class MemoryBot:
    """Both doors, and the books as they lie in the cloud."""

    def __init__(self, cloud: MemoryCloud, pk: str) -> None:
        self._cloud, self._pk = cloud, pk
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
        """Looked up, not asked for: no call is counted, and none can fail."""
        partition = self._cloud.partitions[self._pk]
        return of_markets(positions_of(partition), partition.retired)

    def books(self) -> StoredBooks:
        """Likewise."""
        return stored_books(self._cloud.partitions[self._pk])


def memory_bot(cloud: MemoryCloud) -> Deployment:
    """A deployment on this cloud."""

    @contextmanager
    def deploy(env: Env, clock: BotClock, adapter: BaseAdapter | None) -> Iterator[Bot]:
        app = memory_app(cloud, env, clock, adapter)
        wiring.install(app)
        try:
            yield MemoryBot(cloud, app.settings.state_key)
        finally:
            wiring.install(None)

    return deploy


def open_memory_world(setup: Setup, cloud: MemoryCloud) -> AbstractContextManager[World]:
    """A world whose bot keeps everything in this cloud."""
    return open_world(setup, memory_bot(cloud), cloud)
