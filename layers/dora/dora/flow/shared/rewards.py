"""Rewards into the books, each with its record, its profit row and the cash that it explains."""

from collections.abc import Sequence
from dataclasses import replace

from dora.core.accounts.cash_tie import CashBooks, UnexplainedCash
from dora.core.accounts.rewards import Reward, RewardKind
from dora.core.accounts.stored_books import REWARDS_PER_TRANSACTION
from dora.core.orders.batches import split
from dora.core.ports import Ports
from dora.core.units import format_money
from dora.flow.shared.bookkeeping import Bookkeeper
from dora.flow.shared.earners import Earners


def book_rewards(
    ports: Ports,
    books: Bookkeeper,
    earners: Earners,
    rewards: Sequence[Reward],
    cash: CashBooks,
    found: UnexplainedCash | None = None,
) -> CashBooks:
    """Book those that are new; the cash books from now on, which this cycle is to commit.

    `cash`: as this cycle's look left them. `found`: the finding of that look, where a credit explains it.
    Safe to repeat: a program is booked once in a market as expected, and once as credited. A market that has
    left the state comes back first.
    """
    new = books.unrewarded(rewards)
    unknown = sorted({reward.ticker for reward in new} - books.ledgers.keys())
    if unknown and (left := ports.state.retired(unknown)):
        books.readmit(list(left.values()))
    new = [replace(own, shard=books.ledger(own.ticker, own.shard).shard) for own in new]
    for part in split(new, REWARDS_PER_TRANSACTION):
        by = {reward.ticker: earners.of_market(reward.ticker) for reward in part}
        cash, found = books.book_rewards(part, by, cash, found), None
    for reward in new:
        ports.facts.emit(
            "REWARD_CREDITED" if reward.kind is RewardKind.CREDITED else "REWARD_EXPECTED",
            market=reward.ticker,
            program=reward.program,
            amount_dollars=format_money(reward.amount),
        )
    return cash
