"""Liquidity programs at work: looks at books, and what they pay; nothing of it but cash is ever shown.

One look a minute at a random second, where the exchange takes one a second: a client that estimates from
looks of its own is off by about as much either way. Credits come one to two days after a period, without a
row in any list.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .book import ASK, BID
from .market import ACTIVE
from .model import Order

if TYPE_CHECKING:
    from .account import Account
    from .market import Market
    from .model import IncentiveProgram
    from .venue import Venue

MINUTE_MS = 60_000
DAY_MS = 86_400_000
TICK_E4 = 100
WHOLE_BPS = 10_000
LEAST_E6, CENT_E6 = 1_000_000, 10_000


class Credit(NamedTuple):
    """What a program paid an account."""

    at_ms: int
    program_id: str
    key_id: str
    amount_e6: int


class Rewards:
    """The programs that were added here. Its chance is its own: no order meets another fate because of it."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._random = random.Random(venue.seed ^ 0x5C0E)
        self._shares: dict[tuple[str, str, int], float] = {}
        self._looks: dict[str, int] = {}
        self.credits: list[Credit] = []

    def add(self, program: IncentiveProgram) -> None:
        """List it, and look at its market from its start, or from now on, to its end."""
        self._venue.programs.append(program)
        asks = program.target_e2 is not None and program.discount_bps is not None
        if not asks or program.ticker not in self._venue.markets:
            return
        began_ms = max(program.start_ms, self._venue.now_ms())
        self._plan(program, began_ms)
        self._venue.later(max(program.end_ms, began_ms), partial(self._over, program))

    def _plan(self, program: IncentiveProgram, minute_ms: int) -> None:
        at_ms = minute_ms + self._random.randrange(MINUTE_MS)
        if at_ms < program.end_ms:
            self._venue.later(at_ms, partial(self._look, program, minute_ms))

    def _look(self, program: IncentiveProgram, minute_ms: int) -> None:
        self._plan(program, minute_ms + MINUTE_MS)
        self._looks[program.id] = self._looks.get(program.id, 0) + 1
        market = self._venue.markets[program.ticker]
        sides = [self._scores(market, side, program) for side in (BID, ASK)]
        if market.status != ACTIVE or not all(held for held, _ in sides):
            return
        for _, scores in sides:
            everybody = sum(scores.values())
            for account, own in scores.items():
                if account is not None and everybody:
                    key = (program.id, *account)
                    self._shares[key] = self._shares.get(key, 0.0) + own / everybody / 2

    def _scores(
        self, market: Market, side: str, program: IncentiveProgram
    ) -> tuple[bool, dict[tuple[str, int] | None, float]]:
        """Whether the side holds the target, and everybody's scores; None: those who have no account."""
        target_e2, left = program.target_e2 or 0, (program.discount_bps or 0) / WHOLE_BPS
        running, reference, scores = 0, None, dict[tuple[str, int] | None, float]()
        for price_e4, level in market.book.halves[side].best_first():
            qualifies = running < target_e2
            running += level.total_e2
            if reference is None and running * 5 >= target_e2:
                reference = price_e4
            weight = left ** (abs(price_e4 - reference) // TICK_E4) if reference is not None else 1.0
            for order in level.queue.values() if qualifies else ():
                owner = (order.member.key_id, order.account.number) if isinstance(order, Order) else None
                scores[owner] = scores.get(owner, 0.0) + order.remaining_e2 * weight
        return running >= target_e2, scores

    def _over(self, program: IncentiveProgram) -> None:
        at_ms = self._venue.now_ms() + DAY_MS + self._random.randrange(DAY_MS)
        self._venue.later(at_ms, partial(self._pay, program))

    def _pay(self, program: IncentiveProgram) -> None:
        programs = self._venue.programs
        programs[:] = [replace(own, paid_out=True) if own.id == program.id else own for own in programs]
        for (program_id, key_id, number), shares in sorted(self._shares.items()):
            amount_e6 = int(program.reward_e4 * 100 * shares / self._looks[program.id]) // CENT_E6 * CENT_E6
            if program_id == program.id and amount_e6 >= LEAST_E6:
                account: Account = self._venue.members[key_id].accounts[number]
                shard = self._venue.markets[program.ticker].shard
                account.move(shard, amount_e6)
                account.stamp_cash(shard, self._venue.now_ms())
                self.credits.append(Credit(self._venue.now_ms(), program.id, key_id, amount_e6))
