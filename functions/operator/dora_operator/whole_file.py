"""Files that are whole or not there: written beside their place, then put into it."""

import os
from pathlib import Path

from dora_operator.failures import Exit, OperatorError


def new_place(path: Path) -> Path:
    """The path, if nothing is there. Raises OperatorError."""
    if path.exists():
        raise OperatorError(f"{path} is there already", "name another file with --out", Exit.USAGE)
    return path


def write_whole(path: Path, text: str) -> None:
    """An interrupted write leaves what was there before, and a `.part` at most.

    Safe to repeat: yes, the same text stands there. Raises OperatorError.
    """
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error}", exit_code=Exit.USAGE) from None
