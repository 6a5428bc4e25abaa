"""A limit order book of one market: price levels, first come first served within a level."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Resting

BID = "bid"
ASK = "ask"
OPPOSITE = {BID: ASK, ASK: BID}


class Level:
    """The queue at one price; a dict keeps order of arrival and removes anywhere in O(1)."""

    __slots__ = ("background_e2", "queue", "total_e2")

    def __init__(self) -> None:
        self.queue: dict[str | int, Resting] = {}
        self.total_e2 = 0
        self.background_e2 = 0

    def count(self, order: Resting, delta_e2: int) -> None:
        self.total_e2 += delta_e2
        if order.member is None:
            self.background_e2 += delta_e2


class BookHalf:
    """All bids or all asks."""

    def __init__(self, side: str) -> None:
        self.side = side
        self.levels: dict[int, Level] = {}
        self._prices: list[int] = []  # ascending

    def add(self, order: Resting) -> None:
        """Join the back of the queue at the order's price."""
        level = self.levels.get(order.price_e4)
        if level is None:
            level = self.levels[order.price_e4] = Level()
            insort(self._prices, order.price_e4)
        level.queue[order.id] = order
        level.count(order, order.remaining_e2)

    def remove(self, order: Resting) -> None:
        """Leave the book with whatever still remains of the order."""
        level = self.levels[order.price_e4]
        del level.queue[order.id]
        level.count(order, -order.remaining_e2)
        if not level.queue:
            self._drop(order.price_e4)

    def shrink(self, order: Resting, by_e2: int) -> None:
        """Take `by_e2` off a resting order in its place; at zero it leaves the book."""
        level = self.levels[order.price_e4]
        order.remaining_e2 -= by_e2
        level.count(order, -by_e2)
        if order.remaining_e2 == 0:
            del level.queue[order.id]
            if not level.queue:
                self._drop(order.price_e4)

    def grow(self, order: Resting, by_e2: int) -> None:
        """Add to a resting order in its place."""
        order.remaining_e2 += by_e2
        self.levels[order.price_e4].count(order, by_e2)

    def best_e4(self) -> int | None:
        if not self._prices:
            return None
        return self._prices[-1] if self.side == BID else self._prices[0]

    def head(self) -> Resting | None:
        """The order next in line: best price, then earliest arrival."""
        best = self.best_e4()
        return None if best is None else next(iter(self.levels[best].queue.values()))

    def best_first(self) -> Iterator[tuple[int, Level]]:
        prices = reversed(self._prices) if self.side == BID else iter(self._prices)
        return ((price, self.levels[price]) for price in list(prices))

    def ladder(self) -> list[tuple[int, int]]:
        """(price_e4, total_e2) from best to worst."""
        return [(price, level.total_e2) for price, level in self.best_first()]

    def orders(self) -> Iterator[Resting]:
        """Every order in the sequence in which it would trade."""
        for _, level in self.best_first():
            yield from list(level.queue.values())

    def ahead_e2(self, order: Resting) -> int:
        """Contracts that trade before this order does."""
        better = sum(
            level.total_e2 for price, level in self.best_first() if improves(self.side, price, order.price_e4)
        )
        for other in self.levels[order.price_e4].queue.values():
            if other.id == order.id:
                break
            better += other.remaining_e2
        return better

    def _drop(self, price_e4: int) -> None:
        del self.levels[price_e4]
        del self._prices[bisect_left(self._prices, price_e4)]


class Book:
    """Both halves."""

    def __init__(self) -> None:
        self.halves = {BID: BookHalf(BID), ASK: BookHalf(ASK)}

    def contra(self, side: str) -> BookHalf:
        """The half an order of `side` trades against."""
        return self.halves[OPPOSITE[side]]

    def crosses(self, side: str, limit_e4: int) -> bool:
        """Would an order of `side` at this limit trade at once?"""
        best = self.contra(side).best_e4()
        return best is not None and reaches(side, limit_e4, best)


def improves(side: str, price_e4: int, other_e4: int) -> bool:
    """Is `price_e4` strictly better than `other_e4` for that side?"""
    return price_e4 > other_e4 if side == BID else price_e4 < other_e4


def reaches(side: str, limit_e4: int, resting_e4: int) -> bool:
    """Does a taker of `side` with this limit accept the resting price?"""
    return limit_e4 >= resting_e4 if side == BID else limit_e4 <= resting_e4
