"""One invocation from outside: known trouble is an answer and a fact, a bug is raised, no key is shown."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dora import wiring
from dora.core.errors import ExchangeUnavailable, TriggerInvalid
from dora.core.session import SessionMetadata, SessionStatus
from dora.core.state import KillSwitch
from dora.core.units import Count, TimeMs
from functions.cycle.app import lambda_handler as cycle
from functions.session.app import lambda_handler as session
from tests.simulator.clock import VirtualClock
from tests.support.kalshi_fakes import api_key
from tests.world.cloud import open_cloud
from tests.world.environment import environment
from tests.world.lambda_context import LambdaContext
from tests.world.output import Catcher, facts_in, printed_to
from tests.world.setup import CONFIG_TABLE, SECRET_ID, STATE_TABLE
from tests.world.tables import create_tables

NOBODY_URL = "http://127.0.0.1:9/trade-api/v2"
DOORS = pytest.mark.parametrize("door", [cycle, session], ids=["cycle", "session"])
EVENTS: Mapping[Callable[..., object], dict[str, str]] = {
    cycle: {"action": "cycle"},
    session: {"action": "status"},
}
Answer = dict[str, Any]


class Deployed:
    """A stack without its tables and secret, and everything that its functions print."""

    def __init__(self) -> None:
        self._ports = Catcher()
        self.printed = ""

    def furnish(self) -> None:
        """What a person's first hour leaves behind."""
        create_tables(boto3.client("dynamodb"), CONFIG_TABLE, STATE_TABLE)
        self.store(_secret("key-1"))

    def store(self, text: str) -> None:
        client = boto3.client("secretsmanager")
        try:
            client.create_secret(Name=SECRET_ID, SecretString=text)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=SECRET_ID, SecretString=text)

    def call(self, door: Callable[..., Any], event: object = None) -> Answer:
        """One invocation of a handler."""
        clock = VirtualClock(1_795_183_200_000)
        context = LambdaContext(clock, clock.now_ms() + 45_000, uuid4().hex, "dora")
        with printed_to(self._ports.stream):
            answer = door(EVENTS[door] if event is None else event, context)
        returned: Answer = json.loads(json.dumps(answer))
        return returned

    def serve(self, work: Callable[[wiring.App], Answer]) -> Answer:
        """One invocation that does this."""
        with printed_to(self._ports.stream):
            return wiring.serve("cycle", work, uuid4().hex, 45_000)

    def read(self) -> str:
        """Everything printed so far."""
        self.printed += self._ports.take()
        return self.printed

    def errors(self) -> list[dict[str, Any]]:
        return [fact for fact in facts_in(self.read()) if fact["event_type"] == "ERROR"]

    def metrics(self) -> list[dict[str, Any]]:
        objects = [json.loads(line) for line in self.read().splitlines() if line.startswith("{")]
        return [line for line in objects if "_aws" in line]


def _secret(key_id: str, pem: str = "") -> str:
    return json.dumps({"key_id": key_id, "private_key_pem": pem or api_key().private_pem})


@pytest.fixture
def stack() -> Iterator[Deployed]:
    env = {
        "BOT": "dora",
        "STAGE": "local",
        "CONFIG_TABLE": CONFIG_TABLE,
        "STATE_TABLE": STATE_TABLE,
        "KALSHI_BASE_URL": NOBODY_URL,
        "KALSHI_SECRET_ID": SECRET_ID,
        "POWERTOOLS_SERVICE_NAME": f"stack-{uuid4().hex}",
        "LOG_LEVEL": "WARNING",
    }
    with open_cloud("process"), environment(env):
        wiring.install(None)
        try:
            yield Deployed()
        finally:
            wiring.install(None)


def holds_no_key(text: str) -> bool:
    """Neither the armour nor any piece of a key's base64 text."""
    pieces = [piece for piece in api_key().private_pem.splitlines() if "-" not in piece]
    return "PRIVATE KEY" not in text and not any(
        piece[at : at + 16] in text for piece in pieces for at in (0, 20)
    )


# --- known trouble -------------------------------------------------------------------------------------

ELLIPTIC = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
TORN = api_key().private_pem.replace("END", "FIN")


