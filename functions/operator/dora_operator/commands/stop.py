"""`stop`: every way to stop, gentle to hard, and what each leaves; `--direct` does it without AWS."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import RenderableType

from dora.core.errors import AuthRefused
from dora.core.orders.journal import order_prefix
from dora.edge.kalshi.signing import Signer
from dora_operator.desk import Desk, command, pairs, table
from dora_operator.direct_stop import DirectStop
from dora_operator.exchange import BASE_URLS, exchange_by, signer_of
from dora_operator.failures import Exit, OperatorError
from dora_operator.target import Clock, WallClock
from dora_operator.whole_file import read_whole

BY_HALT = "session, groups, positions; quotes by cancel_on_halt"
LADDER = (
    (
        "1",
        "trading_enabled: false, dora config apply",
        BY_HALT,
    ),
    ("2", "dora halt", BY_HALT),
    ("3", "dora halt --cancel", "session, groups, positions; no quotes from the next cycle on"),
    ("4", "dora teardown", "positions; no order, no group that takes one"),
    ("5", "dora stop --direct --key-id ... --pem ...", "positions; the same without AWS, with a key at hand"),
    ("6", "delete the key on the exchange's site", "positions, and resting orders: do 4 or 5 first"),
)
COLUMNS = ("", "type", "leaves")
KEY_FIX = "check --key-id, --pem and the stage"
SCOPE_FIX = "use a key whose scopes include `write` or `write::trade`, or cancel on the exchange's site"
FORBIDDEN = 403


@command("stop")
@click.option("--direct", is_flag=True, help="Ask the exchange itself: trigger, cancel, prove. Needs a key.")
@click.option("--key-id", default="", help="Of the key to use.")
@click.option("--pem", type=click.Path(path_type=Path), help="File with its private key.")
@click.option("--stage", type=click.Choice([*BASE_URLS, "local"]), help="Without --stack: where.")
@click.option("--bot", default="dora", show_default=True, help="Without --stack: whose orders.")
@click.option("--all-groups", is_flag=True, help="Trigger every order group of the account, whoever's it is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def stop(  # noqa: PLR0917 # click gives them by name
    desk: Desk,
    direct: bool,
    key_id: str,
    pem: Path | None,
    stage: str | None,
    bot: str,
    all_groups: bool,
    yes: bool,
) -> None:
    """Every way to stop, gentle to hard; --direct does it without AWS.

    Positions stay in every case: they are sold by hand, or settle.
    """
    if not direct:
        desk.show([dict(zip(("step", "type", "leaves"), row, strict=True)) for row in LADDER], _drawn())
        return
    signer = _signer(key_id, pem)
    where, url, clock = _place(desk, stage, bot)
    _agree(where, all_groups, yes)
    told: list[str] = []
    exchange = exchange_by(signer, url, clock)
    work = DirectStop(exchange, clock, order_prefix(*where), _say(desk, told), all_groups=all_groups)
    clear, last = _ended(work)
    count = len(work.triggered)
    facts = [("groups triggered", count), ("open orders", "none" if clear else "unknown"), ("", last)]
    desk.show({"clear": clear, "triggered": list(work.triggered), "told": told}, pairs("", facts))
    if not clear:
        sys.exit(Exit.UNKNOWN)


def _ended(work: DirectStop) -> tuple[bool, str]:
    """Whether it is proven that nothing of the bot rests, and how to say it."""
    try:
        if work.run():
            return True, "proven: two complete lists hold no order of this bot"
    except AuthRefused as error:
        did = "what it did before stands" if work.wrote else "nothing was cancelled"
        work.say(str(error))
        fix = SCOPE_FIX if error.status == FORBIDDEN else KEY_FIX
        return False, f"the exchange refuses this key ({error.status}): {did}; {fix}"
    return False, "NOT proven: run it again"


def _drawn() -> RenderableType:
    return table("Gentle to hard. Each may be repeated.", COLUMNS, LADDER)


def _say(desk: Desk, told: list[str]) -> Callable[[str], None]:
    def say(text: str) -> None:
        told.append(text)
        desk.note(text)

    return say


def _signer(key_id: str, pem: Path | None) -> Signer:
    if not key_id or pem is None:
        raise OperatorError("which key?", "say --key-id and --pem", Exit.USAGE)
    return signer_of(key_id, pem, read_whole(pem))


def _place(desk: Desk, stage: str | None, bot: str) -> tuple[tuple[str, str], str, Clock]:
    """Bot and stage, address and clock. AWS is not asked: it may be what is down."""
    if desk.on_this_machine:
        target = desk.target
        return (target.bot, target.stage), str((target.local or {})["exchange_url"]), target.clock
    if stage not in BASE_URLS:
        raise OperatorError("which exchange?", "say --stage prod or --stage kalshi-demo", Exit.USAGE)
    return (bot, stage), BASE_URLS[stage], WallClock()


def _agree(where: tuple[str, str], all_groups: bool, yes: bool) -> None:
    bot, stage = where
    groups = "EVERY order group of the account" if all_groups else "the order groups that its orders are in"
    click.echo(
        f"Trigger {groups}, then cancel every order of bot {bot} on {stage}. Positions stay.", err=True
    )
    if not yes and not (sys.stdin.isatty() and click.confirm("Go on?", err=True)):
        raise OperatorError("nothing was done", "add --yes where nobody can be asked", Exit.DECLINED)
