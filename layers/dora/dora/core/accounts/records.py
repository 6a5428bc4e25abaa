"""What an account did, one CSV line each, for whoever keeps its accounts or taxes.

kind     amount_dollars                                                     fee_dollars
fill     what YES contracts cost (below zero) or brought in, fees apart     what the exchange charged
payout   what the exchange paid when the market settled                     of the fills, told once more
cash     what came or went without a trade: a deposit, a credit, interest   none
reward   what of that cash was credited for quoting, told once more         none
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dora.core.accounts.cash_tie import UnexplainedCash
from dora.core.accounts.rewards import Reward, RewardKind
from dora.core.calendar import exchange_day, format_time
from dora.core.exchange.account import Fill, Settlement
from dora.core.units import Money, TimeMs, format_count, format_money, format_price, value_of

COLUMNS = (
    "time",
    "exchange_day",
    "kind",
    "market",
    "shard",
    "side",
    "contracts",
    "price_dollars",
    "amount_dollars",
    "fee_dollars",
    "id",
)


@dataclass(frozen=True, slots=True)
class AccountRecords:
    """All that is kept of an account, in any order."""

    fills: tuple[Fill, ...]
    payouts: tuple[Settlement, ...]
    cash: tuple[UnexplainedCash, ...]
    rewards: tuple[Reward, ...] = ()


def csv_lines(records: AccountRecords, year: str = "") -> Iterator[str]:
    """The names of the columns, then a line each in the order of time. `year`: by the exchange's day."""
    yield ",".join(COLUMNS)
    for time, line in sorted(_dated(records)):
        if exchange_day(time).startswith(year):
            yield ",".join([format_time(time), exchange_day(time), *map(_cell, line)])


def _dated(records: AccountRecords) -> Iterator[tuple[TimeMs, tuple[str, ...]]]:
    yield from ((fill.at_ms, _fill(fill)) for fill in records.fills)
    yield from ((paid.settled_ms, _payout(paid)) for paid in records.payouts)
    credited = (own for own in records.rewards if own.kind is RewardKind.CREDITED)
    yield from ((own.at_ms, _reward(own)) for own in credited)
    for found in records.cash:
        yield from ((found.since_ms, line) for line in _cash(found))


def _fill(fill: Fill) -> tuple[str, ...]:
    amount = Money(-fill.side.sign * value_of(fill.price, fill.count))
    return (
        "fill",
        fill.ticker,
        str(fill.shard),
        str(fill.side),
        format_count(fill.count),
        format_price(fill.price),
        format_money(amount),
        format_money(fill.fee),
        fill.fill_id,
    )


def _payout(paid: Settlement) -> tuple[str, ...]:
    """An amendment stands beside what it amends: the later one counts, not their sum."""
    where = paid.ticker, str(paid.shard), paid.result, ""
    money = format_price(paid.value), format_money(paid.revenue), format_money(paid.fee)
    return "payout", *where, *money, ""


def _cash(found: UnexplainedCash) -> Iterable[tuple[str, ...]]:
    """A line for each shard where it is known, else one for the account."""
    parts = {str(shard): amount for shard, amount in found.by_shard.items()} or {"": found.amount}
    for shard, amount in parts.items():
        yield "cash", "", shard, "", "", "", format_money(amount), "", ""


def _reward(own: Reward) -> tuple[str, ...]:
    money = format_money(own.amount)
    return "reward", own.ticker, str(own.shard), "", "", "", money, "", own.program


def _cell(text: str) -> str:
    """Quoted where the exchange's word for something holds what would end a cell."""
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if any(sign in text for sign in ',"\r\n') else text
