"""Asking before anything trades, cancels or spends; real money needs a word of its own."""

import sys

import click

from dora_operator.failures import Exit, OperatorError
from dora_operator.target import Target


def agreed(target: Target, what: str, *, yes: bool, real_money: bool | None = None) -> None:
    """Say what will be done and where, and ask. Raises OperatorError where the answer is no.

    `real_money`: whether --yes-real-money was given; None for what only takes risk away.
    """
    click.echo(f"{what}\n  {target}", err=True)
    if target.real_money and real_money is False:
        raise OperatorError("this is real money", "add --yes-real-money", Exit.USAGE)
    if yes:
        return
    if not sys.stdin.isatty():
        raise OperatorError("nobody is here to be asked", "add --yes", Exit.DECLINED)
    if not click.confirm("Go on?", err=True):
        raise OperatorError("nothing was done", exit_code=Exit.DECLINED)
