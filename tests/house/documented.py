"""The commands that the documents give a reader, each as the words a shell would see."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.house.checkout import ROOT

DOCUMENTS = tuple(
    ROOT / name
    for name in (
        "README.md",
        "functions/README.md",
        "layers/README.md",
        "tests/README.md",
        "tests/replay/README.md",
    )
)
_INLINE = re.compile(r"`((?:make|dora) [^`]+)`")
_OPTIONAL = re.compile(r"\[[^\]]*\]")


def commands(program: str, *, mentioned: bool = False) -> Iterator[list[str]]:
    """Every call of one program in a block of code, or those mentioned in the text.

    What stands in brackets may be left out, and is.
    """
    for path in DOCUMENTS:
        for line in _mentioned(path) if mentioned else _code(path):
            for call in re.split(r"&&|;", line):
                words = shlex.split(_OPTIONAL.sub("", call), comments=True)
                if words and words[0] == program:
                    yield words[1:]


def _code(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if line.startswith(("    ", "$ ")):
            yield line.removeprefix("$ ").strip()


def _mentioned(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield from [] if line.startswith(("    ", "$ ")) else _INLINE.findall(line)
