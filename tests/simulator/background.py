"""The rest of the market: anonymous participants with endless cash."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .book import ASK, BID, Level
from .model import BackgroundOrder

if TYPE_CHECKING:
    from .engine import Engine
    from .groups import Groups
    from .market import Market
    from .venue import Venue

Ladder = Iterable[tuple[int, int]]  # (price_e4, count_e2)


class Background:
    """Orders without an owner; they ignore market status, pauses and the price grid."""

    def __init__(self, venue: Venue, engine: Engine, groups: Groups) -> None:
        self._venue = venue
        self._engine = engine
        self._groups = groups

    def order(self, market: Market, side: str, price_e4: int, count_e2: int) -> int:
        """Take what crosses, rest the remainder; returns the order's id."""
        order = BackgroundOrder(self._venue.new_number(), market, side, price_e4, count_e2)
        self._engine.sweep(market, order, price_e4)
        if order.remaining_e2:
            self._rest(order)
        self._groups.judge()
        return order.id

    def cancel(self, background_id: int) -> None:
        """Take the rest of it off the book; nothing when it is gone already."""
        order = self._venue.background.pop(background_id, None)
        if order is not None:
            order.market.book.halves[order.side].remove(order)
            order.market.revision += 1

    def take(self, market: Market, side: str, limit_e4: int, count_e2: int) -> int:
        """Immediate-or-cancel by a taker of `side`; returns what it filled."""
        taker = BackgroundOrder(self._venue.new_number(), market, side, limit_e4, count_e2)
        self._engine.sweep(market, taker, limit_e4)
        self._groups.judge()
        return count_e2 - taker.remaining_e2

    def replace(self, market: Market, bids: Ladder, asks: Ladder) -> None:
        """Make the background book exactly this; unchanged liquidity keeps its place in the queue.

        Everything stale leaves first, so the new levels can only trade with members. What a level loses
        it loses from the back of its queue, and what it gains joins the back.
        """
        wanted = {BID: _totals(bids), ASK: _totals(asks)}
        for side, totals in wanted.items():
            self._withdraw(market, side, totals)
        for side, totals in wanted.items():
            levels = market.book.halves[side].levels
            for price_e4 in sorted(totals, reverse=side == BID):
                level = levels.get(price_e4)
                missing_e2 = totals[price_e4] - (level.background_e2 if level else 0)
                if missing_e2 > 0:
                    self._add(market, side, price_e4, missing_e2)

    def _withdraw(self, market: Market, side: str, totals: dict[int, int]) -> None:
        for price_e4, level in market.book.halves[side].best_first():
            surplus_e2 = level.background_e2 - totals.get(price_e4, 0)
            if surplus_e2 > 0:
                self._shave(market, side, level, surplus_e2)

    def _shave(self, market: Market, side: str, level: Level, surplus_e2: int) -> None:
        half = market.book.halves[side]
        for order, cut_e2 in _from_the_back(level, surplus_e2):
            half.shrink(order, cut_e2)
            if order.remaining_e2 == 0:
                self._venue.background.pop(order.id, None)
        market.revision += 1

    def _add(self, market: Market, side: str, price_e4: int, count_e2: int) -> None:
        """More at one price; the order at the back grows where it can, which is the same and cheaper."""
        half = market.book.halves[side]
        level = half.levels.get(price_e4)
        last = next(reversed(level.queue.values())) if level else None
        if isinstance(last, BackgroundOrder):
            half.grow(last, count_e2)
            market.revision += 1
        else:
            self.order(market, side, price_e4, count_e2)

    def _rest(self, order: BackgroundOrder) -> None:
        order.market.book.halves[order.side].add(order)
        order.market.revision += 1
        self._venue.background[order.id] = order


def _from_the_back(level: Level, surplus_e2: int) -> list[tuple[BackgroundOrder, int]]:
    """Background orders and what each gives up, latest arrival first."""
    cuts: list[tuple[BackgroundOrder, int]] = []
    for order in reversed(level.queue.values()):
        if surplus_e2 == 0:
            break
        if isinstance(order, BackgroundOrder):
            cuts.append((order, min(surplus_e2, order.remaining_e2)))
            surplus_e2 -= cuts[-1][1]
    return cuts


def _totals(ladder: Ladder) -> dict[int, int]:
    totals: dict[int, int] = {}
    for price_e4, count_e2 in ladder:
        totals[price_e4] = totals.get(price_e4, 0) + count_e2
    return totals
