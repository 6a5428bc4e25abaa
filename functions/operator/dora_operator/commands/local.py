"""`local up`: a whole stack on this machine, in the environment that has the simulator."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click

from dora_operator.checkout import ROOT
from dora_operator.failures import Exit, OperatorError
from dora_operator.suggesting import Suggesting
from dora_operator.target import local_folder

SIMULATOR_NEEDS = "moto"
STAGES = ("kalshi-demo", "prod")


@click.group("local", cls=Suggesting)
def local() -> None:
    """A whole stack on this machine: exchange, tables and both functions."""


@local.command("up")
@click.option("--markets", default=12, show_default=True, help="Markets that the exchange lists.")
@click.option("--minutes", default=480, show_default=True, help="How long others trade in them.")
@click.option("--data", type=click.Path(path_type=Path), help="A recording; else synthetic order flow.")
@click.option("--seed", default=1, show_default=True)
@click.option("--tier", default="advanced", show_default=True, help="API usage tier of the account.")
@click.option("--speed", default=1.0, show_default=True, help="Minutes pass so many times as fast, up to 60.")
@click.option("--configured", is_flag=True, help="With sample configs: every market enabled.")
@click.option("--live", is_flag=True, help="Paper trading: the books of the real exchange, orders on paper.")
@click.option("--stage", type=click.Choice(list(STAGES)), help="Of --live: which exchange is read.")
@click.option("--base-url", help="Of --live, instead of --stage: another address of such an exchange.")
@click.option("--key-id", help="Of --live: a key that may read.")
@click.option("--pem", type=click.Path(path_type=Path, resolve_path=True), help="Of --live: its private key.")
@click.option("--series", multiple=True, help="Of --live: whose markets, the busiest first; repeatable.")
@click.option("--fills", default="pess", show_default=True, help="Of --live: pess, infer or opt.")
@click.option("--dollars", default=1000, show_default=True, help="Of --live: on each shard, on paper.")
def up(**given: object) -> None:
    """Exchange, tables, secret, bucket and both functions, with a cycle a minute, until Ctrl-C.

    No order leaves this machine: they meet a simulated exchange. With --live its books are the real ones,
    read with your key every ten seconds, and fills are what one of the replay's models makes of them.
    """
    folder = local_folder()
    if _is_up(folder / "connection.json"):
        raise OperatorError(
            f"a stack is up: {folder / 'connection.json'}",
            "stop it with Ctrl-C, or name another folder with DORA_LOCAL_FOLDER",
        )
    arguments = [f"--folder={folder}", *(word for own in given.items() for word in _words(*own))]
    sys.exit(_run([*_interpreter(), "-m", "tests.local_stack", *arguments]))


def _words(name: str, value: object) -> list[str]:
    """One option as the stack's own command line has it."""
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, tuple):
        return [f"{option}={own}" for own in value]
    if isinstance(value, bool):
        return [option] if value else []
    return [] if value is None else [f"{option}={value}"]


def _is_up(connection: Path) -> bool:
    """Whether the process that wrote this file lives; the file of one that died is in nobody's way."""
    try:
        os.kill(int(json.loads(connection.read_text(encoding="utf-8"))["process"]), 0)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _interpreter() -> list[str]:
    """A Python that has what the simulator needs: this one, or that of the checkout's tests."""
    if importlib.util.find_spec(SIMULATOR_NEEDS) is not None:
        return [sys.executable]
    return [str(_whole(ROOT / ".venv") / "bin" / "python")]


def _whole(environment: Path) -> Path:
    """The same, if `make` has finished it: its stamp is the last thing that is written.

    Raises OperatorError.
    """
    if not any(environment.glob(".ready-*")):
        raise OperatorError(
            f"the simulator's environment is not whole: {environment}",
            "run `make install-operator`",
            Exit.USAGE,
        )
    return environment


def _run(line: list[str]) -> int:
    """Ctrl-C, or a signal to this process alone, ends the other one too; it puts everything away itself."""
    process = subprocess.Popen(line, cwd=ROOT, env=_environment(), start_new_session=True)

    def end(*_: object) -> None:
        process.send_signal(signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return process.wait()


def _environment() -> dict[str, str]:
    paths = (ROOT / "layers" / "dora", ROOT / "functions" / "operator")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
