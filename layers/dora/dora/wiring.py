"""Where everything is put together, once per environment; the only place that knows the clock and chance.

Importing this module opens nothing. The first invocation builds the app; later ones on a warm environment
reuse it.
"""

import hashlib
import os
import secrets as chance
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from requests.adapters import BaseAdapter

from dora.core.errors import AuthRefused, DoraError, TriggerInvalid
from dora.core.orders.journal import order_prefix
from dora.core.ports import Archive, Clock, Lease, Notices, Ports
from dora.core.reasons import Reason
from dora.core.units import TimeMs
from dora.edge.archive.bucket import NoArchive, S3Archive, s3_client
from dora.edge.dynamo.configs import DynamoConfigs
from dora.edge.dynamo.lease import DynamoLease
from dora.edge.dynamo.limiter import DynamoLimiter
from dora.edge.dynamo.store import DynamoState
from dora.edge.dynamo.table import dynamo_client
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.signing import Signer
from dora.edge.net.request import Network
from dora.edge.notices import TopicNotices
from dora.edge.secrets import read_key, secrets_client
from dora.settings import Archived, Settings, read_settings
from dora.telemetry import Telemetry

Response = dict[str, object]
READ_WORKERS = 8
"""Reads of the exchange under way at a time."""
ANSWER_MS = 1_000
"""Kept of an invocation for its answer and its metrics: by then every request to anybody is over."""


class SystemClock:
    """Real time."""

    def now_ms(self) -> TimeMs:
        """Unix milliseconds."""
        return TimeMs(time.time_ns() // 1_000_000)

    def sleep_ms(self, span_ms: int) -> None:
        """Wait; not at all for a span below zero."""
        time.sleep(max(span_ms, 0) / 1000)


class App(NamedTuple):
    """One bot, ready to serve."""

    settings: Settings
    telemetry: Telemetry
    ports: Ports


class _Environment:
    """What one warm Lambda environment keeps between invocations."""

    app: App | None = None
    network = Network()


def install(app: App | None) -> None:
    """What serves from now on; None builds it from the environment at the next use."""
    _Environment.app = app


def build(
    env: Mapping[str, str],
    *,
    clock: Clock | None = None,
    adapter: BaseAdapter | None = None,
    jitter_ms: Callable[[int], int] = chance.randbelow,
) -> App:
    """An app from an environment.

    `clock`, `adapter` and `jitter_ms` take the place of time, network and chance.

    Raises SettingsInvalid or SecretInvalid.
    """
    settings = read_settings(env)
    clock = clock or SystemClock()
    service = env.get("POWERTOOLS_SERVICE_NAME") or settings.bot
    telemetry = Telemetry(bot=settings.bot, service=service, log_level=settings.log_level)
    network = _Environment.network
    key = read_key(secrets_client(settings.aws_endpoint_url, network), settings.secret_id)
    client = dynamo_client(settings.aws_endpoint_url, network)
    exchange = KalshiExchange(
        base_url=settings.base_url,
        signer=Signer.from_pem(key.key_id, key.private_key_pem),
        clock=clock,
        facts=telemetry,
        subaccount=settings.subaccount,
        adapter=adapter,
        network=network,
        jitter_ms=jitter_ms,
    )
    told = f"{settings.state_key}#told"
    ports = Ports(
        clock=clock,
        workers=ThreadPoolExecutor(READ_WORKERS, thread_name_prefix="read"),
        exchange=exchange,
        configs=DynamoConfigs(client, settings.config_table, settings.bot),
        state=DynamoState(client, settings.state_table, settings.state_key, clock),
        lease=DynamoLease(client, settings.state_table, settings.state_key),
        limiter=DynamoLimiter(client, settings.limiter_table, _key_name(key.key_id), jitter_ms),
        archive=_archive(settings),
        facts=telemetry,
        prefix=order_prefix(settings.bot, settings.stage),
        dry_run=settings.dry_run,
        notices=_notices(settings, service, DynamoLease(client, settings.state_table, told), clock),
    )
    return App(settings, telemetry, ports)


def _key_name(key_id: str) -> str:
    """The buckets belong to the API key, whatever bot uses it; its id itself need not stand in a table."""
    return hashlib.sha256(key_id.encode()).hexdigest()[:16]


def _archive(settings: Settings) -> Archive:
    if settings.archive_bucket is None or settings.archive is Archived.OFF:
        return NoArchive()
    client = s3_client(settings.aws_endpoint_url, _Environment.network)
    inputs = settings.archive is Archived.FULL
    return S3Archive(client, settings.archive_bucket, settings.bot, inputs=inputs)


def _notices(settings: Settings, title: str, days: Lease, clock: Clock) -> Notices | None:
    if settings.alarm_topic is None:
        return None
    network = _Environment.network
    return TopicNotices(settings.aws_endpoint_url, network, settings.alarm_topic, title, days, clock)


def serve(function: str, work: Callable[[App], Response], request_id: str, remaining_ms: int) -> Response:
    """Run one invocation: build if needed, log, count, and turn known trouble into an answer.

    No request to anybody outlasts `remaining_ms`, by the clock on the wall. Whatever is not a DoraError is a
    bug: it is logged, the metrics are flushed, and it is raised again.
    """
    with _Environment.network.invocation.within((remaining_ms - ANSWER_MS) / 1000):
        return _serve(function, work, request_id)


def _serve(function: str, work: Callable[[App], Response], request_id: str) -> Response:
    telemetry: Telemetry | None = None
    try:
        app = _Environment.app or build(os.environ)
        install(app)
        telemetry = app.telemetry
        telemetry.begin(function=function, request_id=request_id)
        answer = work(app)
    except DoraError as error:
        answer = _trouble(error)
        telemetry = telemetry or _bare_telemetry(function, request_id)
        telemetry.emit("ERROR", what=f"{function} invocation", why=str(error))
        # An event that nobody may send is its sender's fault, and changed nothing.
        if not isinstance(error, TriggerInvalid):
            telemetry.count("InvocationsFailed", 1)
        if isinstance(error, AuthRefused):
            telemetry.count("TradingStopped", 1)
    except Exception:
        if telemetry is not None:
            telemetry.diagnostics.exception("unexpected failure")
            telemetry.count("InvocationsFailed", 1)
            telemetry.flush()
        raise
    finally:
        _forget_refused_key()
    telemetry.flush()
    return answer


def _bare_telemetry(function: str, request_id: str) -> Telemetry:
    """For an app that could not be built: the same names, as far as the environment holds them."""
    bot = os.environ.get("BOT") or "unknown"
    service = os.environ.get("POWERTOOLS_SERVICE_NAME") or bot
    telemetry = Telemetry(bot=bot, service=service, log_level="INFO")
    telemetry.begin(function=function, request_id=request_id)
    return telemetry


def _trouble(error: DoraError) -> Response:
    status = "refused" if isinstance(error, TriggerInvalid) else "failed"
    reason = Reason.AUTH_REFUSED.value if isinstance(error, AuthRefused) else type(error).__name__
    return {"status": status, "reason": reason, "message": str(error)}


def _forget_refused_key() -> None:
    """A refused key may have been rotated: the next invocation builds anew, by what the secret holds then."""
    app = _Environment.app
    if app is not None and app.ports.exchange.key_refused:
        install(None)


def session_id_for(now_ms: TimeMs) -> str:
    """A new session's id: its time, and enough chance to be unique."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ms / 1000))
    return f"s{stamp}-{chance.token_hex(3)}"
