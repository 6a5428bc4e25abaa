"""The command `dora`: its list of commands, each in a module that is imported when it is asked for.

So `dora --help` imports neither boto3 nor the product.
"""

import importlib
from typing import NamedTuple

import click

from dora_operator.suggesting import Suggesting


class Entry(NamedTuple):
    """Where a command is, and its line in the help."""

    module: str
    help: str


COMMANDS = {
    "local": Entry("local", "A whole stack on this machine: exchange, tables and both functions."),
    "init": Entry("init", "Make a config file for a stack, with caps in proportion to the account."),
    "secret": Entry("secret", "Store the exchange's API key."),
    "config": Entry("config", "Check, compare, write and read what the bot is configured to do."),
    "suggest": Entry("suggest", "Propose markets to quote, never enabled."),
    "doctor": Entry("doctor", "Everything that must hold before trading, each finding with its fix."),
    "start": Entry("session", "Open a session, or begin its hours anew."),
    "status": Entry("session", "How things stand, and why nothing is quoted."),
    "now": Entry("now", "One screen, worst first: what is wrong, and what to type next."),
    "top": Entry("top", "One line for each market: position, quotes, book, profit, or why not."),
    "halt": Entry("session", "Stop placing; with --cancel take resting quotes off too."),
    "resume": Entry("session", "Lift a halt."),
    "reset": Entry("session", "Arm a session again that reached a limit."),
    "teardown": Entry("session", "Trigger every group and prove that nothing rests."),
    "stop": Entry("stop", "Every way to stop, gentle to hard; --direct does it without AWS."),
    "schedule": Entry("schedule", "Switch the minute's schedule on or off."),
    "why": Entry("why", "How one market's quotes came about, step by step."),
    "order": Entry("order", "The life of one order."),
    "pnl": Entry("pnl", "Profit by day, market, event, strategy or session."),
    "rewards": Entry("rewards", "What programs were expected to pay, and what the exchange credited."),
    "fills": Entry("fills", "What was traded, each fill once."),
    "sessions": Entry("sessions", "Sessions, over or open, and what came of each."),
    "report": Entry("report", "Today, or the last days, as one page: profit, quotes, fills, reasons."),
    "export": Entry("export", "Every fill, payout and other cash, one CSV line each, for taxes."),
    "query": Entry("query", "Run one of the stack's saved queries."),
}


class _Lazy(Suggesting):
    """Knows its commands by name; imports one when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"dora_operator.commands.{entry.module}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Operate a Dora stack.

    Name the stack with --stack (or DORA_STACK), or take the one on this machine with --local (DORA_LOCAL=1).
    Whatever trades, cancels or spends says what it will do and asks first.
    """
