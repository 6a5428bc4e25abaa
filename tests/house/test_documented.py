"""What the documents tell a reader to type is something that the programs take."""

import re
from pathlib import Path

import click
import pytest

from dora_operator.cli import main
from tests.house.checkout import ROOT
from tests.house.documented import commands

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, flags=re.MULTILINE))
MAKE = [*commands("make"), *commands("make", mentioned=True)]
DORA, MENTIONED = list(commands("dora")), list(commands("dora", mentioned=True))
FILES = ("key.pem", "dora.yaml", "markets.csv")
"""What a reader has by the time that a command names it."""


@pytest.mark.parametrize("words", MAKE, ids=" ".join)
def test_a_documented_make_command_names_a_target_and_its_variables(words: list[str]) -> None:
    targets = [word for word in words if "=" not in word]
    variables = {word.partition("=")[0] for word in words if "=" in word}

    assert targets
    assert set(targets) <= TARGETS
    assert variables <= set(re.findall(r"\$\(([A-Z_]+)\)", MAKEFILE))


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that these words name, and what is left for it."""
    command: click.Command = main
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"no command {name}"
        command = found
    return command, words


@pytest.mark.parametrize("words", DORA, ids=" ".join)
def test_a_documented_dora_command_is_taken(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        Path(name).write_text("", encoding="utf-8")

    command, rest = command_of(words)
    command.make_context(command.name, rest)


@pytest.mark.parametrize("words", [words for words in MENTIONED if words != ["--help"]], ids=" ".join)
def test_a_dora_command_that_a_text_mentions_is_one(words: list[str]) -> None:
    command_of(words)


def test_a_command_that_is_no_more_would_be_noticed() -> None:
    assert ["demo"] in MAKE
    assert any(words[0] == "teardown" for words in DORA)
    with pytest.raises(click.UsageError):
        main.make_context("dora", ["--no-such-option"])
    with pytest.raises(AssertionError, match="no command witness"):
        command_of(["witness"])
