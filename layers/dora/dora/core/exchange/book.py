"""Questions about a YES book. Both sides stand best first; nothing here sorts or repairs a book."""

from collections.abc import Iterable

from dora.core.exchange.market import Book, Level, Side
from dora.core.units import ONE_DOLLAR, Count, Price

BID = Side.BID

Resting = tuple[Side, Price, Count]
"""Contracts that rest on one side at one price."""


def side_of(book: Book, side: Side) -> tuple[Level, ...]:
    """The levels of one side, best first."""
    return book.bids if side is BID else book.asks


def best_bid(book: Book) -> Price | None:
    """The highest bid, None on an empty side."""
    return book.bids[0].price if book.bids else None


def best_ask(book: Book) -> Price | None:
    """The lowest ask, None on an empty side."""
    return book.asks[0].price if book.asks else None


def is_crossed(book: Book) -> bool:
    """Whether the best bid meets or passes the best ask: two moments in one answer, or a paused match."""
    return bool(book.bids and book.asks) and book.bids[0].price >= book.asks[0].price


def without(book: Book, own: Iterable[Resting], most: int) -> Book:
    """The best `most` levels a side as others make them: our account's resting contracts taken off.

    A book may be older or newer than our orders, so a level never goes below zero and an own price
    that the book does not show is ignored.
    """
    bids: dict[Price, int] = {}
    asks: dict[Price, int] = {}
    for side, price, count in own:
        mine = bids if side is BID else asks
        mine[price] = mine.get(price, 0) + count
    return Book(book.ticker, _others(book.bids, bids, most), _others(book.asks, asks, most))


def _others(levels: tuple[Level, ...], mine: dict[Price, int], most: int) -> tuple[Level, ...]:
    if not mine:
        return levels[:most]
    left: list[Level] = []
    for level in levels:
        price, count = level
        own = mine.get(price, 0)
        if own < count:
            left.append(Level(price, Count(count - own)) if own else level)
            if len(left) == most:
                break
    return tuple(left)


def weighted_mid(book: Book, levels: int) -> float:
    """Dollars between the best prices, pulled toward the side with less depth in its best `levels`.

    Numerator and denominator are exact ints; the one float operation is their correctly rounded quotient.
    Both sides must hold contracts.
    """
    bids, asks = book.bids, book.asks
    bid_depth = sum([count for _, count in bids[:levels]])
    ask_depth = sum([count for _, count in asks[:levels]])
    numerator = bids[0].price * ask_depth + asks[0].price * bid_depth
    return numerator / ((bid_depth + ask_depth) * ONE_DOLLAR)
