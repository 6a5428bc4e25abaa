"""Fair value of a market from its book."""

from typing import NamedTuple

from dora.core.exchange.book import weighted_mid
from dora.core.exchange.market import Book
from dora.core.reasons import Reason
from dora.core.units import Price

LEVELS = 3
"""How many prices of each side weigh in: the touch alone is moved by one small order."""


class FairValue(NamedTuple):
    """Dollars in (0, 1), where they come from, and the touch they were read off."""

    value: float
    source: str
    bid: Price
    ask: Price


def fair_value(book: Book, max_spread: Price) -> FairValue | Reason:
    """The depth-weighted mid of a book without our own orders, or why it holds no fair value.

    A quiet book is as good as a busy one: only what it shows counts, not when it last changed.
    """
    bids, asks = book.bids, book.asks
    if not bids or not asks:
        return Reason.BOOK_ONE_SIDED
    bid, ask = bids[0].price, asks[0].price
    if bid >= ask:  # Two moments in one answer, or a paused match.
        return Reason.BOOK_CROSSED
    if ask - bid > max_spread:
        return Reason.BOOK_TOO_WIDE
    value = weighted_mid(book, LEVELS)
    if not 0.0 < value < 1.0:
        return Reason.TARGET_INVALID
    return FairValue(value, "book", bid, ask)
