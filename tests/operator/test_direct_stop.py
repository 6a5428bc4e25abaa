"""`stop --direct` takes everything off without AWS, and says what it could not prove."""

import json
from collections.abc import Iterator
from dataclasses import replace
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


PROVEN = "proven: two complete lists hold no order of this bot"


@pytest.mark.parametrize("lag_ms", [4_000, 14_000])
def test_lists_that_lag_by_less_than_the_wait_prove_nothing_too_early(lag_ms: int) -> None:
    with local_driver() as dora:
        exchange = dora.stack.world.exchange
        dora.run("start", "--yes")
        dora.minutes(1)
        exchange.knobs = replace(exchange.knobs, orders_lag_ms=lag_ms)
        assert _ours(dora) > 0
        result = _direct(dora)

        assert PROVEN in result.output
        assert "triggered: it holds no order" in result.output
        assert _ours(dora) == 0


class _NoKey(Faults):
    """Calls of these methods are refused with this status, as of a key that is wrong or may not write."""

    def __init__(self, status: int, *methods: str) -> None:
        self._status, self._methods = status, methods
        self.asked = 0

    def before(self, request: Request) -> Reply | None:
        if request.method not in self._methods:
            return None
        self.asked += 1
        return Reply(self._status, b'{"error": {"code": "authentication_error", "message": "NOT_FOUND"}}')


@pytest.mark.parametrize("more", [(), ("--all-groups",)])
def test_a_key_that_is_refused_ends_it_at_once(dora: Driver, more: tuple[str, ...]) -> None:
    dora.stack.world.exchange.faults = refusing = _NoKey(401, "GET")
    result = _direct(dora, *more)

    assert result.exit_code == Exit.UNKNOWN
    assert refusing.asked == 1
    assert "the exchange refuses this key (401): nothing was cancelled" in result.output
    assert "check --key-id, --pem and the stage" in result.output
    assert "open orders       unknown" in result.output
    assert "again" not in result.output


@pytest.mark.parametrize(("more", "every"), [((), False), (("--all-groups",), True)])
def test_a_key_that_may_read_alone_ends_it_at_once_unless_groups_may_be_of_others(
    dora: Driver, more: tuple[str, ...], every: bool
) -> None:
    dora.stack.world.exchange.faults = refusing = _NoKey(403, "PUT", "DELETE")
    result = _direct(dora, *more)

    assert result.exit_code == Exit.UNKNOWN
    assert refusing.asked == (len(dora.stack.world.member.groups) if every else 1)
    assert "the exchange refuses this key (403): nothing was cancelled" in result.output
    assert "use a key whose scopes include `write` or `write::trade`" in " ".join(result.output.split())
    assert _ours(dora) > 0


def test_orders_outside_of_groups_cannot_be_cancelled_by_such_a_key_either(dora: Driver) -> None:
    for order in dora.stack.world.member.resting.values():
        order.group_id = None
    dora.stack.world.exchange.faults = refusing = _NoKey(403, "PUT", "DELETE")
    result = _direct(dora)

    assert refusing.asked == 1
    assert "the exchange refuses this key (403): nothing was cancelled" in result.output


class _Revoked(_NoKey):
    """The key is deleted once the first group was triggered."""

    def before(self, request: Request) -> Reply | None:
        self._methods = ("GET", "PUT", "DELETE") if self.asked else ()
        self.asked += request.method == "PUT"
        return super().before(request)


def test_of_a_key_refused_half_way_it_is_not_said_that_nothing_was_cancelled(dora: Driver) -> None:
    dora.stack.world.exchange.faults = _Revoked(401)
    result = _direct(dora)

    assert result.exit_code == Exit.UNKNOWN
    assert "the exchange refuses this key (401): what it did before stands" in result.output
    assert "nothing was cancelled" not in result.output


class _Garbled(Faults):
    """Lists of orders name a status that this code does not know; the client order ids may be another's."""

    def __init__(self, renamed: str | None) -> None:
        self._renamed = renamed

    def after(self, request: Request, reply: Reply) -> Reply:
        if request.method != "GET" or not request.path.endswith("/portfolio/orders"):
            return reply
        content = json.loads(reply.body)
        for row in content["orders"]:
            row["status"] = "unheard of"
            row["client_order_id"] = self._renamed or row["client_order_id"]
        return replace(reply, body=json.dumps(content).encode())


@pytest.mark.parametrize(("renamed", "code"), [(None, Exit.UNKNOWN), ("of-another-program", Exit.DONE)])
def test_a_row_that_cannot_be_read_hinders_the_proof_where_it_may_be_ours(
    dora: Driver, renamed: str | None, code: Exit
) -> None:
    dora.stack.world.exchange.faults = _Garbled(renamed)
    result = _direct(dora)

    assert result.exit_code == code
    assert "rows of the list cannot be read" in result.output
