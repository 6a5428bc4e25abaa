"""What programs are expected to pay that are over for us, into profit rows: estimates, in no profit.

A program is over when its period is, or when its market is not quoted for it any more. What it has earned by
then is kept beside the programs (`Due`) until it is booked: whatever goes wrong costs a cycle's delay.
"""

from collections.abc import Collection, Mapping

from dora.core.accounts.rewards import Reward, RewardKind
from dora.core.errors import StateError
from dora.core.incentives.programs import Due, Programs
from dora.core.incentives.score import paid
from dora.core.ports import Ports
from dora.core.quoting.reward_standing import banked_of
from dora.core.units import TimeMs
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
    """Programs that are over leave the rows, and those that will pay anything are due. Pure.

    `shards`: by ticker. A market of which none is known yet is waited for, a day at most.
    """
    rows, due = [], list(known.due)
    for row in known.rows:
        if row.end_ms > now_ms and row.ticker in tickers:
            rows.append(row)
            continue
        amount = paid(banked_of(memory.get(row.ticker), row.program_id), row.most)
        if amount and row.ticker in shards:
            due.append(Due(row.program_id, row.ticker, shards[row.ticker], row.end_ms, amount))
        elif amount and now_ms - row.end_ms < DAY_MS:
            rows.append(row)
    return known._replace(rows=tuple(rows), due=tuple(due))


def book_due(
    ports: Ports, context: CycleContext, loaded: LoadedState, accounts: Accounts, known: Programs
) -> Programs:
    """What is due, booked; what could not be is due still. Safe to repeat: a program is expected once."""
    if not known.due:
        return known
    books = Bookkeeper(ports, context.grant.fence, accounts.books, accounts.positions)
    earners = Earners(loaded.state.session, accounts.journal, strategies_of(loaded.wanted))
    rewards = [
        Reward(
            program=own.program_id,
            ticker=own.ticker,
            shard=own.shard,
            kind=RewardKind.EXPECTED,
            amount=own.amount,
            at_ms=own.end_ms,
        )
        for own in known.due
    ]
    with Reported(ports.facts, "expected rewards", StateError):
        book_rewards(ports, books, earners, rewards, loaded.state.cash)
        return known._replace(due=())
    return known


def shards_of(accounts: Accounts, listed: Mapping[str, int]) -> dict[str, int]:
    """By ticker, of what was listed in this cycle, and of the books."""
    return {**listed, **{ticker: own.shard for ticker, own in accounts.books.items()}}
