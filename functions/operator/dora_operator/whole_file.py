"""A person's files: read whole, or refused with a word; written beside their place, then put into it."""

import os
from pathlib import Path

from dora_operator.failures import Exit, OperatorError

_ELSEWHERE = "name another file with --out"


def read_whole(path: Path, encoding: str = "utf-8") -> str:
    """Raises OperatorError."""
    try:
        return path.read_text(encoding=encoding)
    except UnicodeDecodeError:
        raise OperatorError(f"{path} is no text", "name a file of text in UTF-8", Exit.USAGE) from None
    except OSError as error:
        raise OperatorError(
            f"{path} cannot be read: {reason(error)}", "name another file", Exit.USAGE
        ) from None


def reason(error: OSError) -> str:
    """What the system says, without the path, which the sentence around it names."""
    said = error.strerror or str(error)
    return said[:1].lower() + said[1:]


def new_place(path: Path) -> Path:
    """The path, if nothing is there and a file can be made there. Raises OperatorError."""
    try:
        path.lstat()
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise _unwritable(path, f"there is no folder {path.parent}") from None
        if not os.access(path.parent, os.W_OK):
            raise _unwritable(path, f"you may not write in {path.parent.resolve()}") from None
        return path
    except OSError as error:
        raise _unwritable(path, reason(error)) from None
    raise OperatorError(f"{path} is there already", _ELSEWHERE, Exit.USAGE)


def _unwritable(path: Path, why: str) -> OperatorError:
    return OperatorError(f"{path} cannot be written: {why}", _ELSEWHERE, Exit.USAGE)


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
        raise _unwritable(path, reason(error)) from None
