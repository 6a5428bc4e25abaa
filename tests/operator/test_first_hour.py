"""The README's first hour, line by line: what stands there is what is run, but for what needs AWS itself."""

import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house.checkout import ROOT
from tests.operator.driver import Driver, local_driver
from tests.operator.samples import private_key

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## The first hour")[2].partition("\n## ")[0]
MINUTES = 3
KEY_ID = "key-of-the-bot"
ASKS = ("secret put", "config apply", "start")
"""Of a person at a terminal, who says yes: here that is said by an option."""


def _deployed(_driver: Driver) -> None:
    """By `make build && make deploy`, and named by DORA_STACK: here the stack on this machine."""


def _scheduled(driver: Driver) -> None:
    driver.minutes(MINUTES)


INSTEAD: dict[str, Callable[[Driver], None]] = {
    "make build": _deployed,
    "make deploy PARAMETERS='AlarmEmail=me@example.org'": _deployed,
    "export DORA_STACK=dora-demo": _deployed,
    "dora schedule on": _scheduled,
}
"""What needs AWS itself, and what stands for it. Every one of them must be in the text."""


def _written() -> list[str]:
    """The commands of the block, in order."""
    lines = re.findall(r"^    (.+)$", SECTION, flags=re.MULTILINE)
    return [call.strip() for line in lines for call in line.partition("  #")[0].split("&&")]


def _reviewed() -> None:
    """What the text has a person do between two commands: review the markets, and set what is enabled."""
    for name, before, after in (
        ("dora.yaml", "trading_enabled: false", "trading_enabled: true"),
        ("markets.csv", ",false,", ",true,"),
    ):
        if (path := Path(name)).exists():
            path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


@pytest.fixture
def walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """A stack that nobody has configured, and a folder with nothing but the key."""
    monkeypatch.chdir(tmp_path)
    with local_driver(markets=12, minutes=30, configured=False) as driver:
        Path("key.pem").write_text(private_key(), encoding="utf-8")
        yield driver


def test_the_first_hour_is_walked_as_it_is_written(walked: Driver) -> None:
    outputs = {}
    for call in _written():
        if call in INSTEAD:
            INSTEAD[call](walked)
            continue
        program, *words = shlex.split(call.replace("KEY-ID", KEY_ID))
        assert program == "dora", call
        _reviewed()
        asks = " ".join(words).startswith(ASKS)
        result = walked.run(*words, *(["--yes"] if asks else []))
        # Before the session is started, doctor's answer is that there is none.
        assert result.exit_code == (1 if call == "dora doctor" else 0), f"{call}{os.linesep}{result.output}"
        outputs[call] = result.output

    assert "accepted   yes" in outputs["dora secret put --key-id KEY-ID --pem key.pem"]
    assert "no_session" in outputs["dora doctor"]
    assert "status           active" in outputs["dora start"]
    assert "session active" in outputs["dora top"]


def test_every_substitution_is_of_a_command_that_is_written() -> None:
    assert INSTEAD.keys() <= set(_written())
