"""`stop --direct` takes everything off without AWS, and says what it could not prove."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from dora.core.orders.journal import order_prefix
from dora_operator.failures import Exit
from tests.operator.driver import Driver, local_driver
from tests.simulator.faults import Faults
from tests.simulator.wire import Reply, Request


@pytest.fixture
def dora() -> Iterator[Driver]:
    """A session with two cycles behind it."""
    with local_driver() as driver:
        assert driver.run("start", "--yes").exit_code == 0
        driver.minutes(2)
        yield driver


def _key_file(dora: Driver) -> str:
    stored = boto3.client("secretsmanager").get_secret_value(SecretId="dora/local")
    path = dora.folder / "own.pem"
    path.write_text(json.loads(stored["SecretString"])["private_key_pem"], encoding="utf-8")
    return str(path)


def _direct(dora: Driver, *more: str) -> Any:
    words = ("stop", "--direct", "--key-id", "key-of-the-bot", "--pem", _key_file(dora), "--yes", *more)
    return dora.run(*words)


def _ours(dora: Driver) -> int:
    prefix = order_prefix("dora", "local")
    return sum(own.client_order_id.startswith(prefix) for own in dora.stack.world.member.resting.values())


def test_without_aws_everything_of_the_bot_is_taken_off_and_stays_off(dora: Driver) -> None:
    assert _ours(dora) > 0
    result = _direct(dora)

    assert result.exit_code == 0, result.output
    assert "proven: two complete lists hold no order of this bot" in result.output
    dora.minutes(2)
    assert _ours(dora) == 0


class _Silent(Faults):
    """The first triggers and cancels are not answered."""

    def __init__(self, left: int) -> None:
        self._left = left

    def before(self, request: Request) -> Reply | None:
        if request.method in ("PUT", "DELETE") and self._left > 0:
            self._left -= 1
            return Reply(503, b"{}")
        return None


def test_what_did_not_answer_is_asked_again_until_it_is_proven(dora: Driver) -> None:
    dora.stack.world.exchange.faults = _Silent(3)
    result = _direct(dora)

    assert "did not answer its trigger" in result.output
    assert result.exit_code == 0
    assert _ours(dora) == 0


def test_without_a_proof_it_says_so(dora: Driver) -> None:
    dora.stack.world.exchange.faults = _Silent(100_000)
    result = _direct(dora)

    assert result.exit_code == Exit.UNKNOWN
    assert "NOT proven" in result.output
    assert _ours(dora) > 0
