"""Rewards for quoting: what a program lets expect, and what the exchange credited, each of them booked once.

    expected    into a profit row alone: in no ledger, in no profit, in no cash
    credited    into the books of its market and into a row: it explains cash that was found before

No list of the exchange shows a credit; the balance does, as cash that no trade explains (`cash_tie.py`).
Whoever matches that cash with a program, or a person who enters it, names the program: in one market a
program is expected once and credited once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dora.core.accounts.cash_tie import CashBooks, ShardAnchor
from dora.core.accounts.market_ledger import MarketLedger
from dora.core.accounts.posting import Attribution, estimated_reward, post_reward
from dora.core.accounts.profit_rows import ProfitRow
from dora.core.units import Money, TimeMs


class RewardKind(StrEnum):
    """Whether anybody has paid it yet."""

    EXPECTED = "expected"
    CREDITED = "credited"


class RewardName(NamedTuple):
    """What makes it one and the same reward."""

    program: str
    ticker: str
    kind: RewardKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """Of one program in one market. `at_ms`: the end of the period, or when the credit was first seen.

    Raises ValueError for one that is not above zero.
    """

    program: str
    ticker: str
    shard: int
    kind: RewardKind
    amount: Money
    at_ms: TimeMs

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError(f"{self.program} in {self.ticker}: a reward of {self.amount} is none")

    @property
    def name(self) -> RewardName:
        """What it is known by."""
        return RewardName(self.program, self.ticker, self.kind)


class PostedRewards(NamedTuple):
    """Books that rewards change, as they are then, and what they add to rows."""

    ledgers: Mapping[str, MarketLedger]
    rows: tuple[ProfitRow, ...]


def post_rewards(
    ledgers: Mapping[str, MarketLedger], rewards: Iterable[Reward], earners: Mapping[str, Attribution]
) -> PostedRewards:
    """Each reward in the row of its day. Not safe to repeat: dedupe on `name` first.

    `earners`: by ticker, whose quotes earned them. Raises ValueError for one of another shard than its books.
    """
    changed: dict[str, MarketLedger] = {}
    rows: list[ProfitRow] = []
    for reward in rewards:
        ticker, by = reward.ticker, earners[reward.ticker]
        if reward.kind is RewardKind.EXPECTED:
            rows.append(estimated_reward(ticker, reward.amount, reward.at_ms, by))
            continue
        before = changed.get(ticker) or ledgers.get(ticker) or MarketLedger(ticker=ticker, shard=reward.shard)
        if before.shard != reward.shard:
            raise ValueError(f"{ticker} is on shard {before.shard}, its reward on {reward.shard}")
        posting = post_reward(before, reward.amount, reward.at_ms, by)
        changed[ticker] = posting.ledger
        rows.append(posting.row)
    return PostedRewards(changed, tuple(rows))


def explained(cash: CashBooks, rewards: Iterable[Reward]) -> CashBooks:
    """The cash books once these credits are in the ledgers: cash that was found is unexplained no more.

    The balance held it when it was last tied, so the anchor moves by what the books have caught up with, and
    the next read ties as it would have without the credit.
    """
    anchors = {anchor.shard: anchor for anchor in cash.anchors}
    unexplained = cash.unexplained
    for reward in rewards:
        if reward.kind is RewardKind.EXPECTED:
            continue
        unexplained = Money(unexplained - reward.amount)
        if anchors:
            own = anchors.get(reward.shard) or _empty(reward.shard)
            anchors[own.shard] = own._replace(movement=Money(own.movement + reward.amount))
    return cash._replace(anchors=tuple(anchors[shard] for shard in sorted(anchors)), unexplained=unexplained)


def _empty(shard: int) -> ShardAnchor:
    return ShardAnchor(shard=shard, balance=Money(0), movement=Money(0), reserved=Money(0))
