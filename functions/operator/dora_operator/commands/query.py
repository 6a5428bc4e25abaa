"""`query NAME`: a saved query of the stack, run and shown as a table."""

import click

from dora_operator.desk import Desk, command, table
from dora_operator.failures import Exit, OperatorError
from dora_operator.logs import run_query, saved_queries
from dora_operator.suggesting import near


@command("query")
@click.argument("name", default="")
@click.option("--id", "own_id", default="", help="The id that it asks about, where it asks about one.")
@click.option("--hours", default=24.0, show_default=True, help="How far back. On this machine: everything.")
@click.option("--text", is_flag=True, help="Print the query instead of running it.")
def query(desk: Desk, name: str, own_id: str, hours: float, text: bool) -> None:
    """Run one of the stack's saved queries.

    Without a name it lists them.
    """
    known = saved_queries(desk.target)
    if not name:
        desk.show(sorted(known), *sorted(known))
        return
    if name not in known:
        raise OperatorError(f"no query {name}", near(name, sorted(known)), Exit.USAGE)
    if text:
        click.echo(known[name])
        return
    rows = run_query(desk.target, known[name], own_id=own_id, minutes=int(hours * 60))
    filled = [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)]
    shown = [["" if row[name] is None else row[name] for name in filled] for row in rows]
    desk.show(rows, table(f"{name}: {len(rows)} rows", filled, shown) if rows else f"{name}: nothing found")
