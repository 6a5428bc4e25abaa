"""What a mistyped word was to be: a command, as click says it of options, or a name that is asked for."""

from collections.abc import Iterable
from difflib import get_close_matches

import click

MOST = 3


class Suggesting(click.Group):
    """A group of commands that says of an unknown one which are near to it, or all there are."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises UsageError."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            if args[0].startswith("-"):
                raise
            said = f"No such command {args[0]!r}. {near(args[0], self.list_commands(ctx))}"
            raise click.UsageError(said, ctx) from None


def near(typed: str, known: Iterable[str]) -> str:
    """What somebody may have meant, as a sentence."""
    names = {own.lower(): own for own in known}
    if found := get_close_matches(typed.lower(), names, n=MOST):
        return f"Did you mean {' or '.join(names[own] for own in found)}?"
    return f"Known: {', '.join(names.values())}."
