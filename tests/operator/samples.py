"""Samples of the command's output in functions/README.md: run again, so that they are what it prints.

    $ dora ...                  in a ```console block, with what it prints below
    <!-- minutes 3 -->          three cycles pass before the next block

`python -m tests.operator.samples` writes them anew.
"""

import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from tests.house.checkout import ROOT
from tests.operator.driver import Driver, local_driver
from tests.world.setup import SECRET_ID

DOCUMENT = ROOT / "functions" / "README.md"
ORDER = "d2hpsahg-" + "x" * 24
_PIECE = re.compile(r"<!-- minutes (\d+) -->|```console\n(\$ dora .*\n)((?:.*\n)*?)```")
_CHANCE = (
    (re.compile(r"\bs(\d{8}T\d{6}Z)-[0-9a-f]{6}\b"), r"s\1-1a2b3c"),
    (re.compile(r"\bd[a-z2-7]{7}-[a-z2-7]{24}\b"), ORDER),
)
"""What chance makes, and what stands for it here."""
_FIGURE = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|-?\d+(\.\d+)?")


def rewritten(document: str, driver: Driver) -> str:
    """The document with every sample as it comes out now."""

    def piece(found: "re.Match[str]") -> str:
        if found[1]:
            driver.minutes(int(found[1]))
            return found[0]
        words = shlex.split(found[2].removeprefix("$ dora ").replace(ORDER, _an_order(driver)))
        return f"```console\n{found[2]}{_steady(driver.run(*words).output)}```"

    return _PIECE.sub(piece, document)


def _an_order(driver: Driver) -> str:
    """Which the samples call ORDER."""
    fills = driver.stack.world.member.fills
    return fills[0].order.client_order_id if fills else ORDER


def shape(document: str) -> str:
    """Its words and layout; figures change with whatever the bot decides, and are as of the last writing."""
    return re.sub(
        r"[ \t]+", " ", re.sub(r"-?\d+(\.\d+)?|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "0", document)
    )


def _steady(output: str) -> str:
    for pattern, instead in _CHANCE:
        output = pattern.sub(instead, output)
    lines = [line.rstrip() for line in output.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def private_key() -> str:
    """Of the bot, as its secret holds it."""
    stored = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET_ID)
    key: str = json.loads(stored["SecretString"])["private_key_pem"]
    return key


@contextmanager
def stage() -> Iterator[Driver]:
    """The stack of the samples, and an empty working directory."""
    before = Path.cwd()
    with local_driver(markets=6) as driver, tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("key.pem").write_text(private_key(), encoding="utf-8")
        try:
            yield driver
        finally:
            os.chdir(before)


if __name__ == "__main__":
    with stage() as own:
        DOCUMENT.write_text(rewritten(DOCUMENT.read_text(encoding="utf-8"), own), encoding="utf-8")
