"""`schedule on|off`: the minute's schedule of cycle and watch, by an update of the stack as it is."""

from typing import Any

import click

from dora.core.session import SessionStatus
from dora_operator.changes import note_change
from dora_operator.confirm import agreed
from dora_operator.desk import Desk, command, pairs
from dora_operator.failures import Exit, OperatorError
from dora_operator.reading import Reading
from dora_operator.target import Target

STATES = {"on": "ENABLED", "off": "DISABLED"}


@command("schedule")
@click.argument("state", type=click.Choice(list(STATES)))
@click.option("--session-stays-open", is_flag=True, help="Switch off although a session is open.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--yes-real-money", is_flag=True, help="Needed to switch on where the stage is prod.")
def schedule(desk: Desk, state: str, session_stays_open: bool, yes: bool, yes_real_money: bool) -> None:
    """Switch the minute's schedule on or off.

    Off stops the watch as well: what rests then is looked after by nobody until it expires.
    """
    target = desk.target
    if target.local:
        raise OperatorError("a stack on this machine has no schedule", "it runs until Ctrl-C", Exit.USAGE)
    if state == "off" and not session_stays_open:
        _no_session_is_open(Reading(target))
    what = f"Switch the schedule {state}: a stack update that changes nothing else."
    agreed(target, what, yes=yes, real_money=yes_real_money if state == "on" else None)
    note_change(target, f"schedule {state}", {})
    _update(target, STATES[state])
    desk.show({"schedule": state}, pairs("", [("schedule", state), ("update", "under way; minutes")]))


def _no_session_is_open(reading: Reading) -> None:
    session = reading.state.session
    if session is not None and session.status is not SessionStatus.CLOSED:
        raise OperatorError(
            f"session {session.session_id} is {session.status}: nobody would look after its orders",
            "dora teardown until it says closed; or add --session-stays-open",
        )


def _update(target: Target, state: str) -> None:
    names = [name for name in target.parameters if name != "ScheduleState"]
    own: list[dict[str, Any]] = [{"ParameterKey": name, "UsePreviousValue": True} for name in names]
    target.client("cloudformation").update_stack(
        StackName=target.stack,
        UsePreviousTemplate=True,
        Parameters=[*own, {"ParameterKey": "ScheduleState", "ParameterValue": state}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
