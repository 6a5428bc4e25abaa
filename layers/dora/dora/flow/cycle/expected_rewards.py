"""What programs are expected to pay that are over for us, into profit rows: estimates, in no profit.

A program is booked once, when its period is over: whoever leaves its market before may come back to it. What
it has earned by the time it is left is kept beside the programs (`Due`) until then, and until it is booked.
"""

from collections.abc import Collection, Mapping

from dora.core.accounts.rewards import Reward, RewardKind
from dora.core.errors import StateError
from dora.core.exchange.public_data import IncentiveProgram
from dora.core.incentives.programs import Due, Programs
from dora.core.incentives.score import paid
from dora.core.ports import Ports
from dora.core.quoting.reward_standing import banked_of
from dora.core.units import Money, TimeMs
from dora.core.zones import DAY_MS
from dora.flow.cycle.cycle_context import CycleContext, LoadedState
from dora.flow.shared.accounting import Accounts
from dora.flow.shared.bookkeeping import Bookkeeper
from dora.flow.shared.earners import Earners
from dora.flow.shared.reported import Reported
from dora.flow.shared.rewards import book_rewards
from dora.flow.shared.universe import strategies_of

Memory = Mapping[str, Mapping[str, object]]


def with_due(
    known: Programs, memory: Memory, tickers: Collection[str], shards: Mapping[str, int], now_ms: TimeMs
) -> Programs:
    """Programs that are over, or whose market is left, leave the rows; what they have earned is due. Pure.

    `shards`: by ticker. A market of which none is known yet is waited for, a day at most.
    """
    rows, due = [], {_name(own): own for own in known.due}
    for row in known.rows:
        if row.end_ms > now_ms and row.ticker in tickers:
            rows.append(row)
            continue
        before, banked = due.get(_name(row)), banked_of(memory.get(row.ticker), row.program_id)
        if not banked:
            continue
        if row.ticker in shards:
            earned = banked + (before.amount if before else 0)
            amount = Money(earned if row.most is None else min(earned, row.most))
            due[_name(row)] = Due(row.program_id, row.ticker, shards[row.ticker], row.end_ms, amount)
        elif now_ms - row.end_ms < DAY_MS:
            rows.append(row)
    return known._replace(rows=tuple(rows), due=tuple(due.values()))


def resumed(known: Programs, before: Programs, memory: Memory) -> Programs:
    """Once programs were read: what a market has earned that came back to its program is not due twice. Pure.

    Where its memory has gone on from what was due when it was left, that holds both; else it began anew, and
    both are added up in the end.
    """
    back = {_name(row) for row in known.rows} - {_name(row) for row in before.rows}
    kept = (
        own
        for own in known.due
        if _name(own) not in back or banked_of(memory.get(own.ticker), own.program_id) < own.amount
    )
    return known._replace(due=tuple(kept))


def _name(own: IncentiveProgram | Due) -> tuple[str, str]:
    return own.program_id, own.ticker


def book_due(
    ports: Ports, context: CycleContext, loaded: LoadedState, accounts: Accounts, known: Programs
) -> Programs:
    """What is due of periods that are over, booked; what could not be is due still.

    Safe to repeat: a program is expected once.
    """
    ended = [own for own in known.due if own.end_ms <= context.began_ms]
    if not ended:
        return known
    books = Bookkeeper(ports, context.grant.fence, accounts.books, accounts.positions)
    earners = Earners(loaded.state.session, accounts.journal, strategies_of(loaded.wanted))
    rewards = [
        Reward(
            program=own.program_id,
            ticker=own.ticker,
            shard=own.shard,
            kind=RewardKind.EXPECTED,
            amount=amount,
            at_ms=own.end_ms,
        )
        for own in ended
        if (amount := paid(own.amount, None))
    ]
    with Reported(ports.facts, "expected rewards", StateError):
        book_rewards(ports, books, earners, rewards, loaded.state.cash)
        return known._replace(due=tuple(own for own in known.due if own not in ended))
    return known


def shards_of(accounts: Accounts, listed: Mapping[str, int]) -> dict[str, int]:
    """By ticker, of what was listed in this cycle, and of the books."""
    return {**listed, **{ticker: own.shard for ticker, own in accounts.books.items()}}
