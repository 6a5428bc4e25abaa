"""`doctor`: everything that must hold before trading, each finding with its fix."""

import sys

from dora_operator.checks import OK, UNKNOWN, all_checks
from dora_operator.desk import Desk, command, table
from dora_operator.failures import Exit
from dora_operator.reading import Reading

COLUMNS = ("check", "", "found", "fix")


@command("doctor")
def doctor(desk: Desk) -> None:
    """Everything that must hold before trading, each finding with its fix.

    Reads only. Exit code 0: all is well; 1: something is not; 3: something could not be looked at.
    """
    found = sorted(all_checks(Reading(desk.target)), key=lambda own: own.state == OK)
    rows = [(own.what, own.state, own.found, own.fix) for own in found]
    desk.show([vars(own) for own in found], f"{desk.target}", table("", COLUMNS, rows))
    states = {own.state for own in found}
    if states != {OK}:
        sys.exit(Exit.UNKNOWN if states == {OK, UNKNOWN} else Exit.NEGATIVE)
