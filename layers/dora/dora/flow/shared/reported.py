"""Calls whose failure is reported, and is no reason to stop."""

from types import TracebackType

from dora.core.errors import DoraError
from dora.core.ports import Facts


class Reported:
    """A block that an error of this kind ends with an `ERROR`; what follows the block goes on."""

    def __init__(self, facts: Facts, what: str, kind: type[DoraError]) -> None:
        self._facts, self._what, self._kind = facts, what, kind

    def __enter__(self) -> None:
        """The block begins."""

    def __exit__(self, _: type | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if isinstance(error, self._kind):
            self._facts.emit("ERROR", what=self._what, why=str(error))
            return True
        return False
