"""The parts of a world, each alone: environment, cloud, clock, context, keys, config items, output."""

import logging
import os
import sys
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import RLock, Thread

import boto3
import pytest
import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from dora.core.config_items import parse_market
from dora.core.errors import ConfigInvalid
from tests.simulator.clock import VirtualClock
from tests.world import config_items
from tests.world.bot_clock import BotClock
from tests.world.cloud import CloudKind, open_cloud
from tests.world.config_items import as_attributes
from tests.world.environment import environment
from tests.world.event_files import EVENTS, read_event
from tests.world.keys import fresh_key
from tests.world.lambda_context import LambdaContext
from tests.world.output import Catcher, facts_in, printed_to
from tests.world.promises import read_as_the_bot_does


def test_the_environment_is_put_back_also_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DORA_TEST_KEPT", "before")
    monkeypatch.delenv("DORA_TEST_NEW", raising=False)
    with pytest.raises(ZeroDivisionError), environment({"DORA_TEST_KEPT": None, "DORA_TEST_NEW": "x"}):
        assert "DORA_TEST_KEPT" not in os.environ
        assert os.environ["DORA_TEST_NEW"] == "x"
        _ = 1 // 0
    assert os.environ["DORA_TEST_KEPT"] == "before"
    assert "DORA_TEST_NEW" not in os.environ


@pytest.mark.parametrize("kind", ["process", "server"])
def test_a_cloud_is_empty_at_the_start_and_gone_at_the_end(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-person")
    for _ in range(2):
        with open_cloud(kind):
            secrets = boto3.client("secretsmanager")
            assert secrets.list_secrets()["SecretList"] == []
            secrets.create_secret(Name="dora/local", SecretString="{}")
            assert os.environ["AWS_ACCESS_KEY_ID"] != "a-person"
            secrets.close()
    assert os.environ["AWS_ACCESS_KEY_ID"] == "a-person"


@pytest.mark.parametrize("kind", ["process", "server"])
def test_nothing_is_left_of_a_cloud_whose_block_failed(kind: CloudKind) -> None:
    with pytest.raises(ZeroDivisionError), open_cloud(kind):
        boto3.client("secretsmanager").create_secret(Name="dora/local", SecretString="{}")
        raise ZeroDivisionError
    with open_cloud(kind):
        assert boto3.client("secretsmanager").list_secrets()["SecretList"] == []


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_the_cloud_in_process_lets_loopback_requests_through() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with open_cloud("process"):
            assert requests.get(f"http://127.0.0.1:{server.server_port}/", timeout=5).text == "hello"
    finally:
        server.shutdown()
        server.server_close()


def test_sleeping_moves_the_virtual_clock_and_runs_what_is_due() -> None:
    clock, ran = VirtualClock(1_000), []
    clock.at(1_500, lambda: ran.append(clock.now_ms()))
    bot_clock = BotClock(clock, RLock(), skew_ms=-300)
    bot_clock.sleep_ms(700)
    assert (clock.now_ms(), bot_clock.now_ms(), ran) == (1_700, 1_400, [1_500])


def test_the_context_counts_down_by_the_virtual_clock_and_stops_at_zero() -> None:
    clock = VirtualClock(0)
    context = LambdaContext(clock, 45_000, "r-1", "dora-cycle")
    clock.advance_ms(44_000)
    assert context.get_remaining_time_in_millis() == 1_000
    clock.advance_ms(2_000)
    assert context.get_remaining_time_in_millis() == 0


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_key_is_fresh_and_its_halves_belong_together(kind: str) -> None:
    key, other = fresh_key(kind), fresh_key(kind)
    private = load_pem_private_key(key.private_pem.encode(), None)
    assert private.public_key() == load_pem_public_key(key.public_pem.encode())
    assert key.private_pem != other.private_pem


def test_the_sample_market_item_is_one_that_the_bot_accepts() -> None:
    stored = as_attributes("dora", "MARKET#KXA-1", config_items.MARKET)
    raw = {name: next(iter(value.values())) for name, value in stored.items()}
    config = parse_market("MARKET#KXA-1", "KXA-1", raw)
    assert config == read_as_the_bot_does("KXA-1", config_items.MARKET)
    assert (config.enabled, config.quote_size) == (True, Decimal(stored["quote_size"]["N"]) * 100)


def test_items_carry_the_type_that_a_person_would_choose() -> None:
    attributes = as_attributes(
        "dora", "GLOBAL", {"flag": True, "count": 5, "price": Decimal("0.01"), "word": "a"}
    )
    assert attributes == {
        "pk": {"S": "dora"}, "sk": {"S": "GLOBAL"},
        "flag": {"BOOL": True}, "count": {"N": "5"}, "price": {"N": "0.01"}, "word": {"S": "a"},
    }  # fmt: skip


def test_a_promise_is_never_made_of_an_item_that_the_bot_refuses() -> None:
    with pytest.raises(ConfigInvalid):
        read_as_the_bot_does("KXA-1", {"enabled": True, "quote_sise": 5})


def test_every_event_file_can_be_read() -> None:
    names = [path.stem for path in EVENTS.glob("*.json") if not path.stem.startswith("env")]
    assert {"cycle", "session_start", "session_status", "session_teardown"} <= set(names)
    assert all("action" in read_event(name) for name in names)


def test_output_is_caught_also_from_loggers_that_hold_the_old_stream() -> None:
    elsewhere, catcher = StringIO(), Catcher()
    logger = logging.getLogger("tests.world.parts")
    logger.powertools_handler = handler = logging.StreamHandler(elsewhere)
    logger.addHandler(handler)
    try:
        with printed_to(catcher.stream):
            logger.warning('{"event_type":"A"}')
            sys.stdout.write('{"event_type":"B"}\n{"_aws":{}}\nnot json\n')
        logger.warning("after")
    finally:
        logger.removeHandler(handler)
        del logger.powertools_handler
    assert [fact["event_type"] for fact in facts_in(catcher.take())] == ["A", "B"]
    assert (elsewhere.getvalue(), catcher.take()) == ("after\n", "")
