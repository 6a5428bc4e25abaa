"""Session, kill flag, history and limits: conditional writes outside any lease."""

from typing import TYPE_CHECKING, Any

import pytest

from dora.core.errors import StateConflict, StateError, StateTooNew
from dora.core.state import KillSwitch
from dora.core.units import TimeMs
from tests.support.dynamo_values import BOT, LIMITS, NOW_MS, event_group, open_state, session, stored

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def test_a_session_is_stored_under_the_next_revision(dynamo: "DynamoDBClient") -> None:
    state = open_state(dynamo)

    first = state.save_session(session())
    second = state.save_session(first._replace(reason="why"))

    assert (first.rev, second.rev) == (1, 2)
    assert state.load().session == second == state.read_kill_switch()[1]


@pytest.mark.parametrize("rev", [0, 2])
def test_a_session_somebody_else_wrote_is_not_overwritten(dynamo: "DynamoDBClient", rev: int) -> None:
    state = open_state(dynamo)
    first = state.save_session(session())

    with pytest.raises(StateConflict, match=f"revision {rev}"):
        state.save_session(session(rev, session_id="s2"))

    assert state.load().session == first


def test_a_session_that_finds_itself_stored_has_succeeded(dynamo: "DynamoDBClient") -> None:
    state = open_state(dynamo)

    assert state.save_session(session()) == state.save_session(session())


def test_past_sessions_come_newest_first(dynamo: "DynamoDBClient") -> None:
    state = open_state(dynamo)
    past = [session(3, f"s{n}", NOW_MS + n) for n in (2, 1, 3)]
    for own in past:
        state.save_history(own)

    assert [own.session_id for own in state.history(2)] == ["s3", "s2"]
    assert len(state.history(10)) == 3
    assert state.history(0) == ()


def test_history_keeps_the_latest_revision(dynamo: "DynamoDBClient") -> None:
    state = open_state(dynamo)
    state.save_history(session(5))
    state.save_history(session(6))

    with pytest.raises(StateConflict):
        state.save_history(session(5))

    assert [own.rev for own in state.history(9)] == [6]


def test_the_kill_flag_is_seen_at_once(dynamo: "DynamoDBClient") -> None:
    halt = KillSwitch(halted=True, reason="by hand", at_ms=TimeMs(5))

    open_state(dynamo).set_control(halt)

    assert open_state(dynamo).read_kill_switch() == (halt, None)
    assert open_state(dynamo).load().control == halt


def test_a_resume_never_undoes_a_later_halt_but_a_halt_always_stands(dynamo: "DynamoDBClient") -> None:
    state = open_state(dynamo)
    state.set_control(KillSwitch(halted=True, reason="later", at_ms=TimeMs(5)))

    with pytest.raises(StateConflict, match="CONTROL"):
        state.set_control(KillSwitch(at_ms=TimeMs(4)))
    state.set_control(KillSwitch(at_ms=TimeMs(6)))
    state.set_control(KillSwitch(halted=True, reason="slow clock", at_ms=TimeMs(1)))

    assert state.read_kill_switch()[0].reason == "slow clock"


def test_nothing_of_a_newer_version_is_overwritten(dynamo: "DynamoDBClient") -> None:
    state = open_state(dynamo)
    for sk in ("CONTROL", "LIMITS", "SESSION"):
        newer: Any = {"pk": {"S": BOT}, "sk": {"S": sk}, "v": {"N": "2"}, "rev": {"N": "4"}}
        dynamo.put_item(TableName="state", Item=newer)
    before = stored(dynamo)

    for write in (
        lambda: state.set_control(KillSwitch(halted=True)),
        lambda: state.save_limits(LIMITS),
        lambda: state.save_session(session(4)),
        state.load,
        state.read_kill_switch,
    ):
        with pytest.raises(StateTooNew):
            write()

    assert stored(dynamo) == before


def test_learned_limits_come_back(dynamo: "DynamoDBClient") -> None:
    open_state(dynamo).save_limits(LIMITS)

    assert open_state(dynamo).load().limits == LIMITS


@pytest.mark.parametrize(
    "broken", [{"v": {"N": "9"}}, {"trips": {"S": "?"}}, {"burst_limit": {"NULL": True}}]
)
def test_an_event_group_that_is_not_understood_can_still_be_triggered_and_is_never_passed_over(
    dynamo: "DynamoDBClient", broken: dict[str, Any]
) -> None:
    state = open_state(dynamo)
    state.save_event_group(event_group("EV-1"))
    state.save_event_group(event_group("EV-2", group_id="g-2"))
    (item, _) = dynamo.query(
        TableName="state",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"{BOT}#groups"}},
        ConsistentRead=True,
    )["Items"]
    dynamo.put_item(TableName="state", Item=item | broken)

    readable = state.readable_event_groups()

    assert [(own.event, own.group_id, own.shard) for own in readable] == [
        ("EV-1", "g-1", 1),
        ("EV-2", "g-2", 1),
    ]
    assert [own.rev for own in readable] == [-1, 1]
    with pytest.raises(StateError, match="EV-1"):
        state.event_groups()
