"""Halt, resume, reset, schedule and a stop without AWS: each dies at any of its calls, and is repeated."""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest
from click.testing import CliRunner

from dora.core.orders.journal import order_prefix
from dora_operator import target
from dora_operator.commands.schedule import schedule
from dora_operator.desk import Desk
from dora_operator.direct_stop import DirectStop
from dora_operator.exchange import own_exchange
from dora_operator.target import local_target
from tests.operator.driver import Driver
from tests.operator.fake_aws import OUTPUTS, FakeSession, deployed
from tests.operator.interruption import (
    AFTER,
    BEFORE,
    Moment,
    at_calls_of_aws,
    dying_at,
    killed,
    lines_of,
    swept,
)

MOMENTS = pytest.mark.parametrize("moment", [BEFORE, AFTER])


def _quotes(dora: Driver) -> int:
    return dora.stack.world.open_orders()


def test_a_halt_that_dies_is_there_with_its_line_or_is_not(dora: Driver) -> None:
    dora.run("resume", "--yes")
    dora.minutes(2)
    assert _quotes(dora) > 0
    told = len(lines_of("session halt"))

    def judge() -> None:
        assert not dora.answer("status")["halted"] or len(lines_of("session halt")) > told

    assert swept(dora, ("halt", "--cancel", "--yes"), judge) > 1
    assert dora.answer("status")["halted"] is True
    dora.minutes(1)
    assert _quotes(dora) == 0


def test_a_resume_that_dies_lifted_the_halt_with_its_line_or_did_not(dora: Driver) -> None:
    dora.run("halt", "--cancel", "--yes")
    dora.minutes(1)
    told = len(lines_of("session resume"))

    def judge() -> None:
        assert dora.answer("status")["halted"] or len(lines_of("session resume")) > told

    assert swept(dora, ("resume", "--yes"), judge) > 1
    assert dora.answer("status")["halted"] is False
    dora.minutes(1)
    assert _quotes(dora) > 0


@MOMENTS
def test_a_reset_that_dies_armed_every_group_or_none(dora: Driver, moment: Moment) -> None:
    exchange, member = dora.stack.world.exchange, dora.stack.world.member
    for group in member.groups.values():
        exchange.groups.trip(member, group)
    dora.minutes(1)
    assert dora.answer("status")["status"] == "limit_reached"
    told = len(lines_of("session reset"))

    def judge() -> None:
        armed = dora.answer("status")["status"] == "active"
        assert {not own.tripped for own in member.groups.values()} == {armed}
        assert not armed or len(lines_of("session reset")) > told

    assert swept(dora, ("reset", "--yes"), judge, moment) > 1
    assert dora.answer("status")["status"] == "active"
    dora.minutes(1)
    assert _quotes(dora) > 0


class _Mortal:
    """The exchange as a process asks it that dies at one of its calls."""

    def __init__(self, exchange: Any, die: Callable[[], None], moment: Moment) -> None:
        self._exchange, self._die, self._moment = exchange, die, moment

    def __getattr__(self, name: str) -> Any:
        ask = getattr(self._exchange, name)

        def mortal(*given: object) -> Any:
            if self._moment == BEFORE:
                self._die()
            answer = ask(*given)
            if self._moment == AFTER:
                self._die()
            return answer

        return mortal


@MOMENTS
def test_a_direct_stop_that_dies_took_off_whole_groups_and_finishes_when_repeated(
    dora: Driver, monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    monkeypatch.setenv("DORA_LOCAL_FOLDER", str(dora.folder))
    if dora.answer("status")["status"] != "active":
        dora.run("reset", "--yes")
    dora.run("resume", "--yes")
    dora.minutes(2)
    assert (left := _quotes(dora)) > 0
    own, proofs = local_target(), list[bool]()

    def stop(number: int) -> None:
        exchange: Any = _Mortal(own_exchange(own), dying_at(number), moment)
        prefix = order_prefix(own.bot, own.stage)
        proofs.append(DirectStop(exchange, own.clock, prefix, lambda _: None).run())

    for number in count(1):
        if not killed(partial(stop, number)):
            break
        groups = dora.stack.world.member.groups.values()
        assert not any(group.orders for group in groups if group.tripped)
        assert _quotes(dora) in (0, left)
    assert number > 3
    assert proofs == [True]
    dora.minutes(1)
    assert _quotes(dora) == 0
    assert dora.answer("status")["status"] == "limit_reached"


@pytest.mark.parametrize("state", ["off", "on"])
def test_a_switch_of_the_schedule_that_dies_asked_for_no_update_and_is_made_once(
    dora: Driver, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    dora.run("teardown", "--yes")
    names = {"ConfigTableName": "dora-config", "StateTableName": "dora-state"}
    monkeypatch.setattr("tests.operator.fake_aws.OUTPUTS", {**OUTPUTS, **names})
    answers = {
        "cloudformation.update_stack": {},
        "sts.get_caller_identity": {"Arn": "arn:aws:iam::1:user/me"},
    }
    for number in count(1):
        die = dying_at(number)
        session = FakeSession(answers, target._nobodys_session(), die)
        monkeypatch.setattr(Desk, "target", deployed(session))
        with at_calls_of_aws(die):
            died = killed(lambda: CliRunner().invoke(schedule, [state, "--yes"]))
        updates = [name for name, _ in session.asked if name.startswith("cloudformation.")]
        if not died:
            break
        assert updates == []
    assert number > 3
    assert len(updates) == 1
    assert lines_of(f"schedule {state}")
