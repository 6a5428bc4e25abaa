"""What may be asked of the session function."""

from dataclasses import dataclass
from enum import StrEnum


class SessionAction(StrEnum):
    """The actions, as they stand in events."""

    START = "start"
    STATUS = "status"
    TEARDOWN = "teardown"
    HALT = "halt"
    RESUME = "resume"
    RESET = "reset"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class SessionCommand:
    """One session action, with the reason its author gave.

    `checks` asks a status for the preflight too; `cancel` has a halt take resting quotes off.
    """

    action: SessionAction
    reason: str = ""
    checks: bool = False
    cancel: bool = False
