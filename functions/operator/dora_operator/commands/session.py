"""`start`, `status`, `halt`, `resume`, `reset`, `teardown`: the session function, with readable answers."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from dora_operator.answers import brief, shown_status
from dora_operator.confirm import agreed
from dora_operator.desk import Desk, command
from dora_operator.failures import Exit
from dora_operator.invoke import Answer, ask_session

YES = click.option("--yes", is_flag=True, help="Do not ask.")
REAL = click.option("--yes-real-money", is_flag=True, help="Needed where the stage is prod.")
REASON = click.option("--reason", default="", help="Kept with the change and shown by status.")


def _answered(desk: Desk, answer: Answer, good: tuple[str, ...]) -> None:
    desk.show(answer, *brief(answer))
    if answer.get("status") not in good:
        sys.exit(Exit.NEGATIVE)


@command("status")
@click.option("--checks", is_flag=True, help="Ask the exchange too, as a start would.")
def status(desk: Desk, checks: bool) -> None:
    """How things stand, and why nothing is quoted."""
    answer = ask_session(desk.target, "status", checks=checks)
    desk.show(answer, *shown_status(desk.target, answer))
    if answer.get("status") in ("refused", "failed"):
        sys.exit(Exit.NEGATIVE)


@command("start")
@YES
@REAL
def start(desk: Desk, yes: bool, yes_real_money: bool) -> None:
    """Open a session, or begin its hours anew."""
    what = "Open a session: from the next cycle on quotes are placed in every enabled market."
    agreed(desk.target, what, yes=yes, real_money=yes_real_money)
    _answered(desk, ask_session(desk.target, "start"), ("active",))


@command("halt")
@click.option("--cancel", is_flag=True, help="Take resting quotes off as well, whatever GLOBAL says.")
@REASON
@YES
def halt(desk: Desk, cancel: bool, reason: str, yes: bool) -> None:
    """Stop placing; with --cancel take resting quotes off too."""
    rest = (
        "all resting quotes are cancelled in the next cycle"
        if cancel
        else "resting quotes go by GLOBAL's cancel_on_halt (true unless it says otherwise)"
    )
    agreed(desk.target, f"Halt: nothing more is placed; {rest}.", yes=yes)
    answer = ask_session(desk.target, "halt", cancel=cancel, reason=reason)
    desk.show(answer, *brief(answer))
    if not answer.get("halted"):
        sys.exit(Exit.NEGATIVE)


@command("resume")
@YES
@REAL
def resume(desk: Desk, yes: bool, yes_real_money: bool) -> None:
    """Lift a halt."""
    what = "Lift the halt: from the next cycle on quotes are placed again."
    agreed(desk.target, what, yes=yes, real_money=yes_real_money)
    answer = ask_session(desk.target, "resume")
    desk.show(answer, *brief(answer))
    if answer.get("halted") is not False:
        sys.exit(Exit.NEGATIVE)


@command("reset")
@YES
@REAL
def reset(desk: Desk, yes: bool, yes_real_money: bool) -> None:
    """Arm a session again that reached a limit."""
    what = "Re-arm the session's order groups: quotes are placed again."
    agreed(desk.target, what, yes=yes, real_money=yes_real_money)
    _answered(desk, ask_session(desk.target, "reset"), ("active",))


@command("teardown")
@REASON
@YES
def teardown(desk: Desk, reason: str, yes: bool) -> None:
    """Trigger every group and prove that nothing rests.

    `closing` is not the end: run it again, or leave it to the watch, until it says `closed`.
    """
    agreed(desk.target, "Tear the session down: every order is cancelled, positions stay.", yes=yes)
    answer: Mapping[str, Any] = ask_session(desk.target, "teardown", reason=reason)
    _answered(desk, dict(answer), ("closed", "none"))