@DOORS
@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (None, "is not in this account and region: create it or correct KALSHI_SECRET_ID"),
        (api_key().private_pem, "is not JSON: store JSON text"),
        (json.dumps({"key_id": "k"}), "private_key_pem is missing; store JSON text"),
        (_secret("k", TORN), "cut off before its END line"),
        (_secret("k", "c2VjcmV0"), "lacks its BEGIN and END lines"),
        (_secret("k\N{ZERO WIDTH SPACE}"), "key_id holds U+200B ZERO WIDTH SPACE at position 2"),
        (_secret("k\N{EN DASH}1"), "key_id holds U+2013 EN DASH at position 2"),
        (_secret("k\nk"), "key_id holds U+000A LINE BREAK at position 2"),
        (_secret("k", ELLIPTIC), "the exchange takes RSA and Ed25519"),
    ],
)
def test_an_unusable_secret_is_an_answer_and_a_fact_without_the_key(
    stack: Deployed, door: Callable[..., Any], stored: str | None, message: str
) -> None:
    stack.furnish()
    if stored is None:
        boto3.client("secretsmanager").delete_secret(SecretId=SECRET_ID, ForceDeleteWithoutRecovery=True)
    else:
        stack.store(stored)
    answer = stack.call(door)

    assert (answer["status"], answer["reason"]) == ("failed", "SecretInvalid")
    assert message in answer["message"]
    assert len(stack.errors()) == 1
    assert holds_no_key(json.dumps(answer) + stack.read())


@DOORS
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("STAGE", "live", "STAGE is 'live'; write one of kalshi-demo, prod, local"),
        ("STAGE", "prod", "KALSHI_BASE_URL names '127.0.0.1'; stage prod knows"),
        ("BOT", None, "BOT is not set"),
        ("STATE_TABLE", None, "STATE_TABLE is not set"),
    ],
)
def test_an_unusable_environment_is_an_answer_that_names_the_variable(
    stack: Deployed, door: Callable[..., Any], name: str, value: str | None, message: str
) -> None:
    stack.furnish()
    with environment({name: value}):
        answer = stack.call(door)
    assert (answer["status"], answer["reason"]) == ("failed", "SettingsInvalid")
    assert message in answer["message"]
    assert len(stack.errors()) == 1


@DOORS
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", None], ids=["unreachable", "not there"])
def test_tables_that_do_not_answer_are_an_answer_and_a_fact(
    stack: Deployed, door: Callable[..., Any], endpoint: str | None
) -> None:
    stack.store(_secret("key-1"))
    with environment({"AWS_ENDPOINT_URL_DYNAMODB": endpoint}):
        answer = stack.call(door)
    assert (answer["status"], answer["reason"]) == ("failed", "StateUnavailable")
    assert answer["message"]
    assert [fact["what"] for fact in stack.errors()] == [
        f"{'cycle' if door is cycle else 'session'} invocation"
    ]


@DOORS
def test_an_event_that_is_not_ours_is_refused(stack: Deployed, door: Callable[..., Any]) -> None:
    stack.furnish()
    answer = stack.call(door, {"key1": "value1"})
    assert (answer["status"], answer["reason"]) == ("refused", "TriggerInvalid")
    assert "actions here" in answer["message"]


def test_the_fact_of_a_failure_says_what_the_answer_says(stack: Deployed) -> None:
    """Nobody reads a schedule's answer: the log has to say why."""
    answer = stack.call(cycle)
    (fact,) = stack.errors()
    assert answer["message"] in fact["why"]


def test_a_failure_is_counted_once_and_the_next_invocation_starts_clean(stack: Deployed) -> None:
    stack.furnish()

    def work(app: wiring.App) -> Answer:
        app.telemetry.count("Fills", 3)
        raise ExchangeUnavailable("no answer")

    stack.serve(work)
    stack.serve(lambda app: app.telemetry.count("OrdersKept", 1) or {"status": "completed"})
    first, second = stack.metrics()
    assert (first["Fills"], first["InvocationsFailed"]) == ([3], [1])
    assert (second["OrdersKept"], "Fills" in second, "InvocationsFailed" in second) == ([1], False, False)


def test_a_stack_that_cannot_start_counts_its_failures_as_its_own(stack: Deployed) -> None:
    stack.call(cycle)
    (failed,) = stack.metrics()
    assert failed["service"].startswith("stack-")


def test_a_stack_that_cannot_start_says_which_bot_it_is(stack: Deployed) -> None:
    stack.call(cycle)
    (fact,) = stack.errors()
    assert (fact["bot"], fact["function"]) == ("dora", "cycle")


