"""`doctor`: everything that must hold before trading, with its fix; `--probe` tries the exchange."""

import json
import sys
from pathlib import Path

import click

from dora.core.orders.journal import order_prefix
from dora.core.session import SessionStatus
from dora_operator.checks import OK, all_checks, exit_of
from dora_operator.commands.suggest import candidates
from dora_operator.confirm import agreed
from dora_operator.desk import Desk, command, table
from dora_operator.exchange import own_exchange
from dora_operator.failures import OperatorError
from dora_operator.probe import Probe
from dora_operator.reading import Reading
from dora_operator.whole_file import write_whole

COLUMNS = ("check", "", "found", "fix")
STEPS = ("step", "found", "milliseconds")


@command("doctor")
@click.option("--probe", is_flag=True, help="Try the exchange with one small order that cannot trade.")
@click.option("--market", default="", help="In this market; else the one most traded.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the probe's findings, to share them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--yes-real-money", is_flag=True, help="Needed to probe where the stage is prod.")
def doctor(desk: Desk, probe: bool, market: str, out: Path | None, yes: bool, yes_real_money: bool) -> None:
    """Everything that must hold before trading, each finding with its fix.

    Reads only, but for --probe. Exit code 0: all is well; 1: something is not; 3: something could not be
    looked at.
    """
    if probe:
        what = "Place one bid of 2 contracts at the lowest price, change it, and take it off again."
        agreed(desk.target, what, yes=yes, real_money=yes_real_money)
        _probed(desk, market, out)
        return
    found = sorted(all_checks(Reading(desk.target)), key=lambda own: own.state == OK)
    rows = [(own.what, own.state, own.found, own.fix) for own in found]
    desk.show([vars(own) for own in found], f"{desk.target}", table("", COLUMNS, rows))
    sys.exit(exit_of(found))


def _probed(desk: Desk, ticker: str, out: Path | None) -> None:
    target, session = desk.target, Reading(desk.target).state.session
    if session is not None and session.status is not SessionStatus.CLOSED:
        raise OperatorError(f"session {session.session_id} is {session.status}", "dora teardown first")
    exchange = own_exchange(target)
    if not ticker:
        best = max(candidates(exchange), key=lambda own: (own.day_volume, own.ticker), default=None)
        ticker = best.ticker if best else ""
    market = exchange.markets([ticker]).get(ticker)
    if market is None:
        raise OperatorError(f"the exchange knows no open market {ticker!r}", "name one with --market")
    found = list(Probe(exchange, target.clock, market, order_prefix(target.bot, target.stage)).run())
    data = {"stage": target.stage, "market": ticker, "findings": [vars(own) for own in found]}
    rows = [(own.step, own.found, own.milliseconds) for own in found]
    desk.show(data, table(f"{ticker}: nothing is left", STEPS, rows, STEPS[2:]))
    if out is not None:
        write_whole(out, json.dumps(data, indent=2) + "\n")
