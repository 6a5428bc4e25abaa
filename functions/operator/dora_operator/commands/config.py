"""`config validate|diff|apply|export|schema`: what the bot is configured to do, kept in a file."""

import json
import sys
from pathlib import Path

import click
from rich.console import RenderableType

from dora_operator.config_file import ConfigFile, read_file, written
from dora_operator.config_rules import MARKET, Items, problems
from dora_operator.config_schema import json_schema
from dora_operator.config_table import Change, changes, plain_items, stored_items, write
from dora_operator.confirm import agreed
from dora_operator.desk import Desk, command, table
from dora_operator.failures import Exit, OperatorError
from dora_operator.listed import unlisted
from dora_operator.suggesting import Suggesting

FILE = click.argument("file", type=click.Path(path_type=Path))
PRUNE = click.option("--prune", is_flag=True, help="Remove items that the file does not have.")


@click.group("config", cls=Suggesting)
def config() -> None:
    """Check, compare, write and read what the bot is configured to do."""


def _checked(desk: Desk, file: Path) -> ConfigFile:
    """A file without a flaw. Ends the command with every flaw otherwise."""
    found = read_file(file)
    wrong = list(problems(found.items))
    if wrong:
        rows = [(own.where, own.problem, own.fix) for own in wrong]
        data = [{"where": where, "problem": problem, "fix": fix} for where, problem, fix in rows]
        desk.show(
            data,
            table(f"{file}: {len(rows)} problem{'s' * (len(rows) > 1)}", ("item", "problem", "fix"), rows),
        )
        sys.exit(Exit.USAGE)
    return found


def _for_this_stack(desk: Desk, found: ConfigFile, file: Path) -> None:
    target = desk.target
    if (found.stack, found.stage) != (target.stack, target.stage):
        raise OperatorError(
            f"{file} is for stack {found.stack}, stage {found.stage}, not for {target}",
            "name the right stack, or the right file",
            Exit.USAGE,
        )


def _shown(desk: Desk, found: list[Change], kept: int) -> None:
    rows = [(own.sort_key, own.name or "-", _said(own.before), _said(own.after)) for own in found]
    data = {"changes": [vars(own) for own in found], "only_in_the_table": kept}
    lines: list[RenderableType] = ["no difference"]
    if rows:
        lines = [table("", ("item", "key", "in the table", "in the file"), rows)]
    if kept:
        lines.append(f"only in the table, and kept (--prune removes them): {kept}")
    desk.show(data, *lines)


def _said(value: str | bool | None) -> str:
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else value


@command("validate")
@FILE
def validate(desk: Desk, file: Path) -> None:
    """Hold a file to the product's own rules; asks nobody."""
    found = _checked(desk, file)
    kinds = [key.partition("#")[0] for key in found.items]
    count = {kind: kinds.count(kind) for kind in ("GLOBAL", "MARKET", "SERIES")}
    text = f"{file} holds: {count['MARKET']} markets, {count['SERIES']} series, {count['GLOBAL']} GLOBAL"
    desk.show({"valid": True, **count}, text)


@command("diff")
@FILE
@PRUNE
def diff(desk: Desk, file: Path, prune: bool) -> None:
    """What `apply` would change. Exit code 1 when anything differs."""
    found = _checked(desk, file)
    _for_this_stack(desk, found, file)
    before = plain_items(stored_items(desk.target))
    differs = changes(before, found.items, prune=prune)
    _shown(desk, differs, 0 if prune else len(before.keys() - found.items.keys()))
    if differs:
        sys.exit(Exit.NEGATIVE)


@command("apply")
@FILE
@PRUNE
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--yes-real-money", is_flag=True, help="Needed where the stage is prod.")
def apply(desk: Desk, file: Path, prune: bool, yes: bool, yes_real_money: bool) -> None:
    """Write a file to the config table, after showing what changes. The next cycle goes by it."""
    found = _checked(desk, file)
    _for_this_stack(desk, found, file)
    stored = stored_items(desk.target)
    before = plain_items(stored)
    differs = changes(before, found.items, prune=prune)
    _shown(desk, differs, 0 if prune else len(before.keys() - found.items.keys()))
    if not differs:
        return
    _warn_of_slips(desk, differs)
    items = len({own.sort_key for own in differs})
    what = f"Write to the config table, {items} in all: the next cycle goes by them."
    agreed(desk.target, what, yes=yes, real_money=yes_real_money)
    write(desk.target, stored, found.items, differs, file.name)
    desk.note(f"written: {items}")


def _warn_of_slips(desk: Desk, differs: list[Change]) -> None:
    """Of markets new to the table. One that is not listed today may be tomorrow: a warning, no refusal.

    A market that is there already is not asked for, so that switching it off waits for nobody.
    """
    new = [own.sort_key for own in differs if not own.name and own.after is not None]
    tickers = [key.removeprefix(MARKET) for key in new if key.startswith(MARKET)]
    found = unlisted(desk.target, tickers) if tickers else []
    if found is None:
        desk.note("not checked: the exchange's list of markets could not be read; is each ticker right?")
    for ticker in found or ():
        desk.note(f"the exchange does not know {ticker}")


@command("export")
@click.option("--csv", "as_csv", is_flag=True, help="CSV instead of YAML.")
def export(desk: Desk, as_csv: bool) -> None:
    """The config table as a file, on standard output."""
    items: Items = plain_items(stored_items(desk.target))
    file = ConfigFile(desk.target.stack, desk.target.stage, items)
    click.echo(json.dumps(items, indent=2) if desk.as_json else written(file, as_csv=as_csv), nl=False)


@click.command("schema")
def schema() -> None:
    """The JSON Schema of the YAML form, for editors."""
    click.echo(json.dumps(json_schema(), indent=2))


for _own in (validate, diff, apply, export, schema):
    config.add_command(_own)
