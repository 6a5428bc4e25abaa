"""`local up`: a whole stack on this machine, in the environment that has the simulator."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import click

from dora_operator.checkout import ROOT
from dora_operator.failures import Exit, OperatorError
from dora_operator.target import local_folder

SIMULATOR_NEEDS = "moto"


@click.group("local")
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
def up(**given: object) -> None:
    """Exchange, tables, secret, bucket and both functions, with a cycle a minute, until Ctrl-C.

    Nothing leaves this machine; orders meet a simulated exchange.
    """
    folder = local_folder()
    if (folder / "connection.json").exists():
        raise OperatorError(
            f"a stack seems to be up: {folder / 'connection.json'} is there",
            "stop it with Ctrl-C; if it died, remove that file",
        )
    arguments = [f"--folder={folder}"]
    for name, value in given.items():
        if value is True:
            arguments.append(f"--{name}")
        elif value not in (None, False):
            arguments.append(f"--{name}={value}")
    sys.exit(_run([*_interpreter(), "-m", "tests.local_stack", *arguments]))


def _interpreter() -> list[str]:
    """A Python that has what the simulator needs: this one, or that of the checkout's tests."""
    if importlib.util.find_spec(SIMULATOR_NEEDS) is not None:
        return [sys.executable]
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        raise OperatorError(
            "the simulator's environment is not there", "run `make install-operator`", Exit.USAGE
        )
    return [str(python)]


def _run(line: list[str]) -> int:
    """Ctrl-C, or a signal to this process alone, ends the other one too; it puts everything away itself."""
    process = subprocess.Popen(line, cwd=ROOT, env=_environment(), start_new_session=True)

    def end(*_: object) -> None:
        process.send_signal(signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return process.wait()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "layers" / "dora")}
