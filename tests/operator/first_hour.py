"""Commands that a document has a newcomer type, read off it and run as they stand.

Whoever runs them names what stands for a command that needs AWS itself, or a terminal of its own.
"""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from click.testing import Result

from tests.house.checkout import ROOT

KEY_ID = "key-of-the-bot"
"""Stands for the `KEY-ID` of the text."""
ASKS = ("secret put", "config apply", "start", "teardown")
"""Of a person at a terminal, who says yes: here that is said by an option."""
EDITS = {
    "dora.yaml": ("trading_enabled: false", "trading_enabled: true"),
    "markets.csv": (",false,", ",true,"),
}
"""What the text has a person change in a file between two commands."""

Run = Callable[[tuple[str, ...]], Result]
Instead = Mapping[str, Callable[[], None]]


def written(document: str, heading: str) -> list[str]:
    """The commands of all blocks under a heading, in order."""
    lines = re.findall(r"^    (.+)$", _section(document, heading), flags=re.MULTILINE)
    return [call.strip() for line in lines for call in line.partition("  #")[0].split("&&")]


def mentioned(document: str, heading: str) -> list[str]:
    """The commands that the text under a heading mentions before its first block, in order."""
    return re.findall(r"`([^`]+)`", _section(document, heading).partition("\n\n    ")[0])


def _section(document: str, heading: str) -> str:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.split(r"\n##+ ", text.partition(f"# {heading}\n")[2])[0]


def walk(calls: Iterable[str], run: Run, instead: Instead, *, edited: Iterable[str]) -> dict[str, str]:
    """What each command printed. Nothing but `dora`, `sed` and what is named instead is known here."""
    outputs = {}
    for call in calls:
        if call in instead:
            instead[call]()
            continue
        program, *words = shlex.split(call.replace("KEY-ID", KEY_ID))
        if program == "sed":
            subprocess.run([program, *words], check=True)
            continue
        assert program == "dora", call
        _edit(edited)
        asks = " ".join(words).startswith(ASKS)
        result = run((*words, *(["--yes"] if asks else [])))
        # Before the session is started, doctor's answer is that there is none.
        assert result.exit_code == (1 if words[0] == "doctor" else 0), f"{call}\n{result.output}"
        outputs[call] = result.output
    return outputs


def _edit(files: Iterable[str]) -> None:
    for name in files:
        if (path := Path(name)).exists():
            path.write_text(path.read_text(encoding="utf-8").replace(*EDITS[name]), encoding="utf-8")
