"""The probe says what the exchange does, whatever it does, and leaves nothing behind."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from dora_operator.failures import Exit
from tests.operator.driver import Driver, local_driver
from tests.simulator.faults import Faults
from tests.simulator.knobs import OTHER_ANSWERS
from tests.support.small_world import Scripted

BATCH = "/portfolio/events/orders/batched"


@pytest.fixture(scope="module")
def dora() -> Iterator[Driver]:
    """No session is open."""
    with local_driver(markets=2, minutes=120) as driver:
        yield driver


@pytest.fixture(autouse=True)
def _as_usual(dora: Driver) -> Iterator[None]:
    """Every test finds the exchange as it is by default."""
    exchange = dora.stack.world.exchange
    usual = exchange.knobs
    yield
    exchange.knobs, exchange.faults = usual, Faults()


def _left(dora: Driver) -> tuple[int, int]:
    """Orders that rest, and groups that stand."""
    member = dora.stack.world.member
    return len(member.resting), sum(not group.deleted for group in member.groups.values())


def _found(dora: Driver) -> dict[str, str]:
    answer = dora.answer("doctor", "--probe", "--yes")
    return {own["step"]: own["found"] for own in answer["findings"]}


def test_each_step_tells_what_the_exchange_did(dora: Driver) -> None:
    found = _found(dora)

    assert found["place a deep post-only bid"] == "placed"
    assert found["decrease it in place"] == found["a later expiry in place"] == "done"
    assert found["the same client order id again"].endswith("order_already_exists")
    assert found["a create into the triggered group"] == "refused order_group_triggered"
    assert found["cancel what is gone"] == "refused not_found"
    assert _left(dora) == (0, 0)


def test_the_findings_are_written_to_a_file_that_can_be_shared(dora: Driver, tmp_path: Path) -> None:
    out = tmp_path / "findings.json"
    told = dora.answer("doctor", "--probe", "--yes", "--out", str(out))
    text = out.read_text(encoding="utf-8")

    assert json.loads(text) == told
    assert (told["stage"], len(told["findings"])) == ("local", 10)
    stored = boto3.client("secretsmanager").get_secret_value(SecretId="dora/local")["SecretString"]
    assert json.loads(stored)["key_id"] not in text
    assert [own.name for own in tmp_path.iterdir()] == [out.name]


def test_reads_that_lag_are_waited_for_and_timed(dora: Driver) -> None:
    exchange = dora.stack.world.exchange
    exchange.knobs = replace(exchange.knobs, orders_lag_ms=3_000)
    answer = dora.answer("doctor", "--probe", "--yes")
    (took,) = (own["milliseconds"] for own in answer["findings"] if own["step"] == "until a list shows it")

    assert 2_000 < took < 5_000
    assert _left(dora) == (0, 0)


@pytest.mark.long
@pytest.mark.parametrize("knob", OTHER_ANSWERS)
def test_whatever_the_exchange_answers_it_says_so_and_leaves_nothing(dora: Driver, knob: str) -> None:
    exchange = dora.stack.world.exchange
    exchange.knobs = replace(exchange.knobs, **{knob: OTHER_ANSWERS[knob]})
    found = _found(dora)

    assert found["place a deep post-only bid"] == "placed"
    assert found["until its row says canceled"] == "shown"
    assert found["a create into the triggered group"].startswith("refused")
    assert _left(dora) == (0, 0)


@pytest.mark.parametrize(
    "lost", [{f"POST {BATCH}": "answer"}, {f"POST {BATCH}": "request"}, {"POST /decrease": "answer"}]
)
def test_an_answer_that_is_lost_leaves_nothing_behind(dora: Driver, lost: dict[str, str]) -> None:
    dora.stack.world.exchange.faults = Scripted(lost)
    _found(dora)
    dora.stack.world.exchange.faults = Faults()

    assert _left(dora) == (0, 0)


def test_it_is_refused_while_a_session_is_open(dora: Driver) -> None:
    dora.run("start", "--yes")
    result = dora.run("doctor", "--probe", "--yes")

    assert result.exit_code == Exit.NEGATIVE
    assert "dora teardown first" in result.output
    dora.run("teardown", "--yes")
