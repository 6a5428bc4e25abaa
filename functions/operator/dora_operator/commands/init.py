"""`init`: a config file for one stack, with caps in proportion to what the account holds."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from dora.core.config import GlobalConfig
from dora.core.config_fields import keys_of
from dora.core.errors import RateLimited
from dora.core.units import Money, format_money
from dora_operator.config_file import ConfigFile, written
from dora_operator.config_rules import GLOBAL, Raw, problems
from dora_operator.desk import Desk, command
from dora_operator.exchange import own_exchange
from dora_operator.failures import Exit, OperatorError
from dora_operator.whole_file import new_place, write_whole

STAGES = ("kalshi-demo", "prod", "local")
CAPS = {
    "max_event_loss_dollars": 2,
    "max_total_loss_dollars": 30,
    "max_daily_loss_dollars": 2,
    "max_loss_since_dollars": 8,
    "cash_reserve_dollars": 10,
}
"""Percent of the balance. A cap that this version of the product does not have is left out."""
CHOSEN_BY_HAND = ("max_total_loss_dollars", "max_daily_loss_dollars", "max_loss_since_dollars")
"""What nobody proposes where the money is real."""
CHOOSE = "choose"
"""Stands for an amount, and is none: a file that holds it is not valid."""
CENT = 10_000
BALANCE_MS = 1_100


@command("init")
@click.option("--name", help="Name of the stack.")
@click.option("--stage", type=click.Choice(STAGES))
@click.option("--email", help="Who is told of alarms; empty for nobody.")
@click.option("--balance", help="Dollars in the account, where it cannot be read yet.")
@click.option("--burst", default=500, show_default=True, help="Contracts an order group may match in 15 s.")
@click.option("--out", default="dora.yaml", show_default=True, type=click.Path(path_type=Path))
def init(
    desk: Desk,
    name: str | None,
    stage: str | None,
    email: str | None,
    balance: str | None,
    burst: int,
    out: Path,
) -> None:
    """Make a config file for a stack, with caps in proportion to the account.

    With --local or --stack the balance is read with the stack's key; else --balance says it.
    """
    new_place(out)
    known = desk.names_a_stack
    stack = name or (desk.target.stack if known else _asked("Name of the stack"))
    stage = stage or (desk.target.stage if known else _asked("Stage", STAGES))
    email = email if email is not None else ("" if stage == "local" else _asked("Mail for alarms"))
    cash = _read(desk) if known and not balance else {}
    held = Money(sum(cash.values())) if cash else _dollars(balance or _asked("Balance in dollars"))
    source = f"{_held(held)} $, {_source(desk, cash)}"
    file = ConfigFile(stack, stage, {GLOBAL: proposal(held, burst, real_money=stage == "prod")})
    write_whole(out, written(file, as_csv=False, note=_note(file, source, email)))
    following = _next(file, out, email, deployed=known)
    if desk.as_json:
        desk.show({"file": str(out), "balance_dollars": _held(held), "next": following})
    desk.note(f"caps are shares of {source}\nwritten: {out}\nnext: {following}")


def _asked(question: str, choices: tuple[str, ...] = ()) -> str:
    if not sys.stdin.isatty():
        raise OperatorError(f"{question}?", "say it with an option: `dora init --help`", Exit.USAGE)
    answer: str = click.prompt(question, type=click.Choice(choices) if choices else str)
    return answer


def _dollars(text: str) -> Money:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise OperatorError(f"the balance is {text!r}", "write whole dollars, 5000", Exit.USAGE)
    return Money(int(text) * 100 * CENT)


def _read(desk: Desk) -> Mapping[int, Money]:
    """By shard."""
    exchange = own_exchange(desk.target)
    try:
        return exchange.cash()
    except RateLimited:
        # The balance is told once a second, to all who use the key.
        desk.target.clock.sleep_ms(BALANCE_MS)
        return exchange.cash()


def _source(desk: Desk, cash: Mapping[int, Money]) -> str:
    """Where the balance comes from."""
    if not cash:
        return "as you said it"
    whose = "of the simulated account of this machine" if desk.on_this_machine else "as the exchange tells it"
    return f"{whose}: {', '.join(f'{_held(own)} $ on shard {shard}' for shard, own in sorted(cash.items()))}"


def _held(amount: Money) -> str:
    return format_money(amount)[:-4]


def proposal(held: Money, burst: int, *, real_money: bool) -> Raw:
    """A GLOBAL item that does not trade yet."""
    raw: Raw = {"trading_enabled": False, "group_burst_limit": str(burst)}
    for name, share in CAPS.items():
        if name in keys_of(GlobalConfig):
            proposed = format_money(Money(max(held * share // 100 // CENT * CENT, CENT)))[:-4]
            raw[name] = CHOOSE if real_money and name in CHOSEN_BY_HAND else proposed
    return raw


def _note(file: ConfigFile, source: str, email: str) -> str:
    lines = [f"Caps are shares of a balance of {source}.", f"They are: {_shares(file)}."]
    if by_hand := [name for name, own in file.items[GLOBAL].items() if own == CHOOSE]:
        lines.append(f"Real money: nobody chooses {', '.join(by_hand)} for you; write an amount for each.")
    lines.append("Nothing is quoted before trading_enabled and a market's enabled are true.")
    return "\n".join([*lines, *([f"Alarms go to {email}."] if email else [])])


def _shares(file: ConfigFile) -> str:
    return ", ".join(
        f"{name} {share} %" for name, share in CAPS.items() if file.items[GLOBAL].get(name, CHOOSE) != CHOOSE
    )


def _next(file: ConfigFile, out: Path, email: str, *, deployed: bool) -> str:
    wrong = list(problems(file.items))
    if wrong:
        return f"mend {out}: {wrong[0]}"
    if deployed:
        return f"set trading_enabled: true in {out}, dora config apply {out}, dora suggest --out markets.csv"
    mail = f" AlarmEmail={email}" if email else ""
    return f"sam deploy --stack-name {file.stack} --parameter-overrides Stage={file.stage}{mail}"
