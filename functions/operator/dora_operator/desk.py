"""What every command has at hand: the stack it is for, and a way to show things as tables or as JSON."""

import functools
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from requests import RequestException
from rich.console import Console, RenderableType
from rich.table import Table

from dora.core.errors import DoraError
from dora_operator.failures import Exit, OperatorError
from dora_operator.target import Target, aws_target, local_target

WIDTH = 150
"""Of what is shown where no terminal says how wide it is."""


class Desk:
    """One command's options that all commands share."""

    def __init__(self, *, local: bool, stack: str, profile: str, region: str, as_json: bool) -> None:
        self._local, self._stack, self._profile, self._region = local, stack, profile, region
        self.as_json = as_json

    @property
    def on_this_machine(self) -> bool:
        """Whether it is the stack of `dora local up`."""
        return self._local

    @property
    def names_a_stack(self) -> bool:
        """Whether the person said which stack."""
        return self._local or bool(self._stack)

    @functools.cached_property
    def target(self) -> Target:
        """The stack. Raises OperatorError."""
        if self._local and self._stack:
            raise OperatorError("--local and --stack exclude each other", "name one", Exit.USAGE)
        if self._local:
            return local_target()
        if not self._stack:
            raise OperatorError(
                "which stack?", "say --stack NAME (or set DORA_STACK), or --local", Exit.USAGE
            )
        session = boto3.Session(profile_name=self._profile or None, region_name=self._region or None)
        return aws_target(self._stack, session)

    def show(self, data: object, *things: RenderableType) -> None:
        """`data` with --json, else the things, one below the other."""
        if self.as_json:
            click.echo(json.dumps(data, indent=2, default=str))
            return
        console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
        for thing in things:
            console.print(thing, markup=False) if isinstance(thing, str) else console.print(thing)

    def note(self, text: str) -> None:
        """Beside the answer, on standard error."""
        click.echo(text, err=True)


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], figures: Sequence[str] = ()
) -> Table:
    """A table; columns named in `figures` are flush right."""
    drawn = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        drawn.add_column(name, justify="right" if name in figures else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(text(cell) for cell in row))
    return drawn


def text(cell: object) -> str:
    """A cell as it is shown: what is not known is a question mark, never a zero."""
    return "?" if cell is None else str(cell).replace("[", "\\[")


def pairs(title: str, rows: Sequence[tuple[str, object]]) -> Table:
    """Names and values below each other."""
    drawn = Table(title=title or None, title_justify="left", box=None, pad_edge=False, show_header=False)
    drawn.add_column(style="bold")
    drawn.add_column(overflow="fold")
    for name, value in rows:
        drawn.add_row(name, text(value))
    return drawn


_SHARED = (
    click.option("--local", is_flag=True, envvar="DORA_LOCAL", help="The stack of `dora local up`."),
    click.option("--stack", default="", envvar="DORA_STACK", help="Name of the CloudFormation stack."),
    click.option("--profile", default="", help="AWS profile."),
    click.option("--region", default="", help="AWS region."),
    click.option("--json", "as_json", is_flag=True, help="JSON instead of tables."),
)


def command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command whose first argument is its desk; trouble of the product ends it with a line, not a trace."""

    def wrap(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def run(local: bool, stack: str, profile: str, region: str, as_json: bool, **own: Any) -> None:
            desk = Desk(local=local, stack=stack, profile=profile, region=region, as_json=as_json)
            reported(function, desk, **own)

        shared: Callable[..., None] = run
        for option in reversed(_SHARED):
            shared = option(shared)
        return click.command(name)(shared)

    return wrap


def reported(function: Callable[..., None], *given: Any, **own: Any) -> None:
    """Run it; what is known to go wrong becomes an OperatorError."""
    try:
        function(*given, **own)
    except DoraError as error:
        raise OperatorError(f"{type(error).__name__}: {error}", exit_code=Exit.UNKNOWN) from None
    except (BotoCoreError, ClientError, RequestException) as error:
        raise OperatorError(
            f"no answer: {error}", "is the stack up, and may you ask it?", Exit.UNKNOWN
        ) from None
