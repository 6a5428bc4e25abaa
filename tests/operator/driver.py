"""The operator's command in this process, against a stack on this machine whose time moves when asked."""

import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from dora_operator.cli import main
from tests.demo.options import Options
from tests.local_stack.stack import LocalOptions, LocalStack, open_local_stack
from tests.world import config_items

ADDRESSES = {"HOME", "PATH"}


class Terminal(io.BytesIO):
    """A person at a keyboard, who types these lines."""

    def __init__(self, *lines: str) -> None:
        super().__init__("".join(f"{line}\n" for line in lines).encode())

    def isatty(self) -> bool:
        """Somebody is there to be asked."""
        return True


Input = str | Terminal | None


@dataclass(frozen=True)
class Driver:
    """A stack that is up, and its folder."""

    stack: LocalStack
    folder: Path

    def minutes(self, count: int) -> None:
        """So many cycles."""
        for _ in range(count):
            self.stack.minute()

    def answer(self, *words: str) -> Any:
        """What `dora <words> --json` prints."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def run(self, *words: str, answer: Input = None) -> Result:
        """`dora <words>` for this stack. Whatever is no report of the command's own is raised."""
        env = {"DORA_LOCAL_FOLDER": str(self.folder), "DORA_LOCAL": "1", "USER": "tester"}
        return invoke(words, env, answer)


def invoke(words: tuple[str, ...], env: Mapping[str, str], answer: Input = None) -> Result:
    """The command in this process; standard error stands among its output."""
    result = CliRunner().invoke(main, list(words), input=answer, env=dict(env))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@contextmanager
def local_driver(
    *,
    markets: int = 4,
    minutes: int = 120,
    configured: bool = True,
    log_level: str = "WARNING",
    **scene: Any,
) -> Iterator[Driver]:
    """A stack up for the time of a block. Its markets are quoted at once, without the usual warm-up."""
    options = Options(cycles=minutes, markets=markets, **scene)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        item = dict(config_items.MARKET)
        local = LocalOptions(scene=options, speed=0, configured=configured, item=item, log_level=log_level)
        with open_local_stack(local, folder) as stack:
            yield Driver(stack, folder)


def clean_environment() -> dict[str, str]:
    """Of a person who has set nothing."""
    return {name: value for name, value in os.environ.items() if name in ADDRESSES}
