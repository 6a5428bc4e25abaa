"""`now`: one screen at three in the morning. Worst first, and the command to type next."""

import sys
from collections.abc import Iterator

from dora.core.units import ONE_DOLLAR, Count, Money, format_count
from dora_operator.checks import OK, all_checks, exit_of
from dora_operator.commands.top import todays_profit
from dora_operator.desk import Desk, command, pairs, table
from dora_operator.money import cents, total
from dora_operator.reading import Reading


@command("now")
def now(desk: Desk) -> None:
    """One screen, worst first: what is wrong, and what to type next.

    Exit code 0: nothing is wrong; 1: something is; 3: something could not be looked at.
    """
    reading = Reading(desk.target)
    wrong = [own for own in all_checks(reading) if own.state != OK]
    facts = list(standing(reading))
    rows = [(own.what, own.found, own.fix or "-") for own in wrong]
    shown = table("WRONG", ("what", "found", "type"), rows) if rows else "nothing is wrong"
    data = {"wrong": [vars(own) for own in wrong], **dict(facts)}
    desk.show(data, f"{desk.target}", shown, pairs("", facts), "to stop: dora stop")
    sys.exit(exit_of(wrong))


def standing(reading: Reading) -> Iterator[tuple[str, str | None]]:
    """Money at risk, what rests, and what today came to."""
    orders = reading.open_orders
    unproven = sum(own.state != "live" for own in orders)
    resting = format_count(Count(sum(own.remaining for own in orders)))
    yield "resting", f"{len(orders)} orders, {resting} contracts, {unproven} of them unproven"
    held = {ticker: own.net for ticker, own in reading.state.positions.items() if own.net}
    yield "held", f"{len(held)} markets, {format_count(Count(sum(map(abs, held.values()))))} contracts"
    yield "at risk, held", f"{cents(at_risk(reading))} $ if every position is worth nothing"
    filled = Money(sum(_worst(own.price, own.remaining, own.slot.side) for own in orders))
    yield "at risk, resting", f"{cents(filled)} $ more if every order fills and is worth nothing"
    profit = total(list(todays_profit(reading).values()))
    yield "today", f"{cents(profit) or '?'} $"


def at_risk(reading: Reading) -> Money:
    """What open positions cost on their own leg: the most that they can lose from here, fees apart."""
    books = reading.state.books.values()
    return Money(sum(own.cost for own in books if own.net))


def _worst(price: int, count: int, side: str) -> int:
    return (price if side == "bid" else ONE_DOLLAR - price) * count
