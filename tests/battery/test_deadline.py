"""Scenarios 73 and 74, and I14: nothing outlasts its deadline, and a pool may hold dead connections."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from dora import wiring
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.net.request import Network
from functions.cycle.app import lambda_handler as cycle
from functions.session.app import lambda_handler as session
from tests.battery.scene import CANCEL, CREATE, HOLD_CYCLES, SLOTS, scene
from tests.simulator.fault_plan import Fault
from tests.support.kalshi_fakes import FakeClock, FakeFacts, api_key, order_request, placed_entry, signer
from tests.support.slow_server import (
    Answer,
    SlowServer,
    answers,
    reply,
    resets,
    says_nothing,
    slow_server,
    trickles,
)
from tests.world.aws import EmbeddedAws
from tests.world.cloud import open_cloud
from tests.world.environment import environment
from tests.world.output import Catcher, printed_to
from tests.world.setup import CONFIG_TABLE, SECRET_ID, STATE_TABLE

# --- 73: answers that trickle ------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["*", "GET *", CREATE, CANCEL, "GET /portfolio/balance"])
def test_scenario_73_what_trickles_is_unknown_and_nothing_is_doubled(where: str) -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        stage.struck(Fault(kind="trickle", where=where))
        stage.run(HOLD_CYCLES)
        stage.sound()


# --- 74: connections that died while the function was frozen -----------------------------------------


@pytest.mark.parametrize("code", ["", "silence"], ids=["reset", "silence"])
def test_scenario_74_a_cycle_whose_pooled_connections_are_all_dead_reads_everything_and_quotes(
    code: str,
) -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        answer = stage.struck(Fault(kind="dead-connections", where="GET *", code=code))
        assert (answer["status"], answer["placed"]) == ("completed", SLOTS), answer
        stage.sound()


@pytest.mark.parametrize("code", ["", "silence"], ids=["reset", "silence"])
def test_scenario_74_a_session_is_started_over_dead_connections(code: str) -> None:
    with scene(started=False) as stage:
        stage.faults.now(Fault(kind="dead-connections", where="GET *", code=code))
        assert stage.world.start()["status"] == "active"


@pytest.mark.parametrize("amount", [503, 429])
def test_scenario_74_cash_that_fails_once_is_asked_for_again_and_cash_that_stays_unread_closes_placement(
    amount: int,
) -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        once = stage.struck(Fault(kind="no-cash", amount=amount, times=1))
        stage.move(4300)
        always = stage.struck(Fault(kind="no-cash", amount=amount))
        stage.run(1)

        assert (once["status"], once["placed"]) == ("completed", SLOTS), once
        assert (always["reason"], always["placed"]) == ("read_unknown", 0), always
        stage.sound()


@pytest.mark.parametrize("code", ["", "silence"], ids=["reset", "silence"])
def test_scenario_74_writes_that_meet_a_dead_connection_are_unknown_and_sent_once(code: str) -> None:
    with scene() as stage:
        stage.run(1)
        stage.move()
        stage.struck(Fault(kind="dead-connections", where="*", code=code))
        stage.run(HOLD_CYCLES)
        stage.sound()


@pytest.mark.parametrize("dead", [resets, says_nothing], ids=["reset", "silence"])
def test_scenario_74_no_write_goes_out_on_a_connection_that_stood_idle(dead: Answer) -> None:
    placed = answers(reply(json.dumps({"orders": [placed_entry()]}).encode()))

    def died(server: SlowServer, connection: socket.socket) -> None:
        (dead if server.connections[-1] == 1 else placed)(server, connection)

    now_s = [0.0]
    network = Network(wall_s=lambda: now_s[0])
    with slow_server(placed, died) as server:
        exchange = KalshiExchange(server.url, signer(), FakeClock(), FakeFacts(), network=network)
        exchange.place([order_request()])
        now_s[0] += 60
        assert len(exchange.place([order_request()]).placed) == 1
        assert server.connections == [1, 2]
        exchange.close()


# --- I14: by the clock on the wall -------------------------------------------------------------------

PATIENCE_S = 8.0
"""How long a slow server goes on: beyond the whole invocation."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n"
SLOW: Mapping[str, Answer] = {
    "trickle": trickles(b" " * 10_000, HEAD, PATIENCE_S),
    "headers": trickles(b"X-Padding: " + b"a" * 10_000, b"HTTP/1.1 200 OK\r\n", PATIENCE_S),
    "silence": says_nothing,
}
EVENTS: Mapping[str, tuple[Callable[..., Any], dict[str, str]]] = {
    "cycle": (cycle, {"action": "cycle"}),
    "start": (session, {"action": "start"}),
    "teardown": (session, {"action": "teardown"}),
}


class RealContext:
    """Lambda's context for an invocation that has so many seconds left, in real time."""

    function_name, function_version, memory_limit_in_mb = "dora", "$LATEST", 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:dora"

    def __init__(self, left_s: float) -> None:
        self._ends_s = time.monotonic() + left_s
        self.aws_request_id = uuid4().hex

    @property
    def left_s(self) -> float:
        return self._ends_s - time.monotonic()

    def get_remaining_time_in_millis(self) -> int:
        return max(int(self.left_s * 1000), 0)


@contextmanager
def deployed(exchange_url: str) -> Iterator[None]:
    """A bot in real time, furnished, in front of this exchange."""
    env = {
        "BOT": "dora",
        "STAGE": "local",
        "CONFIG_TABLE": CONFIG_TABLE,
        "STATE_TABLE": STATE_TABLE,
        "KALSHI_BASE_URL": f"{exchange_url}/trade-api/v2",
        "KALSHI_SECRET_ID": SECRET_ID,
        "POWERTOOLS_SERVICE_NAME": f"stack-{uuid4().hex}",
        "LOG_LEVEL": "ERROR",
    }
    with open_cloud("process"), environment(env), printed_to(Catcher().stream):
        cloud = EmbeddedAws("process")
        cloud.furnish(api_key())
        cloud.put_config({"pk": {"S": "dora"}, "sk": {"S": "GLOBAL"}, "group_burst_limit": {"N": "500"}})
        wiring.install(None)
        try:
            yield
        finally:
            wiring.install(None)


def invoke(action: str, left_s: float) -> tuple[dict[str, Any], float]:
    """The answer, and how much of the time was left then."""
    door, event = EVENTS[action]
    context = RealContext(left_s)
    answer = door(event, context)
    return answer, context.left_s


@pytest.mark.parametrize("how", SLOW)
@pytest.mark.parametrize(("action", "left_s"), [("cycle", 4.6), ("start", 7), ("teardown", 7)])
def test_scenario_73_an_invocation_before_an_exchange_that_trickles_ends_in_time(
    how: str, action: str, left_s: float
) -> None:
    with slow_server(SLOW[how]) as server, deployed(server.url):
        answer, spare_s = invoke(action, left_s)
        assert spare_s > 0, f"{-spare_s:.1f} s late: {answer}"
        assert server.seen


@pytest.mark.parametrize("service", ["SECRETS_MANAGER", "DYNAMODB"])
@pytest.mark.parametrize("action", EVENTS)
def test_scenario_73_an_invocation_before_a_cloud_that_trickles_ends_in_time(
    action: str, service: str
) -> None:
    with slow_server(SLOW["trickle"]) as server, deployed("http://127.0.0.1:9"):
        with environment({f"AWS_ENDPOINT_URL_{service}": server.url}):
            answer, spare_s = invoke(action, 4)
        assert spare_s > 0, f"{-spare_s:.1f} s late: {answer}"
        assert (answer["status"], len(server.seen)) == ("failed", 1)
