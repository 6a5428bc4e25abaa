"""How the command ends, and the one error that it reports: what is wrong, and how to mend it."""

from enum import IntEnum

import click


class Exit(IntEnum):
    """Exit codes, for scripts."""

    DONE = 0
    NEGATIVE = 1
    """It ran, and the answer is no: refused, failed, or findings."""
    USAGE = 2
    """The words or files given make no sense; nothing was asked of anybody."""
    UNKNOWN = 3
    """Something could not be reached or read: nothing is known of the rest."""
    DECLINED = 4
    """A person said no, or was not there to be asked."""


class OperatorError(click.ClickException):
    """What is wrong, and the fix in the same breath."""

    def __init__(self, problem: str, fix: str = "", exit_code: Exit = Exit.NEGATIVE) -> None:
        super().__init__(f"{problem}\n  {fix}" if fix else problem)
        self.ends = exit_code

    @property
    def exit_code(self) -> int:  # type: ignore[override] # a property where click has an attribute
        """What the process ends with."""
        return int(self.ends)
