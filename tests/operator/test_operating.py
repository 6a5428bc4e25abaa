"""Whether it is healthy, what it risks, and the ways to stop it."""

from collections.abc import Callable

import boto3
import pytest
from click.testing import CliRunner

from dora_operator.commands.schedule import schedule
from dora_operator.desk import Desk
from dora_operator.failures import Exit
from tests.operator.driver import Driver
from tests.operator.fake_aws import OUTPUTS, FakeSession, deployed


def test_a_healthy_bot_has_nothing_wrong_and_exit_code_0(dora: Driver) -> None:
    assert dora.run("doctor").exit_code == 0
    assert dora.answer("now")["wrong"] == []


def test_money_at_risk_is_what_the_exchange_holds_for_it(dora: Driver) -> None:
    dora.minutes(6)
    told = dora.answer("now")
    resting = dora.stack.world.member.resting.values()
    worst_e6 = sum(
        (own.price_e4 if own.side == "bid" else 10_000 - own.price_e4) * own.remaining_e2 for own in resting
    )

    assert told["at risk, resting"].startswith(f"{worst_e6 / 1_000_000:.2f} $")
    assert told["resting"].startswith(f"{len(resting)} orders")


def test_the_ladder_names_a_command_for_each_rung(dora: Driver) -> None:
    rungs = [own["type"] for own in dora.answer("stop")]

    assert [own.split()[1] for own in rungs[1:5]] == ["halt", "halt", "teardown", "stop"]


def _trip(dora: Driver) -> None:
    world = dora.stack.world
    for group in world.member.groups.values():
        world.exchange.groups.trip(world.member, group)
    dora.minutes(1)


@pytest.mark.parametrize(
    ("befall", "back"),
    [
        (lambda _: None, ""),
        (lambda dora: dora.run("halt", "--cancel", "--yes"), "resume"),
        (_trip, "reset"),
    ],
    ids=["active", "halted", "limit_reached"],
)
def test_the_schedule_is_not_switched_off_while_a_session_is_open(
    dora: Driver, monkeypatch: pytest.MonkeyPatch, befall: Callable[[Driver], object], back: str
) -> None:
    befall(dora)
    names = {"ConfigTableName": "dora-config", "StateTableName": "dora-state"}
    session = FakeSession({"cloudformation.update_stack": {}}, boto3.Session())
    with monkeypatch.context() as patch:
        patch.setattr("tests.operator.fake_aws.OUTPUTS", {**OUTPUTS, **names})
        patch.setattr(Desk, "target", deployed(session))
        result = CliRunner().invoke(schedule, ["off", "--yes"])
    assert not back or dora.run(back, "--yes").exit_code == 0

    assert result.exit_code == Exit.NEGATIVE
    assert "nobody would look after its orders" in result.output
    assert session.asked == []


def test_where_nothing_is_archived_the_log_says_what_was_decided_last(dora: Driver) -> None:
    client = boto3.client("s3")
    for own in client.list_objects_v2(Bucket="dora-archive")["Contents"]:
        client.delete_object(Bucket="dora-archive", Key=own["Key"])
    told = dora.answer("why", dora.stack.scene.tickers[0])

    assert told["targets"].startswith("bid 0.")
    assert dora.run("why", "KXNOPE-1").exit_code == Exit.NEGATIVE
