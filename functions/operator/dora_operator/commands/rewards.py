"""`rewards`: what programs were expected to pay beside what was credited; --book books credits."""

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import click

from dora.core.accounts.records import AccountRecords
from dora.core.accounts.rewards import RewardKind
from dora.core.calendar import format_time
from dora.core.incentives.credits import Ended, of_credit
from dora.core.units import Money, format_money
from dora.edge.dynamo.records import read_records
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.pagination import read_list
from dora.edge.kalshi.wire import flag, name
from dora_operator.confirm import agreed
from dora_operator.desk import Desk, command, table
from dora_operator.exchange import own_exchange
from dora_operator.failures import Exit, OperatorError
from dora_operator.invoke import ask_session

COLUMNS = ("program", "market", "over at", "expected", "credited", "matches")
FIGURES = ("expected", "credited", "matches")
PAGE_ROWS = 10_000
DONE = ("credited", "credited before")


class Match(NamedTuple):
    """A credit that is not booked yet, and the program that it is of."""

    program: str
    market: str
    amount: Money


@command("rewards")
@click.option("--book", is_flag=True, help="Book the credits that match, or the one named, after asking.")
@click.option("--program", default="", help="With --book: the id of a program, as the exchange has it.")
@click.option("--market", default="", help="With --program: its market.")
@click.option("--amount", default="", help="With --program: the dollars that its credit shows on the site.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rewards(desk: Desk, book: bool, program: str, market: str, amount: str, yes: bool) -> None:
    """What programs were expected to pay, and what the exchange credited.

    A credit is in no list of the exchange: it shows as cash that no trade explains. Such cash is matched with
    a program by amount (within 30 %), date (half a day to four days after its period) and the exchange's word
    that it is paid out. What fits none, or more than one, stays the account's. Reads only, without --book.
    """
    named = (program, market, amount)
    if any(named) and not (book and all(named)):
        raise OperatorError("--program, --market and --amount go together, with --book", exit_code=Exit.USAGE)
    target = desk.target
    records = read_records(target.client("dynamodb"), target.state_table, target.state_key)
    found = [] if program else list(matches(records, lambda: _paid_out(own_exchange(target))))
    _show(desk, records, found)
    if not book:
        return
    wanted = (
        [(program, market, amount)] if program else [(*own[:2], format_money(own.amount)) for own in found]
    )
    if not wanted:
        raise OperatorError("no cash matches a program", "name --program, --market, --amount", Exit.NEGATIVE)
    what = "; ".join(f"{dollars} $ for {program} in {market}" for program, market, dollars in wanted)
    agreed(target, f"Book as credited: {what}. It cannot be taken back.", yes=yes)
    for program_id, ticker, dollars in wanted:
        answer = ask_session(target, "credit", program=program_id, market=ticker, amount_dollars=dollars)
        desk.note(f"{program_id} in {ticker}: {answer.get('status')} {answer.get('reason', '')}".strip())
        if answer.get("status") not in DONE:
            raise OperatorError("not booked", "ask again in half a minute", Exit.NEGATIVE)


def matches(records: AccountRecords, paid_out: Callable[[], Collection[str]]) -> Iterator[Match]:
    """Of cash that was found and no credit explains yet. Asks the exchange only where there is any."""
    credited = [own for own in records.rewards if own.kind is RewardKind.CREDITED]
    booked, spent = {(own.program, own.ticker) for own in credited}, [own.amount for own in credited]
    ended = [
        Ended(own.program, own.ticker, own.at_ms, own.amount)
        for own in records.rewards
        if own.kind is RewardKind.EXPECTED and (own.program, own.ticker) not in booked
    ]
    ids: Collection[str] | None = None
    for cash in sorted(records.cash, key=lambda own: own.found_ms):
        if cash.amount in spent:
            spent.remove(cash.amount)
        elif cash.amount > 0 and ended:
            ids = paid_out() if ids is None else ids
            own = of_credit(cash.amount, cash.since_ms, ended, ids)
            if own is not None:
                ended.remove(own)
                yield Match(own.program_id, own.ticker, cash.amount)


def _paid_out(exchange: KalshiExchange) -> frozenset[str]:
    """Ids of programs of which the exchange says so, whatever it makes of the filter."""
    params: list[tuple[str, str | int]] = [("status", "paid_out"), ("type", "liquidity")]
    rows = read_list(exchange, "/incentive_programs", "incentive_programs", params, PAGE_ROWS)
    return frozenset(row.field("id", name) for row in rows if row.field("paid_out", flag))


def _show(desk: Desk, records: AccountRecords, found: list[Match]) -> None:
    matched = {(own.program, own.market): own.amount for own in found}
    sums: dict[tuple[str, str], dict[RewardKind, Money]] = {}
    over = {(own.program, own.ticker): own.at_ms for own in records.rewards}
    for own in records.rewards:
        sums.setdefault((own.program, own.ticker), {})[own.kind] = own.amount
    rows = [
        (*key, format_time(over[key])[:16], *(_dollars(kinds.get(kind)) for kind in RewardKind))
        + (_dollars(matched.get(key)),)
        for key, kinds in sums.items()
    ]
    data = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    desk.show(data, table("Rewards, in dollars: what is expected is an estimate", COLUMNS, rows, FIGURES))


def _dollars(amount: Money | None) -> str | None:
    return None if amount is None else format_money(amount)