# --- bugs ----------------------------------------------------------------------------------------------


def test_an_unexpected_failure_is_raised_again_after_its_metrics_are_flushed(stack: Deployed) -> None:
    stack.furnish()

    def work(app: wiring.App) -> Answer:
        app.telemetry.count("Fills", 3)
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        stack.serve(work)
    (flushed,) = stack.metrics()
    assert (flushed["Fills"], flushed["InvocationsFailed"]) == ([3], [1])
    assert "ZeroDivisionError" in stack.read()
    assert holds_no_key(stack.read())


# --- warm environments, and a key that was rotated ------------------------------------------------------


def app_of(stack: Deployed) -> wiring.App:
    served: list[wiring.App] = []
    stack.serve(lambda app: served.append(app) or {"status": "completed"})
    return served[0]


def test_a_warm_environment_serves_with_what_it_built(stack: Deployed) -> None:
    stack.furnish()
    first = app_of(stack)
    assert app_of(stack) is first


@pytest.mark.parametrize("error", [ExchangeUnavailable("no answer"), TriggerInvalid("not ours")])
def test_trouble_with_anything_but_the_key_builds_nothing_anew(stack: Deployed, error: Exception) -> None:
    stack.furnish()
    first = app_of(stack)
    stack.serve(lambda _: (_ for _ in ()).throw(error))
    assert app_of(stack) is first


class RefusingExchange(ThreadingHTTPServer):
    """Answers 401 to every request, and keeps the key ids that came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refuse)
        self.key_ids: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/trade-api/v2"


class _Refuse(BaseHTTPRequestHandler):
    server: RefusingExchange

    def do_GET(self) -> None:
        self.server.key_ids.append(self.headers.get("KALSHI-ACCESS-KEY"))
        body = b'{"error":{"code":"unauthorized","message":"no such key"}}'
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def refusing() -> Iterator[RefusingExchange]:
    with RefusingExchange() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_after_a_refused_key_the_next_invocation_fetches_the_secret_afresh(
    stack: Deployed, refusing: RefusingExchange
) -> None:
    stack.furnish()

    def work(app: wiring.App) -> Answer:
        return {"status": str(app.ports.exchange.limits())}

    with environment({"KALSHI_BASE_URL": refusing.url}):
        answer = stack.serve(work)
        stack.store(_secret("key-2"))
        stack.serve(work)

    assert (answer["status"], answer["reason"]) == ("failed", "auth_refused")
    assert refusing.key_ids == ["key-1", "key-2"]


@pytest.mark.parametrize("halted", [False, True])
def test_a_cycle_whose_key_is_refused_fetches_it_afresh(
    stack: Deployed, refusing: RefusingExchange, halted: bool
) -> None:
    stack.furnish()
    _open_session(halted)
    with environment({"KALSHI_BASE_URL": refusing.url}):
        stack.call(cycle)
        stack.store(_secret("key-2"))
        refusing.key_ids.clear()
        _next_tick(stack)
    assert set(refusing.key_ids) == {"key-2"}


def _open_session(halted: bool) -> None:
    item = {"pk": {"S": "dora"}, "sk": {"S": "GLOBAL"}, "group_burst_limit": {"N": "100"}}
    item["trading_enabled"] = {"BOOL": True}
    boto3.client("dynamodb").put_item(TableName=CONFIG_TABLE, Item=item)
    app = wiring.build(os.environ)
    app.ports.state.set_control(KillSwitch(halted=halted))
    app.ports.state.save_session(
        SessionMetadata(
            session_id="s1",
            status=SessionStatus.ACTIVE,
            created_at_ms=TimeMs(1_795_183_200_000),
            contracts_limit=Count(500_000),
        )
    )


def _next_tick(stack: Deployed) -> None:
    """A later second than the first one's, still of the present."""
    at = datetime.now(UTC) + timedelta(seconds=2)
    stack.call(cycle, {"action": "cycle", "scheduled_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")})


def test_a_session_action_whose_key_is_refused_fetches_it_afresh(
    stack: Deployed, refusing: RefusingExchange
) -> None:
    stack.furnish()
    with environment({"KALSHI_BASE_URL": refusing.url}):
        stack.call(session, {"action": "start"})
        stack.store(_secret("key-2"))
        refusing.key_ids.clear()
        stack.call(session, {"action": "start"})
    assert set(refusing.key_ids) == {"key-2"}
